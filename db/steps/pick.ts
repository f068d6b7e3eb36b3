/** Picking is a row with guarded counts; the order's workflow is told only when the node cannot fill it. */
import type { FulfillmentStatus } from '../../domain/fulfillment/moves'
import { addPick, isAllPicked, isAllRejected, type PickReport, type RejectReason, type WorkLine } from '../../domain/fulfillment/pick'
import type { FulfillmentAnswer, RejectLines } from '../../domain/messages'
import type { WaitingOn } from '../../domain/order/status'
import type { Transaction } from '../connection'
import { record } from '../events'
import { fulfillmentsOf, lockWork, moveFulfillment, refreshPicked, refusedMove, saveWorkLines, workLines, type FulfillmentRow } from '../fulfillments'
import { refuseIfHeld } from '../holds'
import { refreshOrder, type OrderRow } from '../orders'
import { countScans, type ScannedLine } from '../pick-scans'
import { correctAfterRejection, release, releaseUnits } from '../stock'
import { leaveWave } from '../waves'

/** Adds a pick report. @throws `fulfillment.state`, `fulfillment.quantity`, `order.held` */
export async function pickFulfillment(tx: Transaction, ask: { fulfillmentId: string; actor: string; lines: readonly (PickReport & ScannedLine)[] }): Promise<void> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  if (!isOpenForPicking(fulfillment)) throw refusedMove(fulfillment)
  await refuseIfHeld(tx, order, 'picking')
  const lines = await addReport(tx, fulfillment, ask)
  const done = isAllPicked(lines)
  if (done || fulfillment.status === 'released') await moveFulfillment(tx, ask.fulfillmentId, done ? 'picked' : 'picking')
  await refreshPicked(tx, orderId)
  const picked = ask.lines.filter((l) => l.picked > 0).map((l) => ({ lineId: l.lineId, quantity: l.picked }))
  await record(tx, order, { type: 'fulfillment.picked', actor: ask.actor, data: { fulfillmentId: ask.fulfillmentId, lines: picked, complete: done } })
  await refreshOrder(tx, orderId)
}

export interface RejectAsk extends RejectLines {
  waitingOn: WaitingOn
}

/**
 * The node cannot fill (part of) it. What it rejects goes back to sourcing: its stock is free again, corrected by what the reason says about the shelf.
 * Where the order may not be split further, the whole work order goes back with it.
 * @throws `fulfillment.state`, `fulfillment.quantity`
 */
export async function rejectFulfillment(tx: Transaction, ask: RejectAsk): Promise<FulfillmentAnswer> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const { orderId } = order
  if (!isOpenForPicking(fulfillment)) throw refusedMove(fulfillment)
  await refuseIfHeld(tx, order, 'picking')
  const lines = await addReport(tx, fulfillment, ask)
  const rejected = ask.lines.filter((l) => l.rejected > 0).map((l) => ({ ...l, sku: lines.find((w) => w.lineId === l.lineId)!.sku }))
  const mayStay = !isAllRejected(lines) && (await mayBeSplit(tx, order))
  const status = mayStay ? await giveBackUnits(tx, ask, { orderId, fulfillment, lines }) : await giveBackAll(tx, ask, order)
  for (const l of [...rejected].sort((a, b) => (a.sku < b.sku ? -1 : 1)))
    await correctAfterRejection(tx, { orderId, nodeId: fulfillment.nodeId, actor: ask.actor, sku: l.sku, quantity: l.rejected, reason: (l.reason ?? 'no_time') as RejectReason })
  await refreshPicked(tx, orderId)
  const data = { fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, status, lines: rejected.map((l) => ({ lineId: l.lineId, quantity: l.rejected, reason: l.reason })) }
  await record(tx, order, { type: 'fulfillment.rejected', actor: ask.actor, data })
  await refreshOrder(tx, orderId, ask.waitingOn)
  return { fulfillmentId: ask.fulfillmentId, status }
}

/** What the node reports is added up; the same scan counts once. */
async function addReport(tx: Transaction, fulfillment: FulfillmentRow, { lines, actor }: { lines: readonly (PickReport & ScannedLine)[]; actor: string }): Promise<WorkLine[]> {
  const { fulfillmentId, status: state, assignee } = fulfillment
  await countScans(tx, fulfillment, lines, actor)
  const added = addPick(await workLines(tx, fulfillmentId), lines, { state, assignee })
  await saveWorkLines(tx, fulfillmentId, added)
  return added
}

const mayBeSplit = async (tx: Transaction, { orderId, policy }: OrderRow): Promise<boolean> =>
  (await fulfillmentsOf(tx, orderId)).filter((f) => !['rejected', 'cancelled', 'expired'].includes(f.status)).length < policy.sourcing.maxShipments

async function giveBackAll(tx: Transaction, ask: RejectAsk, order: OrderRow): Promise<FulfillmentStatus> {
  await moveFulfillment(tx, ask.fulfillmentId, 'rejected')
  await leaveWave(tx, order, { fulfillmentId: ask.fulfillmentId, why: 'rejected', actor: ask.actor })
  await release(tx, { orderId: order.orderId, fulfillmentId: ask.fulfillmentId, actor: ask.actor, reason: 'rejected' })
  return 'rejected'
}

async function giveBackUnits(tx: Transaction, ask: RejectAsk, work: { orderId: string; fulfillment: FulfillmentRow; lines: readonly WorkLine[] }): Promise<FulfillmentStatus> {
  for (const { lineId, rejected } of ask.lines.filter((l) => l.rejected > 0))
    await releaseUnits(tx, { orderId: work.orderId, fulfillmentId: ask.fulfillmentId, lineId, quantity: rejected, actor: ask.actor, reason: 'rejected' })
  const status = isAllPicked(work.lines) ? 'picked' : 'picking'
  if (status !== work.fulfillment.status) await moveFulfillment(tx, ask.fulfillmentId, status)
  return status
}

const isOpenForPicking = (f: FulfillmentRow): boolean => f.status === 'released' || f.status === 'picking'
