/** Money given back: which payments give it, recorded as operations before anybody is asked. Under the order's lock, so that no two refunds count on the same money. */
import { uuidv7 } from 'uuidv7'
import { keptUnits, type Amount } from '../domain/returns/exchange'
import { refundOfUnits, type RefundTerms, type Sold } from '../domain/returns/exchange-money'
import { shortOf } from '../domain/returns/ceilings'
import { counting, partsOf, refundMinor, spread, type RefundParts } from '../domain/returns/refund'
import { invariant } from '../domain/invariant'
import { refuse } from '../domain/refusals'
import type { Units } from '../domain/payment/shares'
import { countFirst } from './charged-back'
import { row, rows, run, type Transaction } from './connection'
import { aheadSql, chargedBackMinor, countGoodwill, feesSql, givenAheadMinor } from './counted-goodwill'
import { record, self } from './events'
import { countUnits, exchangedLinesJson, giveUpReplacing } from './exchanges'
import type { OrderRow } from './orders'
import { changeLines } from './stock'
import { postCredit, postKept, postMoney } from './ledger'
import { creditCustomer } from './stored-value'
import { openException } from './waiting'

export interface IntendedRefund {
  operationId: string
  amountMinor: number
}

export async function soldOf(tx: Transaction, orderId: string): Promise<Sold> {
  const sold = await row<Sold>(tx, `SELECT o.shipping, o.tax_included AS "taxIncluded", ${exchangedLinesJson} AS lines FROM orders o WHERE order_id = ?`, [orderId])
  invariant(sold, `order ${orderId} has a row`)
  return sold
}

/** What giving these units back would move, nothing done. */
export const refundFor = async (tx: Transaction, orderId: string, back: readonly Units[], terms: RefundTerms = {}): Promise<RefundParts> => refundOfUnits(await soldOf(tx, orderId), back, terms).parts

/** The same, and the lines say so from now on. @throws `return.quantity` where money was given for all units of a line already */
async function credit(tx: Transaction, orderId: string, units: readonly Units[], terms: RefundTerms): Promise<RefundParts> {
  const sold = await soldOf(tx, orderId)
  const { parts, back } = refundOfUnits(sold, units, terms)
  for (const { lineId, credited, quantity } of sold.lines) {
    const given = back.credits.reduce((sum, c) => (c.lineId === lineId ? sum + c.quantity : sum), 0)
    if (credited + given > quantity) throw refuse('return.quantity', { lineId, open: quantity - credited, given }, 'Money was given for it before')
  }
  await changeLines(tx, orderId, back.credits, 'credited = l.credited + v.quantity')
  await countUnits(tx, orderId, back.takes, 'less_taken')
  return parts
}

/**
 * Records what is to be given back for units: their lines are credited, and an operation per payment that gives it. What the channel or a till took is given back there:
 * that is recorded as done, and the timeline tells it. What no payment has left is a case for finance.
 * @param purpose names the cause, once per order, e.g. `refund:<returnId>:1`
 */
export async function intendRefund(tx: Transaction, order: OrderRow, ask: RefundTerms & { purpose: string; back: readonly Units[]; cause: object }): Promise<IntendedRefund[]> {
  return intendParts(tx, order, ask, await credit(tx, order.orderId, ask.back, ask))
}

/** Units cost less than what they replace, and that is back: what they cost less is given back. */
export async function giveBackLess(tx: Transaction, order: OrderRow, ask: { purpose: string; units: readonly Units[]; less: Amount; cause: object }): Promise<IntendedRefund[]> {
  await countUnits(tx, order.orderId, ask.units, 'less_given')
  const { minor, taxMinor } = ask.less
  return intendParts(tx, order, ask, { goodsMinor: minor - taxMinor, taxMinor, shippingMinor: 0, feeMinor: 0 })
}

/** What was charged for goods that did not come back is given back, by what it was charged to first: they came late. */
export function giveBackCharge(tx: Transaction, order: OrderRow, ask: { purpose: string; amount: Amount; cause: object }): Promise<IntendedRefund[]> {
  const { minor, taxMinor } = ask.amount
  return intendParts(tx, order, { ...ask, guardFirst: true }, { goodsMinor: minor - taxMinor, taxMinor, shippingMinor: 0, feeMinor: 0 })
}

/**
 * What would be given back for units is given as store credit, at once: their lines are credited, and of the payments as much is spoken for, so that none gives the same back again.
 * @throws `claim.no_customer` where nobody knows whose it would be, `payment.disputed` where her bank may give the same
 */
export async function giveCredit(tx: Transaction, order: OrderRow, ask: RefundTerms & { purpose: string; back: readonly Units[]; cause: object; actor: string }): Promise<void> {
  const { orderId, currency } = order
  const owner = await creditOwner(tx, orderId)
  const parts = await credit(tx, orderId, ask.back, ask)
  for (const share of await sharesOf(tx, order, { ...ask, atOnce: true }, parts)) {
    const operationId = await insertBack(tx, orderId, { ...share, kind: 'credit', purpose: ask.purpose, isDone: true })
    await postCredit(tx, order, { operationId, ...share })
    await creditCustomer(tx, { customerRefHmac: owner, currency, amountMinor: share.amountMinor, operationId, actor: ask.actor, reason: `order ${order.channelOrderId}` })
    await record(tx, order, { type: 'payment.credited', actor: ask.actor, data: { tenderId: share.payer.tenderId, amountMinor: share.amountMinor, currency, ...ask.cause } })
  }
}

/** Whose store credit of an order would be, as she stands on it. @throws `claim.no_customer` */
export async function creditOwner(tx: Transaction, orderId: string): Promise<string> {
  const owner = (await row<{ hmac: string | null }>(tx, 'SELECT customer_ref_hmac AS hmac FROM orders WHERE order_id = ?', [orderId]))!.hmac
  if (owner === null) throw refuse('claim.no_customer')
  return owner
}

/**
 * Units will not come: what was paid for them goes back. Of what was sent in place of others that is what was paid for those, once they are back; where they
 * are still with the customer, their return gives the money back when they come.
 * @param ask.unsent of `paid`, what had not left when it was cancelled: for what it cost more than what it replaces nothing was taken
 */
export async function refundUnsent(tx: Transaction, order: OrderRow, ask: { purpose: string; paid: readonly Units[]; unsent?: readonly Units[]; cause: object }): Promise<IntendedRefund[]> {
  const { orderId } = order
  const { lines } = await soldOf(tx, orderId)
  const isSent = ({ lineId }: Units): boolean => lines.some((l) => l.lineId === lineId && l.replaces !== null)
  const bought = ask.paid.filter((u) => !isSent(u))
  const refunds = bought.length ? await intendRefund(tx, order, { ...ask, back: bought, own: 'lost' }) : []
  for (const [own, units] of [['lost', ask.paid.filter(isSent)], ['unsent', (ask.unsent ?? []).filter(isSent)]] as const)
    for (const { lineId, quantity } of units) {
      const due = await giveUpReplacing(tx, orderId, { lineId, quantity })
      const purpose = `${ask.purpose}:${own}:${lineId}`
      if (due > 0) refunds.push(...(await intendRefund(tx, order, { ...ask, purpose, back: [{ lineId, quantity: due }], own })))
      if (own === 'lost' && quantity > due) refunds.push(...(await intendRefund(tx, order, { ...ask, purpose: `${purpose}:alone`, back: [{ lineId, quantity: quantity - due }], own: 'lost, alone' })))
    }
  return refunds
}

/**
 * Nothing of the order is wanted any more, nor with her because it was charged: what its payments have of it nevertheless, like the shipping of a first parcel that never came, goes back too.
 * The fees of returns stay, and what was given ahead is counted.
 */
export async function refundRest(tx: Transaction, order: OrderRow, ask: { purpose: string; cause: object }): Promise<IntendedRefund[]> {
  const sold = await soldOf(tx, order.orderId)
  if (keptUnits(sold.lines).some((l) => l.quantity > 0) || sold.lines.some((l) => l.charged > l.chargedBack)) return []
  const keeps = await row<{ minor: number }>(tx, `SELECT ${feesSql} - ${aheadSql} AS minor FROM orders o WHERE order_id = ?`, [order.orderId])
  const ours = (await payersOf(tx, order.orderId)).filter((p) => !p.elsewhere) // what a bank took beyond what one has left, all of them have less
  const restMinor = ours.length ? ours.reduce((sum, p) => sum + p.leftMinor, 0) - keeps!.minor : 0
  const shippingTaxMinor = Math.min(restMinor, sold.shipping.taxMinor ?? 0)
  return restMinor > 0 ? intendParts(tx, order, { ...ask, byUs: true }, { goodsMinor: 0, taxMinor: shippingTaxMinor, shippingMinor: restMinor - shippingTaxMinor, feeMinor: 0 }) : []
}

/** What of an amount the payments would give, what would be counted of money given ahead, by hand or by her bank, and what the customer would be owed. */
export async function limitsOf(tx: Transaction, orderId: string, amountMinor: number): Promise<{ givenMinor: number; countedMinor: number; owedMinor: number }> {
  const byBankMinor = Math.min(amountMinor, await chargedBackMinor(tx, orderId))
  const { missingMinor } = spread(await refundable(tx, orderId), amountMinor - byBankMinor)
  const { countedMinor, owedMinor } = shortOf(missingMinor, await givenAheadMinor(tx, orderId))
  return { givenMinor: amountMinor - byBankMinor - missingMinor, countedMinor: byBankMinor + countedMinor, owedMinor }
}

/** Beyond what any goods are worth, by whose wish and whose yes: it stands among the adjustments. */
export const giveGoodwill = (tx: Transaction, order: OrderRow, { amountMinor, askedBy, approvedBy, ...ask }: { purpose: string; cause: object; amountMinor: number; tenderId?: string; askedBy: string; approvedBy?: string }): Promise<IntendedRefund[]> =>
  intendParts(tx, order, { ...ask, atOnce: true }, { goodsMinor: 0, taxMinor: 0, shippingMinor: 0, feeMinor: 0, goodwill: { minor: amountMinor, askedBy, ...(approvedBy !== undefined && { approvedBy }) } })

/** What the customer is owed since a refund by one payment came back is given by others that have as much. */
export const giveByOthers = (tx: Transaction, order: OrderRow, { amountMinor, ...ask }: Cause & { amountMinor: number; not: string; tenderId?: string }): Promise<IntendedRefund[]> =>
  intendParts(tx, order, ask, { goodsMinor: 0, taxMinor: 0, shippingMinor: 0, feeMinor: 0, againMinor: amountMinor })

/** Paid with one payment, no goods left for it, and that has not all of it any more, as returns drew on it: others give the rest. What none has was given ahead, or is a case for finance. */
export const giveUnsold = (tx: Transaction, order: OrderRow, { paymentId, amountMinor, ...ask }: Cause & { paymentId: string; amountMinor: number }): Promise<IntendedRefund[]> =>
  intendParts(tx, order, { ...ask, paymentId, not: paymentId }, { goodsMinor: 0, taxMinor: 0, shippingMinor: 0, feeMinor: 0, unsoldMinor: amountMinor, unsoldOf: paymentId })

async function intendParts(tx: Transaction, order: OrderRow, ask: Wanted, parts: RefundParts): Promise<IntendedRefund[]> {
  if (refundMinor(parts) === 0 && parts.feeMinor < 0) await keepAll(tx, order, ask, parts)
  const intended: IntendedRefund[] = []
  for (const share of await sharesOf(tx, order, ask, parts)) {
    const { payer, amountMinor } = share
    const operationId = await insertBack(tx, order.orderId, { ...share, kind: 'refund', purpose: ask.purpose, isDone: payer.elsewhere })
    if (payer.elsewhere) await givenElsewhere(tx, order, payer, amountMinor)
    else intended.push({ operationId, amountMinor })
  }
  return intended
}

/** Of what came back the fee leaves nothing: that is said with an amount of nothing, so that the fee counts as kept. */
async function keepAll(tx: Transaction, order: OrderRow, { purpose }: Cause, parts: RefundParts): Promise<void> {
  const [payer] = (await refundable(tx, order.orderId)).filter((p) => !p.elsewhere)
  if (payer) await postKept(tx, order, { operationId: await insertBack(tx, order.orderId, { payer, amountMinor: 0, parts, kind: 'refund', purpose, isDone: true }), parts })
}

interface Cause {
  purpose: string
  cause: object
  /** What was charged for goods that did not come back gives it first, else last. */
  guardFirst?: boolean
}

/** Only what this tender took, not what this payment took, nothing that others took, or nothing that a bank may take back meanwhile; and what is counted of it instead stands with this payment. */
type Wanted = Cause & { tenderId?: string; not?: string; byUs?: boolean; atOnce?: boolean; paymentId?: string }

interface Share {
  payer: Payer
  amountMinor: number
  parts: RefundParts
}

/**
 * Which payments give it back, and what of it each. What she has by her bank is counted first; what none of them has left was given ahead by hand, and is counted too; or it is a case for finance.
 * @throws `payment.disputed` where it cannot wait for the end of a dispute, and the payments without one have not enough
 */
async function sharesOf(tx: Transaction, order: OrderRow, ask: Wanted, whole: RefundParts): Promise<Share[]> {
  const parts = await countFirst(tx, order, ask, whole)
  const all = (await refundable(tx, order.orderId, ask.guardFirst)).filter((p) => (ask.tenderId === undefined || p.tenderId === ask.tenderId) && p.paymentId !== ask.not && !(ask.byUs && p.elsewhere))
  const payments = ask.atOnce ? undisputed(all, refundMinor(parts)) : all
  const { shares, missingMinor } = spread(payments, refundMinor(parts))
  const given = missingMinor > 0 ? await settleShort(tx, order, ask, { parts, missingMinor }) : parts
  const each = partsOf(given, shares.map((s) => s.amountMinor))
  return shares.map((share, i) => ({ payer: payments.find((p) => p.paymentId === share.paymentId)!, amountMinor: share.amountMinor, parts: each[i]! }))
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
  disputed: { disputeId: string; amountMinor: number } | null
}

/** Those that no bank takes back from at the moment. @throws `payment.disputed` where they have less than all have of the amount */
export function undisputed(payers: readonly Payer[], amountMinor: number): Payer[] {
  const free = payers.filter((p) => !p.disputed)
  if (spread(free, amountMinor).missingMinor > spread(payers, amountMinor).missingMinor) throw refuse('payment.disputed', payers.find((p) => p.disputed)!.disputed!)
  return free
}

/** What each payment has taken or will have, and neither given back nor lost to the customer’s bank: the provider's first, the last to pay being the first to get it back. */
export async function refundable(tx: Transaction, orderId: string, guardFirst = false): Promise<Payer[]> {
  return withoutOverdrawn(await payersOf(tx, orderId, guardFirst))
}

const payersOf = (tx: Transaction, orderId: string, guardFirst = false): Promise<(Payer & { overMinor: number })[]> => rows(tx, payersSql, [orderId, guardFirst])

const lostSql = `SELECT coalesce(sum(amount_minor), 0) FROM disputes d WHERE d.payment_id = p.payment_id AND d.status = 'lost'`
const payersSql = `
  SELECT p.payment_id AS "paymentId", tender_id AS "tenderId", provider, captured_minor AS "capturedMinor", refunded_minor AS "refundedMinor", provider = 'paid_elsewhere' AS elsewhere,
    CASE WHEN provider = 'paid_elsewhere' THEN captured_minor - refunded_minor - coalesce(sum(op.amount_minor) FILTER (WHERE op.kind = 'credit'), 0)::int8
         ELSE coalesce(sum(op.amount_minor) FILTER (WHERE op.kind = 'capture'), 0)::int8 - coalesce(sum(op.amount_minor) FILTER (WHERE op.kind <> 'capture'), 0)::int8
           - (${lostSql})::int8 END AS "leftMinor",
    CASE WHEN provider = 'paid_elsewhere' THEN 0 ELSE greatest(0, coalesce(sum(op.amount_minor) FILTER (WHERE op.kind <> 'capture' AND op.status = 'succeeded'), 0) + (${lostSql}) - coalesce(sum(op.amount_minor) FILTER (WHERE op.kind = 'capture'), 0))::int8 END AS "overMinor",
    (SELECT json_build_object('disputeId', dispute_id, 'amountMinor', amount_minor) FROM disputes d WHERE d.payment_id = p.payment_id AND d.status = 'open' LIMIT 1) AS disputed
  FROM payments p LEFT JOIN payment_operations op ON op.payment_id = p.payment_id AND op.kind IN ('capture', 'refund', 'credit') AND op.status IN ('intended', 'unknown', 'succeeded')
  WHERE p.order_id = ? GROUP BY p.payment_id ORDER BY elsewhere, (p.part = 0) <> ?, p.payment_id DESC`

/** What a bank took of a payment that had given back what it took, or will have taken, the others have less: the last to give first. A refund that is under way will be counted itself. */
function withoutOverdrawn(payers: readonly (Payer & { overMinor: number })[]): Payer[] {
  let overMinor = payers.reduce((sum, p) => sum + p.overMinor, 0)
  const backwards = payers.toReversed().map((p) => {
    const leftMinor = Math.max(0, p.leftMinor)
    const lessMinor = p.elsewhere ? 0 : Math.min(leftMinor, overMinor)
    overMinor -= lessMinor
    return { ...p, leftMinor: leftMinor - lessMinor }
  })
  return backwards.toReversed()
}

/** Who took the money gives it back; from us it hears how much. */
async function givenElsewhere(tx: Transaction, order: OrderRow, payer: Payer, amountMinor: number): Promise<void> {
  const { paymentId, tenderId, refundedMinor } = payer
  await run(tx, 'UPDATE payments SET refunded_minor = refunded_minor + ? WHERE payment_id = ?', [amountMinor, paymentId])
  await postMoney(tx, order.orderId, { ...payer, currency: order.currency }, { ...payer, refundedMinor: refundedMinor + amountMinor })
  await record(tx, order, { type: 'payment.refunded', actor: self, data: { tenderId, amountMinor, currency: order.currency, by: 'channel' } })
}

/** The payments have not all of it: who has been given the rest ahead, and who is owed it, stands on the timeline and in the books. @returns what the payments give */
async function settleShort(tx: Transaction, order: OrderRow, { purpose, cause, paymentId }: Wanted, { parts, missingMinor }: { parts: RefundParts; missingMinor: number }): Promise<RefundParts> {
  const { orderId, currency } = order
  const amountMinor = refundMinor(parts)
  const givenMinor = amountMinor - missingMinor
  const { countedMinor, owedMinor } = shortOf(missingMinor, await givenAheadMinor(tx, orderId))
  const { given, counted } = counting(parts, { givenMinor, countedMinor })
  if (countedMinor > 0) await countGoodwill(tx, order, { purpose, amountMinor: countedMinor, parts: counted, paymentId })
  const data = { ...cause, amountMinor, feeMinor: 0 - parts.feeMinor, givenMinor, countedMinor, owedMinor, currency }
  await record(tx, order, { type: 'refund.limited', actor: self, data })
  const summary = 'More is to be given back than was taken and is left: the customer is owed the rest. Find out why, and give it back at the provider'
  if (owedMinor > 0) await openException(tx, { ...order, kind: 'payment.refund_short', subject: `${orderId}:${purpose}`, owner: 'finance', summary, data })
  return given
}
