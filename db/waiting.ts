/** Exceptions: what waits on a person or on the outside world is a row with a kind, an owner, an age and a deadline. At most one is open per kind and subject. */
import { uuidv7 } from 'uuidv7'
import { row, rows, type Transaction } from './connection'
import { record, self } from './events'

export interface OpenException {
  /** null: about no order in particular; then it shows in the queue and on no timeline. */
  orderId: string | null
  channel: string | null
  kind: string
  /** What it is about, e.g. a fulfillment or an operation; the order itself when nothing narrower. */
  subject: string
  owner: 'operations' | 'support' | 'finance'
  summary: string
  data?: Record<string, unknown>
  deadline?: string | null
}

/** Opens an exception unless one of this kind is open for the subject already. @returns its id either way. */
export async function openException(tx: Transaction, wanted: OpenException): Promise<string> {
  const opened = await row<{ exceptionId: string }>(
    tx,
    `INSERT INTO exceptions (exception_id, order_id, kind, subject, owner, summary, data, deadline) VALUES (?, ?, ?, ?, ?, ?, ?::jsonb, ?)
     ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO NOTHING RETURNING exception_id AS "exceptionId"`,
    [uuidv7(), wanted.orderId, wanted.kind, wanted.subject, wanted.owner, wanted.summary, JSON.stringify(wanted.data ?? {}), wanted.deadline ?? null],
  )
  if (opened) {
    const data = { exceptionId: opened.exceptionId, kind: wanted.kind, owner: wanted.owner, summary: wanted.summary }
    const { orderId, channel } = wanted
    if (orderId !== null && channel !== null) await record(tx, { orderId, channel }, { type: 'exception.opened', actor: self, data })
    return opened.exceptionId
  }
  const standing = await row<{ exceptionId: string }>(
    tx,
    `SELECT exception_id AS "exceptionId" FROM exceptions WHERE kind = ? AND subject = ? AND resolved_at IS NULL`,
    [wanted.kind, wanted.subject],
  )
  return standing!.exceptionId
}

/**
 * What no order answers by ending: money that is owed, or was paid out wrong, is so by orders that have ended too; goods that came, or are missing, or a fraud has, are to be looked for;
 * and what a person was asked, or a channel or the customer was not told, is so until somebody answers.
 */
export const outlivesOrder = [
  'payment.refund_short', 'payment.refund_returned', 'payment.disputed', 'payment.dispute_lost', 'payment.due', 'order.refund_elsewhere', 'refund.to_approve',
  'settlement.missing', 'settlement.doubled', 'settlement.wrong_amount', 'settlement.fee_difference', 'settlement.chargeback', 'settlement.unknown', 'settlement.unreadable',
  'return.paid_not_back', 'return.not_expected', 'return.disputed', 'return.lost_on_run', 'shipment.turned_up', 'shipment.not_expected', 'transfer.short', 'fraud.rejected_too_late',
  'channel.not_told', 'message.not_sent', 'channel.update_not_applied', 'channel.refund_unexplained',
] as const

/** Of an order that was cancelled nothing is to be paid any more, all of its money goes back, and a channel that changed it has nothing left to change. */
const endsWithCancelled: readonly string[] = ['payment.due', 'refund.to_approve', 'fraud.rejected_too_late', 'channel.update_not_applied', 'channel.refund_unexplained']
export const outlivesCancelled: readonly string[] = outlivesOrder.filter((kind) => !endsWithCancelled.includes(kind))

/** Settles what is open of an order because the order went on by itself; all of it, one kind, one subject, or all but some. */
export async function settleExceptions(tx: Transaction, order: { orderId: string; channel: string }, resolution: string, { kind, subject, except = [] }: { kind?: string; subject?: string; except?: readonly string[] } = {}): Promise<void> {
  const settled = await rows<{ exceptionId: string; kind: string }>(
    tx,
    `UPDATE exceptions SET resolved_at = now(), resolution = ?, resolved_by = ? WHERE order_id = ? AND resolved_at IS NULL AND kind <> ALL(?) ${kind ? 'AND kind = ?' : ''} ${subject ? 'AND subject = ?' : ''}
     RETURNING exception_id AS "exceptionId", kind`,
    [resolution, self, order.orderId, [...except], ...(kind ? [kind] : []), ...(subject ? [subject] : [])],
  )
  await record(tx, order, ...settled.map((e) => ({ type: 'exception.resolved' as const, actor: self, data: { exceptionId: e.exceptionId, kind: e.kind, resolution } })))
}

/** Settles what is open about things that are no orders, because they went right again. */
export async function settleSubjects(tx: Transaction, kind: string, subjects: readonly string[], resolution: string): Promise<void> {
  if (subjects.length === 0) return
  await rows(tx, 'UPDATE exceptions SET resolved_at = now(), resolution = ?, resolved_by = ? WHERE order_id IS NULL AND kind = ? AND subject = ANY(?) AND resolved_at IS NULL RETURNING 1', [resolution, self, kind, [...subjects]])
}

/** Settles what is open of a kind about everything but these. */
export async function settleOthers(tx: Transaction, kind: string, subjects: readonly string[], resolution: string): Promise<void> {
  await rows(tx, 'UPDATE exceptions SET resolved_at = now(), resolution = ?, resolved_by = ? WHERE order_id IS NULL AND kind = ? AND subject <> ALL(?) AND resolved_at IS NULL RETURNING 1', [resolution, self, kind, [...subjects]])
}
