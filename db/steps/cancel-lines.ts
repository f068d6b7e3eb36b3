/**
 * Some units of an order are not wanted any more: their stock is free, whoever picks is told, the rest goes on. A parcel that stands packed goes back to the
 * shelf as a whole or stays; what is gone stays. Where nothing of the order would be left, it is cancelled as a whole, and ends as if that had been asked for.
 */
import { isGone, type FulfillmentStatus } from '../../domain/fulfillment/moves'
import { isAllPicked } from '../../domain/fulfillment/pick'
import type { CancelLines, CancelOrder } from '../../domain/messages'
import { leavesNothing, wantedUnits, type CancelledUnits, type LineInPlaces } from '../../domain/order/cancellation'
import type { Units } from '../../domain/payment/shares'
import { refuse } from '../../domain/refusals'
import { linesInPlaces, planUnits } from '../cancellable'
import { run, type Transaction } from '../connection'
import { leaveDispatch } from '../dispatch'
import { record } from '../events'
import { fulfillmentsOf, moveFulfillment, needFulfillment, refreshPicked, takeOutUnits, workLines } from '../fulfillments'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import type { IntendedRefund } from '../refunds'
import { changeLines, releaseUnits } from '../stock'
import { trimClaims } from '../supply-claims'
import { settleExceptions } from '../waiting'
import { leaveWave } from '../waves'
import { cancelOrder, type CancelOutcome } from './cancel-order'
import { giveBackCancelled, hasOpenUnits, unitsCancelled } from './cancel-remainder'

export interface LinesCancelled {
  cancelledAt: string
  /** Nothing is left: the order is cancelled. */
  whole?: CancelOutcome
  /** Work orders of which nothing is left. */
  stopped: string[]
  /** Those among them whose labels are to be given back to the carrier. */
  labelled?: string[]
  /** Holds of which nothing more will be taken. */
  voids: string[]
  /** What was taken of it and goes back. */
  refunds?: IntendedRefund[]
}

/** @throws `order.units_not_cancellable`, `order.line_unknown`, `order.kit_in_part`, `order.already_cancelled`, `order.closed` */
export async function cancelLines(tx: Transaction, ask: CancelLines & { orderId: string }): Promise<LinesCancelled> {
  const order = await lockOpenOrder(tx, ask.orderId)
  const lines = await linesInPlaces(tx, ask.orderId)
  return cancelWanted(tx, order, { lines, wanted: wantedUnits(lines, ask.lines) }, ask)
}

/** @throws `order.already_cancelled`, `order.closed` */
export async function lockOpenOrder(tx: Transaction, orderId: string): Promise<OrderRow> {
  const order = await lockOrder(tx, orderId)
  if (order.stage === 'cancelled') throw refuse('order.already_cancelled', { state: 'cancelled' })
  if (order.stage === 'completed') throw refuse('order.closed', { state: 'completed' })
  return order
}

/** The same for units of `lines` that are known to be wanted no more, under the order's lock. */
export async function cancelWanted(tx: Transaction, order: OrderRow, { lines, wanted }: { lines: readonly LineInPlaces[]; wanted: readonly Units[] }, ask: CancelOrder): Promise<LinesCancelled> {
  const { orderId } = order
  const { actor, reason } = ask
  if (await endsOrder(tx, orderId, lines, wanted)) {
    const whole = await cancelOrder(tx, { ...ask, orderId })
    return { cancelledAt: whole.cancelledAt, whole, stopped: [], voids: [] }
  }
  const taken = await planUnits(tx, orderId, lines, wanted)
  await freeStock(tx, order, taken, actor)
  const { stopped, labelled } = await takeOut(tx, order, taken, actor)
  await countCancelled(tx, orderId, wanted)
  await trimClaims(tx, orderId)
  await refreshPicked(tx, orderId)
  if (!(await hasOpenUnits(tx, orderId))) await settleExceptions(tx, order, 'cancelled', { kind: 'sourcing.short' })
  const { voids, refunds } = await unitsCancelled(tx, order, wanted, { reason, actor })
  await refreshOrder(tx, orderId)
  return { cancelledAt: new Date().toISOString(), stopped, ...(labelled.length > 0 && { labelled }), voids, refunds }
}

/** For a rehearsal: only what it does to the money. No shelf is locked, and no work touched. @returns which units it would take; undefined: all of the order */
export async function giveBackWanted(tx: Transaction, order: OrderRow, { lines, wanted }: { lines: readonly LineInPlaces[]; wanted: readonly Units[] }, ask: CancelOrder): Promise<CancelledUnits[] | undefined> {
  const { orderId } = order
  if (await endsOrder(tx, orderId, lines, wanted)) {
    await cancelOrder(tx, { ...ask, orderId })
    return undefined
  }
  const taken = await planUnits(tx, orderId, lines, wanted)
  await changeLines(tx, orderId, taken.filter((t) => t.nodeId !== undefined), 'allocated = l.allocated - v.quantity')
  await countCancelled(tx, orderId, wanted)
  await giveBackCancelled(tx, order, wanted, ask)
  return taken
}

const endsOrder = async (tx: Transaction, orderId: string, lines: readonly LineInPlaces[], wanted: readonly Units[]): Promise<boolean> =>
  leavesNothing(lines, wanted) && !(await fulfillmentsOf(tx, orderId)).some(isGone)

const countCancelled = (tx: Transaction, orderId: string, wanted: readonly Units[]): Promise<void> =>
  run(
    tx,
    `UPDATE order_lines l SET cancelled = l.cancelled + v.quantity, backordered = least(l.backordered, l.quantity - l.cancelled - v.quantity - l.shipped - l.allocated)
     FROM jsonb_to_recordset(?::jsonb) AS v("lineId" text, quantity int) WHERE l.order_id = ? AND l.line_id = v."lineId"`,
    [JSON.stringify(wanted), orderId],
  )

/** Levels in their order: a second cancellation, or a buyer, waits for nobody in a ring. */
async function freeStock(tx: Transaction, { orderId }: OrderRow, taken: readonly CancelledUnits[], actor: string): Promise<void> {
  const claimed = taken.flatMap(({ nodeId, ...units }) => (nodeId === undefined ? [] : [{ ...units, nodeId }])).sort((a, b) => inOrder(a.sku, b.sku) || inOrder(a.nodeId, b.nodeId))
  for (const { lineId, nodeId, fulfillmentId = null, quantity } of claimed) await releaseUnits(tx, { orderId, fulfillmentId, nodeId, lineId, quantity, actor, reason: 'cancelled' })
}

const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Whoever picks has less to do, and hears of it; what was picked or packed of it goes back to its shelf, and nobody brings it. @returns the work orders of which nothing is left */
async function takeOut(tx: Transaction, order: OrderRow, taken: readonly CancelledUnits[], actor: string): Promise<{ stopped: string[]; labelled: string[] }> {
  const stopped: string[] = []
  for (const fulfillmentId of new Set(taken.flatMap((t) => t.fulfillmentId ?? []))) {
    const mine = taken.filter((t) => t.fulfillmentId === fulfillmentId)
    const status = await shrink(tx, order, fulfillmentId, mine, actor)
    if (status === 'cancelled') stopped.push(fulfillmentId)
  }
  await leaveDispatch(tx, stopped)
  for (const subject of stopped) await settleExceptions(tx, order, 'cancelled', { subject })
  return { stopped, labelled: [...new Set(taken.flatMap((t) => (t.state === 'packed' ? t.fulfillmentId! : [])))] }
}

async function shrink(tx: Transaction, order: OrderRow, fulfillmentId: string, mine: readonly CancelledUnits[], actor: string): Promise<FulfillmentStatus> {
  const { status, nodeId, assignee } = await needFulfillment(tx, fulfillmentId)
  const asked = new Map<string, number>()
  for (const { lineId, quantity } of mine) asked.set(lineId, (asked.get(lineId) ?? 0) + quantity)
  const before = await workLines(tx, fulfillmentId)
  if (before.every((l) => l.quantity - l.rejected === (asked.get(l.lineId) ?? 0))) {
    await moveFulfillment(tx, fulfillmentId, 'cancelled')
    await leaveWave(tx, order, { fulfillmentId, why: 'cancelled', actor })
    return told('cancelled')
  }
  await takeOutUnits(tx, fulfillmentId, mine.map(({ lineId, quantity, state }) => ({ lineId, quantity, picked: state === 'picked' ? quantity : 0 })))
  const done = status !== 'picked' && isAllPicked(await workLines(tx, fulfillmentId))
  if (done) await moveFulfillment(tx, fulfillmentId, 'picked')
  return told(done ? 'picked' : status)

  async function told(becomes: FulfillmentStatus): Promise<FulfillmentStatus> {
    const lines = [...asked].map(([lineId, quantity]) => ({ lineId, quantity }))
    const putBack = mine.filter((m) => m.state === 'picked' || m.together !== undefined).map(({ lineId, sku, quantity }) => ({ lineId, sku, quantity }))
    await record(tx, order, { type: 'fulfillment.reduced', actor, data: { fulfillmentId, nodeId, status: becomes, lines, putBack, ...(assignee !== null && { assignee }) } })
    return becomes
  }
}
