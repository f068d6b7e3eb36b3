/** Goods that the customer fetches are put aside at the counter: from now on they wait for her, for as long as the policy and the store's open days say. */
import { pickupDeadline } from '../../domain/fulfillment/collection'
import type { FulfillmentAnswer, MakeReady } from '../../domain/messages'
import { durationMs } from '../../domain/policy/duration'
import { defaultPolicies } from '../../domain/policy/kinds'
import type { Transaction } from '../connection'
import { record, self } from '../events'
import { lockWork, moveFulfillment, needAllPicked, refusedMove } from '../fulfillments'
import { refuseIfHeld } from '../holds'
import { refreshOrder, setPartWait } from '../orders'
import { calendarOf, keepReady } from '../pickups'

export interface ReadyOutcome extends FulfillmentAnswer {
  readyAt: string
  pickupBy: string
  /** When the customer is reminded; absent where that would be at once. */
  remindAt?: string
}

/** @throws `fulfillment.state`, `order.held`, `fulfillment.not_all_picked` */
export async function makeReady(tx: Transaction, ask: MakeReady): Promise<ReadyOutcome> {
  const { fulfillmentId } = ask
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  await needAllPicked(tx, fulfillment)
  if (fulfillment.method !== 'pickup' || fulfillment.status !== 'picked') throw refusedMove(fulfillment)
  await refuseIfHeld(tx, order, 'picking')
  const { pickupWindow, pickupReminder = defaultPolicies.store_work.pickupReminder } = order.policy.store_work
  const ready = Date.now()
  const calendar = await calendarOf(tx, fulfillment.nodeId)
  const until = calendar ? pickupDeadline(calendar, ready, pickupWindow) : ready + durationMs(pickupWindow)
  const [readyAt, pickupBy] = [iso(ready), iso(until)]
  await moveFulfillment(tx, fulfillmentId, 'ready', { at: readyAt })
  await keepReady(tx, { orderId: order.orderId, fulfillmentId, pickupBy })
  await record(tx, order, { type: 'fulfillment.ready', actor: ask.actor, data: { fulfillmentId, nodeId: fulfillment.nodeId, pickupBy } })
  await setPartWait(tx, fulfillmentId, { what: 'collection', since: readyAt, deadline: pickupBy })
  await refreshOrder(tx, order.orderId)
  const remind = until - durationMs(pickupReminder)
  return { fulfillmentId, status: 'ready', readyAt, pickupBy, ...(remind > ready && { remindAt: iso(remind) }) }
}

/** The customer is told that her goods still wait. */
export async function remindOfPickup(tx: Transaction, { fulfillmentId }: { fulfillmentId: string }): Promise<void> {
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  if (fulfillment.status !== 'ready') return
  await record(tx, order, { type: 'fulfillment.pickup_reminded', actor: self, data: { fulfillmentId, nodeId: fulfillment.nodeId } })
}

const iso = (instant: number): string => new Date(instant).toISOString()
