/**
 * Something is sent in place of what was delivered. What is to be held for it is held first, and only then the order is another; a bank that says no leaves it as it was. What is held over the
 * old goods is let go of when they are back, taken when they are not, and held anew while they may still come.
 */
import { patched } from '@temporalio/workflow'
import { holdsMoney, isSettled } from '../../domain/payment/view'
import { hasEnded } from '../../domain/returns/status'
import { formatMinor } from '../../domain/money'
import type { RequestReplacement, ReturnAnswer } from '../../domain/messages'
import type { ExchangeHold } from '../../db/exchange-payments'
import type { IntendedRefund } from '../../db/refunds'
import { asked, payments, step } from '../support/activities'
import { answering, refusing } from '../support/failures'
import { letGo } from './payment'
import { note, withThread } from './return-news'
import type { Back, Thread } from './thread'
import { notice, persist, settle, waitFor } from './waits'

export async function replace(thread: Thread, ask: RequestReplacement): Promise<ReturnAnswer> {
  const { orderId } = thread.start
  const begun = await withThread(thread, async () => {
    const outcome = await answering(() => asked('A replacement is asked for').requestReplacement({ ...ask, orderId }))
    return outcome.holds ? { holds: outcome.holds, returnId: outcome.returnId } : { answer: note(thread, outcome) }
  })
  if (begun.answer) return begun.answer
  const declineCode = await holdAll(thread, begun.holds)
  const finished = await thread.lock(async () => {
    const outcome = await step('Send it now that the money is held').finishReplacement({ ...ask, orderId, returnId: begun.returnId, ...(declineCode !== undefined && { declineCode }) })
    return outcome.outcome === 'failed' ? outcome : { ...outcome, answer: note(thread, outcome) }
  })
  if (finished.outcome !== 'failed') return finished.answer
  for (const operationId of finished.voids) await letGo(thread, operationId, patched('exchange-refused-at-once') ? 'not for long' : undefined)
  throw refusing(finished.code, finished.data)
}

/** Until the bank has said no to one. @returns why, where it does */
async function holdAll(thread: Thread, holds: readonly ExchangeHold[]): Promise<string | undefined> {
  for (const hold of holds) {
    const declineCode = await holdOne(thread, hold)
    if (declineCode !== undefined) return declineCode
  }
  return undefined
}

/** Asks the bank until it answers, or its time is over. What came of it is read from the rows. */
async function holdOne(thread: Thread, { paymentId, operationId, amountMinor, deadline }: ExchangeHold): Promise<string | undefined> {
  const amount = formatMinor(amountMinor, thread.start.currency)
  const until = Date.parse(deadline)
  const trouble = { kind: 'payment.exchange_not_held', subject: operationId, owner: 'operations', summary: `The payment provider does not answer; ${amount} for an exchange is not authorised` } as const
  const outcome = await persist(thread, thread.whole, { trouble, until }, () => payments(`Authorise ${amount} for an exchange`).authorizePayment({ operationId }))
  if (outcome) thread.payments[paymentId] = outcome.status
  await thread.until(() => isSettled(thread.payments[paymentId] ?? 'opened'), until, 'The bank to answer')
  return thread.payments[paymentId] === 'declined' ? (outcome?.declineCode ?? 'declined') : undefined
}

export const hasCharges = ({ charges = [] }: Back): boolean => charges.length > 0

/** Others were sent for these goods, with money held over them: what is not back by the date is charged, and nobody has to be asked. */
export async function chargeIfLate(thread: Thread, back: Back, isNews: () => boolean): Promise<void> {
  const { returnId } = back
  const wait = back.wait!
  if ((await waitFor(thread, back, wait, isNews)) === 'came') return
  const isFurther = await thread.lock(async () => {
    if (isNews()) return false
    const news = await step('What has not come back is charged').chargeReturn({ returnId, deadline: wait.deadline! })
    if (news) note(thread, news)
    return !news // as it was once answered
  })
  if (isFurther) await thread.until(() => isNews() || back.wait !== wait, Number.POSITIVE_INFINITY, 'Word of what has moved it on')
}

/** The price of what has not come back is taken of what is held. */
export async function take(thread: Thread, back: Back, { operationId, amountMinor }: IntendedRefund): Promise<void> {
  const amount = formatMinor(amountMinor, thread.start.currency)
  const trouble = { kind: 'payment.charge_failed', subject: operationId, owner: 'finance', summary: `The goods have not come back and ${amount} could not be taken` } as const
  const outcome = await persist(thread, back, { trouble }, () => payments(`Take ${amount} for what has not come back`).capturePayment({ operationId }))
  thread.payments[outcome!.paymentId] = outcome!.status
}

/** What is held over goods that are still to come runs out: it is held anew while it still is, and only then that is let go of. Where the bank says no, support is told; retry asks again. */
export async function secure(thread: Thread, returnId: string): Promise<void> {
  const back = thread.backs.find((b) => b.returnId === returnId)
  const trouble = { kind: 'return.guard_not_held', subject: returnId, owner: 'support', summary: 'What is held over goods that are still to come runs out, and the bank does not hold it anew: ask for the goods, or for another card' } as const
  for (let failures = 0; back && !hasEnded(back.status); failures += 1) {
    const attempt = (back.securings = (back.securings ?? 0) + 1)
    const { hold } = await thread.lock(() => step('Hold the value of the old goods anew').renewGuard({ returnId, attempt, threadId: thread.threadId }))
    if (!hold) return
    await holdOne(thread, hold)
    const isHeld = holdsMoney(thread.payments[hold.paymentId] ?? 'opened')
    const { voids } = await thread.lock(async () => {
      const renewed = await step(isHeld ? 'Let go of what was held before' : 'It is not held anew').guardRenewed({ returnId, paymentId: hold.paymentId, isHeld })
      if (renewed.news) note(thread, renewed.news)
      return renewed
    })
    for (const operationId of voids) await letGo(thread, operationId)
    if (isHeld) return failures ? settle(thread, trouble) : undefined
    if (failures === 0) await notice(thread, back, undefined, trouble)
    const heard = thread.nudges
    await thread.until(() => thread.nudges !== heard || hasEnded(back.status), Number.POSITIVE_INFINITY, trouble.summary)
  }
}
