/** A change that was confirmed: what it costs more is held first, and only then the order is another; a bank that says no leaves it as it was. */
import { patched } from '@temporalio/workflow'
import { isStopped } from '../../domain/order/holds'
import { isSettled } from '../../domain/payment/view'
import { formatMinor } from '../../domain/money'
import type { CancelOrderAnswer, ChangeCharge, ChangeOrder } from '../../domain/messages'
import type { ChangeCarriedOut } from '../../db/steps/carry-out-change'
import { asked, payments, step } from '../support/activities'
import { now } from '../support/clock'
import { answering, refusing } from '../support/failures'
import { refuseIfCancelled, without } from './fewer'
import { letGo } from './payment'
import type { Thread } from './thread'
import { persist } from './waits'

export async function change(thread: Thread, ask: ChangeOrder): Promise<CancelOrderAnswer> {
  const { orderId, channel } = thread.start
  const begun = await thread.lock(async () => {
    refuseIfCancelled(thread)
    const outcome = await answering(() => asked('Change the order').changeOrder({ ...ask, orderId, channel }))
    return outcome.charge ? { charge: outcome.charge } : { answer: goesOn(thread, outcome) }
  })
  if (begun.answer) return begun.answer
  const declineCode = await hold(thread, begun.charge)
  const finished = await thread.lock(async () => {
    const outcome = await step('Change the order').finishChange({ ...ask, orderId, channel, ...(declineCode !== undefined && { declineCode }) })
    return outcome.outcome === 'failed' ? outcome : { ...outcome, answer: goesOn(thread, outcome) }
  })
  if (finished.outcome !== 'failed') return finished.answer
  for (const operationId of finished.voids) await letGo(thread, operationId, 'not for long')
  throw refusing(finished.code, finished.data)
}

/** The story with the order as it is now: new units are sourced, and what is not held any more is held again. */
function goesOn(thread: Thread, done: ChangeCarriedOut): CancelOrderAnswer {
  if (done.toSource) thread.toSource = true
  if (done.remainder) thread.toHold = true
  return without(thread, 'changed', done)
}

/** Asks the bank until it answers, or its time is over. What came of it is read from the rows. @returns why the bank says no, where it does */
async function hold(thread: Thread, { paymentId, operationId, amountMinor, deadline }: ChangeCharge): Promise<string | undefined> {
  const amount = formatMinor(amountMinor, thread.start.currency)
  const until = Date.parse(deadline) + (await whilePaymentIsHeld(thread))
  if (thread.cancelled) return undefined // nobody was asked, and nobody needs to be
  const trouble = { kind: 'payment.change_not_held', subject: operationId, owner: 'operations', summary: `The payment provider does not answer; ${amount} for a change is not authorised` } as const
  const outcome = await persist(thread, thread.whole, { trouble, until }, () => payments(`Authorise ${amount} more`).authorizePayment({ operationId }))
  if (outcome) thread.payments[paymentId] = outcome.status
  await thread.until(() => isSettled(thread.payments[paymentId] ?? 'opened'), until, 'The bank to answer')
  return thread.payments[paymentId] === 'declined' ? (outcome?.declineCode ?? 'declined') : undefined
}

/** Confirming is refused while payment is stopped; where that was said in the moment between, the bank is not asked before it is let go, and its time to answer does not run. @returns how long that was, in milliseconds */
async function whilePaymentIsHeld(thread: Thread): Promise<number> {
  const stopped = (): boolean => isStopped('payment', thread.holds)
  if (!stopped() || !patched('charge-waits-for-holds')) return 0
  const since = now()
  await thread.until(() => !stopped() || thread.cancelled !== undefined, Number.POSITIVE_INFINITY, 'A hold on payment to be released')
  return now() - since
}
