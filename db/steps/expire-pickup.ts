/** Nobody has come for the goods in time: they are back on the shelf, and the order ends or goes on without them. */
import { isBetweenNodes, isGone, isInBuilding } from '../../domain/fulfillment/moves'
import type { Transaction } from '../connection'
import { record, self } from '../events'
import { fulfillmentsOf, lockWork, moveFulfillment, refreshPicked } from '../fulfillments'
import { refreshOrder } from '../orders'
import type { IntendedRefund } from '../refunds'
import { changeLines, release } from '../stock'
import { cancelOrder, type CancelOutcome } from './cancel-order'
import { hasOpenUnits, tellIfPaidElsewhere, unitsCancelled } from './cancel-remainder'

export type ExpiredPickup =
  | { outcome: 'too late' } // collected or cancelled meanwhile
  | { outcome: 'expired'; voids: string[]; refunds?: IntendedRefund[] }
  | { outcome: 'nothing left'; cancelled: CancelOutcome }

/** What was not fetched is cancelled: here where other parts of the order go on, else with the whole order. */
export async function expirePickup(tx: Transaction, { fulfillmentId, reason }: { fulfillmentId: string; reason: string }): Promise<ExpiredPickup> {
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  const { orderId } = order
  if (fulfillment.status !== 'ready') return { outcome: 'too late' }
  const waitsForMore = await hasOpenUnits(tx, orderId)
  await moveFulfillment(tx, fulfillmentId, 'expired')
  const lines = (await release(tx, { orderId, fulfillmentId, actor: self, reason: 'not collected' })).map(({ lineId, quantity }) => ({ lineId, quantity }))
  await refreshPicked(tx, orderId)
  await record(tx, order, { type: 'fulfillment.expired', actor: self, data: { fulfillmentId, nodeId: fulfillment.nodeId, lines } })
  const others = (await fulfillmentsOf(tx, orderId)).some((f) => isInBuilding(f.status) || isBetweenNodes(f) || isGone(f))
  if (!others && !waitsForMore) {
    await tellIfPaidElsewhere(tx, order, lines)
    return { outcome: 'nothing left', cancelled: await cancelOrder(tx, { orderId, commandId: `expired:${fulfillmentId}`, actor: self, reason }) }
  }
  await changeLines(tx, orderId, lines, 'cancelled = l.cancelled + v.quantity')
  const { voids, refunds } = await unitsCancelled(tx, order, lines, { reason })
  await refreshOrder(tx, orderId)
  return { outcome: 'expired', voids, refunds }
}
