/** Runs of own drivers as rows: planned from what waits, moved along domain/delivery/run.ts, with a report of every step for the orders they concern. */
import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Position } from '../domain/delivery/distance'
import type { Trip } from '../domain/delivery/trip'
import { mayRunBecome, runActions, type Pace, type RunStatus, type TaskOutcome } from '../domain/delivery/run'
import type { CarrierReported, RunReported } from '../domain/messages'
import { refuse } from '../domain/refusals'
import { boardCollections } from './collections'
import { row, rows, run, type Db, type Transaction } from './connection'
import type { ReturnNews } from './returns'

export interface RunRow {
  runId: string
  nodeId: string
  driverId: string
  date: string
  number: number
  status: RunStatus
  departedAt: string | null
  /** How fast its driver is on its way; null: as the policy says. */
  pace: Pace | null
}

const columns = `run_id AS "runId", node_id AS "nodeId", driver_id AS "driverId", date::text AS date, number, status, departed_at AS "departedAt", pace`

export const findRun = (db: Db | Transaction, runId: string): Promise<RunRow | undefined> => row<RunRow>(db, `SELECT ${columns} FROM delivery_runs WHERE run_id = ?`, [runId])

/** Runs of a node that have not ended, the oldest first. */
export const openRuns = async (db: Db, nodeId: string): Promise<string[]> =>
  (await rows<{ runId: string }>(db, `SELECT run_id AS "runId" FROM delivery_runs WHERE node_id = ? AND status IN ('planned', 'accepted', 'departed') ORDER BY run_id`, [nodeId])).map((r) => r.runId)

/** @throws `run.unknown` */
export async function lockRun(tx: Transaction, runId: string): Promise<RunRow> {
  const found = await row<RunRow>(tx, `SELECT ${columns} FROM delivery_runs WHERE run_id = ? FOR UPDATE`, [runId])
  if (!found) throw refuse('run.unknown')
  return found
}

const reachedAt: Partial<Record<RunStatus, string>> = { accepted: 'accepted_at', departed: 'departed_at', returned: 'returned_at' }

/** @throws `run.state` with the present status and what is allowed now */
export async function moveRun(tx: Transaction, found: RunRow, to: RunStatus, at: string): Promise<void> {
  if (!mayRunBecome(to).includes(found.status)) throw refusedRun(found)
  const column = reachedAt[to]
  await run(tx, `UPDATE exceptions SET resolved_at = now(), resolution = ?, resolved_by = 'throughline' WHERE kind IN ('run.not_departed', 'run.not_returned') AND subject = ? AND resolved_at IS NULL`, [`the run is ${to}`, found.runId])
  await run(tx, `UPDATE delivery_runs SET status = ? ${column ? `, ${column} = ?` : ''} WHERE run_id = ?`, [to, ...(column ? [at] : []), found.runId])
}

export const refusedRun = ({ status }: RunRow): Error => refuse('run.state', { state: status, allowedActions: runActions[status] }, `The run is ${status}`)

export interface NewRun {
  nodeId: string
  driverId: string
  /** Local date at the node. */
  date: string
  departBy: string
  trip: Trip
  pace: Pace
  /** What is brought to each door of the trip, in its order. */
  doors: readonly { orderId: string; fulfillmentIds: readonly string[]; returnIds: readonly string[]; etaFrom: string; etaTo: string }[]
}

/** Writes a run with its stops and takes its parcels. The next number of its node and day is given under the node's lock. */
export async function insertRun(tx: Transaction, { trip, pace, doors, ...fields }: NewRun): Promise<string> {
  const runId = uuidv7()
  await run(tx, 'SELECT 1 FROM nodes WHERE node_id = ? FOR NO KEY UPDATE', [fields.nodeId])
  await run(
    tx,
    `INSERT INTO delivery_runs (run_id, node_id, driver_id, date, number, status, distance_meters, saved_meters, depart_by, pace)
     SELECT :runId, :nodeId, :driverId, :date, coalesce(max(number), 0) + 1, 'planned', :distanceMeters, :savedMeters, :departBy, :pace::jsonb FROM delivery_runs WHERE node_id = :nodeId AND date = :date`,
    { runId, ...fields, pace: JSON.stringify({ roadFactor: pace.roadFactor, speedKmh: pace.speedKmh, stopMinutes: pace.stopMinutes }), distanceMeters: trip.distanceMeters, savedMeters: trip.savedMeters },
  )
  const stops = doors.map((door, i) => ({ ...door, ...place(trip.drops[i]!), sequence: i + 1, stopId: uuidv7() }))
  await insertStops(tx, runId, stops)
  await board(tx, runId, stops)
  return runId
}

export interface NewStop extends Position {
  stopId: string
  sequence: number
  orderId: string
  /** What its customer is told. */
  etaFrom: string
  etaTo: string
}

export async function insertStops(tx: Transaction, runId: string, stops: readonly NewStop[]): Promise<void> {
  await run(
    tx,
    `INSERT INTO stops (stop_id, run_id, sequence, order_id, latitude, longitude, eta_from, eta_to, told_until, token)
     SELECT "stopId", ?::uuid, sequence, "orderId", latitude, longitude, "etaFrom", "etaTo", "etaTo", token FROM jsonb_to_recordset(?::jsonb)
       AS s("stopId" uuid, sequence int, "orderId" uuid, latitude float8, longitude float8, "etaFrom" timestamptz, "etaTo" timestamptz, token text)`,
    [runId, JSON.stringify(stops.map((stop) => ({ ...stop, token: randomBytes(16).toString('base64url') })))],
  )
}

/** What is to be done at these stops: their tasks, and nobody else takes it. */
export async function board(tx: Transaction, runId: string, stops: readonly { stopId: string; fulfillmentIds: readonly string[]; returnIds: readonly string[] }[]): Promise<void> {
  const tasks = stops.flatMap((s) => s.fulfillmentIds.map((fulfillmentId) => ({ taskId: uuidv7(), stopId: s.stopId, fulfillmentId })))
  await run(
    tx,
    `WITH task AS (SELECT * FROM jsonb_to_recordset(?::jsonb) AS t("taskId" uuid, "stopId" uuid, "fulfillmentId" uuid)),
       taken AS (UPDATE dispatch_queue q SET status = 'on_run', run_id = ?::uuid FROM task WHERE q.fulfillment_id = task."fulfillmentId")
     INSERT INTO stop_tasks (task_id, stop_id, type, order_id, fulfillment_id) SELECT "taskId", "stopId", 'deliver', f.order_id, f.fulfillment_id FROM task JOIN fulfillments f ON f.fulfillment_id = task."fulfillmentId"`,
    [JSON.stringify(tasks), runId],
  )
  await boardCollections(tx, runId, stops.flatMap((s) => s.returnIds.map((returnId) => ({ stopId: s.stopId, returnId }))))
}

const place = ({ latitude, longitude }: Position): Position => ({ latitude, longitude })

export interface TaskRow extends Position {
  taskId: string
  stopId: string
  sequence: number
  stopStatus: string
  orderId: string
  fulfillmentId: string
  outcome: TaskOutcome | 'dropped' | null
  attempt: number
  fulfillmentStatus: string
}

/** Everything to be brought on a run, in the order of its stops; what is collected is in collections.ts. */
export const tasksOf = (tx: Transaction, runId: string): Promise<TaskRow[]> =>
  rows(
    tx,
    `SELECT t.task_id AS "taskId", s.stop_id AS "stopId", s.sequence, s.status AS "stopStatus", s.latitude, s.longitude, t.order_id AS "orderId", t.fulfillment_id AS "fulfillmentId", t.outcome,
       coalesce(q.attempt, 1) AS attempt, f.status AS "fulfillmentStatus"
     FROM stops s JOIN stop_tasks t USING (stop_id) LEFT JOIN dispatch_queue q ON q.fulfillment_id = t.fulfillment_id LEFT JOIN fulfillments f ON f.fulfillment_id = t.fulfillment_id
     WHERE s.run_id = ? AND t.type = 'deliver' ORDER BY s.sequence, t.task_id`,
    [runId],
  )

export async function endTask(tx: Transaction, { taskId, outcome, reason, proof, at }: { taskId: string; outcome: TaskOutcome | 'dropped'; reason?: string; proof?: object; at: string }): Promise<void> {
  const proofId = proof ? uuidv7() : null
  if (proof) await run(tx, 'INSERT INTO delivery_proofs (proof_id, task_id, proof) VALUES (?, ?, ?::jsonb)', [proofId, taskId, JSON.stringify(proof)])
  await run(tx, 'UPDATE stop_tasks SET outcome = ?, reason = ?, proof_id = ?, at = ? WHERE task_id = ?', [outcome, reason ?? null, proofId, at, taskId])
}

export async function endStop(tx: Transaction, stopId: string, status: 'completed' | 'dropped', at: string): Promise<void> {
  await run(tx, 'UPDATE stops SET status = ?, completed_at = ? WHERE stop_id = ?', [status, at, stopId])
}

/** Doors that are not reached any more. */
export async function dropPending(tx: Transaction, runId: string, at: string): Promise<void> {
  await run(tx, `UPDATE stops SET status = 'dropped', completed_at = ? WHERE run_id = ? AND status = 'pending'`, [at, runId])
}

export interface StopRow extends Position {
  stopId: string
  status: 'pending' | 'completed' | 'dropped'
}

/** Every door of a run, in its order. */
export const stopsOf = (tx: Transaction, runId: string): Promise<StopRow[]> => rows(tx, 'SELECT stop_id AS "stopId", latitude, longitude, status FROM stops WHERE run_id = ? ORDER BY sequence', [runId])

/** Doors that are left, in their order, with what is done there and until when their customers were first told to expect the driver; and what he brings back from the doors behind him. */
export const loadsOf = (tx: Transaction, runId: string): Promise<StopLoad[]> =>
  rows(
    tx,
    `SELECT s.stop_id AS "stopId", s.sequence, s.order_id AS "orderId", s.latitude, s.longitude, s.status, s.told_until AS "toldUntil", s.completed_at AS "completedAt",
       coalesce(sum(q.parcels) FILTER (WHERE t.outcome IS NULL OR t.outcome NOT IN ('done', 'dropped')), 0)::int AS parcels, coalesce(sum(q.weight_grams) FILTER (WHERE t.outcome IS NULL OR t.outcome NOT IN ('done', 'dropped')), 0)::int AS "weightGrams",
       count(c.return_id) FILTER (WHERE t.outcome IS NULL OR t.outcome IN ('done', 'damaged'))::int AS "fetchedParcels", coalesce(sum(c.weight_grams) FILTER (WHERE t.outcome IS NULL OR t.outcome IN ('done', 'damaged')), 0)::int AS "fetchedGrams"
     FROM stops s LEFT JOIN stop_tasks t USING (stop_id) LEFT JOIN dispatch_queue q ON q.fulfillment_id = t.fulfillment_id LEFT JOIN collections c ON c.return_id = t.return_id
     WHERE s.run_id = ? AND s.status <> 'dropped' GROUP BY s.stop_id ORDER BY s.sequence`,
    [runId],
  )
export interface StopLoad extends Position {
  stopId: string
  sequence: number
  orderId: string
  status: 'pending' | 'completed'
  toldUntil: string
  completedAt: string | null
  /** Brought there, or not wanted there and still aboard. */
  parcels: number
  weightGrams: number
  /** Taken along from there. */
  fetchedParcels: number
  fetchedGrams: number
}

/** The doors that are left take the numbers of those that were left, and the next ones; in two steps, as no two may have the same. */
export async function renumber(tx: Transaction, runId: string, stopIds: readonly string[]): Promise<Map<string, number>> {
  const taken = await rows<{ sequence: number; status: string }>(tx, 'SELECT sequence, status FROM stops WHERE run_id = ?', [runId])
  const highest = Math.max(0, ...taken.map((s) => s.sequence))
  const free = [...taken.filter((s) => s.status === 'pending').map((s) => s.sequence), ...stopIds.map((_, i) => highest + 1 + i)].sort((a, b) => a - b)
  const numbers = new Map(stopIds.map((stopId, i) => [stopId, free[i]!]))
  await run(tx, `UPDATE stops SET sequence = -sequence WHERE run_id = ? AND status = 'pending'`, [runId])
  await run(tx, 'UPDATE stops s SET sequence = n.sequence FROM jsonb_to_recordset(?::jsonb) AS n("stopId" uuid, sequence int) WHERE s.stop_id = n."stopId"', [JSON.stringify([...numbers].map(([stopId, sequence]) => ({ stopId, sequence })))])
  return numbers
}

/** Said again whenever reality moves on; what has been done keeps the time it was expected at. */
export async function setEtas(tx: Transaction, etas: readonly { stopId: string; etaFrom: string; etaTo: string }[]): Promise<void> {
  await run(
    tx,
    `UPDATE stops s SET eta_from = e."etaFrom", eta_to = e."etaTo" FROM jsonb_to_recordset(?::jsonb) AS e("stopId" uuid, "etaFrom" timestamptz, "etaTo" timestamptz) WHERE s.stop_id = e."stopId" AND s.status = 'pending'`,
    [JSON.stringify(etas)],
  )
}

/** What is still to be done, for the workflow's deadlines, and what each order concerned is told. */
export async function report(tx: Transaction, runId: string, what: string, tellings: readonly OrderTelling[]): Promise<void> {
  await run(
    tx,
    `INSERT INTO run_reports (run_id, number, what, tellings) SELECT ?::uuid, coalesce(max(number), 0) + 1, ?, ?::jsonb FROM run_reports WHERE run_id = ?::uuid`,
    [runId, what, JSON.stringify(tellings), runId],
  )
}
/** By the signal of runs, or by that of carriers where the end is the same. */
export type OrderTelling = { channel: string; channelOrderId: string } & ({ signal: 'runReported'; fact: RunReported } | { signal: 'carrierReported'; fact: CarrierReported } | { signal: 'returnReported'; fact: ReturnNews })

/** The oldest untold report of each run, for `leaseMs`. */
export const leaseReports = (db: Db, limit: number, leaseMs: number): Promise<{ runId: string; number: number; what: string }[]> =>
  rows(
    db,
    `UPDATE run_reports SET leased_until = now() + ? * interval '1 millisecond' WHERE (run_id, number) IN (
       SELECT run_id, number FROM run_reports r WHERE told_at IS NULL AND (leased_until IS NULL OR leased_until < now())
         AND NOT EXISTS (SELECT 1 FROM run_reports e WHERE e.run_id = r.run_id AND e.number < r.number AND e.told_at IS NULL)
       ORDER BY at LIMIT ? FOR UPDATE SKIP LOCKED)
     RETURNING run_id AS "runId", number, what`,
    [leaseMs, limit],
  )

export async function reportTold(db: Db, runId: string, number: number): Promise<void> {
  await run(db, 'UPDATE run_reports SET told_at = now(), leased_until = NULL WHERE run_id = ? AND number = ?', [runId, number])
}

export const tellingsOf = async (db: Db, runId: string, number: number): Promise<readonly OrderTelling[]> =>
  (await row<{ tellings: OrderTelling[] }>(db, 'SELECT tellings FROM run_reports WHERE run_id = ? AND number = ?', [runId, number]))?.tellings ?? []
