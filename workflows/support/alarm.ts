/**
 * One timer for all the deadlines of an order. A wait that ends in time leaves the timer armed; when it rings early for the next wait, it is
 * armed again. So a quick order costs one timer and not one per wait.
 */
import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow'
import { now } from './clock'

/** Waits until `fact` holds or the instant `at` (ms since epoch) has come. @returns whether the fact holds. */
export type Until = (fact: () => boolean, at: number, summary: string) => Promise<boolean>

export function createAlarm(): Until {
  let armed: { at: number; scope: CancellationScope } | undefined
  let rings = 0

  const arm = (at: number, summary: string): void => {
    if (armed && armed.at <= at) return
    armed?.scope.cancel()
    const scope = new CancellationScope()
    const mine = { at, scope }
    armed = mine
    const ring = (): void => {
      if (armed === mine) armed = undefined
      rings += 1
    }
    void CancellationScope.nonCancellable(() => scope.run(() => sleep(Math.max(1, at - now()), { summary }))).then(ring, (cause: unknown) => {
      if (!isCancellation(cause)) throw cause
    })
  }

  return async (fact, at, summary) => {
    while (!fact()) {
      if (now() >= at) return false
      arm(at, summary)
      const heard = rings
      await condition(() => fact() || rings !== heard)
    }
    return true
  }
}
