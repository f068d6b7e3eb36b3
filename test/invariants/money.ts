/** What must always hold of money. */
import { query, type BookedIntent, type Invariant, type World } from './world'
import { rows, type Db } from '../../db/connection'
import { moneyAccount } from '../../domain/payment/ledger'
import { worthMinor, type Priced, type PricedLine, type Units } from '../../domain/payment/shares'
import { exchangedLinesJson } from '../../db/exchanges'
import { keptUnits, exchangedMinor, type ExchangedLine } from '../../domain/returns/exchange'

/** The provider's sums per order against ours, both ways. */
const booksAgree: Invariant = {
  id: 'M2-books',
  says: 'the provider’s own sums equal ours to the cent, both ways',
  when: 'quiet',
  async violations({ db, ...outside }) {
    const intents = await booksOf(outside)
    if (!intents) return []
    const ours = await rows<{ orderId: string; authorized: number; captured: number; refunded: number; holds: number }>(
      db,
      `SELECT order_id AS "orderId", sum(authorized_minor)::int8 AS authorized, sum(captured_minor)::int8 AS captured, (sum(refunded_minor) + (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries e WHERE e.order_id = payments.order_id AND kind = 'refund_failed' AND account = 'refunds_owed'))::int8 AS refunded,
         count(*) FILTER (WHERE authorized_minor > 0)::int AS holds
       FROM payments WHERE provider = 'stripe' GROUP BY 1`,
    )
    const known = new Set(ours.map((o) => o.orderId))
    const theirs = (orderId: string, of: (i: BookedIntent) => number): number => intents.filter((i) => i.orderRef === orderId).reduce((sum, i) => sum + of(i), 0)
    const strangers = intents.filter((i) => i.authorizedMinor > 0 && !known.has(i.orderRef ?? ''))
    const differing = ours.filter(
      (o) => theirs(o.orderId, (i) => i.authorizedMinor) !== o.authorized || theirs(o.orderId, (i) => i.capturedMinor) !== o.captured || theirs(o.orderId, (i) => i.refundedMinor) !== o.refunded,
    )
    const doubled = ours.filter((o) => intents.filter((i) => i.orderRef === o.orderId && i.authorizedMinor > 0).length > o.holds)
    return [...strangers, ...differing, ...doubled]
  },
}

async function booksOf({ paymentsUrl, books }: Omit<World, 'db'>): Promise<readonly BookedIntent[] | undefined> {
  if (books || !paymentsUrl) return books?.()
  return ((await (await fetch(`${paymentsUrl}/control/books`)).json()) as { intents: BookedIntent[] }).intents
}

interface PartedOrder extends Priced {
  orderId: string
  stage: string
  open: boolean
  lines: (PricedLine & { cancelled: number; shipped: number; resend: number })[]
  exchanged: ExchangedLine[]
  gone: Units[]
  /** Taken by others, of what they pay of it; taken at once, less what was given back before goods left; asked of the provider by captures; taken, and still held, at the provider; given back. */
  elsewhere: number
  atOnce: number
  takenAtOnce: number
  asked: number
  taken: number
  /** Taken for what did not come back. */
  charged: number
  held: number
  refunded: number
  refundedElsewhere: number
  /** Given as store credit in place of a refund; of it, for what others took. */
  credited: number
  creditedElsewhere: number
  /** Kept of refunds. */
  fees: number
  /** Given back beyond what came back, with a name to it, and not counted since for what came. */
  goodwill: number
  /** Not given back, because she has it by her bank. */
  byBank: number
  /** What the ledger says was sold, and what everybody owes for it. */
  sold: number
  owed: number
  /** First to pay first: those it was placed with, of those what was taken already before what is held, and then those that were added. What each pays at most. */
  tenders: { isTaken: boolean; minor: number }[]
  /** What its tenders are for. */
  tendered: number
}

/** Payments that are held over old goods, and for no part of the order. */
const guards = `SELECT payment_id FROM exchange_payments WHERE role = 'guard'`

const partedOrders = (db: Db): Promise<PartedOrder[]> =>
  rows(
    db,
    `SELECT o.order_id AS "orderId", stage, workflow_open AS open, shipping, tax_included AS "taxIncluded",
       (SELECT json_agg(json_build_object('lineId', line_id, 'quantity', quantity, 'unitPriceMinor', unit_price_minor, 'discountMinor', discount_minor, 'taxMinor', tax_minor, 'raised', raised,
                        'cancelled', cancelled, 'shipped', shipped, 'resend', resend)) FROM order_lines l WHERE l.order_id = o.order_id) AS lines, ${exchangedLinesJson} AS exchanged,
       (SELECT coalesce(json_agg(json_build_object('lineId', l.line_id, 'quantity', l.picked - l.resent)), '[]') FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id)
          WHERE f.order_id = o.order_id AND f.handed_over_at IS NOT NULL AND f.method <> 'transfer') AS gone,
       (SELECT coalesce(sum(coalesce(covers_minor, amount_minor)), 0)::int8 FROM payments t WHERE t.order_id = o.order_id AND t.part = 1) AS tendered,
       (SELECT coalesce(sum(amount_minor), 0)::int8 FROM payment_operations c WHERE c.order_id = o.order_id AND kind = 'capture' AND purpose <> 'taken-at-once' AND status IN ('intended', 'unknown', 'succeeded') AND payment_id NOT IN (${guards})) AS asked,
       (SELECT coalesce(sum(amount_minor), 0)::int8 FROM payment_operations r WHERE r.order_id = o.order_id AND kind = 'credit') AS credited,
       (SELECT coalesce(sum(r.amount_minor), 0)::int8 FROM payment_operations r JOIN payments USING (payment_id) WHERE r.order_id = o.order_id AND kind = 'credit' AND provider = 'paid_elsewhere') AS "creditedElsewhere",
       ((SELECT -coalesce(sum((parts->>'feeMinor')::int8), 0) FROM payment_operations r WHERE r.order_id = o.order_id AND kind IN ('refund', 'credit') AND status = 'succeeded')
         - (SELECT coalesce(sum((parts->>'feeMinor')::int8), 0) FROM counted_goodwill c WHERE c.order_id = o.order_id))::int8 AS fees,
       ((SELECT coalesce(sum((parts->'goodwill'->>'minor')::int8), 0) FROM payment_operations r WHERE r.order_id = o.order_id AND kind = 'refund' AND status = 'succeeded')
         - (SELECT coalesce(sum(amount_minor - coalesce((parts->'goodwill'->>'minor')::int8, 0) - coalesce((parts->>'againMinor')::int8, 0)), 0) FROM counted_goodwill c WHERE c.order_id = o.order_id))::int8 AS goodwill,
       (SELECT coalesce(sum(amount_minor - coalesce((parts->>'againMinor')::int8, 0)), 0)::int8 FROM counted_goodwill c WHERE c.order_id = o.order_id AND given_by = 'bank') AS "byBank",
       (SELECT -coalesce(sum(amount_minor) FILTER (WHERE account IN ('revenue', 'tax', 'shipping', 'discount')), 0)::int8 FROM ledger_entries e WHERE e.order_id = o.order_id AND kind = 'sale') AS sold,
       (SELECT coalesce(sum(amount_minor) FILTER (WHERE account IN ('receivable', 'elsewhere')), 0)::int8 FROM ledger_entries e WHERE e.order_id = o.order_id AND kind = 'sale') AS owed,
       (SELECT coalesce(json_agg(json_build_object('isTaken', t.provider = 'paid_elsewhere' OR taken_at_once, 'minor', CASE WHEN taken_at_once THEN captured_minor
             - (SELECT coalesce(sum((parts->>'unsoldMinor')::int8), 0) FROM payment_operations u WHERE u.order_id = t.order_id AND coalesce((u.parts->>'unsoldOf')::uuid, u.payment_id) = t.payment_id AND kind = 'refund' AND u.status <> 'abandoned')
             - (SELECT coalesce(sum(amount_minor), 0) FROM counted_goodwill c WHERE c.payment_id = t.payment_id) ELSE coalesce(covers_minor, amount_minor) END)
           ORDER BY joined_at > (SELECT min(joined_at) FROM payments f WHERE f.order_id = o.order_id), NOT (t.provider = 'paid_elsewhere' OR taken_at_once), joined_at, payment_id), '[]') FROM payments t WHERE t.order_id = o.order_id AND t.part = 1) AS tenders,
       p.*
     FROM orders o, LATERAL (
       SELECT coalesce(sum(least(captured_minor, covers_minor)) FILTER (WHERE provider = 'paid_elsewhere'), 0)::int8 AS elsewhere,
         coalesce(sum(captured_minor) FILTER (WHERE provider <> 'paid_elsewhere' AND payment_id NOT IN (${guards})), 0)::int8 AS taken,
         coalesce(sum(captured_minor) FILTER (WHERE payment_id IN (${guards})), 0)::int8 AS charged,
         coalesce(sum(captured_minor - (SELECT coalesce(sum((parts->>'unsoldMinor')::int8), 0) FROM payment_operations u WHERE u.order_id = payments.order_id AND coalesce((u.parts->>'unsoldOf')::uuid, u.payment_id) = payments.payment_id AND kind = 'refund' AND u.status <> 'abandoned')
           - (SELECT coalesce(sum(amount_minor), 0) FROM counted_goodwill c WHERE c.payment_id = payments.payment_id)) FILTER (WHERE taken_at_once), 0)::int8 AS "atOnce",
         coalesce(sum(captured_minor) FILTER (WHERE taken_at_once), 0)::int8 AS "takenAtOnce",
         coalesce(sum(CASE status WHEN 'authorized' THEN authorized_minor WHEN 'captured' THEN captured_minor END) FILTER (WHERE provider <> 'paid_elsewhere' AND payment_id NOT IN (${guards})), 0)::int8 AS held,
         (coalesce(sum(refunded_minor), 0) - (SELECT coalesce(sum((parts->>'againMinor')::int8), 0) FROM payment_operations a WHERE a.order_id = o.order_id AND kind = 'refund' AND a.status = 'succeeded'))::int8 AS refunded, coalesce(sum(refunded_minor) FILTER (WHERE provider = 'paid_elsewhere'), 0)::int8 AS "refundedElsewhere"
       FROM payments WHERE order_id = o.order_id) p`,
  )

/** What the provider is asked to take for goods worth so much: what they cost beyond the tenders before, of those that are held. */
function askedFor(tenders: PartedOrder['tenders'], goneMinor: number): number {
  let [askedMinor, leftMinor] = [0, goneMinor]
  for (const { isTaken, minor } of tenders) {
    const paidMinor = Math.max(0, Math.min(minor, leftMinor))
    leftMinor -= paidMinor
    if (!isTaken) askedMinor += paidMinor
  }
  return askedMinor
}

/** An invariant about what the parts of each order are worth, by the shares that the captures are made of. */
const ofParts = (id: string, says: string, when: Invariant['when'], isBroken: (order: PartedOrder, goneMinor: number) => boolean): Invariant => ({
  id,
  says,
  when,
  violations: async ({ db }) => (await partedOrders(db)).filter((o) => isBroken(o, worthMinor(o, o.gone))).map(({ lines: _lines, exchanged: _exchanged, ...o }) => o),
})

/**
 * A closed order keeps the worth of what was neither cancelled nor credited, less what exchanged goods cost less, and the fees of returns, less what was given beyond that with a name to it. Where others took the money, what was cancelled is
 * given back by them without our hearing of it; what was credited is recorded.
 */
function keptWrongly({ stage, open, ...o }: PartedOrder): boolean {
  if (open) return false
  const isOurs = o.elsewhere === 0 && o.refundedElsewhere === 0 // what others gave by hand is theirs to count
  if (stage === 'cancelled') return o.taken + o.charged - (o.refunded - o.refundedElsewhere) - (o.credited - o.creditedElsewhere) !== (isOurs ? -o.goodwill : o.byBank)
  const keptMinor = worthMinor(o, keptUnits(o.exchanged)) + exchangedMinor(o.exchanged)
  return o.elsewhere + o.taken + o.charged - o.refunded - o.credited - o.fees + o.goodwill !== Math.max(keptMinor, o.elsewhere - o.refundedElsewhere - o.creditedElsewhere - o.fees + o.goodwill)
}

/** Per payment, what the ledger says the provider took and gave back. */
const ledgerAgrees: Invariant = {
  id: 'M4-money',
  says: 'what was taken and given back is in the ledger, to the cent',
  when: 'always',
  async violations({ db }) {
    const payments = await rows<{ paymentId: string; provider: string; has: number; posted: Record<string, number> | null }>(
      db,
      `SELECT payment_id AS "paymentId", provider, captured_minor - refunded_minor AS has,
         (SELECT jsonb_object_agg(account, amount) FROM (SELECT account, sum(amount_minor) AS amount FROM ledger_entries e WHERE e.payment_id = p.payment_id AND kind IN ('capture', 'refund') GROUP BY 1) s) AS posted
       FROM payments p WHERE provider <> 'paid_elsewhere'`,
    )
    return payments.filter(({ provider, has, posted }) => (posted?.[moneyAccount(provider)] ?? 0) !== has)
  },
}

export const money: readonly Invariant[] = [
  query('M1', 'authorised ≥ captured ≥ refunded ≥ 0', 'always', `SELECT payment_id FROM payments WHERE NOT (authorized_minor >= captured_minor AND captured_minor >= refunded_minor AND refunded_minor >= 0)`),
  query('M1-tender', 'the payments of a tender take no more than it together, and a further one holds no more than it', 'always',
    `SELECT order_id, tender_id FROM payments GROUP BY 1, 2
     HAVING sum(captured_minor) > max(amount_minor) FILTER (WHERE part = 1) OR max(amount_minor) > max(amount_minor) FILTER (WHERE part = 1)`),
  query('M2', 'at most one succeeded operation of a purpose per payment', 'always', `SELECT payment_id, purpose FROM payment_operations WHERE status = 'succeeded' GROUP BY 1, 2 HAVING count(*) > 1`),
  booksAgree,
  query('M3', 'money moved only by a recorded operation', 'always',
    `SELECT p.payment_id FROM payments p WHERE p.provider = 'stripe' AND (
       (authorized_minor > 0 AND NOT EXISTS (SELECT 1 FROM payment_operations o WHERE o.payment_id = p.payment_id AND o.kind = 'authorize' AND o.status = 'succeeded'))
       OR (captured_minor > 0 AND NOT EXISTS (SELECT 1 FROM payment_operations o WHERE o.payment_id = p.payment_id AND o.kind = 'capture' AND o.status = 'succeeded')))`),
  query('M3-unknown', 'no outcome stays unknown', 'quiet', `SELECT operation_id FROM payment_operations WHERE status IN ('unknown', 'intended') AND order_id IN (SELECT order_id FROM orders WHERE NOT workflow_open)`),
  query('M5', 'an order’s total is its lines, shipping and taxes, and its tenders cover it', 'always',
    `SELECT o.order_id FROM orders o WHERE total_minor <> (SELECT sum(unit_price_minor * quantity - discount_minor + CASE WHEN o.tax_included THEN 0 ELSE tax_minor END) FROM order_lines l WHERE l.order_id = o.order_id)
       + (shipping->>'priceMinor')::int8 + CASE WHEN tax_included THEN 0 ELSE coalesce((shipping->>'taxMinor')::int8, 0) END
     OR (total_minor <> (SELECT sum(amount_minor) FROM payments p WHERE p.order_id = o.order_id AND p.part = 1) AND NOT EXISTS (SELECT 1 FROM order_changes c WHERE c.order_id = o.order_id AND c.state = 'confirmed')
       AND NOT EXISTS (SELECT 1 FROM exchanges x WHERE x.order_id = o.order_id))`),
  ofParts('M5-cover', 'the tenders of an order cover what has left and what has still to', 'always', ({ lines, gone, tendered, ...o }) => {
    const rest = lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.cancelled - l.shipped - l.resend }))
    return tendered < worthMinor({ ...o, lines }, [...gone, ...rest])
  }),
  ofParts('M5-parts', 'what is taken of an order is exactly what the parts that left are worth', 'always', (o, gone) => o.asked !== askedFor(o.tenders, gone) || o.taken - o.takenAtOnce > o.asked),
  query('M4', 'every journal of the ledger sums to zero in each currency', 'always', `SELECT journal_id, currency FROM ledger_entries GROUP BY 1, 2 HAVING sum(amount_minor) <> 0`),
  ledgerAgrees,
  ofParts('M4-sales', 'what left is sold in the ledger for exactly what it is worth', 'always', (o, gone) => o.sold !== gone || o.owed !== gone),
  query('M7', 'a matched line pays out one operation of ours: the same payment, kind, amount and currency, once', 'always',
    `SELECT l.settlement_id, l.line FROM settlement_lines l LEFT JOIN payment_operations op USING (operation_id) LEFT JOIN payments p USING (payment_id)
     WHERE l.outcome = 'matched' AND (op.status IS DISTINCT FROM 'succeeded' OR NOT op.paid_out OR (op.kind, p.reference, p.currency) IS DISTINCT FROM (l.kind, l.reference, l.currency)
       OR abs(l.gross_minor) <> op.amount_minor OR (SELECT count(*) FROM settlement_lines m WHERE m.operation_id = l.operation_id AND m.outcome = 'matched') > 1)`),
  query('M7-reverse', 'an operation is paid out by a line of a settlement, or written off with one, and not otherwise', 'always',
    `SELECT operation_id FROM payment_operations op WHERE paid_out <> (EXISTS (SELECT 1 FROM settlement_lines l WHERE l.operation_id = op.operation_id AND l.outcome = 'matched')
       OR EXISTS (SELECT 1 FROM settlement_breaks b JOIN ledger_entries e ON e.journal_id = 'correction:' || b.settlement_id || ':' || b.number WHERE b.operation_id = op.operation_id AND b.reason = 'wrong_amount'))`),
  query('M7-ledger', 'what was paid out has left the clearing account, and its fee is booked', 'always',
    `SELECT l.settlement_id, l.line FROM settlement_lines l JOIN payment_operations op USING (operation_id) JOIN payments p USING (payment_id) WHERE l.outcome = 'matched' AND (
       -l.gross_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries e WHERE e.journal_id = 'settlement:' || l.operation_id AND account = 'provider_clearing:' || p.provider)
       OR l.fee_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries e WHERE e.journal_id = 'settlement:' || l.operation_id AND account = 'fees'))`),
  query('M7-cases', 'every line of a settlement agrees or is a break, and every break is a case', 'always',
    `SELECT l.settlement_id, l.line FROM settlement_lines l WHERE outcome = 'new' OR (outcome = 'broken' AND NOT EXISTS (SELECT 1 FROM settlement_breaks b WHERE b.settlement_id = l.settlement_id AND b.line = l.line))
     UNION ALL SELECT settlement_id, line FROM settlement_breaks b WHERE NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.exception_id = b.exception_id AND e.kind = 'settlement.' || b.reason AND e.owner = 'finance')`),
  query('M7-corrections', 'what is booked of a break closed its case', 'always',
    `SELECT e.journal_id FROM ledger_entries e WHERE e.kind = 'correction' AND NOT EXISTS (SELECT 1 FROM settlement_breaks b JOIN exceptions x USING (exception_id)
       WHERE e.journal_id = 'correction:' || b.settlement_id || ':' || b.number AND x.resolved_at IS NOT NULL)`),
  query('M6-held', 'nothing is held for an order that is closed', 'quiet', `SELECT payment_id FROM payments JOIN orders USING (order_id) WHERE NOT workflow_open AND payments.status = 'authorized' AND coalesce(authorization_expires_at > now(), true)`),
  query('M6-ledger', 'a closed order owes nothing and is owed nothing', 'quiet',
    `SELECT order_id FROM ledger_entries e JOIN orders o USING (order_id) WHERE NOT workflow_open AND account = 'receivable' GROUP BY 1 HAVING sum(amount_minor) <> 0`),
  query('M4-counted', 'what is counted of money given ahead by hand was given, beyond what came back, and is in the ledger for what came', 'always',
    `SELECT c.order_id FROM (SELECT order_id, sum(amount_minor) AS minor FROM counted_goodwill WHERE given_by = 'hand' GROUP BY 1) c
       WHERE minor > (SELECT coalesce(sum(above_minor), 0) FROM goodwill_refunds g WHERE g.order_id = c.order_id AND status = 'given' AND remedy IS NULL)
     UNION ALL SELECT order_id FROM counted_goodwill c WHERE NOT coalesce(jsonb_exists(parts, 'goodwill'), false) AND (parts->>'feeMinor')::int8 - amount_minor IS DISTINCT FROM
       (SELECT sum(amount_minor) FROM ledger_entries e WHERE e.journal_id = 'counted:' || c.order_id || ':' || c.purpose AND account = 'adjustments')`),
  query('M4-by-bank', 'what is counted of money that a bank gave was lost to it', 'always',
    `SELECT c.order_id FROM (SELECT order_id, sum(amount_minor) AS minor FROM counted_goodwill WHERE given_by = 'bank' GROUP BY 1) c
     WHERE minor > (SELECT coalesce(sum(d.amount_minor), 0) FROM disputes d JOIN payments p USING (payment_id) WHERE p.order_id = c.order_id AND d.status = 'lost')`),
  query('M4-disputes', 'what banks have taken and not decided about stands in the ledger, and what they kept is an adjustment', 'always',
    `SELECT p.payment_id FROM payments p WHERE (SELECT coalesce(sum(amount_minor), 0) FROM disputes d WHERE d.payment_id = p.payment_id AND status = 'open') IS DISTINCT FROM
         (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries e WHERE e.payment_id = p.payment_id AND account = 'disputes')
       OR (SELECT coalesce(sum(amount_minor), 0) FROM disputes d WHERE d.payment_id = p.payment_id AND status = 'lost') IS DISTINCT FROM
         (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries e WHERE e.payment_id = p.payment_id AND kind = 'dispute' AND account = 'adjustments')`),
  query('M4-owed', 'what the ledger owes customers is the refunds that came back and were not given another way', 'quiet',
    `SELECT order_id FROM ledger_entries e WHERE account = 'refunds_owed' GROUP BY 1 HAVING sum(amount_minor) <> -(SELECT coalesce(sum(amount_minor), 0) FROM returned_refunds r WHERE r.order_id = e.order_id AND status = 'owed')`),
  query('M4-told', 'a refund that came back is a case of finance until it is given another way', 'always',
    `SELECT refund_reference FROM returned_refunds r WHERE (status = 'owed') <> EXISTS (SELECT 1 FROM exceptions x WHERE x.kind = 'payment.refund_returned' AND x.subject = refund_reference AND resolved_at IS NULL)`),
  query('X1', 'what exchanged goods cost less is given back for old ones that are back, whose money was given back before, or that were charged', 'always',
    `SELECT x.order_id, x.line_id FROM exchanges x JOIN returns r USING (return_id) JOIN return_lines rl ON rl.return_id = x.return_id AND rl.line_id = x.instead_of
     WHERE x.less_given > CASE WHEN r.in_advance THEN rl.quantity ELSE rl.received + x.charged END`),
  query('X2', 'what was held for an exchange is used, or let go when it ends', 'quiet',
    `SELECT payment_id FROM exchange_payments x JOIN payments p USING (payment_id) JOIN orders o ON o.order_id = p.order_id WHERE p.part = 0 AND p.status = 'authorized' AND NOT o.workflow_open`),
  query('X3', 'what did not come back is charged once: its journal, its price and the operation that takes it agree, and it was still with the customer', 'always',
    `SELECT x.return_id FROM exchanges x JOIN return_lines rl ON rl.return_id = x.return_id AND rl.line_id = x.instead_of WHERE x.charged - x.charged_back > greatest(0, rl.quantity - rl.received - (rl.unreplaced - rl.repaid))
     UNION ALL SELECT return_id FROM (SELECT return_id, bool_or(charged > 0) AS charged FROM exchanges GROUP BY 1) x
       WHERE charged <> EXISTS (SELECT 1 FROM ledger_entries e WHERE e.journal_id = 'charge:' || x.return_id AND kind = 'charge')
     UNION ALL SELECT x.return_id FROM exchange_payments x JOIN payment_operations op USING (payment_id) WHERE x.role = 'guard' AND op.kind = 'capture'
       AND op.amount_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries e WHERE e.journal_id = 'charge:' || x.return_id AND account = 'receivable')`),
  query('V1', 'what is on an account is the sum of its moves, and what is held of it that of its open holds', 'always',
    `SELECT account_id FROM value_accounts a WHERE balance_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM value_moves m WHERE m.account_id = a.account_id)
       OR held_minor <> (SELECT coalesce(sum(authorized_minor - captured_minor), 0) FROM value_holds h WHERE h.account_id = a.account_id AND h.status = 'authorized')`),
  query('V2', 'a hold took and gave back what its moves say', 'always',
    `SELECT reference FROM value_holds h WHERE captured_minor <> (SELECT coalesce(-sum(amount_minor), 0) FROM value_moves m WHERE m.reference = h.reference AND kind = 'captured')
       OR refunded_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM value_moves m WHERE m.reference = h.reference AND kind = 'refunded')`),
  query('V3', 'payments with gift cards and store credit say what their holds say', 'quiet',
    `SELECT payment_id FROM payments p LEFT JOIN value_holds h ON h.reference = p.payment_id WHERE provider IN ('gift_card', 'store_credit')
       AND (h.captured_minor, h.refunded_minor) IS DISTINCT FROM (p.captured_minor, p.refunded_minor)
     UNION ALL SELECT payment_id FROM payments p JOIN value_holds h ON h.reference = p.payment_id JOIN orders o USING (order_id) WHERE NOT o.workflow_open AND h.status = 'authorized'`),
  query('V4', 'the ledger owes the holders of cards and credit what is on their accounts', 'quiet',
    `SELECT a.kind, a.currency FROM (SELECT kind, currency, sum(balance_minor) AS balance FROM value_accounts GROUP BY 1, 2) a
     WHERE balance <> (SELECT coalesce(-sum(amount_minor), 0) FROM ledger_entries e WHERE e.account = a.kind || '_liability' AND e.currency = a.currency)`),
  ofParts('M6', 'a closed order took exactly what it delivered: what was not cancelled, or nothing', 'quiet', keptWrongly),
  ofParts('M8', 'nothing left the building unpaid', 'always', (o, gone) => gone > o.elsewhere + o.held),
]
