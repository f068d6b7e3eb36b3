/** Old goods that a driver takes along where he brings new ones: queued with the parcel of the new goods, on its run, taken or not. */
import type { Disposition, Grade } from '../domain/returns/status'
import type { TaskOutcome } from '../domain/delivery/run'
import { rows, run, type Transaction } from './connection'

/** The replacement stands packed: what it replaces is to be collected with it. */
export async function queueCollections(tx: Transaction, fulfillmentId: string): Promise<void> {
  await run(
    tx,
    `INSERT INTO collections (return_id, order_id, with_fulfillment, status)
     SELECT r.return_id, r.order_id, f.fulfillment_id, 'waiting' FROM fulfillments f JOIN returns r USING (order_id)
     WHERE f.fulfillment_id = ? AND r.method = 'at_door' AND r.status = 'approved' AND EXISTS (
       SELECT 1 FROM fulfillment_lines fl JOIN order_lines l ON l.order_id = f.order_id AND l.line_id = fl.line_id
         JOIN return_lines rl ON rl.return_id = r.return_id JOIN order_lines old ON old.order_id = f.order_id AND old.line_id = rl.line_id
       WHERE fl.fulfillment_id = f.fulfillment_id AND l.replaces = coalesce(old.replaces, old.line_id))
     ON CONFLICT (return_id) DO UPDATE SET with_fulfillment = excluded.with_fulfillment WHERE collections.status = 'waiting'`,
    [fulfillmentId],
  )
}

/** The run that brings the new goods takes the old ones: a task at the same stop. */
export async function boardCollections(tx: Transaction, runId: string): Promise<void> {
  await run(
    tx,
    `WITH taken AS (
       UPDATE collections c SET status = 'on_run', run_id = s.run_id FROM stop_tasks t JOIN stops s USING (stop_id)
       WHERE s.run_id = ? AND t.type = 'deliver' AND t.fulfillment_id = c.with_fulfillment AND c.status = 'waiting' RETURNING c.return_id, c.order_id, t.stop_id)
     INSERT INTO stop_tasks (task_id, stop_id, type, order_id, return_id) SELECT gen_random_uuid(), stop_id, 'collect', order_id, return_id FROM taken`,
    [runId],
  )
}

export interface CollectRow {
  taskId: string
  stopId: string
  stopStatus: string
  orderId: string
  returnId: string
  /** The work order that is delivered with it. */
  fulfillmentId: string
  outcome: TaskOutcome | 'dropped' | null
}

/** What is to be collected on a run, in the order of its stops. */
export const collectsOf = (tx: Transaction, runId: string): Promise<CollectRow[]> =>
  rows(
    tx,
    `SELECT t.task_id AS "taskId", s.stop_id AS "stopId", s.status AS "stopStatus", t.order_id AS "orderId", t.return_id AS "returnId", c.with_fulfillment AS "fulfillmentId", t.outcome
     FROM stops s JOIN stop_tasks t USING (stop_id) JOIN collections c USING (return_id) WHERE s.run_id = ? AND t.type = 'collect' ORDER BY s.sequence, t.task_id`,
    [runId],
  )

/** It is over, one way or the other; or it goes with the next try to bring the new goods. */
export async function endCollection(tx: Transaction, returnId: string, status: 'waiting' | 'done'): Promise<void> {
  await run(tx, 'UPDATE collections SET status = ?, run_id = NULL WHERE return_id = ?', [status, returnId])
}

/** Doors that were not reached: what was to be collected there waits with what was to be brought. */
export async function dropCollects(tx: Transaction, runId: string, at: string): Promise<void> {
  await run(
    tx,
    `WITH dropped AS (UPDATE stop_tasks t SET outcome = 'dropped', at = ? FROM stops s WHERE s.stop_id = t.stop_id AND s.run_id = ? AND s.status = 'dropped' AND t.type = 'collect' AND t.outcome IS NULL RETURNING t.return_id)
     UPDATE collections c SET status = 'waiting', run_id = NULL FROM dropped WHERE c.return_id = dropped.return_id`,
    [at, runId],
  )
}

/** What a driver has of an order and does not bring back: counted as lost where it should have been counted in. */
export const lostOnTheWay = (lines: readonly { lineId: string; quantity: number; received: number; disputed: number }[]): { lineId: string; quantity: number; grade: Grade; disposition: Disposition }[] =>
  lines.flatMap(({ lineId, quantity, received, disputed }) => (quantity > received + disputed ? [{ lineId, quantity: quantity - received - disputed, grade: 'as_new' as const, disposition: 'write_off' as const }] : []))
