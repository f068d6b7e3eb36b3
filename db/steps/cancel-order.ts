/** Cancels a whole order while it is in the building: work stopped, stock free, the voids recorded that give the money back. */
import { isGone, isInBuilding } from '../../domain/fulfillment/moves'
import type { CancelOrder, CancelOrderAnswer } from '../../domain/messages'
import { insteadOfCancelling } from '../../domain/order/cancellation'
import { refuse } from '../../domain/refusals'
import { rows, type Transaction } from '../connection'
import { writeAudit } from '../audit'
import { leaveDispatch } from '../dispatch'
import { record } from '../events'
import { rejectWaiting } from '../goodwill'
import { fulfillmentsOf, moveFulfillment, refreshPicked } from '../fulfillments'
import { endHoldsOf } from '../holds'
import { endOpenChanges } from '../order-changes'
import { keepVersion } from '../order-versions'
import { lockOrder, refreshOrder } from '../orders'
import { intendVoids } from '../payment-operations'
import type { IntendedRefund } from '../refunds'
import { releaseOfChange } from '../reservations'
import { release } from '../stock'
import { endClaims } from '../supply-claims'
import { openRefunds, refundAll } from '../taken-at-once'
import { unclaimInTransfer } from '../transfers'
import { outlivesCancelled, settleExceptions } from '../waiting'
import { leaveWave } from '../waves'
import { tellIfPaidElsewhere } from './cancel-remainder'

export interface CancelOutcome extends CancelOrderAnswer {
  voids: string[]
  /** What was taken and goes back. */
  refunds?: IntendedRefund[]
  /** Fulfillments whose labels are to be given back to the carrier. */
  labelled: string[]
}

/** @throws `order.already_handed_over`, `order.already_cancelled`, `order.closed` */
export async function cancelOrder(tx: Transaction, ask: CancelOrder & { orderId: string }): Promise<CancelOutcome> {
  const order = await lockOrder(tx, ask.orderId)
  if (order.stage === 'cancelled') throw refuse('order.already_cancelled', { state: 'cancelled' })
  if (order.stage === 'completed') throw refuse('order.closed', { state: 'completed' })
  const fulfillments = await fulfillmentsOf(tx, ask.orderId)
  const gone = fulfillments.filter(isGone)
  if (gone.length) throw refuse('order.already_handed_over', { fulfillmentIds: gone.map((f) => f.fulfillmentId), instead: insteadOfCancelling(gone) })
  const stopped = fulfillments.filter((f) => isInBuilding(f.status))
  for (const { fulfillmentId } of stopped) {
    await moveFulfillment(tx, fulfillmentId, 'cancelled')
    await leaveWave(tx, order, { fulfillmentId, why: 'cancelled', actor: ask.actor })
  }
  const freed = await release(tx, { orderId: ask.orderId, actor: ask.actor, reason: 'cancelled' })
  await leaveDispatch(tx, stopped.map((f) => f.fulfillmentId))
  await unclaimInTransfer(tx, ask.orderId)
  await endClaims(tx, ask.orderId, 'cancelled')
  const lines = await rows<{ lineId: string; quantity: number }>(
    tx,
    `UPDATE order_lines l SET cancelled = l.quantity - l.shipped, backordered = 0 FROM order_lines before WHERE l.order_id = ? AND before.order_id = l.order_id AND before.line_id = l.line_id
     RETURNING l.line_id AS "lineId", l.cancelled - before.cancelled AS quantity`,
    [ask.orderId],
  )
  await refreshPicked(tx, ask.orderId)
  const voids = await intendVoids(tx, ask.orderId)
  await refundAll(tx, order)
  const refunds = await openRefunds(tx, ask.orderId)
  await tx('orders').where({ order_id: ask.orderId }).update({ stage: 'cancelled' })
  await endHoldsOf(tx, order, ask.actor)
  for (const { changeId } of await endOpenChanges(tx, ask.orderId)) await releaseOfChange(tx, changeId, ask.actor)
  await rejectWaiting(tx, order)
  await settleExceptions(tx, order, 'the order was cancelled', { except: outlivesCancelled })
  if (!ask.actor.startsWith('channel:')) await tellIfPaidElsewhere(tx, order, lines.filter((l) => l.quantity > 0))
  const released = freed.map((l) => ({ lineId: l.lineId, sku: l.sku, nodeId: l.nodeId, quantity: l.quantity }))
  await record(tx, order, { type: 'order.cancelled', actor: ask.actor, data: { reason: ask.reason, released } })
  await writeAudit(tx, { actor: ask.actor, action: 'order.cancel', subject: ask.orderId, cause: ask.reason })
  await keepVersion(tx, ask.orderId, { actor: ask.actor, cause: ask.reason })
  const cancelledAt = new Date().toISOString()
  await refreshOrder(tx, ask.orderId, voids.length + refunds.length ? { what: 'void', since: cancelledAt, deadline: null } : null)
  return { cancelledAt, voids: voids.map((v) => v.operationId), ...(refunds.length > 0 && { refunds }), labelled: stopped.filter((f) => f.status === 'packed').map((f) => f.fulfillmentId) }
}
