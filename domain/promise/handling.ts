/** What nodes are given beyond the time they are known to take: a date is told as if the order came so much later, and the extra time is there for what goes wrong on the way. */
import { durationMs } from '../policy/duration'
import type { PromisePolicy } from '../policy/kinds'
import type { Instant } from './days'
import { isObstacle, type Obstacle } from './obstacle'

type Handling = Pick<PromisePolicy, 'extraHandling'>

/** @param from what can be promised to an order that comes then; until when it can be had is told by our own clock again */
export function withHandling<Promise extends { cutoffAt: Instant }>({ extraHandling }: Handling, now: Instant, from: (then: Instant) => Promise | Obstacle): Promise | Obstacle {
  const extraMs = extraHandling === undefined ? 0 : durationMs(extraHandling)
  const promise = from(now + extraMs)
  return isObstacle(promise) || extraMs === 0 ? promise : { ...promise, cutoffAt: promise.cutoffAt - extraMs }
}

/** What an order that is under way is held to: it has had its extra time. */
export const underWay = <Known extends { promise: Handling }>(policies: Known): Known => ({ ...policies, promise: { ...policies.promise, extraHandling: undefined } })
