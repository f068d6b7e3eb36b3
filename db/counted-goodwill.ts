/** What the customer was given ahead by hand, beyond what came back, and what of it is counted where goods come back after all and no payment has more. Under the order's lock. */
import type { RefundParts } from '../domain/returns/refund'
import { row, run, type Transaction } from './connection'
import { postCounted } from './ledger'

/** Given beyond what came back, by an amount and for no units, and not counted yet. */
export async function givenAheadMinor(tx: Transaction, orderId: string): Promise<number> {
  const found = await row<{ aheadMinor: number }>(
    tx,
    `SELECT ((SELECT coalesce(sum(above_minor), 0) FROM goodwill_refunds WHERE order_id = o.order_id AND status = 'given' AND remedy IS NULL) - ${countedSql})::int8 AS "aheadMinor" FROM orders o WHERE order_id = ?`,
    [orderId],
  )
  return found!.aheadMinor
}

/** As SQL, of orders `o`. */
export const countedSql = `(SELECT coalesce(sum(amount_minor), 0) FROM counted_goodwill c WHERE c.order_id = o.order_id)::int8`

/** As SQL, of orders `o`: what was given by hand, by an amount, and was not counted. */
export const byHandSql = `((SELECT coalesce(sum(amount_minor), 0) FROM goodwill_refunds g WHERE g.order_id = o.order_id AND g.status = 'given' AND g.remedy IS NULL) - ${countedSql})::int8`

/** As SQL, of orders `o`: what was kept of returns, as fees, whether money was given back for them or had been before. */
export const feesSql = `((SELECT coalesce(-sum((parts->>'feeMinor')::int8), 0) FROM payment_operations f WHERE f.order_id = o.order_id AND kind IN ('refund', 'credit') AND status <> 'abandoned')
  + (SELECT coalesce(-sum((parts->>'feeMinor')::int8), 0) FROM counted_goodwill c WHERE c.order_id = o.order_id))::int8`

/** Once per purpose. */
export async function countGoodwill(tx: Transaction, order: { orderId: string; currency: string }, counted: { purpose: string; amountMinor: number; parts: RefundParts; paymentId?: string; elsewhere?: boolean }): Promise<void> {
  const { purpose, amountMinor, parts, paymentId = null, elsewhere } = counted
  await run(tx, 'INSERT INTO counted_goodwill (order_id, purpose, amount_minor, parts, payment_id) VALUES (?, ?, ?, ?::jsonb, ?)', [order.orderId, purpose, amountMinor, JSON.stringify(parts), paymentId])
  await postCounted(tx, order, { orderId: order.orderId, purpose, parts, amountMinor, elsewhere })
}
