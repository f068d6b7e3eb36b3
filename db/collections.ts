/** Goods that a driver takes along: where he brings new ones for them, queued with those and on their run; or fetched by themselves, waiting like a parcel. */
import type { Disposition, Grade } from '../domain/returns/status'
import type { TaskOutcome } from '../domain/delivery/run'
import { row, rows, run, type Db, type Transaction } from './connection'

/** The replacement stands packed: what it replaces is to be collected with it. Known by its exchange; of one from before there were exchanges, whatever is open of what it replaces. */
export async function queueCollections(tx: Transaction, fulfillmentId: string): Promise<void> {
  await run(
    tx,
    `INSERT INTO collections (return_id, order_id, with_fulfillment, status)
     SELECT r.return_id, r.order_id, f.fulfillment_id, 'waiting' FROM fulfillments f JOIN returns r USING (order_id)
     WHERE f.fulfillment_id = ? AND r.method = 'at_door' AND r.status = 'approved' AND EXISTS (
       SELECT 1 FROM fulfillment_lines fl LEFT JOIN exchanges x ON x.order_id = f.order_id AND x.line_id = fl.line_id
       WHERE fl.fulfillment_id = f.fulfillment_id AND (x.return_id = r.return_id OR x.return_id IS NULL AND (${replacesUnnamedSql})))
     ON CONFLICT (return_id) DO UPDATE SET with_fulfillment = excluded.with_fulfillment WHERE collections.status = 'waiting'`,
    [fulfillmentId],
  )
}

const replacesUnnamedSql = `NOT EXISTS (SELECT 1 FROM exchanges named WHERE named.return_id = r.return_id) AND EXISTS (
  SELECT 1 FROM order_lines l JOIN return_lines rl ON rl.return_id = r.return_id JOIN order_lines old ON old.order_id = l.order_id AND old.line_id = rl.line_id
  WHERE l.order_id = f.order_id AND l.line_id = fl.line_id AND l.replaces = coalesce(old.replaces, old.line_id))`

/** The driver comes for the goods alone, from the nearest node where one starts. @returns false where nobody knows the door, or no driver starts anywhere. */
export async function queueFetching(tx: Transaction, returnId: string): Promise<boolean> {
  const queued = await row(
    tx,
    `INSERT INTO collections (return_id, order_id, node_id, latitude, longitude, weight_grams, status)
     SELECT r.return_id, r.order_id, n.node_id, d.latitude, d.longitude,
       (SELECT coalesce(sum(k.weight_grams * rl.quantity), 0)::int FROM return_lines rl JOIN order_lines l USING (order_id, line_id) JOIN skus k USING (sku) WHERE rl.return_id = r.return_id), 'waiting'
     FROM returns r JOIN (${doorSql}) d USING (order_id) CROSS JOIN LATERAL (${nearestDriversSql}) n WHERE r.return_id = ? AND d.latitude IS NOT NULL ON CONFLICT (return_id) DO NOTHING RETURNING return_id`,
    [returnId],
  )
  return queued !== undefined
}

/** Could a driver fetch something of this order? */
export const canFetch = async (tx: Transaction, orderId: string): Promise<boolean> =>
  (await row(tx, `SELECT 1 FROM (${doorSql}) d CROSS JOIN LATERAL (${nearestDriversSql}) n WHERE d.order_id = ? AND d.latitude IS NOT NULL`, [orderId])) !== undefined

const doorSql = `SELECT o.order_id, coalesce((o.ship_to->>'latitude')::float8, g.latitude) AS latitude, coalesce((o.ship_to->>'longitude')::float8, g.longitude) AS longitude
  FROM orders o LEFT JOIN geocodes g ON g.country = o.ship_to->>'country' AND g.postal_code = replace(o.ship_to->>'postalCode', ' ', '')`
/** Near enough on a map of degrees: a degree east is shorter than one north. */
const nearestDriversSql = `SELECT node_id FROM nodes n WHERE active AND EXISTS (SELECT 1 FROM drivers v WHERE n.node_id = ANY(v.home_nodes))
  ORDER BY (n.latitude - d.latitude) ^ 2 + ((n.longitude - d.longitude) * cos(radians(d.latitude))) ^ 2 LIMIT 1`

export interface WaitingCollection {
  returnId: string
  orderId: string
  latitude: number
  longitude: number
  weightGrams: number
  attempt: number
}

const waitingColumns = 'return_id AS "returnId", order_id AS "orderId", latitude, longitude, weight_grams AS "weightGrams", attempt'
const waitsAlone = `node_id = ? AND status = 'waiting' AND with_fulfillment IS NULL AND not_before <= now()`

/** What is to be fetched from a node's customers now; nothing is locked. */
export const readFetching = (db: Db, nodeId: string, limit: number): Promise<WaitingCollection[]> =>
  rows(db, `SELECT ${waitingColumns} FROM collections WHERE ${waitsAlone} ORDER BY queued_at LIMIT ?`, [nodeId, limit])

/** The same, locked, all or some; what another transaction has taken is left out. */
export const takeFetching = (tx: Transaction, nodeId: string, limit: number): Promise<WaitingCollection[]> =>
  rows(tx, `SELECT ${waitingColumns} FROM collections WHERE ${waitsAlone} ORDER BY queued_at LIMIT ? FOR UPDATE SKIP LOCKED`, [nodeId, limit])
export const takePlannedFetching = (tx: Transaction, nodeId: string, returnIds: readonly string[]): Promise<WaitingCollection[]> =>
  rows(tx, `SELECT ${waitingColumns} FROM collections WHERE ${waitsAlone} AND return_id = ANY(?) ORDER BY queued_at FOR UPDATE SKIP LOCKED`, [nodeId, [...returnIds]])

/** Goods fetched by themselves are tasks of their stops; and the run that brings new goods takes the old ones at the same stop. */
export async function boardCollections(tx: Transaction, runId: string, fetched: readonly { stopId: string; returnId: string }[]): Promise<void> {
  await run(
    tx,
    `WITH taken AS (
       UPDATE collections c SET status = 'on_run', run_id = :runId::uuid FROM (
         SELECT t.stop_id, c.return_id FROM stop_tasks t JOIN stops s USING (stop_id) JOIN collections c ON c.with_fulfillment = t.fulfillment_id WHERE s.run_id = :runId::uuid AND t.type = 'deliver'
         UNION ALL SELECT f."stopId", f."returnId" FROM jsonb_to_recordset(:fetched::jsonb) AS f("stopId" uuid, "returnId" uuid)) b
       WHERE c.return_id = b.return_id AND c.status = 'waiting' RETURNING c.return_id, c.order_id, b.stop_id)
     INSERT INTO stop_tasks (task_id, stop_id, type, order_id, return_id) SELECT gen_random_uuid(), stop_id, 'collect', order_id, return_id FROM taken`,
    { runId, fetched: JSON.stringify(fetched) },
  )
}

export interface CollectRow {
  taskId: string
  stopId: string
  sequence: number
  stopStatus: string
  orderId: string
  returnId: string
  /** The work order that is delivered with it, if one is. */
  fulfillmentId: string | null
  attempt: number
  outcome: TaskOutcome | 'dropped' | null
}

/** What is to be collected on a run, in the order of its stops. */
export const collectsOf = (tx: Transaction, runId: string): Promise<CollectRow[]> =>
  rows(
    tx,
    `SELECT t.task_id AS "taskId", s.stop_id AS "stopId", s.sequence, s.status AS "stopStatus", t.order_id AS "orderId", t.return_id AS "returnId", c.with_fulfillment AS "fulfillmentId", c.attempt, t.outcome
     FROM stops s JOIN stop_tasks t USING (stop_id) JOIN collections c USING (return_id) WHERE s.run_id = ? AND t.type = 'collect' ORDER BY s.sequence, t.task_id`,
    [runId],
  )

/** It is over, one way or the other; or tried again: with the next try to bring the new goods, or not before a time. */
export async function endCollection(tx: Transaction, returnId: string, again: { notBefore: string } | undefined): Promise<void> {
  await run(tx, `UPDATE collections SET status = ?, run_id = NULL, told_at = NULL, attempt = attempt + ?, not_before = coalesce(?, not_before) WHERE return_id = ?`, [again ? 'waiting' : 'done', again ? 1 : 0, again?.notBefore ?? null, returnId])
}

/** Nobody is to come for it any more; a driver who is on his way finds out at the door. */
export async function leaveFetching(tx: Transaction, returnId: string): Promise<void> {
  await run(tx, `UPDATE collections SET status = 'done' WHERE return_id = ? AND status = 'waiting'`, [returnId])
}

/** What is over before the driver leaves is not on his way; of what ends later he finds out at the door. */
export async function dropEnded(tx: Transaction, runId: string, at: string): Promise<void> {
  await run(
    tx,
    `WITH dropped AS (UPDATE stop_tasks t SET outcome = 'dropped', reason = 'return_' || r.status, at = ? FROM stops s, returns r
       WHERE s.stop_id = t.stop_id AND s.run_id = ? AND r.return_id = t.return_id AND t.type = 'collect' AND t.outcome IS NULL AND r.status <> 'approved' RETURNING t.return_id)
     UPDATE collections c SET status = 'done', run_id = NULL FROM dropped WHERE c.return_id = dropped.return_id`,
    [at, runId],
  )
}

/** Doors that were not reached, and new goods that stayed behind: what was to be collected there waits with what was to be brought; for what is over by now nobody comes. Who ends a return at this moment is waited for, or finds it waiting. */
export async function dropCollects(tx: Transaction, runId: string, at: string): Promise<void> {
  await run(
    tx,
    `WITH dropped AS (UPDATE stop_tasks t SET outcome = 'dropped', at = ? FROM stops s WHERE s.stop_id = t.stop_id AND s.run_id = ? AND t.type = 'collect' AND t.outcome IS NULL
         AND (s.status = 'dropped' OR EXISTS (SELECT 1 FROM collections w JOIN stop_tasks b ON b.fulfillment_id = w.with_fulfillment WHERE w.return_id = t.return_id AND b.stop_id = t.stop_id AND b.outcome = 'dropped')) RETURNING t.return_id),
       back AS (SELECT r.return_id, r.status FROM returns r JOIN dropped USING (return_id) ORDER BY r.return_id FOR SHARE OF r)
     UPDATE collections c SET status = CASE back.status WHEN 'approved' THEN 'waiting' ELSE 'done' END, run_id = NULL, told_at = NULL FROM back WHERE c.return_id = back.return_id`,
    [at, runId],
  )
}

/** What a driver has of an order and does not bring back: counted as lost where it should have been counted in. */
export const lostOnTheWay = (lines: readonly { lineId: string; quantity: number; received: number; disputed: number }[]): { lineId: string; quantity: number; grade: Grade; disposition: Disposition }[] =>
  lines.flatMap(({ lineId, quantity, received, disputed }) => (quantity > received + disputed ? [{ lineId, quantity: quantity - received - disputed, grade: 'as_new' as const, disposition: 'write_off' as const }] : []))
