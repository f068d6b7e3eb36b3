/** One claim on a shelf that holds less than is claimed of it is taken back: the newest that nobody has picked. Its units are sourced again. */
import type { FulfillmentStatus } from '../../domain/fulfillment/moves'
import { isAllPicked, isAllRejected } from '../../domain/fulfillment/pick'
import type { Transaction } from '../connection'
import { record, self } from '../events'
import { moveFulfillment, refreshPicked, saveWorkLines, workLines } from '../fulfillments'
import { tellLater } from '../inbox'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { newestUnpicked, shortfallOf, shortfallSettled, type UnpickedClaim } from '../shortfalls'
import { releaseUnassigned, releaseUnits } from '../stock'
import { openException } from '../waiting'

interface Shelf {
  sku: string
  nodeId: string
}

/** @returns whether the shelf holds what is claimed of it now, or nothing more can be taken back. */
export async function settleShortfall(tx: Transaction, shelf: Shelf): Promise<boolean> {
  const candidate = await newestUnpicked(tx, shelf)
  const order = candidate && (await lockOrder(tx, candidate.orderId))
  const missing = await shortfallOf(tx, shelf, true)
  if (missing === 0) return settled(tx, shelf)
  if (!candidate || !order) return tellOvercommitted(tx, shelf, missing)
  const claim = await newestUnpicked(tx, shelf, order.orderId) // picked or given back meanwhile: looked at again
  if (claim) await takeBack(tx, order, claim, shelf, Math.min(missing, claim.units))
  return false
}

async function settled(tx: Transaction, shelf: Shelf): Promise<true> {
  await shortfallSettled(tx, shelf)
  return true
}

/** What is missing has been picked already: somebody has miscounted. */
async function tellOvercommitted(tx: Transaction, shelf: Shelf, missing: number): Promise<true> {
  const { sku, nodeId } = shelf
  await openException(tx, { orderId: null, channel: null, kind: 'stock.overcommitted', subject: `${sku}@${nodeId}`, owner: 'operations', summary: `${nodeId} has picked ${missing} more of ${sku} than it has counted: count again`, data: { sku, nodeId, missing } })
  return settled(tx, shelf)
}

async function takeBack(tx: Transaction, order: OrderRow, { lineId, fulfillmentId }: UnpickedClaim, { sku, nodeId }: Shelf, units: number): Promise<void> {
  const { orderId } = order
  const why = { orderId, actor: self, reason: 'counted below what is claimed' }
  // What no work order has yet is given back whole: the order's sourcing plans it anew.
  if (fulfillmentId === null) await releaseUnassigned(tx, why)
  else await releaseUnits(tx, { ...why, fulfillmentId, lineId, quantity: units })
  const status = fulfillmentId === null ? undefined : await leaveWork(tx, { orderId, fulfillmentId, lineId, units })
  await record(tx, order, { type: 'order.stock_taken_back', actor: self, data: { nodeId, sku, lineId, quantity: units, ...(fulfillmentId !== null && { fulfillmentId }) } })
  await refreshOrder(tx, orderId, fulfillmentId === null ? undefined : { what: 'sourcing', since: new Date().toISOString(), deadline: null })
  if (fulfillmentId === null) return
  const { channel, channelOrderId } = order
  const eventId = `${fulfillmentId}:${lineId}:${Date.now()}`
  await tellLater(tx, { source: 'shortfall', eventId, kind: 'shortfall', subject: orderId, payload: {} }, { channel, channelOrderId, signal: 'stockTakenBack', fact: { fulfillmentId, status: status! } })
}

/** The units leave the work order as if the node had rejected them: it does not have them. */
async function leaveWork(tx: Transaction, { orderId, fulfillmentId, lineId, units }: { orderId: string; fulfillmentId: string; lineId: string; units: number }): Promise<FulfillmentStatus> {
  const lines = (await workLines(tx, fulfillmentId)).map((l) => (l.lineId === lineId ? { ...l, rejected: l.rejected + units } : l))
  await saveWorkLines(tx, fulfillmentId, lines)
  const status = isAllRejected(lines) ? 'rejected' : isAllPicked(lines) ? 'picked' : undefined
  if (status) await moveFulfillment(tx, fulfillmentId, status)
  await refreshPicked(tx, orderId)
  return status ?? 'released'
}
