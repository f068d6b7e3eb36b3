/** Something is sent in place of what was delivered. What is to be held for it is held first, and only then the order is another; a bank that says no leaves it as it was. */
import { isSettled } from '../../domain/payment/view'
import { formatMinor } from '../../domain/money'
import type { RequestReplacement, ReturnAnswer } from '../../domain/messages'
import type { ExchangeHold } from '../../db/exchange-payments'
import { payments, step } from '../support/activities'
import { answering, refusing } from '../support/failures'
import { letGo } from './payment'
import { note, withThread } from './return-news'
import type { Thread } from './thread'
import { persist } from './waits'

export async function replace(thread: Thread, ask: RequestReplacement): Promise<ReturnAnswer> {
  const { orderId } = thread.start
  const begun = await withThread(thread, async () => {
    const outcome = await answering(() => step('A replacement is asked for').requestReplacement({ ...ask, orderId }))
    return outcome.holds ? { holds: outcome.holds, returnId: outcome.returnId } : { answer: note(thread, outcome) }
  })
  if (begun.answer) return begun.answer
  const declineCode = await holdAll(thread, begun.holds)
  const finished = await thread.lock(async () => {
    const outcome = await step('Send it now that the money is held').finishReplacement({ ...ask, orderId, returnId: begun.returnId, ...(declineCode !== undefined && { declineCode }) })
    return outcome.outcome === 'failed' ? outcome : { ...outcome, answer: note(thread, outcome) }
  })
  if (finished.outcome !== 'failed') return finished.answer
  for (const operationId of finished.voids) await letGo(thread, operationId)
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
