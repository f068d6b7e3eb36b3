/**
 * Accepting an order is one transaction: order, lines, payments with the operation that will authorise each, the stock claim where one is
 * wanted, `order.placed`, and the row that starts its workflow. Once it commits, the order cannot be lost, whatever else is down.
 */
import { createHash, createHmac } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { searchText, type NewOrder } from '../domain/order/new-order'
import type { WaitingOn } from '../domain/order/status'
import { durationMs } from '../domain/policy/duration'
import type { PolicySnapshot } from '../domain/policy/kinds'
import { refuse } from '../domain/refusals'
import { row, type Transaction } from './connection'
import { record } from './events'
import { keepDecision, planAndClaim } from './sourcing'

export interface Intake {
  order: NewOrder
  /** Canonical JSON of the submitted body: the same order sent again is recognised by it. */
  canonicalBody: string
  actor: string
  now: string
  policies: PolicySnapshot
  customerRefSecret: string
}
export type Accepted = { orderId: string; outcome: 'accepted' | 'repeated' }

/** @throws `order.duplicate` when the channel used the number for another body; `stock.short` when a required claim cannot be had. */
export async function acceptOrder(tx: Transaction, intake: Intake): Promise<Accepted> {
  const { order } = intake
  const orderId = uuidv7()
  const bodyHash = createHash('sha256').update(intake.canonicalBody).digest()
  const inserted = await insertOrder(tx, orderId, bodyHash, intake)
  if (!inserted) return repeated(tx, order, bodyHash)
  await insertParts(tx, orderId, intake)
  if (order.claim === 'required') await claim(tx, orderId, intake)
  await record(tx, { orderId, channel: order.channel }, { type: 'order.placed', actor: intake.actor, data: placedData(order) })
  return { orderId, outcome: 'accepted' }
}

const placedData = (order: NewOrder): Record<string, unknown> => ({
  channelOrderId: order.channelOrderId,
  totalMinor: order.totalMinor,
  currency: order.currency,
  lines: order.lines.map((l) => ({ lineId: l.lineId, sku: l.sku, quantity: l.quantity })),
})

async function insertOrder(tx: Transaction, orderId: string, bodyHash: Buffer, { order, now, policies, customerRefSecret }: Intake): Promise<boolean> {
  const paid = order.tenders.every((t) => t.provider === 'paid_elsewhere')
  const inserted = await row(
    tx,
    `INSERT INTO orders (order_id, channel, channel_order_id, body_hash, currency, total_minor, tax_included, shipping, priority, claim, customer, ship_to,
                         delivery, customer_ref_hmac, search, policy, status, payment_status, fulfillment_status, waiting_on, placed_at, accepted_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?::jsonb, ?::jsonb, ?::jsonb, ?, ?, ?::jsonb, ?, ?, 'none', ?::jsonb, ?, ?)
     ON CONFLICT (channel, channel_order_id) DO NOTHING RETURNING order_id`,
    [
      orderId, order.channel, order.channelOrderId, bodyHash, order.currency, order.totalMinor, order.taxIncluded, JSON.stringify(order.shipping), order.priority,
      order.claim, json(order.customer), json(order.shipTo), JSON.stringify(order.delivery), customerRefHmac(order, customerRefSecret), searchText(order),
      JSON.stringify(policies), paid ? 'sourcing' : 'placed', paid ? 'captured' : 'pending', JSON.stringify(firstWait(now, policies, paid)), order.placedAt, now,
    ],
  )
  return inserted !== undefined
}

const firstWait = (now: string, policies: PolicySnapshot, paid: boolean): WaitingOn =>
  paid
    ? { what: 'sourcing', since: now, deadline: null }
    : { what: 'payment', since: now, deadline: new Date(Date.parse(now) + durationMs(policies.payment.deadline)).toISOString() }

async function insertParts(tx: Transaction, orderId: string, { order, now }: Intake): Promise<void> {
  await tx('order_lines').insert(
    order.lines.map((l, position) => ({
      order_id: orderId, line_id: l.lineId, position, sku: l.sku, quantity: l.quantity,
      unit_price_minor: l.unitPriceMinor, discount_minor: l.discountMinor, tax_minor: l.taxMinor,
    })),
  )
  const payments = order.tenders.map((t) => ({ ...t, paymentId: uuidv7() }))
  await tx('payments').insert(
    payments.map((p) => ({
      payment_id: p.paymentId, order_id: orderId, tender_id: p.tenderId, provider: p.provider, payment_method: p.paymentMethod ?? null,
      amount_minor: p.amountMinor, currency: order.currency, ...(p.provider === 'paid_elsewhere' ? takenElsewhere(p.amountMinor) : { status: 'opened' }),
    })),
  )
  const toAuthorize = payments.filter((p) => p.provider !== 'paid_elsewhere')
  if (toAuthorize.length)
    await tx('payment_operations').insert(
      toAuthorize.map((p) => ({ operation_id: uuidv7(), payment_id: p.paymentId, order_id: orderId, kind: 'authorize', purpose: 'authorize', amount_minor: p.amountMinor })),
    )
  await tx('workflow_starts').insert({ order_id: orderId, priority: order.priority, queued_at: now })
}

/** The channel has the money already: nothing is left to authorise or capture. */
const takenElsewhere = (amountMinor: number): Record<string, unknown> => ({ status: 'captured', authorized_minor: amountMinor, captured_minor: amountMinor })

async function claim(tx: Transaction, orderId: string, { order, actor, policies }: Intake): Promise<void> {
  const decision = await planAndClaim(tx, {
    orderId,
    lines: order.lines,
    method: order.delivery.method,
    nodeId: order.delivery.nodeId,
    destination: position(order),
    excluded: [],
    policy: policies.sourcing,
    actor,
  })
  if (!decision.chosen) throw refuse('stock.short', { short: decision.short }, shortSentence(decision.short))
  await keepDecision(tx, orderId, decision, policies.versions.sourcing)
}

const shortSentence = (short: readonly { sku: string; wanted: number; available: number }[]): string =>
  `No single node has it all: ${short.map((s) => `${s.sku} ${s.available} of ${s.wanted}`).join(', ')}`

const position = (order: NewOrder): { latitude: number; longitude: number } | undefined =>
  order.shipTo?.latitude === undefined || order.shipTo.longitude === undefined ? undefined : { latitude: order.shipTo.latitude, longitude: order.shipTo.longitude }

async function repeated(tx: Transaction, order: NewOrder, bodyHash: Buffer): Promise<Accepted> {
  const first = await row<{ orderId: string; bodyHash: Buffer }>(
    tx,
    'SELECT order_id AS "orderId", body_hash AS "bodyHash" FROM orders WHERE channel = ? AND channel_order_id = ?',
    [order.channel, order.channelOrderId],
  )
  if (!first!.bodyHash.equals(bodyHash)) throw refuse('order.duplicate', { orderId: first!.orderId })
  return { orderId: first!.orderId, outcome: 'repeated' }
}

/** A customer is known in Temporal only by a keyed hash, which cannot be turned back. */
const customerRefHmac = (order: NewOrder, secret: string): string | null =>
  order.customer?.customerRef ? createHmac('sha256', secret).update(order.customer.customerRef).digest('hex').slice(0, 32) : null

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))
