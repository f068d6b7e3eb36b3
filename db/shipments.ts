/** Packages on their way: labels as bought, hand-over, and what the carrier reports. */
import { uuidv7 } from 'uuidv7'
import { ownFleet } from '../domain/delivery/own-fleet'
import type { WaitingOn } from '../domain/order/status'
import { durationMs } from '../domain/policy/duration'
import { invariant } from '../domain/invariant'
import { row, rows, run, type Db, type Transaction } from './connection'
import { queueForDispatch } from './dispatch'
import { record, self } from './events'
import { lockWork, moveFulfillment } from './fulfillments'
import { refreshOrder, setPartWait, type OrderRow } from './orders'
import { changeLines } from './stock'

export interface PackageToLabel {
  packageId: string
  number: number
  weightGrams: number
  lengthMm: number | null
  widthMm: number | null
  heightMm: number | null
  trackingNumber: string | null
  operationId: string
}

export interface LabelJob {
  orderId: string
  channel: string
  status: string
  service: string
  nodeName: string
  nodeCountry: string
  nodeAddress: Record<string, string>
  shipTo: Record<string, string> | null
  packages: PackageToLabel[]
}

/** Records the intention to buy a label for each package of a fulfillment, before any carrier is called. */
export async function intendLabels(tx: Transaction, fulfillmentId: string, orderId: string, carrier: string, packageIds: readonly string[]): Promise<void> {
  await run(
    tx,
    `INSERT INTO carrier_operations (operation_id, order_id, fulfillment_id, package_id, kind, carrier)
     SELECT id, ?::uuid, ?::uuid, package_id, 'label', ? FROM unnest(?::uuid[], ?::uuid[]) AS p(id, package_id)`,
    [orderId, fulfillmentId, carrier, packageIds.map(() => uuidv7()), [...packageIds]],
  )
}

/** What the carrier needs to know to make the labels of a fulfillment. The address goes to the carrier and nowhere else. */
export async function labelJob(db: Db, fulfillmentId: string): Promise<LabelJob> {
  const job = await row<LabelJob>(
    db,
    `SELECT f.order_id AS "orderId", o.channel, f.status, f.service, n.name AS "nodeName", n.country AS "nodeCountry", n.address AS "nodeAddress",
       coalesce((SELECT t.address || jsonb_build_object('name', t.name, 'country', t.country) FROM nodes t WHERE t.node_id = f.to_node_id), o.ship_to) AS "shipTo",
       (SELECT json_agg(json_build_object('packageId', p.package_id, 'number', p.number, 'weightGrams', p.weight_grams, 'lengthMm', p.length_mm, 'widthMm', p.width_mm,
                 'heightMm', p.height_mm, 'trackingNumber', p.tracking_number, 'operationId', op.operation_id) ORDER BY p.number)
          FROM packages p JOIN carrier_operations op ON op.package_id = p.package_id AND op.kind = 'label' WHERE p.fulfillment_id = f.fulfillment_id) AS packages
     FROM fulfillments f JOIN orders o USING (order_id) JOIN nodes n USING (node_id) WHERE fulfillment_id = ?`,
    [fulfillmentId],
  )
  invariant(job, `fulfillment ${fulfillmentId} has a row`)
  return job
}

export interface BoughtLabel {
  packageId: string
  operationId: string
  carrier: string
  service: string
  trackingNumber: string
  label: Record<string, unknown>
}

/** Writes the labels of all packages of a fulfillment at once, with the shipment they travel under. */
export async function saveLabels(tx: Transaction, fulfillmentId: string, labels: readonly BoughtLabel[], waitingOn: WaitingOn): Promise<void> {
  const { order } = await lockWork(tx, fulfillmentId)
  const { orderId } = order
  const { carrier, service } = labels[0]!
  const standing = await row<{ shipmentId: string }>(tx, 'SELECT shipment_id AS "shipmentId" FROM shipments WHERE fulfillment_id = ?', [fulfillmentId])
  if (standing) return
  const shipmentId = uuidv7()
  await run(tx, 'INSERT INTO shipments (shipment_id, fulfillment_id, order_id, carrier, service) VALUES (?, ?, ?, ?, ?)', [shipmentId, fulfillmentId, orderId, carrier, service])
  await run(
    tx,
    `WITH bought AS (SELECT * FROM jsonb_to_recordset(?::jsonb) AS l("packageId" uuid, "operationId" uuid, carrier text, "trackingNumber" text, label jsonb)),
       settled AS (UPDATE carrier_operations op SET status = 'succeeded', settled_at = now() FROM bought WHERE op.operation_id = bought."operationId")
     UPDATE packages p SET shipment_id = ?, carrier = bought.carrier, tracking_number = bought."trackingNumber", label = bought.label
     FROM bought WHERE p.package_id = bought."packageId"`,
    [JSON.stringify(labels), shipmentId],
  )
  const trackingNumbers = labels.map((l) => l.trackingNumber)
  await run(tx, 'UPDATE orders SET search = search || ? WHERE order_id = ?', [` ${trackingNumbers.join(' ').toLowerCase()}`, orderId])
  await record(tx, order, { type: 'shipment.labelled', actor: self, data: { fulfillmentId, shipmentId, carrier, service, trackingNumbers } })
  if (order.stage !== 'open') return
  if (carrier === ownFleet) await queueForDispatch(tx, order, fulfillmentId)
  await setPartWait(tx, fulfillmentId, waitingOn)
  await refreshOrder(tx, orderId)
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
  status: string
  /** The status of its fulfillment, and how that goes on. */
  work: string
  method: string
  handedOver: boolean
}

export const findTracked = (db: Db | Transaction, carrier: string, trackingNumber: string): Promise<TrackedPackage | undefined> =>
  row<TrackedPackage>(
    db,
    `SELECT p.package_id AS "packageId", p.fulfillment_id AS "fulfillmentId", p.shipment_id AS "shipmentId", f.order_id AS "orderId", p.status,
       f.status AS work, f.method, f.handed_over_at IS NOT NULL AS "handedOver"
     FROM packages p JOIN fulfillments f USING (fulfillment_id) WHERE p.carrier = ? AND p.tracking_number = ?`,
    [carrier, trackingNumber],
  )

/** What an order and its part wait on since a fact was applied; `order` is undefined where that has not changed. */
export interface WaitsAfter {
  part: WaitingOn | null
  order?: WaitingOn
}

/** The customer has all of the fulfillment: its lines are delivered, and with the last of them the return window opens. */
export async function arrive(tx: Transaction, order: OrderRow, { fulfillmentId, to, at }: { fulfillmentId: string; to: 'delivered' | 'collected'; at: string }): Promise<WaitsAfter> {
  await moveFulfillment(tx, fulfillmentId, to, { at })
  const lines = await rows<{ lineId: string; quantity: number }>(tx, 'SELECT line_id AS "lineId", picked AS quantity FROM fulfillment_lines WHERE fulfillment_id = ? AND picked > 0', [fulfillmentId])
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
