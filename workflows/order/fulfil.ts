/** Chapters two and three: every unit has a node, or waits for one; and each part goes its own way, in parallel, to its end. */
import { condition } from '@temporalio/workflow'
import { awaitCollection, carryOut } from './collection'
import { deliver, transfer } from './delivery'
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
    const going = new Set<Work>()
    const follow = (work: Work): void => {
      going.add(work)
      ways[work.method](thread, work).then(() => going.delete(work), reject)
    }
    sourceAndFollow(thread, follow, () => going.size === 0).then(resolve, reject)
  })

async function sourceAndFollow(thread: Thread, follow: (work: Work) => void, isQuiet: () => boolean): Promise<void> {
  do {
    if (thread.toSource) thread.arrivals.push(...(await sourceOrder(thread)))
    thread.arrivals.splice(0).forEach(follow)
    await condition(() => thread.toSource || thread.arrivals.length > 0 || isQuiet())
  } while (thread.toSource || thread.arrivals.length > 0)
}
