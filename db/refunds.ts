/** Money given back: which payments give it, recorded as operations before anybody is asked. Under the order's lock, so that no two refunds count on the same money. */
import { uuidv7 } from 'uuidv7'
import { partsOf, refundMinor, refundOf, spread, type RefundParts } from '../domain/returns/refund'
import { invariant } from '../domain/invariant'
import { refuse } from '../domain/refusals'
import type { Priced, PricedLine, Units } from '../domain/payment/shares'
import { row, rows, run, type Transaction } from './connection'
import { record, self } from './events'
import type { OrderRow } from './orders'
import { changeLines } from './stock'
import { postCredit, postMoney } from './ledger'
import { refundOnReturn } from './returns'
import { creditCustomer } from './stored-value'
import { openException } from './waiting'

export interface IntendedRefund {
  operationId: string
  amountMinor: number
}

/** What an order was sold for, and what the customer keeps of it: neither cancelled nor credited. */
export interface Sold extends Priced {
  lines: (PricedLine & { kept: number; replaces: string | null })[]
}

export async function soldOf(tx: Transaction, orderId: string): Promise<Sold> {
  const sold = await row<Sold>(
    tx,
    `SELECT o.shipping, o.tax_included AS "taxIncluded",
       (SELECT json_agg(json_build_object('lineId', line_id, 'quantity', quantity, 'unitPriceMinor', unit_price_minor, 'discountMinor', discount_minor, 'taxMinor', tax_minor, 'raised', raised,
                                          'kept', CASE WHEN replaces IS NULL THEN quantity - cancelled - credited ELSE 0 END, 'replaces', replaces) ORDER BY position) FROM order_lines WHERE order_id = o.order_id) AS lines
     FROM orders o WHERE order_id = ?`,
    [orderId],
  )
  invariant(sold, `order ${orderId} has a row`)
  return sold
}

/** What giving these units back would move, nothing done. */
export async function refundFor(tx: Transaction, orderId: string, back: readonly Units[], { cancelled = false, ...terms }: Terms = {}): Promise<RefundParts> {
  const sold = await soldOf(tx, orderId)
  const kept = sold.lines.map((l) => ({ lineId: l.lineId, quantity: l.kept }))
  return refundOf(sold, cancelled ? [...kept, ...back] : kept, paidUnits(sold, back), terms)
}

interface Terms {
  feeMinor?: number
  withShipping?: boolean
  /** They are cancelled already; else they are credited by it. */
  cancelled?: boolean
}

const isReplacement = (sold: Sold, { lineId }: Units): boolean => sold.lines.some((l) => l.lineId === lineId && l.replaces !== null)

/** What was sent in place of others cost nothing: those are paid for. */
const paidUnits = (sold: Sold, back: readonly Units[]): Units[] =>
  back.map(({ lineId, quantity }) => ({ lineId: sold.lines.find((l) => l.lineId === lineId)?.replaces ?? lineId, quantity }))

/**
 * Records what is to be given back for units: their lines are credited, and an operation per payment that gives it. What the channel or a till took is given back there:
 * that is recorded as done, and the timeline tells it. What no payment has left is a case for finance.
 * @param purpose names the cause, once per order, e.g. `refund:<returnId>:1`
 */
export async function intendRefund(tx: Transaction, order: OrderRow, ask: Terms & { purpose: string; back: readonly Units[]; cause: object }): Promise<IntendedRefund[]> {
  const parts = await refundFor(tx, order.orderId, ask.back, ask)
  const sold = await soldOf(tx, order.orderId)
  if (!ask.cancelled) await changeLines(tx, order.orderId, paidUnits(sold, ask.back), 'credited = l.credited + v.quantity')
  return intendParts(tx, order, ask, parts)
}

/**
 * What would be given back for units is given as store credit, at once: their lines are credited, and of the payments as much is spoken for, so that none gives the same back again.
 * @throws `claim.no_customer` where nobody knows whose it would be
 */
export async function giveCredit(tx: Transaction, order: OrderRow, ask: Terms & { purpose: string; back: readonly Units[]; cause: object; actor: string }): Promise<void> {
  const { orderId, currency } = order
  const owner = (await row<{ hmac: string | null }>(tx, 'SELECT customer_ref_hmac AS hmac FROM orders WHERE order_id = ?', [orderId]))!.hmac
  if (owner === null) throw refuse('claim.no_customer')
  const parts = await refundFor(tx, orderId, ask.back, ask)
  await changeLines(tx, orderId, paidUnits(await soldOf(tx, orderId), ask.back), 'credited = l.credited + v.quantity')
  for (const share of await sharesOf(tx, order, ask, parts)) {
    const operationId = await insertBack(tx, orderId, { ...share, kind: 'credit', purpose: ask.purpose, isDone: true })
    await postCredit(tx, order, { operationId, ...share })
    await creditCustomer(tx, { customerRefHmac: owner, currency, amountMinor: share.amountMinor, operationId, actor: ask.actor, reason: `order ${order.channelOrderId}` })
    await record(tx, order, { type: 'payment.credited', actor: ask.actor, data: { tenderId: share.payer.tenderId, amountMinor: share.amountMinor, currency, ...ask.cause } })
  }
}

/**
 * Units will not come: what was paid for them goes back. Of what was sent in place of others that is what was paid for those, once they are back; where they
 * are still with the customer, their return gives the money back when they come.
 */
export async function refundUnsent(tx: Transaction, order: OrderRow, ask: { purpose: string; paid: readonly Units[]; cause: object }): Promise<IntendedRefund[]> {
  const sold = await soldOf(tx, order.orderId)
  const bought = ask.paid.filter((u) => !isReplacement(sold, u))
  const refunds = bought.length ? await intendRefund(tx, order, { ...ask, back: bought, cancelled: true }) : []
  const back: Units[] = []
  for (const { lineId, quantity } of paidUnits(sold, ask.paid.filter((u) => isReplacement(sold, u)))) {
    const due = quantity - (await refundOnReturn(tx, order.orderId, lineId))
    if (due > 0) back.push({ lineId, quantity: due })
  }
  return [...refunds, ...(back.length ? await intendRefund(tx, order, { ...ask, purpose: `${ask.purpose}:replaced`, back }) : [])]
}

/**
 * Nothing of the order is wanted any more: what its payments have of it nevertheless, like the shipping of a first parcel that never came, goes back too.
 * The fees of returns stay.
 */
export async function refundRest(tx: Transaction, order: OrderRow, ask: { purpose: string; cause: object }): Promise<IntendedRefund[]> {
  const sold = await soldOf(tx, order.orderId)
  if (sold.lines.some((l) => l.kept > 0)) return []
  const fees = await row<{ feesMinor: number }>(tx, `SELECT coalesce(-sum((parts->>'feeMinor')::int8), 0)::int8 AS "feesMinor" FROM payment_operations WHERE order_id = ? AND kind IN ('refund', 'credit') AND status <> 'abandoned'`, [order.orderId])
  const restMinor = (await refundable(tx, order.orderId)).filter((p) => !p.elsewhere).reduce((sum, p) => sum + p.leftMinor, 0) - fees!.feesMinor
  const shippingTaxMinor = Math.min(restMinor, sold.shipping.taxMinor ?? 0)
  return restMinor > 0 ? intendParts(tx, order, ask, { goodsMinor: 0, taxMinor: shippingTaxMinor, shippingMinor: restMinor - shippingTaxMinor, feeMinor: 0 }) : []
}

async function intendParts(tx: Transaction, order: OrderRow, ask: { purpose: string; cause: object }, parts: RefundParts): Promise<IntendedRefund[]> {
  const intended: IntendedRefund[] = []
  for (const share of await sharesOf(tx, order, ask, parts)) {
    const { payer, amountMinor } = share
    const operationId = await insertBack(tx, order.orderId, { ...share, kind: 'refund', purpose: ask.purpose, isDone: payer.elsewhere })
    if (payer.elsewhere) await givenElsewhere(tx, order, payer, amountMinor)
    else intended.push({ operationId, amountMinor })
  }
  return intended
}

interface Share {
  payer: Payer
  amountMinor: number
  parts: RefundParts
}

/** Which payments give it back, and what of it each. What none of them has left is a case for finance. */
async function sharesOf(tx: Transaction, order: OrderRow, ask: { purpose: string; cause: object }, parts: RefundParts): Promise<Share[]> {
  const amountMinor = refundMinor(parts)
  const payments = await refundable(tx, order.orderId)
  const { shares, missingMinor } = spread(payments, amountMinor)
  if (missingMinor > 0) await tellShort(tx, order, { ...ask, amountMinor, missingMinor })
  const all = partsOf(parts, shares.map((s) => s.amountMinor))
  return shares.map((share, i) => ({ payer: payments.find((p) => p.paymentId === share.paymentId)!, amountMinor: share.amountMinor, parts: all[i]! }))
}

async function insertBack(tx: Transaction, orderId: string, { payer, amountMinor, parts, kind, purpose, isDone }: Share & { kind: 'refund' | 'credit'; purpose: string; isDone: boolean }): Promise<string> {
  const operationId = uuidv7()
  await run(
    tx,
    `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor, parts, status, settled_at) VALUES (?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?)`,
    [operationId, payer.paymentId, orderId, kind, purpose, amountMinor, JSON.stringify(parts), isDone ? 'succeeded' : 'intended', isDone ? new Date().toISOString() : null],
  )
  return operationId
}

interface Payer {
  paymentId: string
  tenderId: string
  provider: string
  elsewhere: boolean
  capturedMinor: number
  refundedMinor: number
  leftMinor: number
}

/** What each payment has taken or will have, and not given back: the provider's first, the last to pay being the first to get it back. */
const refundable = (tx: Transaction, orderId: string): Promise<Payer[]> =>
  rows(
    tx,
    `SELECT p.payment_id AS "paymentId", tender_id AS "tenderId", provider, captured_minor AS "capturedMinor", refunded_minor AS "refundedMinor", provider = 'paid_elsewhere' AS elsewhere,
       CASE WHEN provider = 'paid_elsewhere' THEN captured_minor - refunded_minor - coalesce(sum(op.amount_minor) FILTER (WHERE op.kind = 'credit'), 0)::int8
            ELSE coalesce(sum(op.amount_minor) FILTER (WHERE op.kind = 'capture'), 0)::int8 - coalesce(sum(op.amount_minor) FILTER (WHERE op.kind <> 'capture'), 0)::int8 END AS "leftMinor"
     FROM payments p LEFT JOIN payment_operations op ON op.payment_id = p.payment_id AND op.kind IN ('capture', 'refund', 'credit') AND op.status IN ('intended', 'unknown', 'succeeded')
     WHERE p.order_id = ? GROUP BY p.payment_id ORDER BY elsewhere, p.payment_id DESC`,
    [orderId],
  )

/** Who took the money gives it back; from us it hears how much. */
async function givenElsewhere(tx: Transaction, order: OrderRow, payer: Payer, amountMinor: number): Promise<void> {
  const { paymentId, tenderId, refundedMinor } = payer
  await run(tx, 'UPDATE payments SET refunded_minor = refunded_minor + ? WHERE payment_id = ?', [amountMinor, paymentId])
  await postMoney(tx, order.orderId, { ...payer, currency: order.currency }, { ...payer, refundedMinor: refundedMinor + amountMinor })
  await record(tx, order, { type: 'payment.refunded', actor: self, data: { tenderId, amountMinor, currency: order.currency, by: 'channel' } })
}

async function tellShort(tx: Transaction, order: OrderRow, { purpose, cause, amountMinor, missingMinor }: { purpose: string; cause: object; amountMinor: number; missingMinor: number }): Promise<void> {
  await openException(tx, {
    ...order,
    kind: 'payment.refund_short',
    subject: `${order.orderId}:${purpose}`,
    owner: 'finance',
    summary: 'More is to be given back than was taken and is left: find out why, and give the rest back at the provider',
    data: { ...cause, amountMinor, missingMinor },
  })
}
