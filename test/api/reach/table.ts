/** The role table of the contract, as data of the test's own: which role reaches what. api/permissions.ts says it a second time, and the two must agree. */
export const roles = ['channel', 'store', 'courier', 'support', 'operations', 'finance', 'admin'] as const
export type Role = (typeof roles)[number]
/** `own`: what its key names, and of everything else not even that it is there. `-`: nothing. */
export type Reach = 'own' | 'all' | '-'

const row = (text: string): Record<Role, Reach> => {
  const cells = text.trim().split(/\s+/) as Reach[]
  return Object.fromEntries(roles.map((role, i) => [role, cells[i]!])) as Record<Role, Reach>
}

export const table = {
  //                       channel store courier support operations finance admin
  anybody:             row('all     all   all     all     all        all     all'),
  quote:               row('own     own   -       all     all        all     all'),
  place:               row('own     own   -       all     all        -       all'),
  readOrders:          row('own     own   -       all     all        all     all'),
  askReturns:          row('own     -     -       all     all        -       all'),
  // A channel's key speaks for the customer: what it asks for is her wish, which waits for a merchant where the policy says so.
  askChanges:          row('own     -     -       all     all        -       all'),
  decide:              row('-       -     -       all     all        -       all'),
  // A customer may bring a parcel to any store: the counter must know what it is.
  readReturns:         row('own     all   -       all     all        all     all'),
  receiveReturns:      row('-       own   -       -       all        -       all'),
  readWork:            row('-       own   -       all     all        -       all'),
  work:                row('-       own   -       -       all        -       all'),
  readDrivers:         row('-       own   own     all     all        -       all'),
  readRuns:            row('-       own   own     all     all        -       all'),
  planRuns:            row('-       own   -       -       all        -       all'),
  drive:               row('-       own   own     -       all        -       all'),
  readNetwork:         row('-       own   -       all     all        all     all'),
  writeNetwork:        row('-       -     -       -       all        -       all'),
  trySourcing:         row('-       -     -       all     all        all     all'),
  readExceptions:      row('-       own   -       all     all        all     all'),
  workExceptions:      row('-       -     -       all     all        all     all'),
  quarantine:          row('-       -     -       all     all        -       all'),
  manageWebhooks:      row('own     -     -       -       all        -       all'),
  readWebhooks:        row('own     -     -       all     all        -       all'),
  readLedger:          row('-       -     -       all     all        all     all'),
  money:               row('-       -     -       -       -          all     all'),
  erase:               row('-       -     -       all     -          -       all'),
  keys:                row('-       -     -       -       -          -       all'),
  readAudit:           row('-       -     -       -       all        -       all'),
  issueValue:          row('-       -     -       all     -          all     all'),
  // Whoever knows the code of a card or the number of a customer may ask what is left.
  readValue:           row('all     all   -       all     all        all     all'),
} as const
export type Row = keyof typeof table
