/** A lost dispute gave the customer her money back: what was to be given to her otherwise is counted of that, so that she does not have it twice. Under the order's lock. */
import { counting, refundMinor, type RefundParts } from '../domain/returns/refund'
import { row, rows, run, type Db, type Transaction } from './connection'
import { chargedBackMinor, countGoodwill } from './counted-goodwill'
import { record, self } from './events'
import { lockOrderOf, refreshOrder } from './orders'

type Order = { orderId: string; channel: string; currency: string }

/** What is to be given back for goods she has by her bank first. @returns what is still to be given; what a person gives by hand is not touched */
export async function countFirst(tx: Transaction, order: Order, ask: { purpose: string; paymentId?: string; cause: object }, parts: RefundParts): Promise<RefundParts> {
  const countedMinor = parts.goodwill || parts.againMinor ? 0 : Math.min(refundMinor(parts), await chargedBackMinor(tx, order.orderId))
  return countedMinor > 0 ? count(tx, order, ask, { parts, countedMinor }) : parts
}

async function count(tx: Transaction, order: Order, { purpose, paymentId, cause }: { purpose: string; paymentId?: string; cause: object }, { parts, countedMinor }: { parts: RefundParts; countedMinor: number }): Promise<RefundParts> {
  const { given, counted } = counting(parts, { givenMinor: refundMinor(parts) - countedMinor, countedMinor })
  await countGoodwill(tx, order, { purpose: `${purpose}:by-bank`, amountMinor: countedMinor, parts: counted, paymentId, givenBy: 'bank' })
  await record(tx, order, { type: 'refund.counted', actor: self, data: { amountMinor: countedMinor, currency: order.currency, ...cause } })
  return given
}

/** A call was made for it and the provider has no such refund; meanwhile the dispute may have been lost. @returns whether it was */
export async function countNotGiven(db: Db, { operationId, paymentId }: { operationId: string; paymentId: string }): Promise<boolean> {
  const lost = await row(db, `SELECT 1 FROM disputes WHERE payment_id = ? AND status = 'lost' LIMIT 1`, [paymentId])
  if (!lost) return false
  await db.transaction(async (tx) => {
    const order = await lockOrderOf(tx, paymentId)
    await endRefunds(tx, order, { operationId })
    await refreshOrder(tx, order.orderId)
  })
  return true
}

interface Waiting {
  operationId: string
  paymentId: string
  purpose: string
  amountMinor: number
  parts: RefundParts | null
}

/**
 * A refund that nobody has given, and that she has by her bank, ends; of one that is more the rest stays. An outcome that is unknown is looked up first: then it is told by name.
 * @param of a payment, whose refunds no call was made for, or one refund that the provider does not have
 */
export async function endRefunds(tx: Transaction, order: Order, of: { paymentId: string } | { operationId: string }): Promise<void> {
  const [column, value] = 'paymentId' in of ? ['payment_id', of.paymentId] : ['operation_id', of.operationId]
  const open = 'paymentId' in of ? ['intended'] : ['intended', 'unknown']
  const waiting = await rows<Waiting>(
    tx,
    `SELECT operation_id AS "operationId", payment_id AS "paymentId", purpose, amount_minor AS "amountMinor", parts FROM payment_operations WHERE ${column} = ? AND kind = 'refund' AND status = ANY(?) ORDER BY operation_id FOR UPDATE`,
    [value, open],
  )
  for (const { operationId, paymentId, purpose, amountMinor, ...refund } of waiting) {
    const countedMinor = Math.min(amountMinor, await chargedBackMinor(tx, order.orderId, { paymentId }))
    if (countedMinor <= 0) return
    const parts = refund.parts ?? { goodsMinor: amountMinor, taxMinor: 0, shippingMinor: 0, feeMinor: 0 }
    const ask = { purpose: `${purpose}:${operationId}`, cause: { operationId }, ...(parts.unsoldMinor && { paymentId: parts.unsoldOf ?? paymentId }) }
    const rest = await count(tx, order, ask, { parts, countedMinor })
    if (countedMinor === amountMinor) await run(tx, `UPDATE payment_operations SET status = 'abandoned', settled_at = now() WHERE operation_id = ?`, [operationId])
    else await run(tx, `UPDATE payment_operations SET amount_minor = ?, parts = ?::jsonb, key_spent = status = 'unknown' WHERE operation_id = ?`, [amountMinor - countedMinor, JSON.stringify(rest), operationId])
  }
}
