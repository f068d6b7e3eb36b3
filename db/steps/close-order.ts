/** The end of an order's thread, and the notes it leaves while it waits. */
import type { WaitingOn } from '../../domain/order/status'
import { row, type Transaction } from '../connection'
import { eraseIfAsked } from '../erasure/erase'
import { record, self } from '../events'
import { settleTooLate } from '../fraud'
import { endHoldsOf } from '../holds'
import { lockOrder, refreshOrder, setWait } from '../orders'
import { openException, outlivesCancelled, outlivesOrder, settleExceptions, type OpenException } from '../waiting'

export interface WaitNotice {
  orderId: string
  /** The part that waits, or the return; without either: the order as a whole. */
  fulfillmentId?: string
  returnId?: string
  /** Absent: nothing else is waited on than before. */
  waitingOn?: WaitingOn
  exception?: Omit<OpenException, 'orderId' | 'channel'>
}

/** Nothing is open any more, and the row says that the workflow is not either. */
export async function closeOrder(tx: Transaction, { orderId, status }: { orderId: string; status: 'completed' | 'cancelled' }): Promise<void> {
  const order = await lockOrder(tx, orderId)
  const closed = await row(tx, 'UPDATE orders SET workflow_open = false, stage = ?, closed_at = coalesce(closed_at, now()) WHERE order_id = ? AND workflow_open RETURNING order_id', [status, orderId])
  if (!closed) return
  if (status === 'completed' && order.stage !== 'completed') await record(tx, order, { type: 'order.completed', actor: self })
  await endHoldsOf(tx, order, self)
  await settleExceptions(tx, order, `the order is ${status}`, { except: status === 'cancelled' ? outlivesCancelled : outlivesOrder })
  await settleTooLate(tx, order)
  await refreshOrder(tx, orderId, null)
  await eraseIfAsked(tx, orderId)
}

/** Writes what the order waits on now, and opens an exception where somebody should know. */
export async function noticeWait(tx: Transaction, { orderId, fulfillmentId, returnId, waitingOn, exception }: WaitNotice): Promise<void> {
  const order = await lockOrder(tx, orderId)
  if (exception) await openException(tx, { deadline: waitingOn?.deadline ?? null, ...exception, orderId, channel: order.channel })
  if (waitingOn) await setWait(tx, orderId, { waitingOn, fulfillmentId, returnId })
}

/** A request from the Temporal UI that could not be done: nobody waits for the answer there, so the timeline and an exception tell it. */
export async function noteRefusedCancel(tx: Transaction, ask: { orderId: string; actor: string; code: string; data: Record<string, unknown> }): Promise<void> {
  const order = await lockOrder(tx, ask.orderId)
  await record(tx, order, { type: 'order.cancel_refused', actor: ask.actor, data: { code: ask.code, ...ask.data } })
  await openException(tx, {
    ...order,
    kind: 'order.cancel_refused',
    subject: ask.orderId,
    owner: 'support',
    summary: 'A cancellation from the Temporal UI could not be done: tell the customer, offer a return',
    data: { code: ask.code, ...ask.data },
  })
}

/** What was waited on has come: the exceptions of that kind are settled. What the order waits on next is for the step that brought it to say. */
export async function settleWait(tx: Transaction, ask: { orderId: string; kind: string; subject?: string; resolution: string }): Promise<void> {
  await settleExceptions(tx, await lockOrder(tx, ask.orderId), ask.resolution, { kind: ask.kind, subject: ask.subject })
}
