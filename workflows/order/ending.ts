/** How a thread ends: completed when nothing can change any more, or unwound so that the customer has her money and the shelf its goods. */
import { allHandlersFinished, isCancellation, patched } from '@temporalio/workflow'
import type { OrderEnding } from '../../domain/messages'
import { step } from '../support/activities'
import { Ending, refusalIn } from '../support/failures'
import { condition } from '../support/turns'
import { stopAll } from './fewer'
import { hasNews } from './fulfil'
import { show } from './show'
import { giveBackLabels } from './labels'
import { giveBack, letGo } from './payment'
import { waiting, waits, type Thread } from './thread'
import { waitFor } from './waits'

/** Chapter four: until the return window has closed, or something is to be done about the order again. */
export async function afterSale(thread: Thread): Promise<void> {
  thread.chapter = 'return window'
  const deliveredAt = thread.works.map((w) => w.deliveredAt ?? '').sort().at(-1)
  if (!deliveredAt && (deliveredAt === '' || patched('no-window-without-parcels'))) return // nothing has arrived that could be sent back, or all of it before the order was opened again
  const window = { ...waiting('return_window', thread.start.policy.returns.window), ...(deliveredAt && { since: deliveredAt }) }
  const { rowWait } = thread.whole
  await waitFor(thread, thread.whole, rowWait?.what === 'return_window' ? rowWait : window, () => hasNews(thread))
}

export async function close(thread: Thread, status: OrderEnding['status'], reason?: string): Promise<OrderEnding> {
  await condition(allHandlersFinished)
  while (thread.owed.length > 0 && patched('owed-until-the-end')) {
    for (const refund of thread.owed.splice(0)) await giveBack(thread, thread.whole, refund)
    await condition(allHandlersFinished)
  }
  const ending = { status, ...(reason ? { reason } : {}) }
  await thread.lock(async () => {
    await step(`Close: ${status}`).closeOrder({ orderId: thread.start.orderId, status })
    thread.ending = ending
  })
  await condition(allHandlersFinished) // whoever came meanwhile hears that it is closed
  if (thread.start.manner) thread.alarm.stop()
  thread.chapter = status
  waits(thread.whole, null)
  show(thread, { status, ...(thread.lastException ? { hasException: false } : {}) })
  return ending
}

/** A cancelled order whose thread had closed: money has come all the same, and does not stay. */
export async function settleLateMoney(thread: Thread): Promise<OrderEnding> {
  thread.chapter = 'late money'
  thread.cancelled = { outcome: { cancelledAt: thread.start.acceptedAt, voids: [], labelled: [] }, reason: 'cancelled before' }
  await step('Open the order again').reopenOrder({ orderId: thread.start.orderId })
  thread.resumed = true
  return close(thread, 'cancelled')
}

/** Is this how an order may end, rather than our bug? Once it is cancelled, a step that was under way may also be refused by its rows. */
export const isEnding = (thread: Thread, cause: unknown): boolean =>
  cause instanceof Ending || (thread.cancelled !== undefined && (isCancellation(cause) || refusalIn(cause) !== undefined))

/** Stops the work and gives back what was held, newest first, each step with its own long patience. */
export async function unwind(thread: Thread, cause: unknown): Promise<OrderEnding> {
  thread.chapter = 'unwinding'
  const code = cause instanceof Ending ? cause.code : undefined
  const { outcome, reason } = thread.cancelled ?? (await cancelFor(thread, code ?? 'order.closed'))
  show(thread, { status: 'cancelled' })
  for (const fulfillmentId of outcome.labelled) await giveBackLabels(thread, thread.whole, fulfillmentId, false)
  for (const operationId of outcome.voids) await letGo(thread, operationId)
  for (const refund of outcome.refunds ?? []) await giveBack(thread, thread.whole, refund)
  return close(thread, 'cancelled', reason)
}

/** The order cannot go on by its own rules: cancelled in the rows as a person would have done. */
const cancelFor = (thread: Thread, reason: string): Promise<NonNullable<Thread['cancelled']>> =>
  thread.lock(async () => {
    if (thread.cancelled) return thread.cancelled
    const outcome = await step(`Cancel: ${reason}`).cancelOrder({ orderId: thread.start.orderId, commandId: `self:${thread.start.orderId}`, actor: 'throughline', reason })
    thread.cancelled = { outcome, reason }
    stopAll(thread, outcome)
    return thread.cancelled
  })
