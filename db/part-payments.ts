/**
 * The money of an order that leaves in parts: what a part is worth, which hold pays for it, and what has to be held again because a hold that
 * can be captured once only is used up by its first part. Under the order's lock, so that no two parts count on the same money.
 */
import { uuidv7 } from 'uuidv7'
import { invariant } from '../domain/invariant'
import type { Sale } from '../domain/payment/ledger'
import { payersOf, shareBreakdown, worthMinor, type Priced, type PricedLine, type Units } from '../domain/payment/shares'
import { row, rows, run, type Transaction } from './connection'
import { methodNow } from './given-methods'
import { postSale } from './ledger'
import { snapshotOf } from './orders'
import { coversSql, payingSequence } from './taken-at-once'

/** Each capture leaves a note with the payment at the provider, which has room for fifty; past this the hold is ended and the rest held again. */
const capturesPerHold = 40

export interface IntendedCaptures {
  captures: { operationId: string; amountMinor: number }[]
  /** Nothing of the order that costs anything has still to leave; what is sent in place of something else, or again, may have. */
  last: boolean
  /** With the last part: the operations that let go of holds it takes nothing from. */
  voids: string[]
}

/**
 * Posts what a part is worth as sold, and records the operations that take it, per tender that pays for it; money taken elsewhere needs none. The last part ends every hold it
 * takes from, and the provider lets go of what was cancelled of it; other holds are let go of. To be called once the fulfillment is handed over.
 */
export async function intendCaptures(tx: Transaction, orderId: string, fulfillmentId: string): Promise<IntendedCaptures> {
  const money = await loadMoney(tx, orderId, fulfillmentId)
  const last = toLeaveMinor(money) === 0
  await postSale(tx, { orderId, currency: money.currency }, saleOf(money, fulfillmentId))
  const taken = capturesOf(money, last)
  const captures = await rows<IntendedCaptures['captures'][number]>(
    tx,
    `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor, final)
     SELECT gen_random_uuid(), "paymentId", ?::uuid, 'capture', ?, "amountMinor", final
     FROM jsonb_to_recordset(?::jsonb) AS c("paymentId" uuid, "amountMinor" bigint, final boolean)
     RETURNING operation_id AS "operationId", amount_minor AS "amountMinor"`,
    [orderId, `capture:${fulfillmentId}`, JSON.stringify(taken)],
  )
  const left = last ? money.holds.filter((h) => h.part > 0 && h.provider !== elsewhere && h.freeMinor > 0 && !taken.some((c) => c.paymentId === h.paymentId)) : []
  return { captures, last, voids: (await intendVoidsOf(tx, orderId, left)).map((v) => v.operationId) }
}

/** Is what the part is worth held, by holds whose time has not run out and that no other part counts on? */
export async function mayShip(tx: Transaction, orderId: string, fulfillmentId: string): Promise<boolean> {
  const money = await loadMoney(tx, orderId, fulfillmentId)
  return payers(money).every(({ tenderId, amountMinor }) => holdFor(money, tenderId, amountMinor) !== undefined)
}

export interface Remainder {
  paymentId: string
  tenderId: string
  operationId: string
  amountMinor: number
}

/** Has money to be held again before the rest of the order may leave? */
export const needsRemainder = async (tx: Transaction, orderId: string): Promise<boolean> => remaindersOf(await loadMoney(tx, orderId)).length > 0

/**
 * What has still to leave and is not held any more is to be held again: a further payment of the tender with its authorise operation, on the payment method
 * that the first one saved. One that is under way is given again; after a declined one there is another. `renewing`: a hold whose time is about to run out
 * is as good as gone.
 */
export async function intendRemainder(tx: Transaction, orderId: string, { renewing = false } = {}): Promise<Remainder[]> {
  const money = await loadMoney(tx, orderId)
  const remainders: Remainder[] = []
  for (const wanted of remaindersOf(renewing ? lasting(money) : money)) remainders.push((await underWay(tx, orderId, wanted)) ?? (await insertRemainder(tx, orderId, wanted)))
  return remainders
}

/** Per tender what has still to leave and is not held, or not for long any more. */
export const missingMoney = async (tx: Transaction, orderId: string): Promise<{ tenderId: string; amountMinor: number }[]> => remaindersOf(lasting(await loadMoney(tx, orderId)))

/** Records the operations that let go of holds of which nothing that has still to leave will be paid: the tenders that would have paid last are not needed for an order of less. */
export async function intendIdleVoids(tx: Transaction, orderId: string): Promise<{ operationId: string }[]> {
  const money = await loadMoney(tx, orderId)
  const needed = new Set(payingNow(money, worthMinor(money, money.gone), toLeaveMinor(money)).map((p) => p.tenderId))
  const idle = money.holds.filter((h) => h.part > 0 && h.provider !== elsewhere && h.freeMinor > 0 && !needed.has(h.tenderId))
  // A tender that a change or an exchange added is none any more; who wants more again is charged anew.
  await run(tx, `UPDATE payments SET part = 0 WHERE payment_id = ANY(?::uuid[]) AND part = 1 AND captured_minor = 0 AND payment_id IN (SELECT payment_id FROM order_changes WHERE order_id = ? UNION ALL SELECT payment_id FROM exchange_payments)`, [idle.map((h) => h.paymentId), orderId])
  return intendVoidsOf(tx, orderId, idle)
}

/** The same for holds that are too small for what their tender has still to pay: it is held again in one. */
export async function intendSmallVoids(tx: Transaction, orderId: string): Promise<{ operationId: string }[]> {
  const money = await loadMoney(tx, orderId)
  const again = new Set(remaindersOf(money).map((r) => r.tenderId))
  return intendVoidsOf(tx, orderId, money.holds.filter((h) => h.freeMinor > 0 && again.has(h.tenderId)))
}

/** Records the operations that let go of holds beside the one that will pay: what is held anew lasts longer than what was held before. */
export async function intendOldVoids(tx: Transaction, orderId: string): Promise<{ operationId: string }[]> {
  const money = await loadMoney(tx, orderId)
  const toPay = payingNow(money, worthMinor(money, money.gone), toLeaveMinor(money))
  const pays = new Set(toPay.map(({ tenderId, amountMinor }) => holdFor(lasting(money), tenderId, amountMinor)?.paymentId))
  const renewed = money.holds.filter((h) => pays.has(h.paymentId) && h.part > 1).map((h) => h.tenderId)
  return intendVoidsOf(tx, orderId, money.holds.filter((h) => h.part > 0 && h.freeMinor > 0 && renewed.includes(h.tenderId) && !pays.has(h.paymentId)))
}

const intendVoidsOf = (tx: Transaction, orderId: string, holds: readonly Hold[]): Promise<{ operationId: string }[]> =>
  rows(
    tx,
    `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
     SELECT gen_random_uuid(), "paymentId", ?::uuid, 'void', 'void', "freeMinor" FROM jsonb_to_recordset(?::jsonb) AS h("paymentId" uuid, "freeMinor" bigint)
     ON CONFLICT (payment_id, purpose) DO UPDATE SET purpose = excluded.purpose RETURNING operation_id AS "operationId"`,
    [orderId, JSON.stringify(holds)],
  )

/** What each tender pays of the order as it is is all it pays from now on: what something dearer costs more is paid by a tender of its own, also where another has let something go before. */
export async function closeTenders(tx: Transaction, orderId: string): Promise<void> {
  const money = await loadMoney(tx, orderId)
  const tenders = tendersOf(money)
  const pays = payersOf(tenders, 0, worthMinor(money, [...money.gone, ...restOf(money)]))
  const covers = tenders.map(({ paymentId, tenderId, amountMinor }) => ({ paymentId, amountMinor, coversMinor: pays.find((p) => p.tenderId === tenderId)?.amountMinor ?? 0 })).filter((t) => t.coversMinor < t.amountMinor)
  await run(tx, 'UPDATE payments p SET covers_minor = c."coversMinor" FROM jsonb_to_recordset(?::jsonb) AS c("paymentId" uuid, "coversMinor" bigint) WHERE payment_id = c."paymentId"', [JSON.stringify(covers)])
}

interface Money extends Priced {
  currency: string
  /** Where the part leaves from, and what is in it, in words. */
  from: string | null
  goods: string | null
  lines: (PricedLine & { cancelled: number; shipped: number; resend: number })[]
  /** What has left, and what is leaving now. */
  gone: Units[]
  part: Units[]
  holds: Hold[]
}
interface Hold {
  paymentId: string
  tenderId: string
  provider: string
  amountMinor: number
  part: number
  multicapture: boolean
  /** The bank took it instead of holding it. */
  atOnce: boolean
  /** Held, in time, and counted on by no part yet. */
  freeMinor: number
  /** Its time runs out so soon that it is to be held anew. */
  expiring: boolean
  captures: number
}

async function loadMoney(tx: Transaction, orderId: string, fulfillmentId?: string): Promise<Money> {
  const money = await row<Money>(tx, moneySql, { orderId, fulfillmentId: fulfillmentId ?? null })
  invariant(money, `order ${orderId} has a row`)
  return money
}

const moneySql = `
  SELECT o.currency, (SELECT node_id FROM fulfillments WHERE fulfillment_id = :fulfillmentId::uuid) AS "from",
    (SELECT string_agg(picked - resent || ' × ' || sku, ', ' ORDER BY line_id) FROM fulfillment_lines WHERE fulfillment_id = :fulfillmentId::uuid AND picked > resent) AS goods,
    o.shipping, o.tax_included AS "taxIncluded",
    (SELECT json_agg(json_build_object('lineId', line_id, 'quantity', quantity, 'unitPriceMinor', unit_price_minor, 'discountMinor', discount_minor,
                                       'taxMinor', tax_minor, 'raised', raised, 'cancelled', cancelled, 'shipped', shipped, 'resend', resend)) FROM order_lines WHERE order_id = o.order_id) AS lines,
    (SELECT coalesce(json_agg(json_build_object('lineId', l.line_id, 'quantity', l.picked - l.resent)), '[]') FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id)
       WHERE f.order_id = o.order_id AND f.handed_over_at IS NOT NULL AND f.method <> 'transfer' AND f.fulfillment_id IS DISTINCT FROM :fulfillmentId::uuid) AS gone,
    (SELECT coalesce(json_agg(json_build_object('lineId', line_id, 'quantity', picked - resent)), '[]') FROM fulfillment_lines WHERE fulfillment_id = :fulfillmentId::uuid) AS part,
    (SELECT json_agg(json_build_object('paymentId', p.payment_id, 'tenderId', tender_id, 'provider', provider, 'amountMinor', ${coversSql}, 'part', part,
         'multicapture', multicapture, 'atOnce', taken_at_once, 'captures', op.captures, 'expiring', coalesce(authorization_expires_at <= now() + (${snapshotOf('o')}->'payment'->>'reauthorizeBefore')::interval, false),
         'freeMinor', CASE WHEN p.status <> 'authorized' OR authorization_expires_at <= now() OR op.ends THEN 0 ELSE authorized_minor - op.intended END) ORDER BY ${payingSequence('p')})
       FROM payments p, LATERAL (SELECT count(*) FILTER (WHERE kind = 'capture') AS captures, coalesce(sum(amount_minor) FILTER (WHERE kind = 'capture'), 0) AS intended,
                                   coalesce(bool_or(kind = 'void' OR (kind = 'capture' AND final)), false) AS ends
                                 FROM payment_operations WHERE payment_id = p.payment_id AND kind IN ('capture', 'void') AND status <> 'abandoned') op
       WHERE p.order_id = o.order_id) AS holds
  FROM orders o WHERE order_id = :orderId`

const elsewhere = 'paid_elsewhere'

/** The tenders as they were given: each by its first payment. */
const tendersOf = ({ holds }: Money) => holds.filter((h) => h.part === 1).map((h) => ({ ...h, takenElsewhere: h.provider === elsewhere || h.atOnce }))

/** The share of the part that is leaving, in its parts, and how much of it is paid elsewhere. */
function saleOf(money: Money, fulfillmentId: string): Sale {
  const parts = shareBreakdown(money, money.gone, money.part)
  const beforeMinor = worthMinor(money, money.gone)
  const tenders = tendersOf(money)
  const paidElsewhere = new Set(tenders.filter((t) => t.provider === elsewhere).map((t) => t.tenderId))
  const share = worthMinor(money, [...money.gone, ...money.part]) - beforeMinor
  const elsewhereMinor = payersOf(tenders, beforeMinor, share).reduce((sum, p) => sum + (paidElsewhere.has(p.tenderId) ? p.amountMinor : 0), 0)
  return { fulfillmentId, what: `${money.goods} left ${money.from}`, parts, elsewhereMinor }
}

/** Who pays for a share that follows `beforeMinor`, money that is taken already left out. */
function payingNow(money: Money, beforeMinor: number, share: number): { tenderId: string; amountMinor: number }[] {
  const tenders = tendersOf(money)
  return payersOf(tenders, beforeMinor, share).filter(({ tenderId }) => !tenders.find((t) => t.tenderId === tenderId)!.takenElsewhere)
}

function payers(money: Money): { tenderId: string; amountMinor: number }[] {
  const beforeMinor = worthMinor(money, money.gone)
  return payingNow(money, beforeMinor, worthMinor(money, [...money.gone, ...money.part]) - beforeMinor)
}

const holdFor = ({ holds }: Money, tenderId: string, amountMinor: number): Hold | undefined => holds.find((h) => h.tenderId === tenderId && h.freeMinor >= amountMinor)

/** As if what expires soon had expired. */
const lasting = (money: Money): Money => ({ ...money, holds: money.holds.map((h) => (h.expiring ? { ...h, freeMinor: 0 } : h)) })

const capturesOf = (money: Money, last: boolean): { paymentId: string; amountMinor: number; final: boolean }[] =>
  payers(money).map(({ tenderId, amountMinor }) => {
    const hold = holdFor(money, tenderId, amountMinor)
    invariant(hold, `${amountMinor} of tender ${tenderId} are held`)
    const ends = last || !hold.multicapture || hold.freeMinor === amountMinor || hold.captures + 1 >= capturesPerHold
    return { paymentId: hold.paymentId, amountMinor, final: ends }
  })

/** What of the order has still to leave and is not paid: what leaves now is shipped already, and what was lost and given up counts once, as cancelled. */
const restOf = ({ lines }: Money): Units[] => lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.cancelled - l.shipped - l.resend })).filter((l) => l.quantity > 0)

function toLeaveMinor(money: Money): number {
  const left = [...money.gone, ...money.part]
  return worthMinor(money, [...left, ...restOf(money)]) - worthMinor(money, left)
}

/** Per tender, what it has still to pay, where its holds do not cover that any more. */
function remaindersOf(money: Money): { tenderId: string; amountMinor: number }[] {
  const beforeMinor = worthMinor(money, [...money.gone, ...money.part])
  return payingNow(money, beforeMinor, toLeaveMinor(money)).filter(({ tenderId, amountMinor }) => holdFor(money, tenderId, amountMinor) === undefined)
}

const underWay = (tx: Transaction, orderId: string, { tenderId, amountMinor }: { tenderId: string; amountMinor: number }): Promise<Remainder | undefined> =>
  row<Remainder>(
    tx,
    `SELECT p.payment_id AS "paymentId", tender_id AS "tenderId", op.operation_id AS "operationId", p.amount_minor AS "amountMinor"
     FROM payments p JOIN payment_operations op ON op.payment_id = p.payment_id AND op.purpose = 'authorize'
     WHERE p.order_id = ? AND tender_id = ? AND p.amount_minor >= ? AND p.status IN ('opened', 'action_required', 'processing') AND part > 1
       AND NOT EXISTS (SELECT 1 FROM payment_operations v WHERE v.payment_id = p.payment_id AND v.kind = 'void') ORDER BY part DESC LIMIT 1`,
    [orderId, tenderId, amountMinor],
  )

/** @param givenId the customer gives another way of paying for it; without one it is charged again as it was held last */
export async function insertRemainder(tx: Transaction, orderId: string, { tenderId, amountMinor }: { tenderId: string; amountMinor: number }, givenId: string | null = null): Promise<Remainder> {
  const [paymentId, operationId] = [uuidv7(), uuidv7()]
  await run(
    tx,
    `WITH held AS (
       INSERT INTO payments (payment_id, order_id, tender_id, provider, payment_method, payer, amount_minor, currency, status, part, given_id)
       SELECT :paymentId, f.order_id, f.tender_id, coalesce(g.provider, now.provider), coalesce(g.payment_method, now.method), CASE WHEN g.given_id IS NULL THEN now.payer END, :amountMinor, f.currency, 'opened',
         (SELECT max(part) + 1 FROM payments WHERE order_id = f.order_id AND tender_id = f.tender_id), g.given_id
       FROM payments f CROSS JOIN LATERAL (${methodNow('f')}) now LEFT JOIN given_methods g ON g.given_id = :givenId::uuid
       WHERE f.order_id = :orderId AND f.tender_id = :tenderId AND f.part = 1 RETURNING payment_id, order_id)
     INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
     SELECT :operationId, payment_id, order_id, 'authorize', 'authorize', :amountMinor FROM held`,
    { paymentId, operationId, orderId, tenderId, amountMinor, givenId },
  )
  return { paymentId, tenderId, operationId, amountMinor }
}
