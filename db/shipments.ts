/** Packages on their way: labels as bought, hand-over, and what the carrier reports. */
import { uuidv7 } from 'uuidv7'
import { ownFleet } from '../domain/delivery/own-fleet'
import type { WaitingOn } from '../domain/order/status'
import { durationMs } from '../domain/policy/duration'
import { row, rows, run, type Db, type Transaction } from './connection'
import { queueForDispatch } from './dispatch'
import { record, self } from './events'
import { lockWork, moveFulfillment } from './fulfillments'
import { refreshOrder, setPartWait, type OrderRow } from './orders'
import { changeLines } from './stock'

export interface BoughtLabel {
  packageId: string
  operationId: string
  carrier: string
  service: string
  trackingNumber: string
  label: Record<string, unknown>
}

/**
 * Writes the labels of all packages of a fulfillment at once, with the shipment they travel under.
 * @returns false when their purchase was given up meanwhile: they are not used, and have to be given back.
 */
export async function saveLabels(tx: Transaction, fulfillmentId: string, labels: readonly BoughtLabel[], waitingOn: WaitingOn): Promise<boolean> {
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  const { orderId } = order
  const { carrier, service } = labels[0]!
  const operationIds = labels.map((l) => l.operationId)
  const settled = await rows<{ wasOpen: boolean }>(
    tx,
    `UPDATE carrier_operations op SET status = 'succeeded', settled_at = coalesce(op.settled_at, now()) FROM (SELECT operation_id, status FROM carrier_operations WHERE operation_id = ANY(?::uuid[])) was
     WHERE op.operation_id = was.operation_id AND was.status IN ('intended', 'unknown', 'succeeded') RETURNING was.status <> 'succeeded' AS "wasOpen"`,
    [operationIds],
  )
  if (settled.length < labels.length) {
    await run(tx, `UPDATE carrier_operations SET status = 'stray', settled_at = NULL WHERE operation_id = ANY(?::uuid[])`, [operationIds])
    return false
  }
  if (!settled.some((op) => op.wasOpen)) return true
  const shipmentId = uuidv7()
  await run(tx, 'INSERT INTO shipments (shipment_id, fulfillment_id, order_id, carrier, service) VALUES (?, ?, ?, ?, ?)', [shipmentId, fulfillmentId, orderId, carrier, service])
  await run(
    tx,
    `WITH bought AS (SELECT * FROM jsonb_to_recordset(?::jsonb) AS l("packageId" uuid, carrier text, "trackingNumber" text, label jsonb))
     UPDATE packages p SET shipment_id = ?, carrier = bought.carrier, tracking_number = bought."trackingNumber", label = bought.label
     FROM bought WHERE p.package_id = bought."packageId"`,
    [JSON.stringify(labels), shipmentId],
  )
  const trackingNumbers = labels.map((l) => l.trackingNumber)
  await run(tx, 'UPDATE orders SET search = search || ? WHERE order_id = ?', [` ${trackingNumbers.join(' ').toLowerCase()}`, orderId])
  await record(tx, order, { type: 'shipment.labelled', actor: self, data: { fulfillmentId, shipmentId, carrier, service, trackingNumbers } })
  if (fulfillment.status !== 'packed') return true // cancelled meanwhile: they are given back
  if (carrier === ownFleet) await queueForDispatch(tx, order, fulfillmentId)
  await setPartWait(tx, fulfillmentId, waitingOn)
  await refreshOrder(tx, orderId)
  return true
}

/** Carrier events that came before their parcel was known or handed over are looked at again. */
export async function wakeKeptEvents(tx: Transaction, carrier: string, trackingNumbers: readonly string[]): Promise<void> {
  await run(tx, `UPDATE inbound_events SET status = 'queued', leased_until = NULL WHERE status = 'kept' AND source = ? AND subject = ANY(?)`, [
    `carrier:${carrier}`,
    [...trackingNumbers],
  ])
}

export interface TrackedPackage {
  packageId: string
  fulfillmentId: string
  shipmentId: string
  orderId: string
  carrier: string
  status: string
  /** It was dealt with as one that never arrives. */
  undelivered: string | null
  /** The status of its fulfillment, and how that goes on. */
  work: string
  method: string
  handedOver: boolean
}

export const findTracked = (db: Db | Transaction, carrier: string, trackingNumber: string): Promise<TrackedPackage | undefined> =>
  row<TrackedPackage>(
    db,
    `SELECT p.package_id AS "packageId", p.fulfillment_id AS "fulfillmentId", p.shipment_id AS "shipmentId", f.order_id AS "orderId", p.carrier, p.status, p.undelivered,
       f.status AS work, f.method, f.handed_over_at IS NOT NULL AS "handedOver"
     FROM packages p JOIN fulfillments f USING (fulfillment_id) WHERE p.carrier = ? AND p.tracking_number = ?`,
    [carrier, trackingNumber],
  )

/** Nothing of the fulfillment arrives any more. */
export async function endUndelivered(tx: Transaction, fulfillmentId: string, to: 'lost' | 'returned', at: string): Promise<void> {
  if (to === 'returned') await moveFulfillment(tx, fulfillmentId, 'returning')
  await moveFulfillment(tx, fulfillmentId, to, { at })
  await run(tx, `UPDATE fulfillments SET waiting_on = NULL WHERE fulfillment_id = ? AND waiting_on->>'what' = 'delivery'`, [fulfillmentId])
}

/** What an order and its part wait on since a fact was applied; `order` is undefined where that has not changed. */
export interface WaitsAfter {
  part: WaitingOn | null
  order?: WaitingOn
}

const pickedSql = 'SELECT line_id AS "lineId", picked AS quantity FROM fulfillment_lines WHERE fulfillment_id = ? AND picked > 0'
const inPackagesSql = `SELECT l."lineId", l.quantity FROM packages p, jsonb_to_recordset(p.lines) AS l("lineId" text, quantity int) WHERE p.fulfillment_id = ? AND p.undelivered IS NULL`

/** The customer has all of the fulfillment that was not lost on the way: its lines are delivered, and with the last of them the return window opens. */
export async function arrive(tx: Transaction, order: OrderRow, { fulfillmentId, to, at }: { fulfillmentId: string; to: 'delivered' | 'collected'; at: string }): Promise<WaitsAfter> {
  await moveFulfillment(tx, fulfillmentId, to, { at })
  const lines = await rows<{ lineId: string; quantity: number }>(tx, to === 'collected' ? pickedSql : inPackagesSql, [fulfillmentId])
  await changeLines(tx, order.orderId, lines, 'delivered = l.delivered + v.quantity')
  const now = await row<{ wait: WaitingOn | null; all: boolean }>(
    tx,
    `SELECT waiting_on AS wait, (SELECT bool_and(delivered = quantity - cancelled) FROM order_lines l WHERE l.order_id = f.order_id) AS all FROM fulfillments f WHERE fulfillment_id = ?`,
    [fulfillmentId],
  )
  // A capture that is still outstanding is waited on as before.
  const done = now!.wait?.what === 'delivery'
  if (done) await setPartWait(tx, fulfillmentId, null)
  const deadline = new Date(Date.parse(at) + durationMs(order.policy.returns.window)).toISOString()
  const window: WaitingOn | undefined = done && now!.all ? { what: 'return_window', since: at, deadline } : undefined
  await refreshOrder(tx, order.orderId, window)
  return { part: done ? null : now!.wait, ...(window && { order: window }) }
}
