/** Picking is a row with guarded counts; the order's workflow is told only when the node cannot fill it. */
import { addPick, isAllPicked, type PickReport } from '../../domain/fulfillment/pick'
import type { FulfillmentAnswer, RejectLines } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import type { Transaction } from '../connection'
import { record } from '../events'
import { lockWork, moveFulfillment, refreshPicked, refusedMove, saveWorkLines, workLines, type FulfillmentRow } from '../fulfillments'
import { refreshOrder } from '../orders'
import { correctAfterRejection, release } from '../stock'

/** Adds a pick report. @throws `fulfillment.state`, `fulfillment.quantity` */
export async function pickFulfillment(tx: Transaction, ask: { fulfillmentId: string; actor: string; lines: readonly PickReport[] }): Promise<void> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  if (!isOpenForPicking(fulfillment)) throw refusedMove(fulfillment)
  const lines = addPick(await workLines(tx, ask.fulfillmentId), ask.lines)
  await saveWorkLines(tx, ask.fulfillmentId, lines)
  const done = isAllPicked(lines)
  if (done || fulfillment.status === 'released') await moveFulfillment(tx, ask.fulfillmentId, done ? 'picked' : 'picking')
  await refreshPicked(tx, orderId)
  const picked = ask.lines.filter((l) => l.picked > 0).map((l) => ({ lineId: l.lineId, quantity: l.picked }))
  await record(tx, order, { type: 'fulfillment.picked', actor: ask.actor, data: { fulfillmentId: ask.fulfillmentId, lines: picked, complete: done } })
  await refreshOrder(tx, orderId)
}

/**
 * The node cannot fill part of it. Orders ship complete from one node, so the whole work order goes back to sourcing: its stock is
 * free again, corrected by what the reason says about the shelf.
 * @throws `fulfillment.state`, `fulfillment.quantity`
 */
export async function rejectFulfillment(tx: Transaction, ask: RejectLines & { waitingOn: WaitingOn }): Promise<FulfillmentAnswer> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  if (!isOpenForPicking(fulfillment)) throw refusedMove(fulfillment)
  const lines = addPick(await workLines(tx, ask.fulfillmentId), ask.lines)
  await saveWorkLines(tx, ask.fulfillmentId, lines)
  await moveFulfillment(tx, ask.fulfillmentId, 'rejected')
  await release(tx, { orderId, nodeId: fulfillment.nodeId, actor: ask.actor, reason: 'rejected' })
  const rejected = ask.lines.filter((l) => l.rejected > 0).map((l) => ({ ...l, sku: lines.find((w) => w.lineId === l.lineId)!.sku }))
  for (const l of [...rejected].sort((a, b) => (a.sku < b.sku ? -1 : 1)))
    await correctAfterRejection(tx, { orderId, nodeId: fulfillment.nodeId, actor: ask.actor, sku: l.sku, quantity: l.rejected, reason: l.reason ?? 'no_time' })
  await refreshPicked(tx, orderId)
  const data = { fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, lines: rejected.map((l) => ({ lineId: l.lineId, quantity: l.rejected, reason: l.reason })) }
  await record(tx, order, { type: 'fulfillment.rejected', actor: ask.actor, data })
  await refreshOrder(tx, orderId, ask.waitingOn)
  return { fulfillmentId: ask.fulfillmentId, status: 'rejected' }
}

const isOpenForPicking = (f: FulfillmentRow): boolean => f.status === 'released' || f.status === 'picking'
