/** The two ways an order or a part of it waits: for a fact, with a deadline and an ending; and for the outside world, as long as it takes but never silently. */
import { isStopped } from '../../domain/order/holds'
import type { WaitingOn, WaitReason } from '../../domain/order/status'
import { durationMs } from '../../domain/policy/duration'
import type { OpenException } from '../../db/waiting'
import { step } from '../support/activities'
import { isoNow, now } from '../support/clock'
import { faultMessage, isFault } from '../support/failures'
import { show } from './show'
import { waiting, waits, type Thread, type Waiter } from './thread'

/** Says what `who` waits on now. The row is told only if the last step has not written the same already. */
export async function beginWait(thread: Thread, who: Waiter, waitingOn: WaitingOn): Promise<void> {
  who.wait = waitingOn
  show(thread)
  if (who.rowWait?.what === waitingOn.what) return
  who.rowWait = waitingOn
  await step(`Waits for ${words(waitingOn.what)}`).noticeWait({ orderId: thread.start.orderId, ...named(who), waitingOn })
}

/** Waits for `fact` until the wait's deadline. @returns whether it came in time. */
export async function waitFor(thread: Thread, who: Waiter, waitingOn: WaitingOn, fact: () => boolean): Promise<'came' | 'too late'> {
  if (fact()) return 'came'
  await beginWait(thread, who, waitingOn)
  let at = waitingOn.deadline === null ? Number.POSITIVE_INFINITY : Date.parse(waitingOn.deadline)
  const stopped = (): boolean => isStopped(waitingOn.what, thread.holds)
  for (;;) {
    await thread.until(() => fact() || stopped(), at, `Deadline check, set for ${words(waitingOn.what)} by ${waitingOn.deadline}`)
    if (fact()) return 'came'
    if (!stopped()) return 'too late'
    const since = now()
    await thread.until(() => fact() || !stopped(), Number.POSITIVE_INFINITY, 'A hold to be released')
    at += now() - since // nobody could do anything meanwhile
  }
}

interface Held {
  /** What `who` waits on, as far as the hold lets anybody see. */
  what: WaitReason
  /** Stopped by what stops this; the same unless told otherwise. */
  by?: WaitReason
  /** false: what `who` waits on stays as it is. */
  told?: false
}

/** Waits while a hold stops what comes next. @returns how long it did, in milliseconds */
export async function whileHeld(thread: Thread, who: Waiter, { what, by = what, told }: Held): Promise<number> {
  const stopped = (): boolean => isStopped(by, thread.holds)
  if (!stopped()) return 0
  const since = now()
  if (told !== false) await beginWait(thread, who, who.wait?.what === what ? who.wait : waiting(what, null))
  show(thread, { status: 'held' })
  await thread.until(() => !stopped(), Number.POSITIVE_INFINITY, 'A hold to be released')
  return now() - since
}

type Notice = Pick<OpenException, 'kind' | 'owner' | 'summary'> & { subject: string; data?: Record<string, unknown> }

/** Waits for `fact`; past the deadline somebody is told, and the wait goes on, because goods or money are out there. @param then what else is done once it is late */
export async function waitOrEscalate(thread: Thread, who: Waiter, waitingOn: WaitingOn, late: Notice, fact: () => boolean, then: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  if ((await waitFor(thread, who, waitingOn, fact)) === 'came') return
  const overdue = { ...waitingOn, deadline: null }
  await notice(thread, who, overdue, late)
  await then()
  await thread.until(fact, Number.POSITIVE_INFINITY, words(waitingOn.what))
  await settle(thread, late)
}

interface Persistence {
  /** What `who` waits on while it fails; absent: what it waited on before. */
  waitingOn?: WaitingOn
  trouble: Notice
  /** The instant after which there is no point in trying any more; none for goods or money that are already moving. */
  until?: number
}

/**
 * Calls the outside world until it answers. Its first patience is the activity's own; after that `who` waits on a named thing,
 * and tries again at the pace of its policy, a little slower each time, or at once when somebody presses retry.
 * @returns undefined when `until` has passed without an answer.
 */
export async function persist<Answer>(thread: Thread, who: Waiter, { waitingOn, trouble, until }: Persistence, call: () => Promise<Answer>): Promise<Answer | undefined> {
  for (let failures = 0; ; failures += 1) {
    try {
      const answer = await call()
      if (failures > 0) await settle(thread, trouble)
      return answer
    } catch (cause) {
      if (!isFault(cause)) throw cause
      if (failures === 0) await notice(thread, who, waitingOn, { ...trouble, data: { ...trouble.data, fault: faultMessage(cause) } })
      const heard = thread.nudges
      const next = Math.min(until ?? Number.POSITIVE_INFINITY, now() + durationMs(thread.start.policy.care.retryEvery) * 2 ** Math.min(failures, 5))
      await thread.until(() => thread.nudges !== heard, next, `Try again: ${trouble.summary}`)
      if (until !== undefined && now() >= until) return undefined
    }
  }
}

export async function notice(thread: Thread, who: Waiter, waitingOn: WaitingOn | undefined, exception: Notice): Promise<void> {
  if (waitingOn) waits(who, waitingOn)
  thread.lastException = `${isoNow()} ${exception.summary}`
  show(thread, { hasException: true })
  await step(`Tell ${exception.owner}: ${exception.summary}`).noticeWait({ orderId: thread.start.orderId, ...named(who), waitingOn, exception })
}

export async function settle(thread: Thread, { kind, subject }: Pick<Notice, 'kind' | 'subject'>): Promise<void> {
  show(thread, { hasException: false })
  await step('Settle the exception').settleWait({ orderId: thread.start.orderId, kind, subject, resolution: 'it came' })
}

const named = ({ fulfillmentId, returnId }: Waiter): Pick<Waiter, 'fulfillmentId' | 'returnId'> => ({ fulfillmentId, returnId })

/** `payment_provider` → `payment provider`. */
export const words = (what: string): string => what.replaceAll('_', ' ')
