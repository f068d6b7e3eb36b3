/** Who may do what: the table of roles, as data. What of it a key reaches (its channels, nodes, driver) is checked per request in auth.ts. */
export const roles = ['channel', 'store', 'courier', 'support', 'operations', 'finance', 'admin'] as const
export type Role = (typeof roles)[number]

/** A store may place and read what its till sells: the channels named in its key. */
export const may = {
  quote: ['channel', 'store', 'support', 'operations', 'finance', 'admin'],
  placeOrders: ['channel', 'store', 'support', 'operations', 'admin'],
  readOrders: ['channel', 'store', 'support', 'operations', 'finance', 'admin'],
  cancelOrders: ['channel', 'store', 'support', 'operations', 'admin'],
  changeOrders: ['channel', 'support', 'operations', 'admin'],
  decideChanges: ['support', 'operations', 'admin'],
  requestReturns: ['channel', 'support', 'operations', 'admin'],
  readReturns: ['channel', 'store', 'support', 'operations', 'finance', 'admin'],
  receiveReturns: ['store', 'operations', 'admin'],
  decideReturns: ['support', 'operations', 'admin'],
  readFulfillments: ['store', 'support', 'operations', 'admin'],
  workFulfillments: ['store', 'operations', 'admin'],
  count: ['store', 'operations', 'admin'],
  readNetwork: ['store', 'support', 'operations', 'finance', 'admin'],
  writeNetwork: ['operations', 'admin'],
  reOptimise: ['operations', 'admin'],
  trySourcing: ['support', 'operations', 'finance', 'admin'],
  readDrivers: ['store', 'courier', 'support', 'operations', 'admin'],
  planRuns: ['store', 'operations', 'admin'],
  readRuns: ['store', 'courier', 'support', 'operations', 'admin'],
  driveRuns: ['store', 'courier', 'operations', 'admin'],
  readExceptions: ['store', 'support', 'operations', 'finance', 'admin'],
  workExceptions: ['support', 'operations', 'finance', 'admin'],
  readLedger: ['support', 'operations', 'finance', 'admin'],
  sendSettlements: ['finance', 'admin'],
  issueValue: ['support', 'finance', 'admin'],
  readValue: ['channel', 'store', 'support', 'operations', 'finance', 'admin'],
  readQuarantine: ['support', 'operations', 'admin'],
  workQuarantine: ['support', 'operations', 'admin'],
  manageKeys: ['admin'],
  readAudit: ['operations', 'admin'],
  any: roles,
} as const satisfies Record<string, readonly Role[]>
