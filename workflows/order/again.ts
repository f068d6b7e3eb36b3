/** What people ask of an order that has work with nodes: that others do it, or that the customer is told another date. */
import { defineUpdate } from '@temporalio/workflow'
import { updates, type MoveWork, type MoveWorkAnswer, type RenewPromise, type RenewPromiseAnswer } from '../../domain/messages'
import { isStopped } from '../../domain/order/holds'
import { step } from '../support/activities'
import { refusing } from '../support/failures'
import { setHandler } from '../support/handlers'
import { refuseIfCancelled } from './fewer'
import { show } from './show'
import { newWorks } from './sourcing'
import { waiting, waits, type Thread } from './thread'

const moveWork = defineUpdate<MoveWorkAnswer, [MoveWork]>(updates.moveWork)
const renewPromise = defineUpdate<RenewPromiseAnswer, [RenewPromise]>(updates.renewPromise)

export function listenForOthers(thread: Thread): void {
  setHandler(moveWork, (ask) => move(thread, ask), {
    description: 'Work nobody has begun goes to the next best node; what waits for stock looks again. Refused where neither can be.',
    validator: (_ask: MoveWork) => refuseIfEnded(thread),
  })
  setHandler(renewPromise, (ask) => renew(thread, ask), {
    description: 'Another date is worked out from where the work stands, to be told to the customer.',
    validator: (_ask: RenewPromise) => refuseIfEnded(thread),
  })
}

function refuseIfEnded(thread: Thread): void {
  refuseIfCancelled(thread)
  if (thread.ending) throw refusing('order.closed', { state: thread.ending.status })
}

const move = (thread: Thread, ask: MoveWork): Promise<MoveWorkAnswer> =>
  thread.lock(async () => {
    refuseIfEnded(thread)
    if (isStopped('sourcing', thread.holds)) throw refusing('order.held', { step: 'sourcing' })
    const waitsForStock = thread.whole.wait?.what === 'stock'
    const nodes: string[] = []
    for (const work of thread.works.filter((w) => w.status === 'released' && w.method !== 'carry_out')) {
      const ifSourced = waiting('picking', thread.start.policy.store_work.acceptWithin)
      const moved = await step(`Find another place than ${work.nodeId}`).moveWork({ ...ask, fulfillmentId: work.fulfillmentId, channel: thread.start.channel, dueAt: ifSourced.deadline!, ifSourced })
      if (moved.outcome === 'stays') continue
      work.status = 'rejected'
      waits(work, null)
      const works = newWorks(thread, moved.fulfillments)
      thread.arrivals.push(...works)
      nodes.push(...works.map((w) => w.nodeId))
    }
    if (nodes.length === 0 && !waitsForStock) throw refusing('order.not_moved')
    if (waitsForStock) thread.nudges += 1
    show(thread, nodes.length ? { nodeId: nodes[0] } : {})
    return { nodes, looksAgain: waitsForStock }
  })

const renew = (thread: Thread, ask: RenewPromise): Promise<RenewPromiseAnswer> =>
  thread.lock(async () => {
    refuseIfEnded(thread)
    const promised: string[] = []
    for (const work of thread.works.filter((w) => w.status === 'released' || w.status === 'packed')) {
      const milestone = work.status === 'packed' ? ('hand_over' as const) : ('pick' as const)
      const told = await step('Tell a new date').renewPromiseNow({ ...ask, fulfillmentId: work.fulfillmentId, channel: thread.start.channel, milestone })
      if (told.outcome === 'stays') continue
      work.milestones = told.milestones
      promised.push(told.promisedBy)
    }
    const promisedBy = promised.sort().at(-1)
    if (promisedBy === undefined) throw refusing('order.promise_stays')
    return { promisedBy }
  })
