/** Where an order is, computed from its parts. The columns of that name are only a cache of this function, rewritten in the transaction that changes a part. */
import { isInBuilding, type FulfillmentStatus } from '../fulfillment/moves'
import type { OrderFulfillmentStatus, OrderPaymentStatus, OrderStatus } from './status'

export interface OrderFacts {
  stage: 'open' | 'completed' | 'cancelled'
  lines: readonly LineFacts[]
  payments: readonly PaymentFacts[]
  fulfillments: readonly { status: FulfillmentStatus }[]
}
export interface LineFacts {
  quantity: number
  shipped: number
  delivered: number
  cancelled: number
  backordered: number
}
export interface PaymentFacts {
  status: string
  amountMinor: number
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
}
export interface OrderRollup {
  status: OrderStatus
  paymentStatus: OrderPaymentStatus
  fulfillmentStatus: OrderFulfillmentStatus
}

export function rollUp(facts: OrderFacts): OrderRollup {
  return { status: orderStatus(facts), paymentStatus: paymentStatus(facts.payments), fulfillmentStatus: fulfillmentStatus(facts.lines) }
}

function orderStatus({ stage, lines, payments, fulfillments }: OrderFacts): OrderStatus {
  const wanted = sum(lines, (l) => l.quantity - l.cancelled)
  if (stage === 'cancelled' || wanted === 0) return 'cancelled'
  if (stage === 'completed') return 'completed'
  const shipped = sum(lines, (l) => l.shipped)
  if (sum(lines, (l) => l.delivered) === wanted) return 'delivered'
  if (shipped === wanted) return 'shipped'
  if (shipped > 0) return 'partially_shipped'
  if (fulfillments.some((f) => isInBuilding(f.status))) return 'in_fulfillment'
  if (lines.some((l) => l.backordered > 0)) return 'backordered'
  return payments.every(isHeld) ? 'sourcing' : 'placed'
}

/** Money is held or already taken for the whole tender. */
const isHeld = (p: PaymentFacts): boolean => p.status === 'authorized' || p.status === 'captured'

function paymentStatus(payments: readonly PaymentFacts[]): OrderPaymentStatus {
  if (payments.some((p) => p.status === 'declined')) return 'declined'
  const captured = sum(payments, (p) => p.capturedMinor)
  const refunded = sum(payments, (p) => p.refundedMinor)
  if (captured > 0 && refunded === captured) return 'refunded'
  if (refunded > 0) return 'partially_refunded'
  if (captured > 0) return captured === sum(payments, (p) => p.amountMinor) || payments.every((p) => p.status === 'captured') ? 'captured' : 'partially_captured'
  if (payments.length > 0 && payments.every((p) => p.status === 'voided')) return 'voided'
  return payments.every(isHeld) ? 'authorized' : 'pending'
}

function fulfillmentStatus(lines: readonly LineFacts[]): OrderFulfillmentStatus {
  const wanted = sum(lines, (l) => l.quantity - l.cancelled)
  const shipped = sum(lines, (l) => l.shipped)
  if (shipped === 0) return 'none'
  return shipped >= wanted ? 'fulfilled' : 'partial'
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0)
