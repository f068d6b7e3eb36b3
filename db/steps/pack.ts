/** Picked goods go into boxes: the packages exist, the labels are wanted. Which carrier gives them is chosen next, where carriers can be asked. */
import { checkPackages, checkWeights } from '../../domain/fulfillment/packages'
import type { FulfillmentAnswer, PackFulfillment } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import { defaultPolicies } from '../../domain/policy/kinds'
import { refuse } from '../../domain/refusals'
import type { Transaction } from '../connection'
import { record } from '../events'
import { insertPackages, lockWork, moveFulfillment, needAllPicked, refusedMove, unitWeights } from '../fulfillments'
import { awaitedAt } from '../gathering'
import { refuseIfHeld } from '../holds'
import { refreshOrder, setPartWait } from '../orders'

export interface PackAsk extends PackFulfillment {
  waitingOn: WaitingOn
}

/** @throws `fulfillment.state`, `order.held`, `fulfillment.not_all_picked`, `fulfillment.packages_differ`, `fulfillment.weight_implausible` */
export async function packFulfillment(tx: Transaction, ask: PackAsk): Promise<FulfillmentAnswer> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  const lines = await needAllPicked(tx, fulfillment)
  if (fulfillment.status !== 'picked' || fulfillment.method === 'pickup') throw refusedMove(fulfillment)
  await refuseIfHeld(tx, order, 'picking')
  const awaited = await awaitedAt(tx, orderId, fulfillment.nodeId)
  if (awaited.length > 0 && fulfillment.method === 'delivery') throw refuse('fulfillment.waits_for_others', { from: awaited })
  checkPackages(lines, ask.packages)
  checkWeights(ask.packages, await unitWeights(tx, ask.fulfillmentId), order.policy.store_work.weightTolerance ?? defaultPolicies.store_work.weightTolerance)
  await moveFulfillment(tx, ask.fulfillmentId, 'packed')
  await insertPackages(tx, ask.fulfillmentId, ask.packages)
  await record(tx, order, { type: 'fulfillment.packed', actor: ask.actor, data: { fulfillmentId: ask.fulfillmentId, packages: ask.packages.length } })
  await setPartWait(tx, ask.fulfillmentId, ask.waitingOn)
  await refreshOrder(tx, orderId)
  return { fulfillmentId: ask.fulfillmentId, status: 'packed' }
}
