/** Chapters two and three: every unit has a node, or waits for one; and each part goes its own way, in parallel, to its end. */
import { patched } from '@temporalio/workflow'
import { condition } from '../support/turns'
import { awaitCollection, carryOut } from './collection'
import { deliver, transfer } from './delivery'
import { secure } from './exchange'
import { giveBack, holdRemainder, letGo, renewHolds } from './payment'
import { labelReturn, wantsLabels } from './return-labels'
import { takeBack } from './returns'
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
    const going = new Set<Promise<void>>()
    const until = (over: Promise<void>): void => {
      going.add(over)
      over.then(() => going.delete(over), reject)
    }
    const tellers = {
      source: () => until(source(thread)),
      follow: (work: Work) => until(ways[work.method](thread, work)),
      drop: (operationId: string) => until(letGo(thread, operationId)),
      hold: () => until(holdRemainder(thread)),
      renew: () => until(renewHolds(thread)),
      secure: (returnId: string) => until(secure(thread, returnId)),
      expect: (back: Back) => until(takeBack(thread, back)),
      label: (back: Back) => until(labelReturn(thread, back)),
      repay: (refund: IntendedRefund) => until(giveBack(thread, thread.whole, refund)),
    }
    sourceAndFollow(thread, tellers, () => going.size === 0).then(resolve, reject)
  })

interface Tellers {
  /** Finds nodes for what has none, while the parts go on. */
  source(): void
  follow(work: Work): void
  /** Lets go of a hold, while the parts go on. */
  drop(operationId: string): void
  /** Holds what is not held of what has still to leave, while the parts go on. */
  hold(): void
  /** Holds anew what will not be held much longer, while the parts go on. */
  renew(): void
  /** Holds anew what is held over goods that are to come back, while the parts go on. */
  secure(returnId: string): void
  /** Until what is to come back is back, and paid back. */
  expect(back: Back): void
  /** Buys the label it comes back with, while it may come another way. */
  label(back: Back): void
  /** Gives money back, while the parts go on. */
  repay(refund: IntendedRefund): void
}

/** Something was said that the parts do not follow yet. */
export const hasNews = (thread: Thread): boolean => (thread.toSource && !thread.isSourcing) || hasOther(thread)

const hasOther = (thread: Thread): boolean =>
  thread.arrivals.length > 0 || thread.unwanted.length > 0 || thread.asked.length > 0 || thread.owed.length > 0 || thread.toHold === true || thread.toRenew === true || (thread.toSecure ?? []).length > 0 || wantsLabels(thread)

async function source(thread: Thread): Promise<void> {
  thread.isSourcing = true
  thread.arrivals.push(...(await sourceOrder(thread)))
  thread.isSourcing = false // not when it fails: that ends the story
}

async function sourceAndFollow(thread: Thread, tellers: Tellers, isQuiet: () => boolean): Promise<void> {
  do {
    if (thread.toSource && !thread.isSourcing) tellers.source()
    await condition(() => !thread.isSourcing || hasOther(thread))
    // What waits for stock keeps nobody else waiting; orders that were under way when it did go on as they did.
    if (thread.isSourcing && !patched('rest-goes-on-while-sourcing')) await condition(() => !thread.isSourcing)
    thread.arrivals.splice(0).forEach(tellers.follow)
    thread.unwanted.splice(0).forEach(tellers.drop)
    if (thread.toHold) tellers.hold()
    thread.toHold = false
    if (thread.toRenew) tellers.renew()
    thread.toRenew = false
    thread.toSecure?.splice(0).forEach(tellers.secure)
    thread.asked.splice(0).forEach(tellers.expect)
    thread.owed.splice(0).forEach(tellers.repay)
    thread.toLabel?.splice(0).forEach(tellers.label)
    await condition(() => hasNews(thread) || isQuiet())
  } while (hasNews(thread))
}
