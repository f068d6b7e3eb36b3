/**
 * Accepting an order is one transaction: order, lines, payments with the operation that will authorise each, the stock claim where one is
 * wanted, `order.placed`, and the row that starts its workflow. Once it commits, the order cannot be lost, whatever else is down.
 */
import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Position } from '../domain/delivery/distance'
import { searchText, type NewOrder } from '../domain/order/new-order'
import type { WaitingOn } from '../domain/order/status'
import type { ChannelFacts } from '../domain/policy/channel-facts'
import { durationMs } from '../domain/policy/duration'
import type { PolicySnapshot } from '../domain/policy/kinds'
import type { OrderPromise, ToldPromise } from '../domain/promise/kept'
import { refuse } from '../domain/refusals'
import { row, run, type Transaction } from './connection'
import type { PlannedShipment, SourcingDecision } from '../domain/sourcing/decision'
import { holdByRule } from './hold-rules'
import { briefColumns, orderBrief, type OrderBrief } from './views/order-brief'
import { customerRefHmac } from './customer-ref'
import { comingFrom } from './open-lines'
import { holdOwn, paymentsOf, type PaymentToInsert } from './own-tenders'
import { LostRace, type PlanMode } from './race'
import { takeHold } from './reservations'
import { claimPlanned, keptDecision, planClaim, type Plan } from './sourcing'
import { claimAhead, mayWait, planAhead, type PlanAhead } from './supply-claims'

export interface Intake {
  order: NewOrder
  /** What rules may ask of its channel. */
  facts: ChannelFacts
  /** Canonical JSON of the submitted body: the same order sent again is recognised by it. */
  canonicalBody: string
  actor: string
  now: string
  policies: PolicySnapshot
  customerRefSecret: string
  /** The quote the order takes up: each is used once, and its date is the order's. */
  quote?: { id: string; promise: ToldPromise }
  /** Its money is at the provider already: paid before the order was there, under these ids. */
  paidAhead?: PaidAhead
  /** Where the customer fetches it. */
  collectedAt?: Position & { country: string }
  /** The date that can be kept with the nodes that were chosen, by the policies the order lives by; undefined where none can be said. */
  promiseFor?: (shipments: readonly PlannedShipment[], policies: PolicySnapshot) => OrderPromise | undefined
}

export interface PaidAhead {
  orderId: string
  paymentId: string
  operationId: string
  /** The provider's own of the payment. */
  reference: string
  payer: string | null
}

export interface Accepted {
  orderId: string
  outcome: 'accepted' | 'repeated'
  /** The order as it was written; a repeated one may have gone on since. */
  brief?: OrderBrief
}

/**
 * @throws `order.duplicate` when the channel used the number for another body; `stock.short` when a required claim cannot be had; `quote.used`;
 *   `tender.unknown`, `tender.declined` for a gift card or store credit; QuoteGone when the quoted date cannot be kept any more; LostRace in hopeful mode.
 */
export async function acceptOrder(tx: Transaction, intake: Intake, mode: PlanMode): Promise<Accepted> {
  const { order, actor } = intake
  const orderId = intake.paidAhead?.orderId ?? uuidv7()
  const bodyHash = hashOf(intake.canonicalBody)
  // What the quote held is free in this transaction, and nobody else's until its end.
  if (intake.quote) await takeHold(tx, { quoteId: intake.quote.id, skus: order.lines.map((l) => l.sku), actor })
  const decision = order.claim === 'required' ? await planClaim(tx, planOf(intake), mode) : undefined
  const ahead = decision && !decision.chosen && !intake.quote ? await planWaiting(tx, intake, mode) : undefined
  const short = decision && !decision.chosen && !ahead
  const payments = asPaidAhead(await paymentsOf(tx, order, intake.customerRefSecret), intake.paidAhead)
  const brief = short ? undefined : await insertOrder(tx, { ...intake, orderId, bodyHash, payments, decision })
  if (!brief) {
    const first = await repeated(tx, order, bodyHash)
    if (first) return first
    if (short && intake.quote) throw new QuoteGone('the stock is gone')
    throw short ? refuse('stock.short', { short: decision.short }, shortSentence(decision.short)) : refuse('quote.used')
  }
  if (intake.paidAhead) await findOut(tx, intake.paidAhead)
  if (decision?.chosen) await claimPlanned(tx, { orderId, channel: order.channel, shipments: decision.chosen.shipments, actor })
  if (ahead) await claimAhead(tx, { orderId, channel: order.channel, actor }, ahead)
  await holdOwn(tx, payments, order.currency)
  const held = await holdByRule(tx, { ...intake, orderId })
  return { orderId, outcome: 'accepted', brief: held ? await orderBrief(tx, orderId) : brief }
}

/** What a payment that was made before the order is called by everybody. */
const asPaidAhead = (payments: readonly PaymentToInsert[], ahead: PaidAhead | undefined): readonly PaymentToInsert[] =>
  ahead ? payments.map((p) => (p.provider === 'stripe' ? { ...p, paymentId: ahead.paymentId, operationId: ahead.operationId, reference: ahead.reference, paymentMethod: undefined } : p)) : payments

/** The workflow does not ask for this money: it looks up what has become of it. */
async function findOut(tx: Transaction, { paymentId, operationId, payer }: PaidAhead): Promise<void> {
  await run(tx, 'UPDATE payments SET payer = ? WHERE payment_id = ?', [payer, paymentId])
  await run(tx, `UPDATE payment_operations SET status = 'unknown', attempts = 1, last_called_at = now(), key_first_used_at = now() WHERE operation_id = ?`, [operationId])
}

/** What is short may be waited for where the SKU allows it. @throws LostRace in hopeful mode: a promise on what is to come is made on locked levels only. */
async function planWaiting(tx: Transaction, intake: Intake, mode: PlanMode): Promise<PlanAhead | undefined> {
  if (!(await mayWait(tx, intake.order.lines.map((l) => l.sku)))) return undefined
  if (mode === 'hopeful') throw new LostRace('what is short may be waited for')
  return planAhead(tx, planOf(intake))
}

/** What was quoted can no longer be had: the caller is to be told what can. */
export class QuoteGone extends Error {
  override name = 'QuoteGone'
}

/** The quoted date, if the chosen nodes can keep it; without a quote, the date they can keep. */
function promiseOf({ quote, promiseFor, policies }: Intake, decision: SourcingDecision | undefined): OrderPromise | undefined {
  const can = decision?.chosen && promiseFor?.(decision.chosen.shipments, policies)
  if (!quote) return can
  if (decision && (!can || can.promisedBy > quote.promise.promisedBy)) throw new QuoteGone('the date cannot be kept')
  return { milestones: {}, ...can, ...quote.promise }
}

const planOf = ({ order, policies, collectedAt }: Intake): Plan => ({
  channel: order.channel,
  lines: order.lines.map((l) => ({ lineId: l.lineId, sku: l.sku, quantity: l.quantity, valueMinor: l.unitPriceMinor })),
  ...comingFrom(order.delivery),
  destination: collectedAt ?? position(order),
  country: collectedAt?.country ?? order.shipTo?.country,
  excluded: [],
  policy: policies.sourcing,
})

/** Order, lines, payments, operations, event and start in one statement: the channel waits for it. @returns nothing when the number or the quote was used before. */
async function insertOrder(tx: Transaction, { orderId, bodyHash, payments, decision, ...intake }: Intake & { orderId: string; bodyHash: Buffer; payments: readonly PaymentToInsert[]; decision: SourcingDecision | undefined }): Promise<OrderBrief | undefined> {
  const { order, now, policies, actor } = intake
  const paid = order.tenders.every((t) => t.provider === 'paid_elsewhere')
  const bindings = {
    orderId,
    bodyHash,
    now,
    actor,
    channel: order.channel,
    channelOrderId: order.channelOrderId,
    currency: order.currency,
    totalMinor: order.totalMinor,
    taxIncluded: order.taxIncluded,
    shipping: JSON.stringify(order.shipping),
    priority: order.priority,
    claim: order.claim,
    customer: json(order.customer),
    shipTo: json(order.shipTo),
    billTo: json(order.billTo),
    flags: order.flags?.length ? [...order.flags] : null,
    delivery: JSON.stringify(order.delivery),
    customerRef: order.customer?.customerRef ? customerRefHmac(order.customer.customerRef, intake.customerRefSecret) : null,
    search: searchText(order),
    ...snapshotOf(policies),
    status: decision && !decision.chosen ? 'backordered' : paid ? 'sourcing' : 'placed',
    paymentStatus: paid ? 'captured' : 'pending',
    promise: json(promiseOf(intake, decision)),
    quoteId: intake.quote?.id ?? null,
    waitingOn: JSON.stringify(firstWait(now, policies, paid)),
    placedAt: order.placedAt,
    lines: JSON.stringify(order.lines.map((l, position) => ({ ...l, position }))),
    payments: JSON.stringify(payments),
    placed: JSON.stringify(placedData(order)),
    decision: decision ? JSON.stringify(keptDecision(decision, policies.versions.sourcing)) : null,
  }
  return row<OrderBrief>(tx, insertOrderSql, bindings)
}

const insertOrderSql = `
  WITH snapshot AS (
    INSERT INTO policy_snapshots (snapshot_id, document) SELECT :snapshotId, :snapshot::jsonb
    WHERE NOT EXISTS (SELECT 1 FROM policy_snapshots WHERE snapshot_id = :snapshotId) ON CONFLICT DO NOTHING),
  o AS (
    INSERT INTO orders (order_id, channel, channel_order_id, body_hash, currency, total_minor, tax_included, shipping, priority, claim, customer, ship_to, bill_to, flags,
                        delivery, customer_ref_hmac, search, policy_snapshot_id, status, payment_status, fulfillment_status, waiting_on, own_waiting_on, promise, quote_id, placed_at, accepted_at)
    VALUES (:orderId, :channel, :channelOrderId, :bodyHash, :currency, :totalMinor, :taxIncluded, :shipping, :priority, :claim, :customer, :shipTo, :billTo, :flags,
            :delivery, :customerRef, :search, :snapshotId, :status, :paymentStatus, 'none', :waitingOn, :waitingOn, :promise, :quoteId, :placedAt, :now)
    ON CONFLICT DO NOTHING RETURNING *),
  line AS (
    INSERT INTO order_lines (order_id, line_id, position, sku, quantity, unit_price_minor, discount_minor, tax_minor, kit)
    SELECT order_id, "lineId", position, sku, quantity, "unitPriceMinor", "discountMinor", "taxMinor", kit
    FROM o, jsonb_to_recordset(:lines::jsonb)
      AS l("lineId" text, position int, sku text, quantity int, "unitPriceMinor" bigint, "discountMinor" bigint, "taxMinor" bigint, kit jsonb)),
  tender AS (
    SELECT o.order_id, t.* FROM o, jsonb_to_recordset(:payments::jsonb)
      AS t("paymentId" uuid, "operationId" uuid, "tenderId" text, provider text, "paymentMethod" text, "amountMinor" bigint, reference text, status text, "takenMinor" bigint)),
  payment AS (
    INSERT INTO payments (payment_id, order_id, tender_id, provider, payment_method, amount_minor, currency, reference, status, authorized_minor, captured_minor)
    SELECT "paymentId", order_id, "tenderId", provider, "paymentMethod", "amountMinor", :currency, reference, status, "takenMinor", "takenMinor" FROM tender),
  operation AS (
    INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
    SELECT "operationId", "paymentId", order_id, 'authorize', 'authorize', "amountMinor" FROM tender WHERE "operationId" IS NOT NULL),
  start AS (INSERT INTO workflow_starts (order_id, priority, queued_at) SELECT order_id, priority, accepted_at FROM o),
  decided AS (INSERT INTO sourcing_decisions (order_id, number, decision) SELECT order_id, 1, :decision::jsonb FROM o WHERE :decision::jsonb IS NOT NULL),
  event AS (INSERT INTO order_events (order_id, channel, type, actor, data) SELECT order_id, channel, 'order.placed', :actor, :placed::jsonb FROM o)
  SELECT ${briefColumns} FROM o`

/** The policies as they are kept, under their own hash: all orders placed under the same ones share them. */
function snapshotOf(policies: PolicySnapshot): { snapshotId: string; snapshot: string } {
  const snapshot = JSON.stringify(policies)
  return { snapshotId: createHash('sha256').update(snapshot).digest('hex').slice(0, 32), snapshot }
}

const placedData = (order: NewOrder): Record<string, unknown> => ({
  channelOrderId: order.channelOrderId,
  totalMinor: order.totalMinor,
  currency: order.currency,
  lines: order.lines.map((l) => ({ lineId: l.lineId, sku: l.sku, quantity: l.quantity })),
})

const firstWait = (now: string, policies: PolicySnapshot, paid: boolean): WaitingOn =>
  paid
    ? { what: 'sourcing', since: now, deadline: null }
    : { what: 'payment', since: now, deadline: new Date(Date.parse(now) + durationMs(policies.payment.deadline)).toISOString() }

const shortSentence = (short: readonly { sku: string; wanted: number; available: number }[]): string =>
  `It cannot be had all together: ${short.map((s) => `${s.sku} ${s.available} of ${s.wanted}`).join(', ')}`

const position = (order: NewOrder): { latitude: number; longitude: number } | undefined =>
  order.shipTo?.latitude === undefined || order.shipTo.longitude === undefined ? undefined : { latitude: order.shipTo.latitude, longitude: order.shipTo.longitude }

/** A quote may have expired since its order was accepted: what was said once is said again. @throws `order.duplicate` */
export const acceptedBefore = (tx: Transaction, order: Pick<NewOrder, 'channel' | 'channelOrderId'>, canonicalBody: string): Promise<Accepted | undefined> =>
  repeated(tx, order, hashOf(canonicalBody))

const hashOf = (canonicalBody: string): Buffer => createHash('sha256').update(canonicalBody).digest()

/** The order first accepted under this number, if there is one. */
async function repeated(tx: Transaction, order: Pick<NewOrder, 'channel' | 'channelOrderId'>, bodyHash: Buffer): Promise<Accepted | undefined> {
  const first = await row<{ orderId: string; bodyHash: Buffer }>(
    tx,
    'SELECT order_id AS "orderId", body_hash AS "bodyHash" FROM orders WHERE channel = ? AND channel_order_id = ?',
    [order.channel, order.channelOrderId],
  )
  if (!first) return undefined
  if (!first.bodyHash.equals(bodyHash)) throw refuse('order.duplicate', { orderId: first.orderId })
  return { orderId: first.orderId, outcome: 'repeated' }
}

/** A customer is known in Temporal only by a keyed hash, which cannot be turned back. */
const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))
