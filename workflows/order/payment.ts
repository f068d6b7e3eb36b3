/** Chapter one: the money of every tender is held before any goods move; or it is declined; or it is given up at its deadline. */
import { holdsMoney, isSettled } from '../../domain/payment/view'
import { formatMinor } from '../../domain/money'
import type { TenderStart } from '../../domain/messages'
import { durationMs } from '../../domain/policy/duration'
import { payments, step } from '../support/activities'
import { now } from '../support/clock'
import { Ending } from '../support/failures'
import { waiting, type Thread } from './thread'
import { releaseBy } from './holds'
import { notice, persist, settle, waitFor, whileHeld } from './waits'

/** The deadline ends waiting; an authorisation that succeeds after it counts. @throws Ending `payment.declined`, `payment.not_settled` */
export async function settlePayment(thread: Thread): Promise<void> {
  thread.chapter = 'payment'
  let deadline = thread.whole.wait?.deadline ?? null
  for (const tender of thread.start.tenders) {
    if (tender.authorizeOperationId === undefined) {
      thread.payments[tender.paymentId] = 'captured'
      continue
    }
    const heldMs = await whileHeld(thread, thread.whole, { what: 'payment' })
    if (deadline !== null && heldMs > 0) deadline = new Date(Date.parse(deadline) + heldMs).toISOString()
    await authorize(thread, { ...tender, operationId: tender.authorizeOperationId }, deadline)
  }
  await releaseBy(thread, 'payment_authorized')
}

async function authorize(thread: Thread, tender: TenderStart & { operationId: string }, deadline: string | null): Promise<void> {
  const amount = formatMinor(tender.amountMinor, thread.start.currency)
  const until = deadline === null ? undefined : Date.parse(deadline)
  const pending = { ...waiting('customer_action', null), deadline }
  const outcome = await persist(
    thread,
    thread.whole,
    {
      waitingOn: { ...waiting('payment_provider', null), deadline },
      trouble: { kind: 'payment.provider_unavailable', subject: tender.operationId, owner: 'operations', summary: `The payment provider does not answer; ${amount} is not authorised` },
      until,
    },
    () => payments(`Authorise ${amount}`).authorizePayment({ operationId: tender.operationId, ifPending: pending }),
  )
  if (outcome) thread.payments[tender.paymentId] = outcome.status
  if (outcome?.status === 'action_required' || outcome?.status === 'processing') thread.whole.rowWait = pending
  const settled = (): boolean => isSettled(thread.payments[tender.paymentId] ?? 'opened')
  if (outcome === undefined || (await waitFor(thread, thread.whole, pending, settled)) === 'too late') throw new Ending('payment.not_settled')
  if (thread.payments[tender.paymentId] === 'declined' || thread.payments[tender.paymentId] === 'voided') throw new Ending('payment.declined')
}

/**
 * A hold that can be captured once only has let go of what has still to leave: it is held again, and until it is nothing more leaves. If the bank says
 * no, support is told, and it is tried again when somebody presses retry.
 */
export async function holdRemainder(thread: Thread, ask: { renewing?: true } = {}): Promise<void> {
  const { orderId, currency } = thread.start
  const trouble = { kind: 'payment.remainder_not_held', subject: orderId, owner: 'support', summary: 'The money for what has still to leave is not held: ask for another card, or cancel the rest' } as const
  for (let failures = 0; ; failures += 1) {
    const { remainders } = await thread.lock(() => {
      thread.holdAttempts += 1
      return step('Hold the money for what has still to leave').holdRemainder({ ...ask, orderId, attempt: thread.holdAttempts })
    })
    if (remainders.length) await whileHeld(thread, thread.whole, { what: 'payment', told: false })
    for (const { paymentId, operationId, amountMinor } of remainders) {
      const outcome = await persist(thread, thread.whole, { trouble }, () => payments(`Authorise ${formatMinor(amountMinor, currency)}`).authorizePayment({ operationId }))
      thread.payments[paymentId] = outcome!.status
      await thread.until(() => isSettled(thread.payments[paymentId]!), now() + durationMs(thread.start.policy.payment.deadline), 'The bank to answer')
    }
    if (remainders.every((r) => holdsMoney(thread.payments[r.paymentId]!))) return failures ? settle(thread, trouble) : undefined
    if (thread.reduced && remainders.every((r) => holdsMoney(thread.payments[r.paymentId]!) || thread.payments[r.paymentId] === 'voided')) continue // let go of, because less has to leave now
    if (failures === 0) await notice(thread, thread.whole, undefined, trouble)
    const heard = thread.nudges
    await thread.until(() => thread.nudges !== heard, Number.POSITIVE_INFINITY, trouble.summary)
  }
}

/**
 * The goods leave later than the first hold lasts: the money is held anew while the old hold still is, and only then that is let go of. Where the bank says
 * no, the goods may leave for as long as the old hold lasts, and support is told.
 */
export async function renewHolds(thread: Thread): Promise<void> {
  await holdRemainder(thread, { renewing: true })
  const { voids } = await thread.lock(() => step('Let go of what was held before').dropOldHolds({ orderId: thread.start.orderId, attempt: thread.holdAttempts }))
  for (const operationId of voids) await letGo(thread, operationId)
}

/** Lets go of what is held and will not be taken. */
export async function letGo(thread: Thread, operationId: string): Promise<void> {
  const trouble = { kind: 'payment.void_failed', subject: operationId, owner: 'finance', summary: 'What was cancelled is still authorised and could not be voided' } as const
  const outcome = await persist(thread, thread.whole, { waitingOn: waiting('void', null), trouble }, () => payments('Void the authorisation').voidPayment({ operationId }))
  thread.payments[outcome!.paymentId] = outcome!.status
}
