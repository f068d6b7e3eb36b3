/**
 * Money that a bank took at once instead of holding it: a debit, a transfer. It pays first, as it is there already; nothing of it is captured when goods leave, and what is
 * cancelled of them is given back. Under the order's lock.
 */
import { uuidv7 } from 'uuidv7'
import { payersOf, worthMinor, type Priced, type Tender, type Units } from '../domain/payment/shares'
import { shortOf } from '../domain/returns/ceilings'
import { refundMinor, type RefundParts } from '../domain/returns/refund'
import { countFirst } from './charged-back'
import { row, rows, run, type Transaction } from './connection'
import { countGoodwill, givenAheadMinor } from './counted-goodwill'
import type { OrderRow } from './orders'
import { giveUnsold, type IntendedRefund } from './refunds'

/** In which sequence the tenders of an order pay, as SQL: that in which they became its tenders, so that none comes before one that has paid already; of those it was placed with, money that is there already first. @param p the table or its alias */
export const payingSequence = (p: string): string =>
  `NOT ((${p}.provider = 'paid_elsewhere' OR ${p}.taken_at_once) AND ${p}.joined_at = (SELECT min(placed.joined_at) FROM payments placed WHERE placed.order_id = ${p}.order_id)), ${p}.joined_at, ${p}.payment_id`

/** As SQL, of payments `p`: is it money that is there already, whoever took it? */
export const takenAlreadySql = `(p.provider = 'paid_elsewhere' OR p.taken_at_once)`

/** As SQL: what of a payment was given back as paid for goods that never left, by itself or by another for it. @param p the table or its alias */
export const unsoldSql = (p: string): string =>
  `(SELECT coalesce(sum((u.parts->>'unsoldMinor')::int8), 0) FROM payment_operations u WHERE u.order_id = ${p}.order_id AND u.kind = 'refund' AND u.status <> 'abandoned' AND coalesce((u.parts->>'unsoldOf')::uuid, u.payment_id) = ${p}.payment_id)`

/** As SQL, of payments `p`: what a tender pays of the order at most. What was taken at once and given back for units that are not wanted pays for nothing else: who wants more again is charged anew. */
export const coversSql = `CASE WHEN p.taken_at_once THEN least(coalesce(p.covers_minor, p.amount_minor), p.captured_minor
    - ${unsoldSql('p')}
    - (SELECT coalesce(sum((c.parts->>'unsoldMinor')::int8), 0) FROM counted_goodwill c WHERE c.payment_id = p.payment_id))::int8
  ELSE coalesce(p.covers_minor, p.amount_minor) END`

/** As SQL, of lines `l` of an order: the units that have been, or will be, paid for. What was lost on its way and given up was. */
export const paidUnitsSql = `l.quantity - l.cancelled - l.shipped - l.resend + coalesce((SELECT sum(fl.picked - fl.resent) FROM fulfillments f JOIN fulfillment_lines fl USING (fulfillment_id)
  WHERE f.order_id = l.order_id AND fl.line_id = l.line_id AND f.handed_over_at IS NOT NULL AND f.method <> 'transfer'), 0)::int`

/** The provider has all of it and nobody asked for a capture: recorded as the one that took it. Also what somebody took by hand; after goods have left it does not come before what paid for those. @returns whether that was so */
export async function noteTakenAtOnce(tx: Transaction, paymentId: string): Promise<boolean> {
  const noted = await row(
    tx,
    `UPDATE payments p SET taken_at_once = true,
       joined_at = CASE WHEN EXISTS (SELECT 1 FROM fulfillments f WHERE f.order_id = p.order_id AND f.handed_over_at IS NOT NULL) THEN clock_timestamp() ELSE joined_at END
     WHERE payment_id = ? AND provider = 'stripe' AND status = 'captured' AND captured_minor = amount_minor
       AND NOT EXISTS (SELECT 1 FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.kind = 'capture') RETURNING payment_id`,
    [paymentId],
  )
  if (noted)
    await run(
      tx,
      `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor, final, status, settled_at)
       SELECT ?, payment_id, order_id, 'capture', 'taken-at-once', captured_minor, true, 'succeeded', now() FROM payments WHERE payment_id = ?`,
      [uuidv7(), paymentId],
    )
  return noted !== undefined
}

/** Units were cancelled: what such payments were to pay of them goes back; where one has not all of it any more, by others, less what was given ahead by hand where none has. @param purpose once per cancellation */
export async function refundUncovered(tx: Transaction, order: OrderRow, cancelled: readonly Units[], purpose: string): Promise<IntendedRefund[]> {
  const facts = (await row<Facts>(tx, factsSql, [order.orderId]))!
  const wasMinor = worthMinor(facts, [...facts.wanted, ...cancelled])
  return refundBeyond(tx, order, facts, { wasMinor, purpose })
}

/** The order is worth less, with all its units. */
export async function refundCheaper(tx: Transaction, order: OrderRow, byMinor: number, purpose: string): Promise<IntendedRefund[]> {
  const facts = (await row<Facts>(tx, factsSql, [order.orderId]))!
  return refundBeyond(tx, order, facts, { wasMinor: worthMinor(facts, facts.wanted) + byMinor, purpose })
}

/** It has just been taken, and the order is worth less by now than when the bank was asked: what such payments have more than they pay of it goes back. */
export async function refundTakenBeyond(tx: Transaction, order: OrderRow, paymentId: string): Promise<IntendedRefund[]> {
  const facts = (await row<Facts>(tx, factsSql, [order.orderId]))!
  const taken = (facts.tenders ?? []).filter((t) => t.atOnce)
  const paying = payingOf(facts, worthMinor(facts, facts.wanted))
  const beyondMinor = taken.reduce((sum, { tenderId, amountMinor }) => sum + amountMinor - (paying.get(tenderId) ?? 0), 0)
  if (beyondMinor <= 0 || !taken.some((t) => t.paymentId === paymentId)) return []
  const dueMinor = await notByBank(tx, order, { paymentId, purpose: `beyond:${paymentId}`, dueMinor: beyondMinor })
  return giveBackUnsold(tx, { paymentId, purpose: 'beyond', atMostMinor: dueMinor })
}

/** What each tender pays of an order that is worth so much. */
const payingOf = ({ tenders }: Facts, minor: number): Map<string, number> => new Map(payersOf(tenders ?? [], 0, minor).map((p) => [p.tenderId, p.amountMinor]))

/** What such payments paid of what the order was worth, and do not pay of what it is worth. */
async function refundBeyond(tx: Transaction, whole: OrderRow, order: Facts, { wasMinor, purpose }: { wasMinor: number; purpose: string }): Promise<IntendedRefund[]> {
  const [before, now] = [payingOf(order, wasMinor), payingOf(order, worthMinor(order, order.wanted))]
  const refunds: IntendedRefund[] = []
  for (const { paymentId, tenderId, atOnce } of order.tenders ?? []) {
    if (!atOnce) continue
    const dueMinor = await notByBank(tx, whole, { paymentId, purpose: `${purpose}:${tenderId}`, dueMinor: (before.get(tenderId) ?? 0) - (now.get(tenderId) ?? 0) })
    const given = await giveBackUnsold(tx, { paymentId, purpose, atMostMinor: dueMinor })
    refunds.push(...given)
    const missingMinor = dueMinor - given.reduce((sum, g) => sum + g.amountMinor, 0)
    if (missingMinor > 0) refunds.push(...(await giveUnsold(tx, whole, { paymentId, purpose: `${purpose}:for:${tenderId}`, amountMinor: missingMinor, cause: {} })))
  }
  return refunds
}

/** Nothing of the order is wanted. */
export async function refundAll(tx: Transaction, order: OrderRow): Promise<IntendedRefund[]> {
  const { orderId, currency } = order
  const taken = await rows<{ paymentId: string; dueMinor: number }>(tx, `SELECT payment_id AS "paymentId", (captured_minor - ${backSql} - (SELECT coalesce(sum(amount_minor), 0) FROM counted_goodwill c WHERE c.payment_id = p.payment_id AND given_by = 'bank'))::int8 AS "dueMinor" FROM payments p WHERE order_id = ? AND provider = 'stripe' AND captured_minor > 0 ORDER BY payment_id DESC`, [orderId])
  const refunds: IntendedRefund[] = []
  // What a bank took of one payment may have been counted for what another paid: together they have what is due.
  const allMinor = taken.reduce((sum, t) => sum + t.dueMinor, 0)
  let leftMinor = taken[0] ? await notByBank(tx, order, { paymentId: taken[0].paymentId, purpose: `unwanted:${allMinor}`, dueMinor: allMinor }) : 0
  for (const { paymentId } of taken) {
    const given = await giveBackUnsold(tx, { paymentId, purpose: 'unwanted', atMostMinor: leftMinor })
    leftMinor -= given.reduce((sum, g) => sum + g.amountMinor, 0)
    refunds.push(...given)
  }
  let overMinor = Math.max(0, -allMinor) // a bank has taken what was given by hand too: that much of it was a gift
  for (const { aheadMinor, theirsMinor, tenderId, ...payment } of await givenByHand(tx, orderId)) {
    // What a channel gave in its place is counted there.
    const elsewhereMinor = Math.min(aheadMinor, theirsMinor)
    const giftMinor = payment.elsewhere ? 0 : Math.min(aheadMinor - elsewhereMinor, overMinor)
    overMinor -= giftMinor
    await countUnsold(tx, { orderId, currency }, { ...payment, purpose: `unwanted:${tenderId}`, missingMinor: aheadMinor - elsewhereMinor - giftMinor })
    await countUnsold(tx, { orderId, currency }, { ...payment, elsewhere: true, purpose: `unwanted:${tenderId}:elsewhere`, missingMinor: elsewhereMinor })
  }
  await countUnsold(tx, { orderId, currency }, { purpose: 'unwanted:gift-by-bank', missingMinor: (await giftByBankMinor(tx, orderId)) - overMinor })
  return refunds
}

/** What was to be given by hand and her bank had given already. */
const giftByBankMinor = async (tx: Transaction, orderId: string): Promise<number> =>
  (await row<{ minor: number }>(tx, `SELECT coalesce(sum((parts->'goodwill'->>'minor')::int8), 0)::int8 AS minor FROM counted_goodwill WHERE order_id = ? AND given_by = 'bank'`, [orderId]))!.minor

/** What is still to be given, whatever it was for: of what was under way before, nobody else goes on with it once the order is cancelled. */
export const openRefunds = (tx: Transaction, orderId: string): Promise<IntendedRefund[]> =>
  rows(tx, `SELECT operation_id AS "operationId", amount_minor AS "amountMinor" FROM payment_operations WHERE order_id = ? AND kind = 'refund' AND status IN ('intended', 'unknown') ORDER BY operation_id`, [orderId])

/** By which payments money was given by hand, as far as it was not counted; also where a channel gives it. */
const givenByHand = (tx: Transaction, orderId: string): Promise<{ paymentId: string; tenderId: string; elsewhere: boolean; aheadMinor: number; theirsMinor: number }[]> =>
  rows(
    tx,
    `SELECT payment_id AS "paymentId", tender_id AS "tenderId", provider = 'paid_elsewhere' AS elsewhere, minor AS "aheadMinor",
       (SELECT coalesce(sum((u.parts->>'unsoldMinor')::int8), 0)::int8 FROM payment_operations u JOIN payments e USING (payment_id) WHERE u.order_id = p.order_id AND e.provider = 'paid_elsewhere' AND u.kind = 'refund' AND u.status <> 'abandoned'
          AND (u.parts->>'unsoldOf')::uuid = p.payment_id) AS "theirsMinor"
     FROM payments p,
       LATERAL (SELECT (coalesce(sum((parts->'goodwill'->>'minor')::int8), 0) - (SELECT coalesce(sum(amount_minor), 0) FROM counted_goodwill c WHERE c.payment_id = p.payment_id AND given_by = 'hand'))::int8 AS minor
          FROM payment_operations g WHERE g.payment_id = p.payment_id AND kind = 'refund' AND status <> 'abandoned') given
     WHERE order_id = ? AND minor > 0 ORDER BY payment_id`,
    [orderId],
  )

/** No goods had left for it, and it was given ahead. */
async function countUnsold(tx: Transaction, order: Pick<OrderRow, 'orderId' | 'currency'>, { missingMinor, ...of }: { paymentId?: string; elsewhere?: boolean; purpose: string; missingMinor: number }): Promise<void> {
  const { countedMinor } = missingMinor > 0 ? shortOf(missingMinor, await givenAheadMinor(tx, order.orderId)) : { countedMinor: 0 }
  if (countedMinor > 0) await countGoodwill(tx, order, { ...of, amountMinor: countedMinor, parts: unsold(countedMinor) })
}

const unsold = (minor: number): RefundParts => ({ goodsMinor: 0, taxMinor: 0, shippingMinor: 0, feeMinor: 0, unsoldMinor: minor })

/** What of it the customer has not had by her bank. */
const notByBank = async (tx: Transaction, order: OrderRow, { dueMinor, ...of }: { paymentId: string; purpose: string; dueMinor: number }): Promise<number> => refundMinor(await countFirst(tx, order, { ...of, cause: {} }, unsold(dueMinor)))

/** As SQL, of payments `p`: given back, or about to be. */
const backSql = `greatest(p.refunded_minor, (SELECT sum(amount_minor) FROM payment_operations b WHERE b.payment_id = p.payment_id AND b.kind IN ('refund', 'credit') AND b.status <> 'abandoned'))`

/** Records the refund of money that no goods had left for, once per purpose, as far as the payment has it. */
export const giveBackUnsold = (tx: Transaction, ask: { paymentId: string; purpose: string; atMostMinor: number }): Promise<IntendedRefund[]> =>
  rows<IntendedRefund>(
    tx,
    `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor, parts)
     SELECT :operationId, payment_id, order_id, 'refund', :purpose, minor, json_build_object('goodsMinor', 0, 'taxMinor', 0, 'shippingMinor', 0, 'feeMinor', 0, 'unsoldMinor', minor)
     FROM (SELECT p.payment_id, p.order_id, least(:atMostMinor, p.captured_minor - ${backSql}
             - (SELECT coalesce(sum(amount_minor), 0) FROM disputes d WHERE d.payment_id = p.payment_id AND d.status = 'lost'))::int8 AS minor FROM payments p WHERE payment_id = :paymentId) due
     WHERE minor > 0 ON CONFLICT (payment_id, purpose) DO NOTHING
     RETURNING operation_id AS "operationId", amount_minor AS "amountMinor"`,
    { ...ask, operationId: uuidv7() }, // refunds of a payment are told apart by the sequence they were intended in
  )

interface Facts extends Priced {
  tenders: (Tender & { paymentId: string; atOnce: boolean })[] | null
  /** Of lines that were sent in place of others too: they are paid for like any. */
  wanted: Units[]
}

const factsSql = `
  SELECT shipping, tax_included AS "taxIncluded",
    (SELECT json_agg(json_build_object('lineId', line_id, 'quantity', quantity, 'unitPriceMinor', unit_price_minor, 'discountMinor', discount_minor, 'taxMinor', tax_minor, 'raised', raised)) FROM order_lines WHERE order_id = o.order_id) AS lines,
    (SELECT json_agg(json_build_object('lineId', line_id, 'quantity', ${paidUnitsSql})) FROM order_lines l WHERE l.order_id = o.order_id) AS wanted,
    (SELECT json_agg(json_build_object('paymentId', payment_id, 'tenderId', tender_id, 'amountMinor', ${coversSql}, 'takenElsewhere', ${takenAlreadySql}, 'atOnce', taken_at_once) ORDER BY ${payingSequence('p')})
       FROM payments p WHERE order_id = o.order_id AND part = 1) AS tenders
  FROM orders o WHERE order_id = ?`
