/** Where an order is, computed from its parts. The columns of that name are only a cache of this function, rewritten in the transaction that changes a part. */
import { isBetweenNodes, isInBuilding, type FulfillmentStatus } from '../fulfillment/moves'
import type { HoldStep } from './holds'
import type { OrderFulfillmentStatus, OrderPaymentStatus, OrderStatus } from './status'

export interface OrderFacts {
  stage: 'open' | 'completed' | 'cancelled'
  lines: readonly LineFacts[]
  payments: readonly PaymentFacts[]
  fulfillments: readonly { status: FulfillmentStatus; method: string }[]
  /** The steps that open holds block. */
  blocked?: readonly HoldStep[]
}
export interface LineFacts {
  quantity: number
  shipped: number
  delivered: number
  cancelled: number
  backordered: number
}
export interface PaymentFacts {
  tenderId?: string
  /** A tender is held by its first payment; a later one holds what had still to leave when the one before was taken; 0: what a change asks to be held, no tender of the order yet. */
  part?: number
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
  const own = { ...facts, payments: facts.payments.filter((p) => p.part !== 0) }
  return { status: orderStatus(own), paymentStatus: paymentStatus(own), fulfillmentStatus: fulfillmentStatus(facts.lines) }
}

/** A hold shows where it blocks what comes next, and nothing of the order can go on. */
function orderStatus(facts: OrderFacts): OrderStatus {
  const status = unheldStatus(facts)
  const { blocked = [] } = facts
  return blocked.length > 0 && nextSteps(status, facts).every((step) => step !== 'never' && blocked.includes(step)) ? 'held' : status
}

/** What the order's parts do next; `never` where no hold can stop it. */
function nextSteps(status: OrderStatus, { fulfillments, blocked = [] }: OrderFacts): readonly (HoldStep | 'never')[] {
  if (status === 'placed') return ['payment']
  if (status === 'sourcing') return [blocked.includes('picking') ? 'picking' : 'sourcing']
  if (status === 'backordered') return ['sourcing']
  if (status !== 'in_fulfillment') return ['never']
  const parts = fulfillments.filter((f) => isInBuilding(f.status) || isBetweenNodes(f))
  return parts.map((f) => (isBetweenNodes(f) ? 'never' : ['packed', 'ready'].includes(f.status) || isCarriedOut(f, blocked) ? 'shipping' : 'picking'))
}

/** At the till it is picked and leaves in one moment: either is the next step. */
const isCarriedOut = ({ method }: { method: string }, blocked: readonly HoldStep[]): boolean => method === 'carry_out' && blocked.includes('shipping')

function unheldStatus({ stage, lines, payments, fulfillments }: OrderFacts): OrderStatus {
  const wanted = sum(lines, (l) => l.quantity - l.cancelled)
  if (stage === 'cancelled' || wanted === 0) return 'cancelled'
  if (stage === 'completed') return 'completed'
  const shipped = sum(lines, (l) => l.shipped)
  if (sum(lines, (l) => l.delivered) === wanted) return 'delivered'
  if (shipped === wanted) return 'shipped'
  if (shipped > 0) return 'partially_shipped'
  if (fulfillments.some((f) => isInBuilding(f.status) || isBetweenNodes(f))) return 'in_fulfillment'
  if (lines.some((l) => l.backordered > 0)) return 'backordered'
  return latest(payments).every(isHeld) ? 'sourcing' : 'placed'
}

/** Money is held or already taken for the whole tender. */
const isHeld = (p: PaymentFacts): boolean => p.status === 'authorized' || p.status === 'captured'

const isFirst = (p: PaymentFacts): boolean => (p.part ?? 1) === 1

/** One payment per tender: a further one takes the place of those before. */
const latest = (payments: readonly PaymentFacts[]): PaymentFacts[] =>
  payments.filter((p) => !payments.some((later) => later.tenderId !== undefined && later.tenderId === p.tenderId && (later.part ?? 1) > (p.part ?? 1)))

function paymentStatus({ payments, lines }: OrderFacts): OrderPaymentStatus {
  if (payments.some((p) => isFirst(p) && p.status === 'declined')) return 'declined'
  const captured = sum(payments, (p) => p.capturedMinor)
  const refunded = sum(payments, (p) => p.refundedMinor)
  if (captured > 0 && refunded === captured) return 'refunded'
  if (refunded > 0) return 'partially_refunded'
  if (captured > 0) {
    const allLeft = fulfillmentStatus(lines) === 'fulfilled'
    const nothingHeld = !payments.some((p) => p.status === 'authorized')
    return captured === sum(payments.filter(isFirst), (p) => p.amountMinor) || (allLeft && nothingHeld) ? 'captured' : 'partially_captured'
  }
  if (payments.length > 0 && payments.every((p) => p.status === 'voided')) return 'voided'
  return latest(payments).every(isHeld) ? 'authorized' : 'pending'
}

function fulfillmentStatus(lines: readonly LineFacts[]): OrderFulfillmentStatus {
  const wanted = sum(lines, (l) => l.quantity - l.cancelled)
  const shipped = sum(lines, (l) => l.shipped)
  if (shipped === 0) return 'none'
  return shipped >= wanted ? 'fulfilled' : 'partial'
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0)
