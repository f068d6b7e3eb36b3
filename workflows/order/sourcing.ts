/** Chapter two: the order is given to a node; or it waits for stock, tried again ever less often, until it may wait no longer. */
import { durationMs } from '../../domain/policy/duration'
import { step } from '../support/activities'
import { isoIn, now } from '../support/clock'
import { Ending } from '../support/failures'
import { show } from './show'
import { waiting, type Thread, type Work } from './thread'

/** @throws Ending `sourcing.unfillable` */
export async function sourceOrder(thread: Thread): Promise<Work> {
  thread.chapter = 'sourcing'
  const { sourcing, store_work } = thread.start.policy
  const short = waiting('stock', sourcing.autoCancelAfter)
  const giveUpAt = Date.parse(short.deadline!)
  for (let failures = 0; ; failures += 1) {
    thread.sourcingAttempts += 1
    const picking = waiting('picking', store_work.acceptWithin)
    const ask = { orderId: thread.start.orderId, attempt: thread.sourcingAttempts, dueAt: isoIn(durationMs(store_work.acceptWithin)), ifSourced: picking, ifShort: short }
    const found = await thread.lock(() => step('Source the order').sourceOrder(ask))
    if (found.outcome === 'sourced') {
      const work: Work = { ...found.fulfillment, status: 'released' }
      thread.works.push(work)
      thread.waitingOn = thread.rowWaitingOn = picking
      show(thread, { status: 'in_fulfillment', nodeId: work.nodeId, ...(failures ? { hasException: false } : {}) })
      return work
    }
    thread.waitingOn = thread.rowWaitingOn = short
    thread.lastException = `short of ${found.short.map((s) => `${s.sku} (${s.available} of ${s.wanted})`).join(', ')}`
    show(thread, failures ? {} : { status: 'backordered', hasException: true })
    const heard = thread.nudges
    const next = Math.min(giveUpAt, now() + durationMs(sourcing.retryEvery) * 2 ** Math.min(failures, 4))
    await thread.until(() => thread.nudges !== heard, next, 'Look for stock again')
    if (now() >= giveUpAt) throw new Ending('sourcing.unfillable')
  }
}
