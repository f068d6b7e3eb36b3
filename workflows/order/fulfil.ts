/** Chapters two and three: every unit has a node, or waits for one; and each part goes its own way, in parallel, to its end. */
import { condition } from '@temporalio/workflow'
import { awaitCollection, carryOut } from './collection'
import { deliver, transfer } from './delivery'
import { holdRemainder, letGo } from './payment'
import { giveBack, takeBack } from './returns'
import { sourceOrder } from './sourcing'
import type { IntendedRefund } from '../../db/refunds'
import type { Back, Thread, Work } from './thread'

/** How a part goes on from its node. */
const ways = { delivery: deliver, pickup: awaitCollection, carry_out: carryOut, transfer } as const

/**
 * Until every part and every return has come to its end and nothing is left to source. What a node rejects goes to the next best, while the other parts go on.
 * What goes wrong in a part ends the story at once, also while it waits for stock for another.
 */
export const fulfil = (thread: Thread): Promise<void> =>
  new Promise((resolve, reject) => {
    const going = new Set<Work | Back | string>()
    const until = (what: Work | Back | string, over: Promise<void>): void => {
      going.add(what)
      over.then(() => going.delete(what), reject)
    }
    const tellers = {
      follow: (work: Work) => until(work, ways[work.method](thread, work)),
      drop: (operationId: string) => until(operationId, letGo(thread, operationId)),
      hold: () => until('hold', holdRemainder(thread)),
      expect: (back: Back) => until(back, takeBack(thread, back)),
      repay: (refund: IntendedRefund) => until(refund.operationId, giveBack(thread, thread.whole, refund)),
    }
    sourceAndFollow(thread, tellers, () => going.size === 0).then(resolve, reject)
  })

interface Tellers {
  follow(work: Work): void
  /** Lets go of a hold, while the parts go on. */
  drop(operationId: string): void
  /** Holds what is not held of what has still to leave, while the parts go on. */
  hold(): void
  /** Until what is to come back is back, and paid back. */
  expect(back: Back): void
  /** Gives money back, while the parts go on. */
  repay(refund: IntendedRefund): void
}

/** Something was said that the parts do not follow yet. */
export const hasNews = (thread: Thread): boolean => thread.toSource || thread.arrivals.length > 0 || thread.unwanted.length > 0 || thread.asked.length > 0 || thread.owed.length > 0 || thread.toHold === true

async function sourceAndFollow(thread: Thread, { follow, drop, hold, expect, repay }: Tellers, isQuiet: () => boolean): Promise<void> {
  do {
    if (thread.toSource) thread.arrivals.push(...(await sourceOrder(thread)))
    thread.arrivals.splice(0).forEach(follow)
    thread.unwanted.splice(0).forEach(drop)
    if (thread.toHold) hold()
    thread.toHold = false
    thread.asked.splice(0).forEach(expect)
    thread.owed.splice(0).forEach(repay)
    await condition(() => hasNews(thread) || isQuiet())
  } while (hasNews(thread))
}
