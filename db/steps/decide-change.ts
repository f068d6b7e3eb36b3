/** What customers ask for themselves waits for a merchant where the policy says so: told when it is asked for, settled by a yes, a no, or the end of its time. */
import type { ChangeOperation } from '../../domain/order/change'
import { refuse } from '../../domain/refusals'
import { writeAudit } from '../audit'
import { row, rows, type Transaction } from '../connection'
import { record, self } from '../events'
import { endChange, needChange, noteDecision, type ChangeRow } from '../order-changes'
import { lockOrder, type OrderRow } from '../orders'
import { releaseOfChange } from '../reservations'
import { openException, settleExceptions } from '../waiting'

export async function tellRequested(tx: Transaction, order: OrderRow, asked: { changeId: string; operations: readonly ChangeOperation[]; actor: string; expiresAt: string; deltaMinor: number }): Promise<void> {
  const { changeId, actor, expiresAt, deltaMinor } = asked
  const operations = asked.operations.map((o) => o.op)
  await record(tx, order, { type: 'order.change_requested', actor, data: { changeId, operations, expiresAt } })
  const summary = `The customer asks for a change (${operations.join(', ')}): approve or reject it`
  await openException(tx, { ...order, kind: 'order.change_requested', subject: changeId, owner: 'support', summary, data: { changeId, operations, deltaMinor }, deadline: expiresAt })
}

/** A merchant has said something: nobody has to be told any more. */
export async function decided(tx: Transaction, order: OrderRow, { changeId }: Pick<ChangeRow, 'changeId'>, actor: string): Promise<void> {
  await noteDecision(tx, changeId, actor)
  await settleExceptions(tx, order, 'decided', { kind: 'order.change_requested', subject: changeId })
}

/** @throws `change.unknown`, `order.change_ended` */
export async function rejectChange(tx: Transaction, ask: { orderId: string; changeId: string; actor: string; reason: string }): Promise<void> {
  const order = await lockOrder(tx, ask.orderId)
  const change = await needChange(tx, ask)
  if (change.state !== 'requested' && change.state !== 'asked') throw refuse('order.change_ended', { state: change.state })
  await writeAudit(tx, { actor: ask.actor, action: 'order.reject_change', subject: ask.orderId, cause: ask.reason })
  await refused(tx, order, change.changeId, ask)
}

async function refused(tx: Transaction, order: OrderRow, changeId: string, { actor, reason }: { actor: string; reason: string }): Promise<void> {
  await endChange(tx, changeId, 'rejected', reason)
  await decided(tx, order, { changeId }, actor)
  await releaseOfChange(tx, changeId, actor)
  await record(tx, order, { type: 'order.change_rejected', actor, data: { changeId, reason } })
}

/** Requests nobody has decided on in time are refused. @returns how many */
export async function expireRequests(tx: Transaction, limit: number): Promise<number> {
  const due = await rows<{ changeId: string; orderId: string }>(
    tx,
    `SELECT change_id AS "changeId", order_id AS "orderId" FROM order_changes WHERE state = 'requested' AND expires_at <= now() ORDER BY order_id, change_id LIMIT ?`,
    [limit],
  )
  let ended = 0
  for (const { changeId, orderId } of due) {
    const order = await lockOrder(tx, orderId)
    if (!(await row(tx, `SELECT 1 FROM order_changes WHERE change_id = ? AND state = 'requested'`, [changeId]))) continue
    await refused(tx, order, changeId, { actor: self, reason: 'nobody decided in time' })
    ended += 1
  }
  return ended
}
