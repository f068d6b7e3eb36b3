/** Parcels that wait for the retailer's own drivers: queued when they are packed, taken by a run, back again when nobody was in. */
import type { Position } from '../domain/delivery/distance'
import { writeAudit } from './audit'
import { queueCollections } from './collections'
import { row, rows, run, type Db, type Transaction } from './connection'
import type { OrderRow } from './orders'
import { openException } from './waiting'

/** The fulfillment is packed and has its labels: it waits, or is parked where nobody knows where its door is. */
export async function queueForDispatch(tx: Transaction, order: OrderRow, fulfillmentId: string): Promise<void> {
  const queued = await row<{ status: string; place: string }>(tx, queueSql, { fulfillmentId })
  await queueCollections(tx, fulfillmentId)
  if (queued?.status !== 'parked') return
  const summary = `Nobody knows where ${queued.place} is: give its postal code a position`
  await openException(tx, { ...order, kind: 'dispatch.no_position', subject: fulfillmentId, owner: 'operations', summary, data: { fulfillmentId } })
}

const queueSql = `
  INSERT INTO dispatch_queue (fulfillment_id, order_id, node_id, status, parcels, weight_grams, latitude, longitude, window_from, window_to)
  SELECT f.fulfillment_id, f.order_id, f.node_id, CASE WHEN coalesce((o.ship_to->>'latitude')::float8, g.latitude) IS NULL THEN 'parked' ELSE 'waiting' END,
    p.parcels, p.grams, coalesce((o.ship_to->>'latitude')::float8, g.latitude), coalesce((o.ship_to->>'longitude')::float8, g.longitude), NULL, (o.promise->>'promisedBy')::timestamptz
  FROM fulfillments f JOIN orders o USING (order_id)
  CROSS JOIN LATERAL (SELECT count(*)::int AS parcels, sum(weight_grams)::int AS grams FROM packages WHERE fulfillment_id = f.fulfillment_id) p
  LEFT JOIN geocodes g ON g.country = o.ship_to->>'country' AND g.postal_code = replace(o.ship_to->>'postalCode', ' ', '')
  WHERE f.fulfillment_id = :fulfillmentId ON CONFLICT (fulfillment_id) DO NOTHING
  RETURNING status, (SELECT coalesce(ship_to->>'country', '') || ' ' || coalesce(ship_to->>'postalCode', 'no postal code') FROM orders o WHERE o.order_id = dispatch_queue.order_id) AS place`

/** What will not travel any more is nobody's to bring. */
export async function leaveDispatch(tx: Transaction, fulfillmentIds: readonly string[]): Promise<void> {
  await run(tx, `UPDATE dispatch_queue SET status = 'done', run_id = NULL WHERE fulfillment_id = ANY(?)`, [[...fulfillmentIds]])
}

/** It is brought another time: after a failed attempt with the next number, else with the same. */
export async function waitAgain(tx: Transaction, ask: { fulfillmentId: string; attempted: boolean; notBefore: string }): Promise<void> {
  await run(
    tx,
    `UPDATE dispatch_queue SET status = 'waiting', run_id = NULL, told_at = NULL, attempt = attempt + ?, not_before = ?, queued_at = now() WHERE fulfillment_id = ?`,
    [ask.attempted ? 1 : 0, ask.notBefore, ask.fulfillmentId],
  )
}

export interface WaitingParcel extends Position {
  fulfillmentId: string
  orderId: string
  parcels: number
  weightGrams: number
  windowFrom: string | null
  windowTo: string | null
  attempt: number
}

const waitingColumns = `fulfillment_id AS "fulfillmentId", order_id AS "orderId", parcels, weight_grams AS "weightGrams", latitude, longitude, window_from AS "windowFrom", window_to AS "windowTo", attempt`
/** What a hold keeps in the building is nobody's to bring. */
const mayLeave = `NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = dispatch_queue.order_id AND 'shipping' = ANY(o.blocked))`
const waitsNow = `node_id = ? AND status = 'waiting' AND not_before <= now() AND ${mayLeave}`
const urgentFirst = 'ORDER BY window_to NULLS LAST, queued_at'

/** What waits at a node now, the most urgent first; nothing is locked. */
export const readWaiting = (db: Db, nodeId: string, limit: number): Promise<WaitingParcel[]> =>
  rows(db, `SELECT ${waitingColumns} FROM dispatch_queue WHERE ${waitsNow} ${urgentFirst} LIMIT ?`, [nodeId, limit])

/** Locks what waits at a node now, the most urgent first; what another transaction has taken is left out. */
export const takeWaiting = (tx: Transaction, nodeId: string, limit: number): Promise<WaitingParcel[]> =>
  rows(tx, `SELECT ${waitingColumns} FROM dispatch_queue WHERE ${waitsNow} ${urgentFirst} LIMIT ? FOR UPDATE SKIP LOCKED`, [nodeId, limit])

/** Locks those of `fulfillmentIds` that still wait at the node; what was taken or cancelled since is left out. */
export const takePlanned = (tx: Transaction, nodeId: string, fulfillmentIds: readonly string[]): Promise<WaitingParcel[]> =>
  rows(tx, `SELECT ${waitingColumns} FROM dispatch_queue WHERE ${waitsNow} AND fulfillment_id = ANY(?) ${urgentFirst} FOR UPDATE SKIP LOCKED`, [nodeId, [...fulfillmentIds]])

/** Sets where a postal code lies; what was parked for it waits from now on. @returns how many parcels that moved. */
export async function putGeocode(tx: Transaction, place: { country: string; postalCode: string } & Position, { actor, cause }: { actor: string; cause: string }): Promise<number> {
  await writeAudit(tx, { actor, action: 'geocode.put', subject: `${place.country} ${place.postalCode}`, cause })
  await run(
    tx,
    `INSERT INTO geocodes (country, postal_code, latitude, longitude) VALUES (:country, :postalCode, :latitude, :longitude)
     ON CONFLICT (country, postal_code) DO UPDATE SET latitude = excluded.latitude, longitude = excluded.longitude`,
    { ...place },
  )
  const moved = await rows<{ fulfillmentId: string }>(
    tx,
    `UPDATE dispatch_queue q SET status = 'waiting', latitude = :latitude, longitude = :longitude, told_at = NULL FROM orders o
     WHERE q.status = 'parked' AND o.order_id = q.order_id AND o.ship_to->>'country' = :country AND replace(o.ship_to->>'postalCode', ' ', '') = :postalCode
     RETURNING fulfillment_id AS "fulfillmentId"`,
    { ...place },
  )
  await run(tx, `UPDATE exceptions SET resolved_at = now(), resolution = 'its postal code has a position now', resolved_by = 'throughline'
                 WHERE kind = 'dispatch.no_position' AND resolved_at IS NULL AND subject = ANY(?)`, [moved.map((m) => m.fulfillmentId)])
  return moved.length
}

/** Parcels to bring and goods to fetch, as one. */
const waitingSql = `SELECT node_id, told_at, queued_at, window_to, not_before FROM dispatch_queue WHERE status = 'waiting' AND ${mayLeave}
  UNION ALL SELECT node_id, told_at, queued_at, NULL, not_before FROM collections WHERE status = 'waiting' AND with_fulfillment IS NULL`

/** Nodes at which something waits that their dispatcher has not been told of. */
export const untoldNodes = (db: Db, limit: number): Promise<{ nodeId: string }[]> =>
  rows(db, `SELECT DISTINCT node_id AS "nodeId" FROM (${waitingSql}) w WHERE told_at IS NULL AND not_before <= now() LIMIT ?`, [limit])

/** What a dispatcher is told: how much waits, since when, and by when the first of it must leave. */
export interface WaitingAt {
  count: number
  since: string | null
  dueAt: string | null
}

export const waitingAt = async (db: Db | Transaction, nodeId: string): Promise<WaitingAt> =>
  (await row<WaitingAt>(db, `SELECT count(*)::int AS count, min(queued_at) AS since, min(window_to) AS "dueAt" FROM (${waitingSql}) w WHERE node_id = ? AND not_before <= now()`, [nodeId]))!

export async function dispatcherTold(db: Db, nodeId: string): Promise<void> {
  for (const table of ['dispatch_queue', 'collections'])
    await run(db, `UPDATE ${table} SET told_at = now() WHERE node_id = ? AND status = 'waiting' AND told_at IS NULL AND not_before <= now()`, [nodeId])
}

/** What a hold kept may be brought again. */
export async function mayBeBrought(tx: Transaction, orderId: string): Promise<void> {
  await run(tx, `UPDATE dispatch_queue SET told_at = NULL WHERE order_id = ? AND status = 'waiting'`, [orderId])
}
