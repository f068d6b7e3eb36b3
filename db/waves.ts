/** Waves: work orders of a node that are picked in one walk. A work order is in one wave at a time; what is stopped leaves it, and whoever picks is told. */
import { uuidv7 } from 'uuidv7'
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import { row, rows, run, type Transaction } from './connection'
import { record } from './events'

export interface WaveAsk {
  nodeId: string
  maxOrders: number
  assignee?: string
  actor: string
  cause: string
}

interface Joining {
  fulfillmentId: string
  orderId: string
  channel: string
}

/** Takes what is due first of what nobody has begun, nobody else has, and no other wave holds. @returns its id. @throws `wave.nothing_to_pick` */
export async function openWave(tx: Transaction, { nodeId, maxOrders, assignee, actor, cause }: WaveAsk): Promise<string> {
  const waveId = uuidv7()
  await run(tx, 'INSERT INTO waves (wave_id, node_id, assignee, opened_by) VALUES (?, ?, ?, ?)', [waveId, nodeId, assignee ?? null, actor])
  const joined = await rows<Joining>(tx, joinSql, { waveId, nodeId, maxOrders, assignee: assignee ?? null })
  if (joined.length === 0) throw refuse('wave.nothing_to_pick', { nodeId })
  for (const { fulfillmentId, ...order } of joined) await record(tx, order, { type: 'fulfillment.joined_wave', actor, data: { fulfillmentId, waveId, ...(assignee !== undefined && { assignee }) } })
  await writeAudit(tx, { actor, action: 'wave.open', subject: waveId, cause })
  return waveId
}

/** Rows that somebody else is just changing are passed over; the update makes every later look see them as taken. */
const joinSql = `
  WITH due AS (SELECT fulfillment_id, due_first, urgency FROM fulfillments
               WHERE node_id = :nodeId AND status = 'released' AND method <> 'carry_out' AND wave_id IS NULL
               AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = fulfillments.order_id AND 'picking' = ANY(o.blocked)) AND (assignee IS NULL OR assignee = :assignee)
               ORDER BY due_first, urgency, fulfillment_id LIMIT :maxOrders FOR UPDATE SKIP LOCKED),
    joined AS (UPDATE fulfillments f SET wave_id = :waveId::uuid, assignee = coalesce(:assignee, f.assignee) FROM due WHERE f.fulfillment_id = due.fulfillment_id
               RETURNING f.fulfillment_id, f.order_id, due.due_first, due.urgency),
    placed AS (INSERT INTO wave_fulfillments (wave_id, fulfillment_id, position)
               SELECT :waveId::uuid, fulfillment_id, row_number() OVER (ORDER BY due_first, urgency, fulfillment_id) FROM joined)
  SELECT fulfillment_id AS "fulfillmentId", order_id AS "orderId", channel FROM joined JOIN orders USING (order_id) ORDER BY due_first, urgency, fulfillment_id`

export type LeavingWave = 'cancelled' | 'rejected' | 'closed' | 'held'

/** Takes a work order out of its wave, if it is in one; to be called by whoever stops the work, under the order's lock. */
export async function leaveWave(tx: Transaction, order: { orderId: string; channel: string }, left: { fulfillmentId: string; why: LeavingWave; actor: string }): Promise<void> {
  const { fulfillmentId, why, actor } = left
  const wave = await row<{ waveId: string; assignee: string | null }>(
    tx,
    `WITH gone AS (UPDATE wave_fulfillments SET left_at = now(), left_why = ? WHERE fulfillment_id = ? AND left_at IS NULL RETURNING wave_id, fulfillment_id),
       freed AS (UPDATE fulfillments f SET wave_id = NULL FROM gone WHERE f.fulfillment_id = gone.fulfillment_id RETURNING f.assignee)
     SELECT wave_id AS "waveId", assignee FROM gone, freed`,
    [why, fulfillmentId],
  )
  if (wave) await record(tx, order, { type: 'fulfillment.left_wave', actor, data: { fulfillmentId, waveId: wave.waveId, why, ...(wave.assignee !== null && { assignee: wave.assignee }) } })
}

/** Nobody goes on with it: what is not begun (or being begun this very moment) is free for another wave and another person. Again: nothing more happens. */
export async function closeWave(tx: Transaction, { waveId, actor, cause }: { waveId: string; actor: string; cause: string }): Promise<void> {
  const closed = await row(tx, 'UPDATE waves SET closed_at = now() WHERE wave_id = ? AND closed_at IS NULL RETURNING 1', [waveId])
  if (!closed) return
  const left = await rows<Joining>(
    tx,
    `WITH waiting AS (SELECT fulfillment_id FROM fulfillments JOIN wave_fulfillments m USING (fulfillment_id, wave_id)
                      WHERE m.wave_id = ? AND m.left_at IS NULL AND status = 'released' FOR UPDATE OF fulfillments SKIP LOCKED),
       freed AS (UPDATE fulfillments f SET wave_id = NULL, assignee = CASE WHEN f.assignee = w.assignee THEN NULL ELSE f.assignee END
                 FROM waiting, waves w WHERE f.fulfillment_id = waiting.fulfillment_id AND w.wave_id = f.wave_id RETURNING f.fulfillment_id, f.order_id),
       gone AS (UPDATE wave_fulfillments m SET left_at = now(), left_why = 'closed' FROM freed WHERE m.fulfillment_id = freed.fulfillment_id AND m.left_at IS NULL)
     SELECT fulfillment_id AS "fulfillmentId", order_id AS "orderId", channel FROM freed JOIN orders USING (order_id) ORDER BY fulfillment_id`,
    [waveId],
  )
  for (const { fulfillmentId, ...order } of left) await record(tx, order, { type: 'fulfillment.left_wave', actor, data: { fulfillmentId, waveId, why: 'closed' } })
  await writeAudit(tx, { actor, action: 'wave.close', subject: waveId, cause })
}
