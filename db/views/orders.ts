/** The single view of an order: everything anyone who helps the customer needs, in one query and one document. */
import type { Choice } from '../../domain/delivery/choice'
import { isBetweenNodes, isGone, type FulfillmentStatus } from '../../domain/fulfillment/moves'
import type { KitLine } from '../../domain/order/kits'
import type { WaitingOn } from '../../domain/order/status'
import { worthMinor, type Raise } from '../../domain/payment/shares'
import { keptUnits, exchangedMinor, type ExchangedLine } from '../../domain/returns/exchange'
import type { OrderPromise } from '../../domain/promise/kept'
import { promiseState, type PromiseState } from '../../domain/promise/state'
import { row, rows, type Db, type Transaction } from '../connection'
import { countedSql } from '../counted-goodwill'
import { exchangedLinesJson } from '../exchanges'
import { holdsJson, type HoldView } from './holds'
import { packagesJson, workLinesJson, type FulfillmentLineView, type PackageView } from './fulfillments'
import type { GuardView } from './guards'
import { returnsOfOrderJson } from './returns'
import { iso, list, runJson, type RunOfTask } from './sql'

export interface OrderView {
  orderId: string
  channel: string
  channelOrderId: string
  /** The draft it was before, if it was one. */
  draftId: string | null
  version: number
  status: string
  paymentStatus: string
  fulfillmentStatus: string
  workflowOpen: boolean
  placedAt: string
  acceptedAt: string
  closedAt: string | null
  currency: string
  totalMinor: number
  taxIncluded: boolean
  shipping: { priceMinor: number; taxMinor: number }
  claim: string
  priority: number
  customer: Record<string, string> | null
  shipTo: Record<string, unknown> | null
  billTo: Record<string, unknown> | null
  flags: string[] | null
  delivery: Record<string, unknown>
  lines: OrderLineView[]
  holds: HoldView[]
  fulfillments: OrderFulfillmentView[]
  shipments: ShipmentView[]
  returns: OrderReturnView[]
  payments: PaymentView[]
  promise: PromiseView
  money: MoneyView
  waitingOn: WaitingOn | null
  /** What the customer says at the counter, once something waits there for her; for the channel and support. */
  pickupCode?: string
  allowedActions: string[]
}
export interface OrderLineView {
  lineId: string
  sku: string
  name: string
  quantity: number
  unitPriceMinor: number
  discountMinor: number
  taxMinor: number
  allocated: number
  picked: number
  shipped: number
  delivered: number
  cancelled: number
  returned: number
  /** Units whose money was given back. */
  credited: number
  /** The line that this one is sent in place of. */
  replaces: string | null
  backordered: number
  /** The date it is promised for, where it was sold before it was there. */
  shipBy: string | null
  /** The line as it was ordered, where this is a component of a kit. */
  kit: KitLine | null
}
export interface OrderReturnView {
  returnId: string
  status: string
  method: string
  remedy: string
  dueAt: string
  /** What is held over the goods, because others were sent before they are back. */
  guard: GuardView | null
  lines: { lineId: string; quantity: number; received: number }[]
}
export interface OrderFulfillmentView {
  fulfillmentId: string
  nodeId: string
  method: string
  status: FulfillmentStatus
  assignee: string | null
  /** Since when it has been at the counter. */
  readyAt: string | null
  lines: FulfillmentLineView[]
  packages: PackageView[]
}
export interface ShipmentView {
  shipmentId: string
  packageId: string
  fulfillmentId: string
  carrier: string
  service: string
  trackingNumber: string | null
  status: string
  promisedBy: string | null
  handedOverAt: string | null
  deliveredAt: string | null
  /** While an own driver brings it: which stop of how many, and when. */
  run: RunOfTask | null
  /** Why this service carries it, and why each other does not; null for parcels from before it was kept. */
  choice: Choice | null
}
export interface PaymentView {
  paymentId: string
  tenderId: string
  /** What the new goods of an exchange cost more, or what is held over the old ones; else the order. */
  purpose: 'order' | 'difference' | 'guard'
  provider: string
  reference: string | null
  status: string
  amountMinor: number
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
  /** Given as store credit in place of a refund. */
  creditedMinor: number
  /** Given in place of another payment, whose refund came back. */
  againMinor: number
  /** Given back beyond what came back. */
  goodwillMinor: number
  authorizationExpiresAt: string | null
  declineCode: string | null
  /** Taken instead of being held, as by a bank debit. */
  takenAtOnce: boolean
  /** What the customer needs to go on with it at her bank, while that is waited for; for the channel and support. */
  action?: { type: string; clientSecret: string; url: string | null }
}
export interface PromiseView {
  promisedFrom: string | null
  promisedBy: string | null
  confidence: number | null
  state: PromiseState
}
export interface MoneyView {
  currency: string
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
  /** Of it, what came back to the provider and was not given another way yet. */
  refundsOwedMinor: number
  /** Given as store credit in place of a refund. */
  creditedMinor: number
  /** What the buyer keeps, less what was taken and not given back; never below zero. */
  owedMinor: number
}

const shipByJson = `(SELECT ${iso('max(c.ship_by)')} FROM supply_claims c WHERE c.order_id = l.order_id AND c.line_id = l.line_id AND c.status IN ('open', 'arrived', 'filled'))`
const linesJson = list(
  `json_build_object('lineId', l.line_id, 'sku', l.sku, 'name', s.name, 'quantity', l.quantity, 'unitPriceMinor', l.unit_price_minor, 'discountMinor', l.discount_minor,
     'taxMinor', l.tax_minor, 'raised', l.raised, 'allocated', l.allocated, 'picked', l.picked, 'shipped', l.shipped, 'delivered', l.delivered, 'cancelled', l.cancelled,
     'returned', l.returned, 'credited', l.credited, 'replaces', l.replaces, 'backordered', l.backordered, 'shipBy', ${shipByJson}, 'kit', l.kit)`,
  'order_lines l JOIN skus s USING (sku) WHERE l.order_id = o.order_id',
  'l.position',
)
const fulfillmentsJson = list(
  `json_build_object('fulfillmentId', f.fulfillment_id, 'nodeId', f.node_id, 'method', f.method, 'status', f.status, 'assignee', f.assignee, 'readyAt', ${iso('f.ready_at')},
     'lines', ${workLinesJson}, 'packages', ${packagesJson})`,
  'fulfillments f WHERE f.order_id = o.order_id',
  'f.fulfillment_id',
)
/** One per package: each has its own tracking number and its own fate. */
const shipmentsJson = list(
  `json_build_object('shipmentId', s.shipment_id, 'packageId', p.package_id, 'fulfillmentId', s.fulfillment_id, 'carrier', s.carrier, 'service', s.service,
     'trackingNumber', p.tracking_number, 'status', p.status, 'promisedBy', ${iso('s.promised_by')}, 'handedOverAt', ${iso('s.handed_over_at')}, 'deliveredAt', ${iso('s.delivered_at')}, 'run', ${runJson('t.fulfillment_id = s.fulfillment_id')},
     'choice', (SELECT c.choice FROM carrier_choices c WHERE c.fulfillment_id = s.fulfillment_id ORDER BY c.number DESC LIMIT 1))`,
  'shipments s JOIN packages p USING (shipment_id) WHERE s.order_id = o.order_id',
  's.shipment_id, p.number',
)
const paymentsJson = list(
  `json_build_object('paymentId', p.payment_id, 'tenderId', p.tender_id, 'purpose', coalesce((SELECT role FROM exchange_payments x WHERE x.payment_id = p.payment_id), 'order'), 'provider', p.provider, 'reference', p.reference, 'status', p.status, 'amountMinor', p.amount_minor,
     'authorizedMinor', p.authorized_minor, 'capturedMinor', p.captured_minor, 'refundedMinor', p.refunded_minor,
     'creditedMinor', (SELECT coalesce(sum(amount_minor), 0) FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.kind = 'credit'),
     'againMinor', (SELECT coalesce(sum(amount_minor), 0) FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.kind = 'refund' AND op.status = 'succeeded' AND op.purpose LIKE 'again:%'),
     'goodwillMinor', (SELECT coalesce(sum(amount_minor), 0) FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.kind = 'refund' AND op.status = 'succeeded' AND op.purpose LIKE 'goodwill:%'),
     'authorizationExpiresAt', ${iso('p.authorization_expires_at')}, 'declineCode', p.decline_code, 'takenAtOnce', p.taken_at_once, 'action', p.action)`,
  'payments p WHERE p.order_id = o.order_id',
  'p.tender_id, p.part',
)

interface OrderFacts extends Omit<OrderView, 'lines' | 'promise' | 'money' | 'allowedActions' | 'pickupCode'> {
  exchanged: ExchangedLine[]
  lines: (OrderLineView & { raised: readonly Raise[] })[]
  pickupCode: string | null
  refundsOwedMinor: number
  /** Given by hand, and counted since for goods that came back. */
  countedMinor: number
  stage: string
  promise: OrderPromise | null
}

const columns = `o.order_id AS "orderId", o.channel, o.channel_order_id AS "channelOrderId", (SELECT d.draft_id FROM drafts d WHERE d.order_id = o.order_id) AS "draftId", o.version, o.status, o.payment_status AS "paymentStatus",
  o.fulfillment_status AS "fulfillmentStatus", o.workflow_open AS "workflowOpen", o.placed_at AS "placedAt", o.accepted_at AS "acceptedAt", o.closed_at AS "closedAt",
  o.currency, o.total_minor AS "totalMinor", o.tax_included AS "taxIncluded", o.shipping, o.claim, o.priority, o.customer, o.ship_to AS "shipTo", o.bill_to AS "billTo", o.flags, o.delivery,
  o.waiting_on AS "waitingOn", o.promise, o.stage,
  (SELECT coalesce(sum(amount_minor), 0)::int8 FROM returned_refunds r WHERE r.order_id = o.order_id AND r.status = 'owed') AS "refundsOwedMinor", ${countedSql} AS "countedMinor",
  (SELECT max(pickup_code) FROM fulfillments f WHERE f.order_id = o.order_id AND f.status = 'ready') AS "pickupCode", ${linesJson} AS lines, ${exchangedLinesJson} AS exchanged, ${fulfillmentsJson} AS fulfillments, ${shipmentsJson} AS shipments, ${paymentsJson} AS payments, ${returnsOfOrderJson} AS returns, ${holdsJson} AS holds`

/** @returns undefined when there is no such order. Who may see it is for the caller to check. */
export async function orderView(db: Db | Transaction, orderId: string, viewer: { role: string }): Promise<OrderView | undefined> {
  const found = await row<OrderFacts>(db, `SELECT ${columns} FROM orders o WHERE o.order_id = ?`, [orderId])
  return found && present(found, viewer.role)
}

function present({ stage, pickupCode, exchanged, refundsOwedMinor, countedMinor, ...order }: OrderFacts, role: string): OrderView {
  return {
    ...order,
    lines: order.lines.map(({ raised: _, ...line }) => line),
    payments: order.payments.map(({ action, ...payment }) => ({ ...payment, ...(action && tellsCustomers.includes(role) && { action }) })),
    ...(pickupCode !== null && tellsCustomers.includes(role) && { pickupCode }),
    promise: promiseView(order, new Date().toISOString()),
    money: moneyOf({ ...order, exchanged, refundsOwedMinor, countedMinor }, stage),
    allowedActions: orderActions(order, stage, role),
  }
}

function promiseView({ promise, shipments, fulfillments, status, delivery }: Pick<OrderFacts, 'promise' | 'shipments' | 'fulfillments' | 'status' | 'delivery'>, now: string): PromiseView {
  const { promisedFrom, promisedBy, confidence } = promise ?? { promisedFrom: null, promisedBy: null, confidence: null }
  const arrived = delivery.method !== 'delivery' ? readyAt(fulfillments) : ['delivered', 'completed'].includes(status) ? shipments.map((s) => s.deliveredAt ?? '').sort().at(-1) : undefined
  return { promisedFrom, promisedBy, confidence, state: promiseState(promise, now, fulfillments, arrived) }
}

/** When the last of what the customer fetches was at the counter; absent while some of it is not. */
function readyAt(fulfillments: readonly OrderFulfillmentView[]): string | undefined {
  const live = fulfillments.filter((f) => !['rejected', 'cancelled'].includes(f.status) && !(f.method === 'transfer' && f.status === 'delivered'))
  const ready = live.map((f) => f.readyAt ?? (f.status === 'collected' ? '' : undefined))
  return live.length > 0 && ready.every((at) => at !== undefined) ? ready.sort().at(-1) : undefined
}

function moneyOf(order: Pick<OrderFacts, 'currency' | 'lines' | 'exchanged' | 'shipping' | 'taxIncluded' | 'payments' | 'refundsOwedMinor' | 'countedMinor'>, stage: string): MoneyView {
  const sum = (of: (p: PaymentView) => number): number => order.payments.reduce((total, p) => total + of(p), 0)
  // What a final capture left was let go, and may be held again by a further payment; what is held over old goods is not for the order.
  const heldMinor = (p: PaymentView): number => (p.status === 'captured' || p.purpose === 'guard' ? p.capturedMinor : p.authorizedMinor)
  const [authorizedMinor, capturedMinor, refundedMinor] = [sum(heldMinor), sum((p) => p.capturedMinor), sum((p) => p.refundedMinor - p.againMinor)]
  const keptMinor = stage === 'cancelled' ? 0 : worthMinor(order, keptUnits(order.exchanged)) + exchangedMinor(order.exchanged)
  const creditedMinor = sum((p) => p.creditedMinor)
  return { currency: order.currency, authorizedMinor, capturedMinor, refundedMinor, refundsOwedMinor: order.refundsOwedMinor, creditedMinor, owedMinor: Math.max(0, keptMinor - capturedMinor + refundedMinor - sum((p) => p.goodwillMinor) + order.countedMinor + creditedMinor) }
}

/** Who may tell the customer her code, and what her bank asks of her. */
const tellsCustomers = ['channel', 'support']

const sendingBack = ['channel', 'support', 'operations', 'admin']
const holding = ['support', 'operations', 'admin']
const cancelling = ['channel', 'store', 'support', 'operations', 'admin']

/** The commands on the order that its state and the role allow now, named as the last segment of their path. */
function orderActions(order: Pick<OrderFacts, 'fulfillments' | 'lines' | 'returns'>, stage: string, role: string): string[] {
  const cancellable = stage === 'open' && (!order.fulfillments.some(isGone) || hasLooseUnits(order))
  return [
    ...(cancellable && cancelling.includes(role) ? ['cancel'] : []),
    ...(stage === 'open' && (cancellable || hasReturnableUnits(order)) && holding.includes(role) ? ['holds'] : []),
    ...(hasReturnableUnits(order) && sendingBack.includes(role) ? ['returns', 'replacements', ...(role === 'channel' ? [] : ['claims'])] : []),
  ]
}

/** Has the customer anything that she has not announced to send back? */
const hasReturnableUnits = ({ lines, returns }: Pick<OrderFacts, 'lines' | 'returns'>): boolean =>
  lines.some((l) => l.delivered > returns.flatMap((r) => r.lines.filter((b) => b.lineId === l.lineId).map((b) => (comesBack(r.status) || r.method === 'none' ? b.quantity : b.received))).reduce((sum, n) => sum + n, 0))

const comesBack = (status: string): boolean => !['closed', 'rejected', 'cancelled'].includes(status)

/** Are there units that have not left and are in no parcel yet, nor put aside at a counter, nor between two nodes? */
function hasLooseUnits({ lines, fulfillments }: Pick<OrderFacts, 'fulfillments' | 'lines'>): boolean {
  const sum = (counts: readonly number[]): number => counts.reduce((total, n) => total + n, 0)
  const fixed = fulfillments.filter((f) => f.status === 'packed' || f.status === 'ready' || isBetweenNodes(f))
  return sum(lines.map((l) => l.quantity - l.cancelled - l.shipped)) > sum(fixed.flatMap((f) => f.lines.map((l) => l.picked)))
}

/** As an order's version is written in `ETag` and `If-Match`. */
export const orderTag = (version: number): string => `"${version}"`

export const orderVersion = (db: Db | Transaction, orderId: string): Promise<{ version: number; isOpen: boolean } | undefined> =>
  row(db, 'SELECT version, workflow_open AS "isOpen" FROM orders WHERE order_id = ?', [orderId])

export const orderChannel = async (db: Db | Transaction, orderId: string): Promise<string | undefined> =>
  (await row<{ channel: string }>(db, 'SELECT channel FROM orders WHERE order_id = ?', [orderId]))?.channel

export interface SourcingEntry {
  number: number
  at: string
  [decision: string]: unknown
}

/** Every sourcing decision of an order, first to last: the node chosen, and why every other one lost. */
export async function sourcingDecisions(db: Db, orderId: string): Promise<SourcingEntry[]> {
  const found = await rows<{ number: number; at: string; decision: Record<string, unknown> }>(
    db,
    'SELECT number, at, decision FROM sourcing_decisions WHERE order_id = ? ORDER BY number',
    [orderId],
  )
  return found.map(({ decision, ...entry }) => ({ ...decision, ...entry }))
}
