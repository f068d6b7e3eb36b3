/** What people do with an exception: take it, try again, settle it. Each is on the order's timeline and in the audit. */
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import { tellAgain } from './channel-operations'
import { row, run, type Transaction } from './connection'
import { record } from './events'
import { needGivenAgain } from './returned-refunds'

export interface Held {
  exceptionId: string
  orderId: string | null
  channel: string | null
  kind: string
  subject: string
  owner: string
  resolvedAt: string | null
  resolution: string | null
}

/** Locks an exception that is still open. @throws `exception.unknown`, `exception.resolved` */
export async function holdException(tx: Transaction, exceptionId: string): Promise<Held> {
  const held = await row<Held>(
    tx,
    `SELECT e.exception_id AS "exceptionId", e.order_id AS "orderId", o.channel, e.kind, e.subject, e.owner, e.resolved_at AS "resolvedAt", e.resolution
     FROM exceptions e LEFT JOIN orders o USING (order_id) WHERE e.exception_id = ? FOR UPDATE OF e`,
    [exceptionId],
  )
  if (!held) throw refuse('exception.unknown')
  if (held.resolvedAt) throw refuse('exception.resolved', { resolution: held.resolution })
  return held
}

export async function assignException(tx: Transaction, held: Held, ask: { assignee: string; actor: string }): Promise<void> {
  await run(tx, 'UPDATE exceptions SET assignee = ? WHERE exception_id = ?', [ask.assignee, held.exceptionId])
  await tell(tx, held, 'exception.assigned', ask.actor, { assignee: ask.assignee })
  await writeAudit(tx, { actor: ask.actor, action: 'exception.assign', subject: held.exceptionId, cause: ask.assignee })
}

/** @throws `refund.still_owed` where money is owed that no book says was given */
export async function resolveException(tx: Transaction, held: Held, ask: { resolution: string; actor: string }): Promise<void> {
  if (held.kind === 'payment.refund_returned') await needGivenAgain(tx, held.subject)
  await run(tx, 'UPDATE exceptions SET resolved_at = now(), resolution = ?, resolved_by = ? WHERE exception_id = ?', [ask.resolution, ask.actor, held.exceptionId])
  await tell(tx, held, 'exception.resolved', ask.actor, { resolution: ask.resolution })
  await writeAudit(tx, { actor: ask.actor, action: 'exception.resolve', subject: held.exceptionId, cause: ask.resolution })
}

export async function retryException(tx: Transaction, held: Held, actor: string): Promise<void> {
  if (held.kind === 'channel.not_told') await tellAgain(tx, held.subject)
  await tell(tx, held, 'exception.retried', actor, {})
  await writeAudit(tx, { actor, action: 'exception.retry', subject: held.exceptionId, cause: held.kind })
}

/** An exception about no order in particular has no timeline to be on. */
async function tell(tx: Transaction, held: Held, type: 'exception.assigned' | 'exception.resolved' | 'exception.retried', actor: string, data: Record<string, unknown>): Promise<void> {
  if (held.orderId === null || held.channel === null) return
  await record(tx, { orderId: held.orderId, channel: held.channel }, { type, actor, data: { exceptionId: held.exceptionId, kind: held.kind, ...data } })
}
