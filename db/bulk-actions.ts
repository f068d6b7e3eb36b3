/** Bulk actions as rows: an order of them is leased, asked, and settled with what came of it; whoever dies in between gives it back. */
import { uuidv7 } from 'uuidv7'
import type { BulkAction } from '../domain/order/bulk'
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface NewBulkAction {
  action: BulkAction
  reason: string
  actor: string
  holdType?: string
  orderIds: readonly string[]
  preview: object
  startsAt: string
}

export async function insertBulkAction(tx: Transaction, { action, reason, actor, holdType, orderIds, preview, startsAt }: NewBulkAction): Promise<string> {
  const bulkActionId = uuidv7()
  await run(tx, 'INSERT INTO bulk_actions (bulk_action_id, action, reason, actor, hold_type, orders, preview, starts_at) VALUES (?, ?, ?, ?, ?, ?, ?::jsonb, ?)', [
    bulkActionId, action, reason, actor, holdType ?? null, orderIds.length, JSON.stringify(preview), startsAt,
  ])
  await run(tx, 'INSERT INTO bulk_action_orders (bulk_action_id, position, order_id) SELECT ?::uuid, ordinality, o FROM unnest(?::uuid[]) WITH ORDINALITY AS u(o, ordinality)', [bulkActionId, [...orderIds]])
  await writeAudit(tx, { actor, action: `bulk.${action}`, subject: bulkActionId, cause: reason })
  return bulkActionId
}

/** What has not begun is not done; what is under way comes to its end. @throws `bulk.unknown`, `bulk.ended` */
export async function withdrawBulkAction(tx: Transaction, { bulkActionId, actor }: { bulkActionId: string; actor: string }): Promise<void> {
  const found = await row<{ status: string }>(tx, 'SELECT status FROM bulk_actions WHERE bulk_action_id = ? FOR UPDATE', [bulkActionId])
  if (!found) throw refuse('bulk.unknown')
  if (found.status === 'done' || found.status === 'withdrawn') throw refuse('bulk.ended', { state: found.status })
  await run(tx, `UPDATE bulk_actions SET status = 'withdrawn', ended_at = now() WHERE bulk_action_id = ?`, [bulkActionId])
  await run(tx, `UPDATE bulk_action_orders SET outcome = 'withdrawn', at = now() WHERE bulk_action_id = ? AND outcome = 'waiting' AND attempts = 0`, [bulkActionId])
  await writeAudit(tx, { actor, action: 'bulk.withdraw', subject: bulkActionId, cause: found.status })
}

export interface BulkTask {
  bulkActionId: string
  position: number
  orderId: string
  action: BulkAction
  reason: string
  actor: string
  holdType: string | null
  attempts: number
}

/** Takes orders of what may begin by now for `leaseMs`, the oldest action first; of what was withdrawn only what had begun. */
export async function leaseBulk(db: Db, limit: number, leaseMs: number): Promise<BulkTask[]> {
  const taken = await rows<BulkTask>(
    db,
    `WITH due AS (SELECT b.bulk_action_id, b.position FROM bulk_actions a JOIN bulk_action_orders b USING (bulk_action_id)
                  WHERE b.outcome = 'waiting' AND (b.leased_until IS NULL OR b.leased_until < now()) AND a.starts_at <= now()
                    AND (a.status IN ('waiting', 'running') OR (a.status = 'withdrawn' AND b.attempts > 0 AND a.ended_at > now() - interval '1 day'))
                  ORDER BY a.starts_at, b.bulk_action_id, b.position LIMIT ? FOR UPDATE OF b SKIP LOCKED)
     UPDATE bulk_action_orders b SET leased_until = now() + ? * interval '1 millisecond', attempts = attempts + 1 FROM due, bulk_actions a
     WHERE b.bulk_action_id = due.bulk_action_id AND b.position = due.position AND a.bulk_action_id = b.bulk_action_id
     RETURNING b.bulk_action_id AS "bulkActionId", b.position, b.order_id AS "orderId", b.attempts, a.action, a.reason, a.actor, a.hold_type AS "holdType"`,
    [limit, leaseMs],
  )
  for (const bulkActionId of new Set(taken.map((t) => t.bulkActionId))) await run(db, `UPDATE bulk_actions SET status = 'running', started_at = now() WHERE bulk_action_id = ? AND status = 'waiting'`, [bulkActionId])
  return taken
}

export interface BulkOutcome {
  outcome: 'done' | 'refused' | 'failed'
  code?: string
  data?: Record<string, unknown>
}

/** The last of them ends the action. */
export async function settleBulk(db: Db, { bulkActionId, position }: Pick<BulkTask, 'bulkActionId' | 'position'>, { outcome, code, data }: BulkOutcome): Promise<void> {
  await run(db, `UPDATE bulk_action_orders SET outcome = ?, code = ?, data = ?::jsonb, leased_until = NULL, at = now() WHERE bulk_action_id = ? AND position = ? AND outcome = 'waiting'`, [
    outcome, code ?? null, data ? JSON.stringify(data) : null, bulkActionId, position,
  ])
  await run(
    db,
    `UPDATE bulk_actions a SET status = 'done', ended_at = now() WHERE bulk_action_id = ? AND status = 'running'
     AND NOT EXISTS (SELECT 1 FROM bulk_action_orders b WHERE b.bulk_action_id = a.bulk_action_id AND b.outcome = 'waiting')`,
    [bulkActionId],
  )
}

export const bulkAgainLater = (db: Db, { bulkActionId, position }: Pick<BulkTask, 'bulkActionId' | 'position'>, error: string, retryMs: number): Promise<void> =>
  run(db, `UPDATE bulk_action_orders SET leased_until = now() + ? * interval '1 millisecond', last_error = ? WHERE bulk_action_id = ? AND position = ? AND outcome = 'waiting'`, [retryMs, error.slice(0, 300), bulkActionId, position])

/** Was the order cancelled by this very cause? Then a cancellation that is refused as done has been done by us. */
export const cancelledBecause = async (db: Db, orderId: string, cause: string): Promise<boolean> =>
  (await row(db, `SELECT 1 FROM audit WHERE action = 'order.cancel' AND subject = ? AND cause = ?`, [orderId, cause])) !== undefined

/** Open holds that this actor may release, oldest first. */
export const releasableHolds = async (db: Db, orderId: string, { actor, holdType }: { actor: string; holdType: string | null }): Promise<string[]> => {
  const role = actor.split(':', 1)[0]!
  const found = await rows<{ holdId: string }>(
    db,
    `SELECT hold_id AS "holdId" FROM holds WHERE order_id = ? AND ended_at IS NULL AND (owner = ? OR ? = 'admin') AND (?::text IS NULL OR type = ?) ORDER BY placed_at, hold_id`,
    [orderId, role, role, holdType, holdType],
  )
  return found.map((h) => h.holdId)
}
