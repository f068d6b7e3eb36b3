/** A change is asked for, with what it would move; and confirmed, if the order is still what it was asked for. Until then nothing is changed and nothing held: it only gives back. */
import { uuidv7 } from 'uuidv7'
import { isGone } from '../../domain/fulfillment/moves'
import type { ChangeOrder } from '../../domain/messages'
import { leavesNothing, planCancellation, type LineInPlaces } from '../../domain/order/cancellation'
import { newAddress, unitsGivenUp, type Address, type ChangeOperation } from '../../domain/order/change'
import { searchText, type NewOrder } from '../../domain/order/new-order'
import type { Units } from '../../domain/payment/shares'
import { durationMs } from '../../domain/policy/duration'
import { refuse } from '../../domain/refusals'
import { writeAudit } from '../audit'
import { linesInPlaces } from '../cancellable'
import { row, run, type Transaction } from '../connection'
import { record } from '../events'
import { fulfillmentsOf } from '../fulfillments'
import { keepFirstVersion, keepVersion } from '../order-versions'
import { refreshOrder, type OrderRow } from '../orders'
import { cancelWanted, lockOpenOrder, type LinesCancelled } from './cancel-lines'

interface Planned {
  lines: LineInPlaces[]
  wanted: Units[]
  address?: Address
}

/** Writes down a change that is possible now. @returns until when it can be confirmed, and the units it gives up. @throws what confirming it would be refused with */
export async function proposeChange(tx: Transaction, ask: { orderId: string; operations: readonly ChangeOperation[]; actor: string }): Promise<{ changeId: string; version: number; expiresAt: string; wanted: Units[] }> {
  const order = await lockOpenOrder(tx, ask.orderId)
  const { wanted } = await planned(tx, order, ask.operations)
  const changeId = uuidv7()
  const expiresAt = new Date(Date.now() + durationMs(order.policy.promise.holdLifetime)).toISOString()
  const { version } = (await row<{ version: number }>(
    tx,
    `INSERT INTO order_changes (change_id, order_id, order_version, operations, actor, expires_at) SELECT ?, order_id, version, ?::jsonb, ?, ? FROM orders WHERE order_id = ? RETURNING order_version AS version`,
    [changeId, JSON.stringify(ask.operations), ask.actor, expiresAt, ask.orderId],
  ))!
  return { changeId, version, expiresAt, wanted }
}

/** @throws `order.change_ended`, `order.change_expired`, `order.version_changed` */
export async function applyChange(tx: Transaction, ask: ChangeOrder & { orderId: string }): Promise<LinesCancelled> {
  const order = await lockOpenOrder(tx, ask.orderId)
  const { operations } = await takeChange(tx, ask)
  const { lines, wanted, address } = await planned(tx, order, operations)
  await keepFirstVersion(tx, ask.orderId)
  if (address) await moveTo(tx, order, address)
  await record(tx, order, { type: 'order.changed', actor: ask.actor, data: { changeId: ask.changeId, operations: operations.map((o) => o.op) } })
  await writeAudit(tx, { actor: ask.actor, action: 'order.change', subject: ask.orderId, cause: ask.changeId })
  const cause = `change ${ask.changeId}`
  if (wanted.length) return cancelWanted(tx, order, { lines, wanted }, { ...ask, reason: cause })
  await keepVersion(tx, ask.orderId, { actor: ask.actor, cause })
  await refreshOrder(tx, ask.orderId)
  return { cancelledAt: new Date().toISOString(), stopped: [], voids: [] }
}

/** From now on it goes there, and is found by the name at that door. */
async function moveTo(tx: Transaction, { orderId, channelOrderId }: OrderRow, shipTo: Address): Promise<void> {
  const { customer } = (await row<{ customer: NewOrder['customer'] | null }>(tx, 'SELECT customer FROM orders WHERE order_id = ?', [orderId]))!
  const search = searchText({ channelOrderId, customer: customer ?? undefined, shipTo })
  await run(tx, 'UPDATE orders SET ship_to = ?::jsonb, search = ? WHERE order_id = ?', [JSON.stringify(shipTo), search, orderId])
}

/** The change, confirmed now and by nobody else. */
async function takeChange(tx: Transaction, { changeId, orderId }: { changeId: string; orderId: string }): Promise<{ operations: ChangeOperation[] }> {
  const change = await row<{ operations: ChangeOperation[]; expiresAt: string; isOver: boolean; isConfirmed: boolean; version: number; now: number }>(
    tx,
    `SELECT operations, expires_at AS "expiresAt", expires_at <= now() AS "isOver", confirmed_at IS NOT NULL AS "isConfirmed", order_version AS version, o.version AS now
     FROM order_changes c JOIN orders o USING (order_id) WHERE change_id = ? AND order_id = ?`,
    [changeId, orderId],
  )
  if (!change) throw refuse('change.unknown')
  if (change.isConfirmed) throw refuse('order.change_ended', { state: 'confirmed' })
  if (change.isOver) throw refuse('order.change_expired', { expiredAt: change.expiresAt })
  if (change.version !== change.now) throw refuse('order.version_changed', { was: change.version, version: change.now })
  await run(tx, 'UPDATE order_changes SET confirmed_at = now() WHERE change_id = ?', [changeId])
  return change
}

/** What a change comes to, if it is possible now. */
async function planned(tx: Transaction, { orderId }: OrderRow, operations: readonly ChangeOperation[]): Promise<Planned> {
  const lines = await linesInPlaces(tx, orderId)
  const wanted = unitsGivenUp(lines, operations)
  if (leavesNothing(lines, wanted)) throw refuse('order.change_leaves_nothing', { instead: 'cancel' })
  planCancellation(lines, wanted)
  const { shipTo } = (await row<{ shipTo: Address | null }>(tx, 'SELECT ship_to AS "shipTo" FROM orders WHERE order_id = ?', [orderId]))!
  const address = newAddress(shipTo, operations)
  if (address) await needUnaddressed(tx, orderId)
  return { lines, wanted, ...(address && { address }) }
}

/** @throws `order.address_too_late` once a parcel bears the old address */
async function needUnaddressed(tx: Transaction, orderId: string): Promise<void> {
  const addressed = (await fulfillmentsOf(tx, orderId)).filter((f) => f.method === 'delivery' && (f.status === 'packed' || isGone(f)))
  if (addressed.length) throw refuse('order.address_too_late', { fulfillmentIds: addressed.map((f) => f.fulfillmentId) })
}
