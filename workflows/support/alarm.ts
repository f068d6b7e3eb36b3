/**
 * One timer for all the deadlines of an order. A wait that ends in time leaves the timer armed; when it rings early for the next wait, it is
 * armed again. So a quick order costs one timer and not one per wait.
 */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow'
import { now } from './clock'
import { condition } from './turns'

/** Waits until `fact` holds or the instant `at` (ms since epoch) has come. @returns whether the fact holds. */
export type Until = (fact: () => boolean, at: number, summary: string) => Promise<boolean>

export interface Alarm {
  until: Until
  /** Nobody waits any more: it does not ring for nothing just when the workflow ends, which would have to be told again. */
  stop(): void
}

export function createAlarm(): Alarm {
  let armed: { at: number; scope: CancellationScope } | undefined
  let rings = 0

  const arm = (at: number, summary: string): void => {
    if (armed && armed.at <= at) return
    armed?.scope.cancel()
    // Outside of the scope that waits: when the story is stopped, the timer still serves the waits of its unwinding.
    void CancellationScope.nonCancellable(async () => {
      const mine = { at, scope: new CancellationScope() }
      armed = mine
      await mine.scope.run(() => sleep(Math.max(1, at - now()), { summary })).then(
        () => {
          if (armed === mine) armed = undefined
          rings += 1
        },
        (cause: unknown) => {
          if (!isCancellation(cause)) throw cause
        },
      )
    })
  }

  const until: Until = async (fact, at, summary) => {
    while (!fact()) {
      if (now() >= at) return false
      if (Number.isFinite(at)) arm(at, summary)
      const heard = rings
      await condition(() => fact() || rings !== heard)
    }
    return true
  }
  return { until, stop: () => armed?.scope.cancel() }
}
