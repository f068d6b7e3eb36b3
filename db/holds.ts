/** The rows of typed holds, and the steps they block as the order's own row says them: both change together, under the order's lock. */
import { uuidv7 } from 'uuidv7'
import { blockedBy, isStopped, later, stoppedFor, type HoldDraft, type HoldStep, type StandingHold } from '../domain/order/holds'
import type { WaitingOn } from '../domain/order/status'
import { refuse } from '../domain/refusals'
import { row, rows, run, type Db, type Transaction } from './connection'
import type { OrderRow } from './orders'

export interface HoldRow extends StandingHold {
  orderId: string
  reason: string
  atDeadline: 'release' | 'cancel' | 'escalate'
  approvals: number
  approvedBy: string[]
  askedBy: string
  endedHow: 'released' | 'order_ended' | null
}

const columns = `hold_id AS "holdId", order_id AS "orderId", type, reason, blocks, owner, placed_at AS "placedAt", deadline, at_deadline AS "atDeadline", approvals, asked_by AS "askedBy",
  released_by_fact AS "releasedBy", ended_how AS "endedHow", (SELECT coalesce(json_agg(approver ORDER BY at), '[]') FROM hold_approvals a WHERE a.hold_id = holds.hold_id) AS "approvedBy"`

/** Open holds of an order, oldest first. */
export const openHolds = (db: Db | Transaction, orderId: string): Promise<HoldRow[]> =>
  rows<HoldRow>(db, `SELECT ${columns} FROM holds WHERE order_id = ? AND ended_at IS NULL ORDER BY placed_at, hold_id`, [orderId])

/** @throws `hold.unknown` */
export async function needHold(tx: Transaction, orderId: string, holdId: string): Promise<HoldRow> {
  const found = await row<HoldRow>(tx, `SELECT ${columns} FROM holds WHERE order_id = ? AND hold_id = ?`, [orderId, holdId])
  if (!found) throw refuse('hold.unknown')
  return found
}

export const holdOfCommand = (db: Db | Transaction, commandId: string): Promise<HoldRow | undefined> => row<HoldRow>(db, `SELECT ${columns} FROM holds WHERE command_id = ?`, [commandId])

/** Those that a dispute has placed: one, and another where its order has come to its end and goes on. */
export const holdsOfDispute = (db: Db | Transaction, disputeId: string): Promise<HoldRow[]> => rows<HoldRow>(db, `SELECT ${columns} FROM holds WHERE dispute_id = ?`, [disputeId])

/** What of a hold its order's workflow knows; why it stands, and who may say yes, are rows. */
export const asStanding = ({ holdId, type, blocks, owner, placedAt, deadline, releasedBy }: HoldRow): StandingHold => ({ holdId, type, blocks, owner, placedAt, deadline, releasedBy })

export interface Placing {
  orderId: string
  draft: HoldDraft
  actor: string
  /** Who wants what is held: the person whose hold it is, or who sent the order. */
  askedBy?: string
  commandId?: string
}

export async function insertHold(tx: Transaction, { orderId, draft, actor, askedBy = actor, commandId }: Placing): Promise<HoldRow> {
  const inserted = await row<HoldRow>(
    tx,
    `INSERT INTO holds (hold_id, order_id, type, reason, blocks, owner, rule, placed_by, placed_at, command_id, deadline, at_deadline, approvals, asked_by, released_by_fact, dispute_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, date_trunc('milliseconds', clock_timestamp()), ?, ?, ?, ?, ?, ?, ?) RETURNING ${columns}`,
    [
      uuidv7(), orderId, draft.type, draft.reason, [...draft.blocks], draft.owner, draft.rule ?? null, actor, commandId ?? null,
      draft.deadline ?? null, draft.atDeadline ?? 'escalate', draft.approvals ?? 0, askedBy, draft.releasedBy ?? null, draft.disputeId ?? null,
    ],
  )
  await saveBlocked(tx, orderId)
  return inserted!
}

export async function endHold(tx: Transaction, { orderId, holdId, actor }: { orderId: string; holdId: string; actor: string }): Promise<void> {
  await run(tx, `UPDATE holds SET ended_at = now(), ended_how = 'released', ended_by = ? WHERE hold_id = ? AND ended_at IS NULL`, [actor, holdId])
  await saveBlocked(tx, orderId)
}

/** The order has come to its end: nothing is left to be stopped. */
export async function endHoldsOf(tx: Transaction, order: Pick<OrderRow, 'orderId' | 'blocked'>, actor: string): Promise<void> {
  if (order.blocked.length === 0) return
  await run(tx, `UPDATE holds SET ended_at = now(), ended_how = 'order_ended', ended_by = ? WHERE order_id = ? AND ended_at IS NULL`, [actor, order.orderId])
  await run(tx, `UPDATE orders SET blocked = '{}' WHERE order_id = ?`, [order.orderId])
}

async function saveBlocked(tx: Transaction, orderId: string): Promise<void> {
  await run(tx, 'UPDATE orders SET blocked = ? WHERE order_id = ?', [blockedBy(await openHolds(tx, orderId)), orderId])
}

/** To be called under the order's lock by whoever is about to take the step; without it, it says what is likely. @throws `order.held` naming the holds that stop it */
export async function refuseIfHeld(tx: Db | Transaction, order: Pick<OrderRow, 'orderId' | 'blocked'>, step: HoldStep): Promise<void> {
  if (!order.blocked.includes(step)) return
  const holds = (await openHolds(tx, order.orderId)).filter((h) => h.blocks.includes(step))
  const [first] = holds
  throw refuse('order.held', { step, holdId: first!.holdId, holdType: first!.type, owner: first!.owner, holds: holds.map(({ holdId, type, owner }) => ({ holdId, holdType: type, owner })) })
}

/** A wait of the order, or of a part of it, whose deadline a released hold has moved. */
export interface MovedWait {
  fulfillmentId?: string
  wait: WaitingOn
  byMs: number
}

/** What nobody could go on with while it was stopped gets as much more time. */
export async function giveTimeBack(tx: Transaction, orderId: string, before: readonly StandingHold[], after: readonly StandingHold[]): Promise<MovedWait[]> {
  const at = new Date().toISOString()
  const own = await row<{ wait: WaitingOn | null }>(tx, 'SELECT own_waiting_on AS wait FROM orders WHERE order_id = ?', [orderId])
  const parts = await rows<{ fulfillmentId: string; wait: WaitingOn }>(tx, 'SELECT fulfillment_id AS "fulfillmentId", waiting_on AS wait FROM fulfillments WHERE order_id = ? AND waiting_on IS NOT NULL ORDER BY 1', [orderId])
  const moved: MovedWait[] = []
  for (const { wait, ...part } of [...(own?.wait ? [{ wait: own.wait }] : []), ...parts] as { fulfillmentId?: string; wait: WaitingOn }[]) {
    const byMs = isStopped(wait.what, before) ? stoppedFor(wait, { before, after, at }) : 0
    if (byMs === 0 || wait.deadline === null) continue
    const moves = { ...part, wait: later(wait, byMs), byMs }
    await saveMoved(tx, orderId, moves)
    moved.push(moves)
  }
  return moved
}

async function saveMoved(tx: Transaction, orderId: string, { fulfillmentId, wait, byMs }: MovedWait): Promise<void> {
  if (fulfillmentId === undefined) return run(tx, 'UPDATE orders SET own_waiting_on = ?::jsonb WHERE order_id = ?', [JSON.stringify(wait), orderId])
  await run(
    tx,
    `UPDATE fulfillments SET waiting_on = ?::jsonb, due_at = CASE WHEN status IN ('released', 'picking', 'picked') THEN due_at + ? * interval '1 millisecond' ELSE due_at END,
       pickup_by = pickup_by + ? * interval '1 millisecond' WHERE fulfillment_id = ?`,
    [JSON.stringify(wait), byMs, byMs, fulfillmentId],
  )
}
