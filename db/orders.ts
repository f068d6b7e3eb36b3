/** The order row: locked by whoever changes anything of the order, and kept in step with its parts. */
import type { IfVersion } from '../domain/messages'
import { waitsUnder, type HoldStep, type StandingHold } from '../domain/order/holds'
import { rollUp, type OrderFacts } from '../domain/order/rollup'
import { mostUrgent, type WaitingOn } from '../domain/order/status'
import type { PolicySnapshot } from '../domain/policy/kinds'
import { invariant } from '../domain/invariant'
import { refuse } from '../domain/refusals'
import { row, rows, run, type Db, type Transaction } from './connection'
import { iso } from './views/sql'

export interface OrderRow {
  orderId: string
  channel: string
  channelOrderId: string
  currency: string
  totalMinor: number
  stage: 'open' | 'completed' | 'cancelled'
  claim: 'required' | 'later'
  policy: PolicySnapshot
  waitingOn: WaitingOn | null
  delivery: { method: string; service?: string; nodeId?: string }
  /** The steps that open holds block. */
  blocked: HoldStep[]
}

/** The policies an order was placed under, as SQL. @param order the table or its alias */
export const snapshotOf = (order: string): string => `(SELECT document FROM policy_snapshots WHERE snapshot_id = ${order}.policy_snapshot_id)`

const columns = `order_id AS "orderId", channel, channel_order_id AS "channelOrderId", currency, total_minor AS "totalMinor", stage, claim, ${snapshotOf('orders')} AS policy, waiting_on AS "waitingOn", delivery, blocked`

/** Takes the order's lock for the rest of the transaction: a cancel and a hand-over cannot both win. */
export async function lockOrder(tx: Transaction, orderId: string): Promise<OrderRow> {
  const order = await row<OrderRow>(tx, `SELECT ${columns} FROM orders WHERE order_id = ? FOR UPDATE`, [orderId])
  invariant(order, `order ${orderId} has a row`)
  return order
}

export const isWorkflowOpen = async (tx: Transaction, orderId: string): Promise<boolean> => (await row(tx, 'SELECT 1 FROM orders WHERE order_id = ? AND workflow_open', [orderId])) !== undefined

/** Locks it: of two who have seen the same, the second finds it changed. @throws `request.version_mismatch` */
export async function refuseUnlessAt(tx: Db | Transaction, { orderId, versions }: IfVersion): Promise<void> {
  const { version } = (await row<{ version: number }>(tx, 'SELECT version FROM orders WHERE order_id = ? FOR UPDATE', [orderId]))!
  if (!versions.includes(version)) throw refuse('request.version_mismatch', { version })
}

/** Several, always in the same order. @returns them by id. */
export async function lockOrders(tx: Transaction, orderIds: readonly string[]): Promise<Map<string, OrderRow>> {
  const found = await rows<OrderRow>(tx, `SELECT ${columns} FROM orders WHERE order_id = ANY(?) ORDER BY order_id FOR UPDATE`, [[...new Set(orderIds)]])
  return new Map(found.map((order) => [order.orderId, order]))
}

/** The same, by one of its fulfillments; undefined when there is no such fulfillment. */
export const lockOrderOfFulfillment = (tx: Transaction, fulfillmentId: string): Promise<OrderRow | undefined> =>
  row<OrderRow>(tx, `SELECT ${columns} FROM orders WHERE order_id = (SELECT order_id FROM fulfillments WHERE fulfillment_id = ?) FOR UPDATE`, [fulfillmentId])

/** The same, by the tracking number of one of its packages; undefined when the carrier's number is not known. */
export const lockOrderOfParcel = (tx: Transaction, carrier: string, trackingNumber: string): Promise<OrderRow | undefined> =>
  row<OrderRow>(
    tx,
    `SELECT ${columns} FROM orders WHERE order_id =
       (SELECT f.order_id FROM packages p JOIN fulfillments f USING (fulfillment_id) WHERE p.carrier = ? AND p.tracking_number = ?) FOR UPDATE`,
    [carrier, trackingNumber],
  )

/** The same, by one of its payments. */
export async function lockOrderOf(tx: Transaction, paymentId: string): Promise<OrderRow> {
  const order = await row<OrderRow>(tx, `SELECT ${columns} FROM orders WHERE order_id = (SELECT order_id FROM payments WHERE payment_id = ?) FOR UPDATE`, [paymentId])
  invariant(order, `payment ${paymentId} has an order`)
  return order
}

export const findOrder = (db: Db | Transaction, orderId: string): Promise<OrderRow | undefined> =>
  row<OrderRow>(db, `SELECT ${columns} FROM orders WHERE order_id = ?`, [orderId])

export const orderByNumber = (db: Db | Transaction, channel: string, channelOrderId: string): Promise<OrderRow | undefined> =>
  row<OrderRow>(db, `SELECT ${columns} FROM orders WHERE channel = ? AND channel_order_id = ?`, [channel, channelOrderId])

interface OrderWaits {
  own: WaitingOn | null
  waits: (WaitingOn | null)[]
  holds: Pick<StandingHold, 'blocks' | 'placedAt' | 'deadline'>[]
}
interface OrderParts extends OrderFacts, OrderWaits {}

/**
 * Rewrites the rolled-up statuses from the parts, and what the order waits on: the most urgent of its own wait (given, or undefined to leave it
 * as it is) and those of its parts. To be called last in every transaction that changes a part, under the order's lock.
 */
export async function refreshOrder(tx: Transaction, orderId: string, own?: WaitingOn | null): Promise<void> {
  const facts = await row<OrderParts>(
    tx,
    `SELECT stage, blocked,
       (SELECT json_agg(json_build_object('quantity', quantity, 'shipped', shipped, 'delivered', delivered, 'cancelled', cancelled, 'backordered', backordered))
          FROM order_lines WHERE order_id = o.order_id) AS lines,
       (SELECT coalesce(json_agg(json_build_object('status', status, 'tenderId', tender_id, 'part', part, 'amountMinor', amount_minor, 'authorizedMinor', authorized_minor,
                                          'capturedMinor', captured_minor, 'refundedMinor', refunded_minor)), '[]')
          FROM payments WHERE order_id = o.order_id) AS payments,
       (SELECT coalesce(json_agg(json_build_object('status', status, 'method', method)), '[]') FROM fulfillments WHERE order_id = o.order_id) AS fulfillments,
       ${waitColumns}
     FROM orders o WHERE order_id = ?`,
    [orderId],
  )
  invariant(facts, `order ${orderId} has a row`)
  const { status, paymentStatus, fulfillmentStatus } = rollUp(facts)
  const waitsItself = own === undefined ? facts.own : own
  await run(
    tx,
    `UPDATE orders SET status = ?, payment_status = ?, fulfillment_status = ?, version = version + 1, own_waiting_on = ?::jsonb, waiting_on = ?::jsonb WHERE order_id = ?`,
    [status, paymentStatus, fulfillmentStatus, json(waitsItself), json(shownOf({ ...facts, own: waitsItself })), orderId],
  )
}

/** What a part of an order waits on; shows on the order with the next `refreshOrder` or `setWait`. */
export async function setPartWait(tx: Transaction, fulfillmentId: string, waitingOn: WaitingOn | null): Promise<void> {
  await run(tx, 'UPDATE fulfillments SET waiting_on = ?::jsonb WHERE fulfillment_id = ?', [json(waitingOn), fulfillmentId])
}

/** What the order as a whole, a part or a return of it waits on, when nothing else of it changes. */
export async function setWait(tx: Transaction, orderId: string, { waitingOn, fulfillmentId, returnId }: { waitingOn: WaitingOn | null; fulfillmentId?: string; returnId?: string }): Promise<void> {
  if (fulfillmentId !== undefined) await setPartWait(tx, fulfillmentId, waitingOn)
  else if (returnId !== undefined) await run(tx, 'UPDATE returns SET waiting_on = ?::jsonb WHERE return_id = ?', [json(waitingOn), returnId])
  else await run(tx, 'UPDATE orders SET own_waiting_on = ?::jsonb WHERE order_id = ?', [json(waitingOn), orderId])
  const all = await row<OrderWaits>(tx, `SELECT ${waitColumns} FROM orders o WHERE order_id = ?`, [orderId])
  await run(tx, 'UPDATE orders SET waiting_on = ?::jsonb WHERE order_id = ?', [json(shownOf(all!)), orderId])
}

/** Of all that the order waits on, what shows. */
const shownOf = ({ own, waits, holds }: OrderWaits): WaitingOn | null => mostUrgent(waitsUnder([own, ...waits], holds))

const waitColumns = `own_waiting_on AS own, (SELECT coalesce(json_agg(waiting_on), '[]') FROM (
  SELECT waiting_on FROM fulfillments WHERE order_id = o.order_id UNION ALL SELECT waiting_on FROM returns WHERE order_id = o.order_id) w) AS waits,
  CASE WHEN blocked = '{}' THEN '[]' ELSE (SELECT json_agg(json_build_object('blocks', blocks, 'placedAt', ${iso('placed_at')}, 'deadline', ${iso('deadline')})) FROM holds WHERE order_id = o.order_id AND ended_at IS NULL) END AS holds`

const json = (wait: WaitingOn | null): string | null => wait && JSON.stringify(wait)
