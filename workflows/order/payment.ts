/** Chapter one: the money of every tender is held before any goods move; or it is declined; or it is given up at its deadline. */
import { patched } from '@temporalio/workflow'
import { blockedBy } from '../../domain/order/holds'
import type { WaitingOn } from '../../domain/order/status'
import { holdsMoney, isSettled, type PaymentState } from '../../domain/payment/view'
import { formatMinor } from '../../domain/money'
import type { MoneyUnwanted, TenderStart } from '../../domain/messages'
import type { IntendedRefund } from '../../db/refunds'
import { durationMs } from '../../domain/policy/duration'
import { payments, step } from '../support/activities'
import { now } from '../support/clock'
import { Ending, isFault } from '../support/failures'
import { condition } from '../support/turns'
import { waiting, type Thread, type Waiter } from './thread'
import { releaseBy } from './holds'
import { beginWait, notice, persist, settle, waitFor, whileHeld, words } from './waits'

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
  const { acceptedAt, policy } = thread.start
  const transfer = { ...waiting('bank_transfer', null), deadline: isoAfter(acceptedAt, policy.payment.transferDeadline) ?? deadline }
  const ask = { operationId: tender.operationId, ifPending: pending, ifProcessing: transfer }
  const outcome = await persist(
    thread,
    thread.whole,
    {
      waitingOn: { ...waiting('payment_provider', null), deadline },
      trouble: { kind: 'payment.provider_unavailable', subject: tender.operationId, owner: 'operations', summary: `The payment provider does not answer; ${amount} is not authorised` },
      until,
    },
    () => payments(`Authorise ${amount}`).authorizePayment(ask),
  )
  if (outcome) thread.payments[tender.paymentId] = outcome.status
  if (outcome?.status === 'action_required') thread.whole.rowWait = pending
  if (outcome?.status === 'processing') thread.whole.rowWait = transfer
  if (outcome === undefined || (await bankAnswers(thread, tender.paymentId, ask)) === 'too late') throw new Ending('payment.not_settled')
  if (thread.payments[tender.paymentId] === 'declined' || thread.payments[tender.paymentId] === 'voided') throw new Ending('payment.declined')
}

/** The customer or her bank has to answer first: the provider tells, and is asked now and then in case it does not; a last time before it is given up. */
async function bankAnswers(thread: Thread, paymentId: string, ask: { operationId: string; ifPending: WaitingOn; ifProcessing: WaitingOn }): Promise<'came' | 'too late'> {
  const settled = (): boolean => isSettled(thread.payments[paymentId] ?? 'opened')
  if (settled()) return 'came'
  if (!patched('asked-before-given-up')) return waitFor(thread, thread.whole, ask.ifPending, settled)
  for (;;) {
    const wait = thread.payments[paymentId] === 'processing' ? ask.ifProcessing : ask.ifPending
    await beginWait(thread, thread.whole, wait)
    const end = wait.deadline === null ? Number.POSITIVE_INFINITY : Date.parse(wait.deadline)
    if (await thread.until(settled, Math.min(end, nextLook(thread)), `Deadline check, set for ${words(wait.what)} by ${wait.deadline}`)) return 'came'
    const last = now() >= end
    const found = await look(ask)
    if (found) thread.payments[paymentId] = found
    if (settled()) return 'came'
    if (last && (found !== 'processing' || wait === ask.ifProcessing)) return 'too late'
  }
}

const nextLook = ({ start }: Thread): number => now() + (start.policy.payment.lookAgainEvery === undefined ? Number.POSITIVE_INFINITY : durationMs(start.policy.payment.lookAgainEvery))

/** @returns undefined where the provider does not answer: it is asked again, or the void finds out */
async function look(ask: Parameters<ReturnType<typeof payments>['authorizePayment']>[0]): Promise<PaymentState | undefined> {
  try {
    return (await payments('Ask how far the payment is').authorizePayment(ask)).status
  } catch (cause) {
    if (!isFault(cause)) throw cause
    return undefined
  }
}

const isoAfter = (instant: string, patience: string | undefined): string | undefined => (patience === undefined ? undefined : new Date(Date.parse(instant) + durationMs(patience)).toISOString())

/**
 * A hold that can be captured once only has let go of what has still to leave: it is held again, and until it is nothing more leaves. If the bank says
 * no, support is told, and it is tried again when the customer gives another way of paying, her bank says yes after all, or somebody presses retry.
 */
export async function holdRemainder(thread: Thread, ask: { renewing?: true } = {}): Promise<void> {
  thread.holding = (thread.holding ?? 0) + 1
  try {
    await untilHeld(thread, ask)
  } finally {
    thread.holding -= 1
  }
}

async function untilHeld(thread: Thread, ask: { renewing?: true }): Promise<void> {
  const { orderId, currency } = thread.start
  const trouble = { kind: 'payment.remainder_not_held', subject: orderId, owner: 'support', summary: 'The money for what has still to leave is not held: ask the customer for another card (POST /v1/orders/{orderId}/payment-methods), or cancel the rest' } as const
  for (let failures = 0; ; failures += 1) {
    const { given } = thread
    const { remainders } = await thread.lock(() => {
      thread.holdAttempts += 1
      return step('Hold the money for what has still to leave').holdRemainder({ ...ask, orderId, attempt: thread.holdAttempts, threadId: thread.threadId })
    })
    const { reductions } = thread
    const isLess = (): boolean => thread.reductions !== reductions
    if (remainders.length) await whileHeld(thread, thread.whole, { what: 'payment', told: false })
    for (const { paymentId, operationId, amountMinor } of remainders) {
      const outcome = await persist(thread, thread.whole, { trouble }, () => payments(`Authorise ${formatMinor(amountMinor, currency)}`).authorizePayment({ operationId }))
      thread.payments[paymentId] = outcome!.status
      await thread.until(() => isSettled(thread.payments[paymentId]!), now() + durationMs(thread.start.policy.payment.deadline), 'The bank to answer')
    }
    const held = (): boolean => remainders.every((r) => holdsMoney(thread.payments[r.paymentId]!))
    if (held()) return failures ? settle(thread, trouble) : undefined
    if (thread.reductions > 0 && remainders.every((r) => holdsMoney(thread.payments[r.paymentId]!) || thread.payments[r.paymentId] === 'voided')) continue // let go of, because less has to leave now
    if (isLess() && patched('less-while-holding')) continue // what was asked for may not be needed any more
    if (failures === 0) await notice(thread, thread.whole, undefined, trouble)
    const heard = thread.nudges
    const mayBeLess = patched('less-while-holding')
    const mayCome = patched('held-after-all') // for her bank a case of ours is no end
    await thread.until(() => thread.nudges !== heard || thread.given !== given || (mayCome && held()) || (mayBeLess && isLess()), Number.POSITIVE_INFINITY, trouble.summary)
  }
}

/**
 * The goods leave later than the first hold lasts: the money is held anew while the old hold still is, and only then that is let go of. Where the bank says
 * no, the goods may leave for as long as the old hold lasts, and support is told.
 */
export async function renewHolds(thread: Thread): Promise<void> {
  await holdRemainder(thread, { renewing: true })
  const { voids } = await thread.lock(() => step('Let go of what was held before').dropOldHolds({ orderId: thread.start.orderId, attempt: thread.holdAttempts, threadId: thread.threadId }))
  for (const operationId of voids) await letGo(thread, operationId)
}

/** Lets go of what is held and will not be taken. What a bank has under way cannot be called back: it is waited for, and given back when it comes. */
export async function letGo(thread: Thread, operationId: string, patience?: 'not for long'): Promise<void> {
  const trouble = { kind: 'payment.void_failed', subject: operationId, owner: 'finance', summary: 'What was cancelled is still authorised and could not be voided' } as const
  for (;;) {
    const { paymentId, status, unwanted } = (await persist(thread, thread.whole, { waitingOn: waiting('void', null), trouble }, () => payments('Void the authorisation').voidPayment({ operationId })))!
    thread.payments[paymentId] = status
    if (unwanted) await condition(() => thread.givenBack.includes(paymentId)) // told by the queue of facts
    if (status !== 'processing') return
    if (patience) return void thread.unwanted.push(operationId) // the story waits for it, and not who asked
    await beginWait(thread, thread.whole, waiting('bank_transfer', null))
    await thread.until(() => isSettled(thread.payments[paymentId]!), nextLook(thread), 'The bank to answer')
  }
}

/** Money has come that nobody counts on any more: it does not stay. */
export async function dropMoney(thread: Thread, { kind, paymentId, operationId, amountMinor }: MoneyUnwanted): Promise<void> {
  if (kind === 'void') await letGo(thread, operationId)
  else await giveBack(thread, thread.whole, { operationId, amountMinor })
  thread.givenBack.push(paymentId)
}

export async function giveBack(thread: Thread, who: Waiter, { operationId, amountMinor }: IntendedRefund): Promise<void> {
  await thread.until(() => !blockedBy(thread.holds).includes('refund'), Number.POSITIVE_INFINITY, 'A hold on refunds to be released')
  const amount = formatMinor(amountMinor, thread.start.currency)
  const trouble = { kind: 'payment.refund_failed', subject: operationId, owner: 'finance', summary: `${amount} could not be given back` } as const
  const outcome = await persist(thread, who, { trouble }, () => payments(`Refund ${amount}`).refundPayment({ operationId }))
  thread.payments[outcome!.paymentId] = outcome!.status
}
