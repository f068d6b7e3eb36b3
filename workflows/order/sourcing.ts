/** Chapter two: what has no node is given to the best ones; or it waits for stock, tried again ever less often, until it may wait no longer. */
import { durationMs } from '../../domain/policy/duration'
import { step } from '../support/activities'
import { isoIn, now } from '../support/clock'
import { Ending } from '../support/failures'
import { letGo } from './payment'
import { show } from './show'
import { waiting, waits, type Thread, type Work } from './thread'

/** @returns the new parts; none when the rest of the order was given up. @throws Ending `sourcing.unfillable` */
export async function sourceOrder(thread: Thread): Promise<Work[]> {
  if (thread.works.length === 0) thread.chapter = 'sourcing'
  const { sourcing, store_work } = thread.start.policy
  const short = waiting('stock', sourcing.autoCancelAfter)
  const giveUpAt = Date.parse(short.deadline!)
  for (let failures = 0; ; failures += 1) {
    const heard = thread.nudges // what comes during the attempt is worth another one
    const picking = waiting('picking', store_work.acceptWithin)
    const found = await thread.lock(() => {
      thread.sourcingAttempts += 1
      thread.toSource = false
      const ask = { orderId: thread.start.orderId, attempt: thread.sourcingAttempts, dueAt: isoIn(durationMs(store_work.acceptWithin)), ifSourced: picking, ifShort: short }
      return step('Source the order').sourceOrder(ask)
    })
    if (found.outcome === 'sourced') {
      const works = found.fulfillments.map(({ fulfillmentId, nodeId }): Work => ({ fulfillmentId, nodeId, status: 'released', wait: picking, rowWait: picking }))
      thread.works.push(...works)
      waits(thread.whole, null)
      show(thread, { status: 'in_fulfillment', nodeId: works[0]!.nodeId, ...(failures ? { hasException: false } : {}) })
      return works
    }
    thread.toSource = true
    waits(thread.whole, short)
    thread.lastException = `short of ${found.short.map((s) => `${s.sku} (${s.available} of ${s.wanted})`).join(', ')}`
    show(thread, failures ? {} : { status: 'backordered', hasException: true })
    const next = Math.min(giveUpAt, now() + durationMs(sourcing.retryEvery) * 2 ** Math.min(failures, 4))
    await thread.until(() => thread.nudges !== heard, next, 'Look for stock again')
    if (now() >= giveUpAt) return giveUp(thread)
  }
}

/** What nobody could fill by then is cancelled: the whole order, or what is left of it when other parts go on. */
async function giveUp(thread: Thread): Promise<Work[]> {
  const goesOn = thread.works.some((w) => w.status !== 'rejected' && w.status !== 'cancelled')
  if (!goesOn) throw new Ending('sourcing.unfillable')
  const { orderId } = thread.start
  const { voids } = await thread.lock(() => {
    thread.toSource = false
    return step('Cancel what cannot be had').cancelRemainder({ orderId, attempt: thread.sourcingAttempts, reason: 'sourcing.unfillable' })
  })
  waits(thread.whole, null)
  show(thread, { hasException: false })
  for (const operationId of voids) await letGo(thread, operationId)
  return []
}
