/** Chapters two and three: every unit has a node, or waits for one; and each part goes its own way, in parallel, to its end. */
import { condition } from '@temporalio/workflow'
import { awaitCollection, carryOut } from './collection'
import { deliver, transfer } from './delivery'
import { holdRemainder, letGo } from './payment'
import { sourceOrder } from './sourcing'
import type { Thread, Work } from './thread'

/** How a part goes on from its node. */
const ways = { delivery: deliver, pickup: awaitCollection, carry_out: carryOut, transfer } as const

/**
 * Until every part has come to its end and nothing is left to source. What a node rejects goes to the next best, while the other parts go on.
 * What goes wrong in a part ends the story at once, also while it waits for stock for another.
 */
export const fulfil = (thread: Thread): Promise<void> =>
  new Promise((resolve, reject) => {
    const going = new Set<Work | string>()
    const until = (what: Work | string, over: Promise<void>): void => {
      going.add(what)
      over.then(() => going.delete(what), reject)
    }
    const tellers = { follow: (work: Work) => until(work, ways[work.method](thread, work)), drop: (operationId: string) => until(operationId, letGo(thread, operationId)), hold: () => until('hold', holdRemainder(thread)) }
    sourceAndFollow(thread, tellers, () => going.size === 0).then(resolve, reject)
  })

interface Tellers {
  follow(work: Work): void
  /** Lets go of a hold, while the parts go on. */
  drop(operationId: string): void
  /** Holds what is not held of what has still to leave, while the parts go on. */
  hold(): void
}

async function sourceAndFollow(thread: Thread, { follow, drop, hold }: Tellers, isQuiet: () => boolean): Promise<void> {
  const hasNews = (): boolean => thread.toSource || thread.arrivals.length > 0 || thread.unwanted.length > 0 || thread.toHold === true
  do {
    if (thread.toSource) thread.arrivals.push(...(await sourceOrder(thread)))
    thread.arrivals.splice(0).forEach(follow)
    thread.unwanted.splice(0).forEach(drop)
    if (thread.toHold) hold()
    thread.toHold = false
    await condition(() => hasNews() || isQuiet())
  } while (hasNews())
}
