/** A date that cannot be kept any more is told anew: worked out from where the work stands, kept beside the first, and on the timeline for whoever tells the customer. */
import type { PartMilestones } from '../../domain/promise/kept'
import type { Transaction } from '../connection'
import { record, self } from '../events'
import { lockWork, workLines } from '../fulfillments'
import type { AfterSale } from '../open-lines'
import { renewPromise } from '../order-promise'
import { refreshOrder } from '../orders'

export interface RenewAsk {
  fulfillmentId: string
  channel: string
  /** Which milestone was missed. */
  milestone: 'pick' | 'hand_over'
}
export type RenewOutcome = { outcome: 'renewed'; promisedBy: string; milestones?: PartMilestones } | { outcome: 'stays' }

export async function renewPromiseOf(tx: Transaction, { fulfillmentId, milestone }: RenewAsk, after: AfterSale): Promise<RenewOutcome> {
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  if (order.stage !== 'open') return { outcome: 'stays' }
  const { nodeId } = fulfillment
  const lines = (await workLines(tx, fulfillmentId)).map(({ lineId, sku, quantity, rejected }) => ({ lineId, sku, quantity: quantity - rejected })).filter((l) => l.quantity > 0)
  const done = await renewPromise(tx, order, [{ nodeId, lines }], after)
  if (!done) return { outcome: 'stays' }
  const { was, is } = done
  const data = { fulfillmentId, nodeId, milestone, was: { promisedFrom: was.promisedFrom, promisedBy: was.promisedBy, confidence: was.confidence }, promisedFrom: is.promisedFrom, promisedBy: is.promisedBy, confidence: is.confidence }
  await record(tx, order, { type: 'promise.renewed', actor: self, data })
  await refreshOrder(tx, order.orderId)
  const milestones = is.milestones[nodeId]
  return { outcome: 'renewed', promisedBy: is.promisedBy, ...(milestones && { milestones }) }
}
