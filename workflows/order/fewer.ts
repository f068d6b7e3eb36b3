/** What happens to the story when units leave it, or all of them: works end, holds are let go, and whoever waits looks again. */
import { patched } from '@temporalio/workflow'
import { hasLeft } from '../../domain/fulfillment/moves'
import type { CancelOrderAnswer } from '../../domain/messages'
import type { LinesCancelled } from '../../db/steps/cancel-lines'
import type { CancelOutcome } from '../../db/steps/cancel-order'
import { answering, refusing } from '../support/failures'
import { show } from './show'
import { waits, type Thread } from './thread'

export function stopStory(thread: Thread, outcome: CancelOutcome, reason: string): CancelOrderAnswer {
  thread.cancelled = { outcome, reason }
  stopAll(thread, outcome)
  thread.story.cancel()
  return { cancelledAt: outcome.cancelledAt }
}

/** The story goes on with fewer units: works of which nothing is left end, and whoever waits for stock looks again whether anything is still wanted. */
export const fewerUnits = (thread: Thread, reason: string, effect: () => Promise<LinesCancelled>): Promise<CancelOrderAnswer> =>
  thread.lock(async () => {
    refuseIfCancelled(thread)
    return without(thread, reason, await answering(effect))
  })

/** What the rows say is done; under the order's lock. */
export function without(thread: Thread, reason: string, { whole, stopped, voids, refunds = [], cancelledAt }: LinesCancelled): CancelOrderAnswer {
  if (whole) return stopStory(thread, whole, reason)
  thread.stopped.push(...stopped)
  endStopped(thread)
  thread.reductions += 1
  thread.unwanted.push(...voids)
  thread.owed.push(...refunds)
  thread.nudges += 1
  show(thread)
  return { cancelledAt }
}

/** Nobody asked for it, and less has to leave all the same: whoever waits until that is held looks again. */
export function lessToHold(thread: Thread): void {
  if (!thread.holding || !patched('less-to-hold')) return
  thread.reductions += 1
  thread.nudges += 1
}

/** Also those that the story hears of only afterwards. */
export function endStopped(thread: Thread): void {
  for (const work of thread.works.filter((w) => thread.stopped.includes(w.fulfillmentId))) {
    work.status = 'cancelled'
    waits(work, null)
  }
}

/** What a cancellation does to the story's own picture of the parts. */
export function stopAll(thread: Thread, { voids, refunds = [], cancelledAt }: CancelOutcome): void {
  for (const work of thread.works.filter((w) => !hasLeft(w.status))) {
    work.status = 'cancelled'
    waits(work, null)
  }
  thread.holds = []
  waits(thread.whole, voids.length + refunds.length ? { what: 'void', since: cancelledAt, deadline: null } : null)
}

export function refuseIfCancelled(thread: Thread): void {
  if (thread.cancelled) throw refusing('order.already_cancelled', { state: 'cancelled' })
}
