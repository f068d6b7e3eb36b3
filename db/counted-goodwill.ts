/** What the customer was given ahead, beyond what came back: by hand, or by her bank, when a dispute was lost. What of it is counted where goods come back after all. Under the order's lock. */
import type { RefundParts } from '../domain/returns/refund'
import { row, run, type Transaction } from './connection'
import { postCounted } from './ledger'

/** Given by hand beyond what came back, by an amount and for no units, and not counted yet. */
export async function givenAheadMinor(tx: Transaction, orderId: string): Promise<number> {
  const found = await row<{ aheadMinor: number }>(tx, `SELECT (${givenSql} - ${countedOf('hand')})::int8 AS "aheadMinor" FROM orders o WHERE order_id = ?`, [orderId])
  return found!.aheadMinor
}

/**
 * Given by her bank, and not counted yet; nor spoken for by refunds under way of a payment that has less for them since its dispute was lost: each of those is counted itself, or could never be made.
 * @param of the payment whose own refunds are counted
 */
export async function chargedBackMinor(tx: Transaction, orderId: string, of?: { paymentId: string }): Promise<number> {
  const found = await row<{ aheadMinor: number }>(tx, `SELECT (${lostSql} - ${countedOf('bank')} - ${spokenForSql})::int8 AS "aheadMinor" FROM orders o WHERE order_id = ?`, [of?.paymentId ?? null, orderId])
  return Math.max(0, found!.aheadMinor)
}

const spokenForSql = `(SELECT coalesce(sum(least("underWay", greatest(0, back + lost - taken))), 0) FROM (
  SELECT coalesce(sum(op.amount_minor) FILTER (WHERE kind = 'capture'), 0) AS taken, coalesce(sum(op.amount_minor) FILTER (WHERE kind <> 'capture'), 0) AS back,
    coalesce(sum(op.amount_minor) FILTER (WHERE kind = 'refund' AND op.status <> 'succeeded'), 0) AS "underWay",
    (SELECT coalesce(sum(amount_minor), 0) FROM disputes d WHERE d.payment_id = p.payment_id AND d.status = 'lost') AS lost
  FROM payments p JOIN payment_operations op USING (payment_id)
  WHERE p.order_id = o.order_id AND provider <> 'paid_elsewhere' AND kind IN ('capture', 'refund', 'credit') AND op.status IN ('intended', 'unknown', 'succeeded') AND p.payment_id IS DISTINCT FROM ?::uuid
  GROUP BY p.payment_id) w)`

const countedOf = (givenBy: 'hand' | 'bank'): string => `(SELECT coalesce(sum(amount_minor), 0) FROM counted_goodwill c WHERE c.order_id = o.order_id AND given_by = '${givenBy}')`
const givenSql = `(SELECT coalesce(sum(above_minor), 0) FROM goodwill_refunds g WHERE g.order_id = o.order_id AND g.status = 'given' AND g.remedy IS NULL)`

/** As SQL, of orders `o`: what banks have taken and keep. */
export const lostSql = `(SELECT coalesce(sum(d.amount_minor), 0) FROM payments dp JOIN disputes d USING (payment_id) WHERE dp.order_id = o.order_id AND d.status = 'lost')::int8`

/** As SQL, of a row `c` of what was counted: what of it stands for goods, and for what no goods had left; not for a gift, or for what was owed since a refund came back. */
const forGoodsSql = `amount_minor - coalesce((parts->'goodwill'->>'minor')::int8, 0) - coalesce((parts->>'againMinor')::int8, 0)`

/** As SQL, of orders `o`: counted for goods that came back, never came, or are not wanted. */
export const countedSql = `(SELECT coalesce(sum(${forGoodsSql}), 0) FROM counted_goodwill c WHERE c.order_id = o.order_id)::int8`

/** As SQL, of orders `o`: given by hand, by an amount, beyond what came back, and not counted. */
export const aboveSql = `(${givenSql} - ${countedOf('hand')})::int8`

/** As SQL, of orders `o`: what was given ahead, by hand or by her bank, and was not counted. */
export const aheadSql = `(${aboveSql} + ${lostSql} - ${countedOf('bank')})::int8`

/** As SQL, of orders `o`: what was kept of returns, as fees, whether money was given back for them or had been before. */
export const feesSql = `((SELECT coalesce(-sum((parts->>'feeMinor')::int8), 0) FROM payment_operations f WHERE f.order_id = o.order_id AND kind IN ('refund', 'credit') AND status <> 'abandoned')
  + (SELECT coalesce(-sum((parts->>'feeMinor')::int8), 0) FROM counted_goodwill c WHERE c.order_id = o.order_id))::int8`

export interface Counted {
  purpose: string
  amountMinor: number
  parts: RefundParts
  paymentId?: string
  elsewhere?: boolean
  givenBy?: 'hand' | 'bank'
}

/** Once per purpose. */
export async function countGoodwill(tx: Transaction, order: { orderId: string; currency: string }, counted: Counted): Promise<void> {
  const { purpose, amountMinor, parts, paymentId = null, elsewhere, givenBy = 'hand' } = counted
  await run(tx, 'INSERT INTO counted_goodwill (order_id, purpose, amount_minor, parts, payment_id, given_by) VALUES (?, ?, ?, ?::jsonb, ?, ?)', [order.orderId, purpose, amountMinor, JSON.stringify(parts), paymentId, givenBy])
  // A gift that her bank gave is an adjustment either way.
  if (!parts.goodwill) await postCounted(tx, order, { orderId: order.orderId, purpose, parts, amountMinor, elsewhere, givenBy })
}
