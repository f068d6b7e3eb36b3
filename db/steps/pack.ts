/** Picked goods go into boxes: the packages exist, the labels are wanted. */
import { checkPackages, checkWeights } from '../../domain/fulfillment/packages'
import type { FulfillmentAnswer, PackFulfillment } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import { defaultPolicies } from '../../domain/policy/kinds'
import type { Transaction } from '../connection'
import { record, self } from '../events'
import { insertPackages, lockWork, moveFulfillment, needAllPicked, refusedMove, unitWeights } from '../fulfillments'
import { refreshOrder, setPartWait } from '../orders'
import { intendLabels } from '../shipments'

export interface PackOutcome extends FulfillmentAnswer {
  carrier: string
}

export interface PackAsk extends PackFulfillment {
  carrier: string
  service: string
  /** A faster service than usual was taken, so that the promise is kept; what it costs more, in minor units. */
  hurry?: { insteadOf: string; costMinor: number }
  waitingOn: WaitingOn
}

/** @throws `fulfillment.state`, `fulfillment.not_all_picked`, `fulfillment.packages_differ`, `fulfillment.weight_implausible` */
export async function packFulfillment(tx: Transaction, ask: PackAsk): Promise<PackOutcome> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  const lines = await needAllPicked(tx, fulfillment)
  if (fulfillment.status !== 'picked' || fulfillment.method === 'pickup') throw refusedMove(fulfillment)
  checkPackages(lines, ask.packages)
  checkWeights(ask.packages, await unitWeights(tx, ask.fulfillmentId), order.policy.store_work.weightTolerance ?? defaultPolicies.store_work.weightTolerance)
  await moveFulfillment(tx, ask.fulfillmentId, 'packed', { service: ask.service })
  const packageIds = await insertPackages(tx, ask.fulfillmentId, ask.packages)
  await intendLabels(tx, ask.fulfillmentId, orderId, ask.carrier, packageIds)
  const data = { fulfillmentId: ask.fulfillmentId, packages: ask.packages.length, carrier: ask.carrier, service: ask.service }
  await record(tx, order, { type: 'fulfillment.packed', actor: ask.actor, data })
  if (ask.hurry) await record(tx, order, { type: 'promise.at_risk', actor: self, data: { fulfillmentId: ask.fulfillmentId, milestone: 'hand_over', action: 'faster_carrier', service: ask.service, ...ask.hurry } })
  await setPartWait(tx, ask.fulfillmentId, ask.waitingOn)
  await refreshOrder(tx, orderId)
  return { fulfillmentId: ask.fulfillmentId, status: 'packed', carrier: ask.carrier }
}
