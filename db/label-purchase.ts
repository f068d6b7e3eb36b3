/** The purchase of a fulfillment's labels as rows: what a carrier must know, the choice and why, one operation per package and try, recorded before any call. */
import { uuidv7 } from 'uuidv7'
import type { Choice } from '../domain/delivery/choice'
import type { FulfillmentStatus } from '../domain/fulfillment/moves'
import { invariant } from '../domain/invariant'
import type { PolicySnapshot } from '../domain/policy/kinds'
import type { OrderPromise } from '../domain/promise/kept'
import type { NodeHours } from '../domain/promise/node-calendar'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, self } from './events'
import { lockWork, refusedMove } from './fulfillments'
import { snapshotOf } from './orders'

export interface PackageToLabel {
  packageId: string
  number: number
  weightGrams: number
  lengthMm: number | null
  widthMm: number | null
  heightMm: number | null
}
/** A label that is being bought. */
export interface LabelOperation {
  operationId: string
  packageId: string
  carrier: string
  service: string
  /** Has a carrier been called for it? Then it may have been bought. */
  called: boolean
}
export interface PurchaseJob {
  orderId: string
  currency: string
  /** Asked for by name; none: any. */
  wanted: string | null
  promise: OrderPromise | null
  policy: Pick<PolicySnapshot, 'promise'>
  /** Of the channel, in which dates are promised. */
  timeZone: string
  node: NodeHours & { name: string; country: string; postalCode: string; address: Record<string, string> }
  shipTo: Record<string, string> | null
  packages: PackageToLabel[]
  /** The choice in force, one per package; none before the first choice. */
  operations: LabelOperation[]
  /** Services that have refused one of these packages. */
  refused: { carrier: string; service: string; says: string }[]
  /** Labels given up that may exist at a carrier. */
  strays: number
  bought: { carrier: string; service: string; trackingNumbers: string[] } | null
  status: FulfillmentStatus
}

/** The address goes to the carrier and nowhere else. */
export async function purchaseJob(db: Db, fulfillmentId: string): Promise<PurchaseJob> {
  const job = await row<PurchaseJob>(db, jobSql, [fulfillmentId])
  invariant(job, `fulfillment ${fulfillmentId} has a row`)
  return job
}

const ofLabels = `FROM carrier_operations op WHERE op.fulfillment_id = f.fulfillment_id AND op.kind = 'label'`
const jobSql = `
  SELECT f.order_id AS "orderId", f.status, o.currency, o.delivery->>'service' AS wanted, o.promise, json_build_object('promise', ${snapshotOf('o')}->'promise') AS policy, c.time_zone AS "timeZone",
    json_build_object('name', n.name, 'country', n.country, 'postalCode', coalesce(n.address->>'postalCode', ''), 'address', n.address, 'timeZone', n.time_zone,
                      'calendar', n.calendar, 'specialDays', n.special_days, 'cutoffs', n.cutoffs, 'pickups', n.pickups) AS node,
    coalesce((SELECT t.address || jsonb_build_object('name', t.name, 'country', t.country) FROM nodes t WHERE t.node_id = f.to_node_id), o.ship_to) AS "shipTo",
    (SELECT json_agg(json_build_object('packageId', package_id, 'number', number, 'weightGrams', weight_grams, 'lengthMm', length_mm, 'widthMm', width_mm, 'heightMm', height_mm)
                     ORDER BY number) FROM packages p WHERE p.fulfillment_id = f.fulfillment_id) AS packages,
    (SELECT coalesce(json_agg(json_build_object('operationId', op.operation_id, 'packageId', op.package_id, 'carrier', op.carrier, 'service', op.service, 'called', op.attempts > 0)
                     ORDER BY op.operation_id), '[]') ${ofLabels} AND op.status NOT IN ('abandoned', 'stray')) AS operations,
    (SELECT coalesce(json_agg(json_build_object('carrier', op.carrier, 'service', op.service, 'says', op.refusal)), '[]') ${ofLabels} AND op.refusal IS NOT NULL) AS refused,
    (SELECT count(*)::int ${ofLabels} AND op.status = 'stray') AS strays,
    (SELECT json_build_object('carrier', s.carrier, 'service', s.service, 'trackingNumbers', (SELECT json_agg(tracking_number ORDER BY number) FROM packages p WHERE p.shipment_id = s.shipment_id))
       FROM shipments s WHERE s.fulfillment_id = f.fulfillment_id) AS bought
  FROM fulfillments f JOIN orders o USING (order_id) JOIN channels c ON c.channel_id = o.channel JOIN nodes n ON n.node_id = f.node_id WHERE f.fulfillment_id = ?`

/** What was bought is not chosen for again. */
export class TooLateToChoose extends Error {
  override name = 'TooLateToChoose'
}

/**
 * Writes a choice with its reasons and the intention to buy a label for each package; what was being bought before is given up.
 * @throws TooLateToChoose when somebody else has bought meanwhile; `fulfillment.state` when the work has ended
 */
export async function recordChoice(tx: Transaction, fulfillmentId: string, choice: Choice): Promise<LabelOperation[]> {
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  if (fulfillment.labelled) throw new TooLateToChoose(`fulfillment ${fulfillmentId} has its labels`)
  if (fulfillment.status !== 'packed') throw refusedMove(fulfillment)
  const { carrier, service } = choice.chosen!
  await giveUp(tx, fulfillmentId)
  await run(
    tx,
    `INSERT INTO carrier_choices (fulfillment_id, number, carrier, service, choice)
     SELECT ?::uuid, 1 + (SELECT count(*) FROM carrier_choices WHERE fulfillment_id = ?), ?, ?, ?::jsonb`,
    [fulfillmentId, fulfillmentId, carrier, service, JSON.stringify(choice)],
  )
  await run(tx, 'UPDATE fulfillments SET service = ? WHERE fulfillment_id = ?', [service, fulfillmentId])
  if (choice.hurry) {
    const data = { fulfillmentId, milestone: 'hand_over', action: 'faster_carrier', carrier, service, ...choice.hurry }
    await record(tx, order, { type: 'promise.at_risk', actor: self, data })
  }
  const packages = await rows<{ packageId: string }>(tx, 'SELECT package_id AS "packageId" FROM packages WHERE fulfillment_id = ? ORDER BY number', [fulfillmentId])
  const operations = packages.map(({ packageId }) => ({ operationId: uuidv7(), packageId, carrier, service, called: false }))
  await run(
    tx,
    `INSERT INTO carrier_operations (operation_id, order_id, fulfillment_id, package_id, kind, carrier, service)
     SELECT "operationId", ?::uuid, ?::uuid, "packageId", 'label', ?, ? FROM jsonb_to_recordset(?::jsonb) AS p("operationId" uuid, "packageId" uuid)`,
    [order.orderId, fulfillmentId, carrier, service, JSON.stringify(operations)],
  )
  return operations
}

/** What was never sent did not happen; what was sent may have, and is looked up and given back later. */
const giveUp = (tx: Transaction, fulfillmentId: string): Promise<void> =>
  run(
    tx,
    `UPDATE carrier_operations SET status = CASE WHEN attempts = 0 THEN 'abandoned' ELSE 'stray' END, settled_at = CASE WHEN attempts = 0 THEN now() END
     WHERE fulfillment_id = ? AND kind = 'label' AND status NOT IN ('abandoned', 'stray')`,
    [fulfillmentId],
  )

/** Written before every call: from now on the outcome is unknown until it is recorded. @returns false when the operation has been given up meanwhile. */
export const beginLabelCall = async (db: Db, operationId: string): Promise<boolean> =>
  (await row(
    db,
    `UPDATE carrier_operations SET status = 'unknown', attempts = attempts + 1, last_called_at = now() WHERE operation_id = ? AND status IN ('intended', 'unknown') RETURNING 1`,
    [operationId],
  )) !== undefined

/** The carrier has said no: this service is not asked again for these packages. */
export const refuseLabel = (db: Db, operationId: string, says: string): Promise<void> =>
  run(db, `UPDATE carrier_operations SET status = 'abandoned', settled_at = now(), refusal = ? WHERE operation_id = ? AND status IN ('intended', 'unknown')`, [says.slice(0, 300), operationId])
