/** The words for where an order is. They are rolled up from lines, payments and fulfillments (rollup.ts), never set by hand. */
export const orderStatuses = ['placed', 'held', 'sourcing', 'backordered', 'in_fulfillment', 'partially_shipped', 'shipped', 'delivered', 'completed', 'cancelled'] as const
export type OrderStatus = (typeof orderStatuses)[number]

export const paymentStatuses = ['pending', 'authorized', 'partially_captured', 'captured', 'partially_refunded', 'refunded', 'voided', 'declined'] as const
export type OrderPaymentStatus = (typeof paymentStatuses)[number]

export const orderFulfillmentStatuses = ['none', 'partial', 'fulfilled'] as const
export type OrderFulfillmentStatus = (typeof orderFulfillmentStatuses)[number]

/** What a live order waits on: a thing with a name, since when, and until when it may last. */
export interface WaitingOn {
  what: WaitReason
  since: string
  deadline: string | null
}
export const waitReasons = [
  'workflow', 'payment', 'payment_provider', 'customer_action', 'sourcing', 'stock', 'picking', 'label', 'hand_over', 'carrier', 'delivery', 'capture', 'return_window', 'void',
] as const
export type WaitReason = (typeof waitReasons)[number]
