/** The promise of an order after the sale: parts that come from elsewhere take their place in it, and what cannot be kept is told anew. */
import { underWay } from '../domain/promise/handling'
import { renewed, withMore, withParts, type OrderPromise } from '../domain/promise/kept'
import type { PlannedShipment } from '../domain/sourcing/decision'
import { row, run, type Transaction } from './connection'
import type { AfterSale } from './open-lines'
import type { OrderRow } from './orders'

interface Promised {
  promise: OrderPromise | null
  country: string
  postalCode: string
}

const promised = async (tx: Transaction, orderId: string): Promise<Promised> =>
  (await row<Promised>(tx, `SELECT promise, coalesce(ship_to->>'country', '') AS country, coalesce(ship_to->>'postalCode', '') AS "postalCode" FROM orders WHERE order_id = ?`, [orderId]))!

export const keepPromise = (tx: Transaction, orderId: string, promise: OrderPromise): Promise<void> => run(tx, 'UPDATE orders SET promise = ?::jsonb WHERE order_id = ?', [JSON.stringify(promise), orderId])

/** What these shipments can keep, by the order's own way of delivery. */
function canKeep(order: OrderRow, { country, postalCode }: Promised, shipments: readonly PlannedShipment[], after: Pick<AfterSale, 'promise'>): OrderPromise | undefined {
  if (order.delivery.method !== 'delivery') return undefined
  return after.promise({ ...order.delivery, ...(country !== '' && { destination: { country, postalCode } }), shipments, policies: underWay(order.policy) }, Date.now())
}

/** Parts that come from other nodes than were promised: from now on they are watched, and judged, like the others. */
export async function promiseParts(tx: Transaction, order: OrderRow, shipments: readonly PlannedShipment[], after: AfterSale): Promise<void> {
  const known = await promised(tx, order.orderId)
  const can = known.promise && canKeep(order, known, shipments, after)
  if (known.promise && can) await keepPromise(tx, order.orderId, withParts(known.promise, can, shipments.map((s) => s.nodeId)))
}

/** What is promised with goods more in the order, that come from these nodes. @returns undefined where nothing was promised, or nothing can be said of them */
export async function promiseWithMore(tx: Transaction, order: OrderRow, shipments: readonly PlannedShipment[], after: Pick<AfterSale, 'promise'>): Promise<OrderPromise | undefined> {
  const known = await promised(tx, order.orderId)
  const can = known.promise && canKeep(order, known, shipments, after)
  return known.promise && can ? withMore(known.promise, can, shipments.map((s) => s.nodeId)) : undefined
}

/** @returns the old and the new promise; undefined when nothing was promised, nothing better can be said, or what was told is still kept. */
export async function renewPromise(tx: Transaction, order: OrderRow, shipments: readonly PlannedShipment[], after: AfterSale): Promise<{ was: OrderPromise; is: OrderPromise } | undefined> {
  const known = await promised(tx, order.orderId)
  const can = known.promise && canKeep(order, known, shipments, after)
  const is = known.promise && can ? renewed(known.promise, can, shipments.map((s) => s.nodeId)) : undefined
  if (!known.promise || !is) return undefined
  await keepPromise(tx, order.orderId, is)
  return { was: known.promise, is }
}
