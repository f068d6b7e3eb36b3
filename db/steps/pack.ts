/** Picked goods go into boxes: the packages exist, the labels are wanted. Which carrier gives them is chosen next, where carriers can be asked. */
import { checkPackages } from '../../domain/fulfillment/pick'
import type { FulfillmentAnswer, PackFulfillment } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import type { Transaction } from '../connection'
import { record } from '../events'
import { insertPackages, lockWork, moveFulfillment, needAllPicked, refusedMove } from '../fulfillments'
import { refreshOrder, setPartWait } from '../orders'

export interface PackAsk extends PackFulfillment {
  waitingOn: WaitingOn
}

/** @throws `fulfillment.state`, `fulfillment.not_all_picked`, `fulfillment.packages_differ` */
export async function packFulfillment(tx: Transaction, ask: PackAsk): Promise<FulfillmentAnswer> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  const lines = await needAllPicked(tx, fulfillment)
  if (fulfillment.status !== 'picked' || fulfillment.method === 'pickup') throw refusedMove(fulfillment)
  checkPackages(lines, ask.packages)
  await moveFulfillment(tx, ask.fulfillmentId, 'packed')
  await insertPackages(tx, ask.fulfillmentId, ask.packages)
  await record(tx, order, { type: 'fulfillment.packed', actor: ask.actor, data: { fulfillmentId: ask.fulfillmentId, packages: ask.packages.length } })
  await setPartWait(tx, ask.fulfillmentId, ask.waitingOn)
  await refreshOrder(tx, orderId)
  return { fulfillmentId: ask.fulfillmentId, status: 'packed' }
}
