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

/** Of several things that are waited on the one that shows: what has the nearest deadline, else what has lasted longest; that nothing more happens only where nothing else does. */
export const mostUrgent = (waits: readonly (WaitingOn | null | undefined)[]): WaitingOn | null =>
  waits
    .filter((w) => w !== null && w !== undefined)
    .sort((a, b) => Number(a.what === 'return_window') - Number(b.what === 'return_window') || byText(a.deadline ?? '~', b.deadline ?? '~') || byText(a.since, b.since) || byText(a.what, b.what))[0] ?? null

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const waitReasons = [
  'workflow', 'payment', 'payment_provider', 'customer_action', 'bank_transfer', 'sourcing', 'stock', 'picking', 'label', 'hand_over', 'carrier', 'collection', 'transfer', 'delivery', 'capture', 'return_window', 'void', 'approval', 'return', 'hold',
] as const
export type WaitReason = (typeof waitReasons)[number]
