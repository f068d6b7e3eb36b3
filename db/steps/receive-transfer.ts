/** A parcel from another of our nodes is opened: what is in it comes onto the shelf and goes on from here; what is missing is looked for elsewhere. */
import { isBetweenNodes, workMethodAt } from '../../domain/fulfillment/moves'
import type { FulfillmentAnswer, ReceiveTransfer } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import { refuse } from '../../domain/refusals'
import { rows, type Transaction } from '../connection'
import { record } from '../events'
import { insertPicked, lockWork, moveFulfillment, refreshPicked, refusedMove, workLines } from '../fulfillments'
import { refreshOrder } from '../orders'
import { gatheringWork, joinWork } from '../gathering'
import { endTransfer, takeIn, type ReceivedLine } from '../transfers'
import { openException } from '../waiting'
import type { SourcedPart } from './source-order'

export interface ReceiveAsk extends ReceiveTransfer {
  /** What the goods wait on at this node. */
  ifReceived: WaitingOn
}
export interface ReceiveOutcome extends FulfillmentAnswer {
  /** The work order at the receiving node; none where the order claims nothing of it any more. */
  part?: SourcedPart
  /** Something of the order was not in the parcel and has to be found elsewhere. */
  short: boolean
}

/** @throws `fulfillment.state`, `fulfillment.quantity` */
export async function receiveTransfer(tx: Transaction, ask: ReceiveAsk): Promise<ReceiveOutcome> {
  const { fulfillmentId, actor } = ask
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  const { orderId } = order
  if (!isBetweenNodes(fulfillment)) throw refusedMove(fulfillment)
  const nodeId = fulfillment.toNodeId!
  const counted = await count(tx, ask)
  await moveFulfillment(tx, fulfillmentId, 'delivered')
  const method = workMethodAt(order.delivery.method, order.delivery.nodeId, nodeId)
  const { claimed, missing } = await endTransfer(tx, { orderId, fulfillmentId }, counted)
  const joined = method === 'delivery' && claimed.length ? await gatheringWork(tx, orderId, nodeId) : undefined
  if (joined !== undefined) await joinWork(tx, joined, claimed)
  const next = joined ?? (claimed.length ? await insertPicked(tx, { orderId, nodeId, method, service: order.delivery.service, dueAt: ask.ifReceived.deadline!, waitingOn: ask.ifReceived }, claimed) : undefined)
  await takeIn(tx, { orderId, nodeId, actor }, { counted, claimed, next })
  await refreshPicked(tx, orderId)
  await record(tx, order, { type: 'fulfillment.received', actor, data: { fulfillmentId, nodeId, lines: counted.map(({ lineId, quantity }) => ({ lineId, quantity })), missing: missing.map(({ lineId, quantity }) => ({ lineId, quantity })) } })
  if (missing.length)
    await openException(tx, { ...order, kind: 'transfer.short', subject: fulfillmentId, owner: 'operations', summary: `${nodeId} did not find everything in the parcel from ${fulfillment.nodeId}: look for it, or claim it from the carrier`, data: { missing } })
  await refreshOrder(tx, orderId)
  const units = claimed.reduce((sum, l) => sum + l.quantity, 0)
  const part = next === undefined || next === joined ? undefined : { fulfillmentId: next, nodeId, method, units, waitingOn: ask.ifReceived }
  return { fulfillmentId, status: 'delivered', short: missing.length > 0 && order.stage !== 'cancelled', ...(part && { part }) }
}

/** All that was sent, unless the node says otherwise. @throws `fulfillment.quantity` for more than was sent */
async function count(tx: Transaction, { fulfillmentId, lines }: ReceiveTransfer): Promise<ReceivedLine[]> {
  const sent = (await workLines(tx, fulfillmentId)).filter((l) => l.picked > 0)
  for (const { lineId, quantity } of lines ?? []) {
    const open = sent.find((l) => l.lineId === lineId)?.picked ?? 0
    if (quantity > open) throw refuse('fulfillment.quantity', { lineId, open, given: quantity })
  }
  const counted = sent.map(({ lineId, sku, picked }) => ({ lineId, sku, quantity: lines ? (lines.find((l) => l.lineId === lineId)?.quantity ?? 0) : picked }))
  await rows(
    tx,
    `UPDATE fulfillment_lines l SET received = v.quantity FROM jsonb_to_recordset(?::jsonb) AS v("lineId" text, quantity int) WHERE l.fulfillment_id = ? AND l.line_id = v."lineId"`,
    [JSON.stringify(counted), fulfillmentId],
  )
  return counted
}
