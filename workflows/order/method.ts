/** The customer gives another way of paying for what is not held: it is authorised first, and then what waited for the money goes on. */
import { defineUpdate } from '@temporalio/workflow'
import { updates, type GiveMethod, type GiveMethodAnswer } from '../../domain/messages'
import { formatMinor } from '../../domain/money'
import type { Remainder } from '../../db/part-payments'
import { asked, payments } from '../support/activities'
import { answering, refusing } from '../support/failures'
import { setHandler } from '../support/handlers'
import { refuseIfCancelled } from './fewer'
import type { Thread } from './thread'
import { persist } from './waits'

const giveMethod = defineUpdate<GiveMethodAnswer, [GiveMethod]>(updates.giveMethod)

export function listenForMethods(thread: Thread): void {
  setHandler(giveMethod, (ask) => give(thread, ask), {
    description: 'Another way of paying is given for what has still to leave and is not held. Answers once the bank has: it is held, or she has to say yes there, or why not.',
    validator: (_ask: GiveMethod) => refuseIfCancelled(thread),
  })
}

async function give(thread: Thread, ask: GiveMethod): Promise<GiveMethodAnswer> {
  const { remainders, voids } = await thread.lock(() => {
    refuseIfCancelled(thread)
    return answering(() => asked('Another way of paying is given').giveMethod({ ...ask, orderId: thread.start.orderId }))
  })
  thread.unwanted.push(...voids)
  let declined: { tenderId: string; declineCode?: string } | undefined
  for (const remainder of remainders) {
    const { status, declineCode } = await authorise(thread, remainder)
    if (status === 'declined') declined = { tenderId: remainder.tenderId, ...(declineCode !== undefined && { declineCode }) }
  }
  refuseIfCancelled(thread)
  if (declined) throw refusing('payment.declined', declined)
  thread.given = (thread.given ?? 0) + 1 // whoever waits for the money looks again
  if (!thread.holding) thread.toRenew = true
  return { payments: Object.fromEntries(remainders.map((r) => [r.paymentId, thread.payments[r.paymentId]!])) }
}

async function authorise(thread: Thread, { paymentId, operationId, amountMinor }: Remainder): Promise<{ status: string; declineCode?: string }> {
  const amount = formatMinor(amountMinor, thread.start.currency)
  const trouble = { kind: 'payment.given_not_held', subject: operationId, owner: 'operations', summary: `The payment provider does not answer; ${amount} is not authorised by what the customer gave` } as const
  const outcome = (await persist(thread, thread.whole, { trouble }, () => payments(`Authorise ${amount} by what was given`).authorizePayment({ operationId })))!
  thread.payments[paymentId] = outcome.status
  return outcome
}
