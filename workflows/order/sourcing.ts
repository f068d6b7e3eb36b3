/** Chapter two: what has no node is given to the best ones; or it waits for stock, tried again ever less often, until it may wait no longer. */
import { patched } from '@temporalio/workflow'
import { isStopped, later } from '../../domain/order/holds'
import type { WaitingOn } from '../../domain/order/status'
import { durationMs } from '../../domain/policy/duration'
import type { SourcedPart } from '../../db/steps/source-order'
import { step } from '../support/activities'
import { isoIn, now } from '../support/clock'
import { Ending } from '../support/failures'
import { lessToHold } from './fewer'
import { letGo } from './payment'
import { show } from './show'
import { waiting, waits, type Thread, type Work } from './thread'
import { whileHeld } from './waits'

/** Who was promised stock for a date is told when it comes; this is for the case that nobody tells. */
const lookAgainMs = 86_400_000

/** @returns the new parts; none when the rest of the order was given up. @throws Ending `sourcing.unfillable` */
export async function sourceOrder(thread: Thread): Promise<Work[]> {
  if (thread.works.length === 0) thread.chapter = 'sourcing'
  const { sourcing, store_work } = thread.start.policy
  let short = waiting('stock', sourcing.autoCancelAfter)
  let shown: boolean | undefined
  for (let failures = 0; ; failures += 1) {
    short = await afterHold(thread, short, 'stock')
    const before = thread.nudges
    const picking = waiting('picking', store_work.acceptWithin)
    const found = await thread.lock(() => {
      thread.sourcingAttempts += 1
      thread.toSource = false
      const ask = { orderId: thread.start.orderId, channel: thread.start.channel, attempt: thread.sourcingAttempts, threadId: thread.threadId, dueAt: isoIn(durationMs(store_work.acceptWithin)), at: isoIn(0), ifSourced: picking, ifShort: short }
      return step('Source the order').sourceOrder(ask)
    })
    if (found.outcome === 'sourced') {
      const works = newWorks(thread, found.fulfillments)
      waits(thread.whole, null)
      show(thread, { ...(works[0] && { status: 'in_fulfillment' as const, nodeId: works[0].nodeId }), ...(failures ? { hasException: false } : {}) })
      return works
    }
    thread.toSource = true
    if (found.outcome === 'held') {
      short = await heldBack(thread, short)
      continue
    }
    const { promisedFor } = found
    // What was promised for a date is given up as long after it as anything else after now.
    if (promisedFor !== undefined) short = { ...short, deadline: new Date(Date.parse(promisedFor) + durationMs(sourcing.autoCancelAfter)).toISOString() }
    else thread.lastException = `short of ${found.short.map((s) => `${s.sku} (${s.available} of ${s.wanted})`).join(', ')}`
    waits(thread.whole, promisedFor === undefined ? short : { ...short, deadline: promisedFor })
    const hasException = promisedFor === undefined
    show(thread, hasException === shown ? {} : { status: 'backordered', hasException })
    shown = hasException
    // What comes during the attempt is worth another one; orders that were under way when this was not so go on as they did.
    const heard = thread.nudges !== before && patched('nudged-while-sourcing') ? before : thread.nudges
    const giveUpAt = Date.parse(short.deadline!)
    const next = promisedFor === undefined ? now() + durationMs(sourcing.retryEvery) * 2 ** Math.min(failures, 4) : Math.min(Date.parse(promisedFor), now() + lookAgainMs)
    const held = (): boolean => isStopped('stock', thread.holds)
    await thread.until(() => thread.nudges !== heard || held(), Math.min(giveUpAt, next), 'Look for stock again')
    if (now() >= giveUpAt && !held()) return giveUp(thread)
  }
}

/** What was claimed stays claimed, and no node hears of it, until the hold is released. */
async function heldBack(thread: Thread, short: WaitingOn): Promise<WaitingOn> {
  waits(thread.whole, waiting('sourcing', null))
  const known = thread.holds
  // The row was held before we heard of it: what is said of it next decides.
  if (!isStopped('sourcing', known)) await thread.until(() => thread.holds !== known, Number.POSITIVE_INFINITY, 'News of a hold')
  return afterHold(thread, short, 'sourcing')
}

/** As long as a hold stops it, it may wait for stock longer. */
async function afterHold(thread: Thread, short: WaitingOn, by: 'stock' | 'sourcing'): Promise<WaitingOn> {
  const what = thread.whole.wait?.what === 'stock' ? 'stock' : 'sourcing'
  return later(short, await whileHeld(thread, thread.whole, { what, by }))
}

/** What nobody could fill by then is cancelled: the whole order, or what is left of it when other parts go on. */
async function giveUp(thread: Thread): Promise<Work[]> {
  // What was opened again has sent something before, of which this thread follows nothing.
  const goesOn = thread.start.reopened === true || thread.works.some((w) => !['rejected', 'cancelled', 'expired'].includes(w.status))
  if (!goesOn) throw new Ending('sourcing.unfillable')
  const { orderId } = thread.start
  const { voids, refunds = [], toSource = false } = await thread.lock(() => {
    thread.toSource = false
    return step('Cancel what cannot be had').cancelRemainder({ orderId, attempt: thread.sourcingAttempts, threadId: thread.threadId, reason: 'sourcing.unfillable' })
  })
  if (toSource) thread.toSource = true // what was claimed for the order meanwhile is sent without the rest
  waits(thread.whole, null)
  show(thread, { hasException: false })
  thread.owed.push(...refunds)
  lessToHold(thread)
  for (const operationId of voids) await letGo(thread, operationId)
  return []
}

/** Parts as the rows have them, from now on followed; before there were other ways, all were sent. */
export function newWorks(thread: Thread, parts: readonly SourcedPart[]): Work[] {
  const works = parts.map(({ fulfillmentId, nodeId, method = 'delivery', milestones, waitingOn }): Work => ({ fulfillmentId, nodeId, method, milestones, status: 'released', wait: waitingOn, rowWait: waitingOn }))
  thread.works.push(...works)
  return works
}
