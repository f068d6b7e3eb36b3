/** What orders can be searched by in the Temporal UI; registered by the project itself. No personal data: a customer is a keyed hash. */
export const searchAttributes = {
  OrderStatus: 'KEYWORD',
  OrderChannel: 'KEYWORD',
  OrderNode: 'KEYWORD',
  OrderCarrier: 'KEYWORD',
  FulfillmentMethod: 'KEYWORD',
  CustomerRef: 'KEYWORD',
  PromisedAt: 'DATETIME',
  HasException: 'BOOL',
} as const
export type SearchAttribute = keyof typeof searchAttributes
