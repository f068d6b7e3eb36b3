/** What must always hold of money. */
import { query, type Invariant } from './world'
import { rows } from '../../db/connection'

interface Intent {
  id: string
  orderRef: string | null
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
}

/** The provider's sums per order against ours, both ways. */
const booksAgree: Invariant = {
  id: 'M2-books',
  says: 'the provider’s own sums equal ours to the cent, both ways',
  when: 'quiet',
  async violations({ db, paymentsUrl }) {
    if (!paymentsUrl) return []
    const { intents } = (await (await fetch(`${paymentsUrl}/control/books`)).json()) as { intents: Intent[] }
    const ours = await rows<{ orderId: string; authorized: number; captured: number; refunded: number }>(
      db,
      `SELECT order_id AS "orderId", sum(authorized_minor)::int8 AS authorized, sum(captured_minor)::int8 AS captured, sum(refunded_minor)::int8 AS refunded
       FROM payments WHERE provider = 'stripe' GROUP BY 1`,
    )
    const known = new Set(ours.map((o) => o.orderId))
    const theirs = (orderId: string, of: (i: Intent) => number): number => intents.filter((i) => i.orderRef === orderId).reduce((sum, i) => sum + of(i), 0)
    const strangers = intents.filter((i) => i.authorizedMinor > 0 && !known.has(i.orderRef ?? ''))
    const differing = ours.filter(
      (o) => theirs(o.orderId, (i) => i.authorizedMinor) !== o.authorized || theirs(o.orderId, (i) => i.capturedMinor) !== o.captured || theirs(o.orderId, (i) => i.refundedMinor) !== o.refunded,
    )
    const doubled = ours.filter((o) => intents.filter((i) => i.orderRef === o.orderId && i.authorizedMinor > 0).length > 1)
    return [...strangers, ...differing, ...doubled]
  },
}

export const money: readonly Invariant[] = [
  query('M1', 'authorised ≥ captured ≥ refunded ≥ 0', 'always', `SELECT payment_id FROM payments WHERE NOT (authorized_minor >= captured_minor AND captured_minor >= refunded_minor AND refunded_minor >= 0)`),
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
     OR total_minor <> (SELECT sum(amount_minor) FROM payments p WHERE p.order_id = o.order_id)`),
  query('M6', 'a closed order took exactly what it delivered: all of it, or nothing', 'quiet',
    `SELECT o.order_id FROM orders o WHERE NOT workflow_open AND (SELECT coalesce(sum(captured_minor - refunded_minor), 0) FROM payments p WHERE p.order_id = o.order_id AND (o.stage = 'completed' OR p.provider = 'stripe'))
       <> CASE stage WHEN 'completed' THEN total_minor ELSE 0 END`),
  query('M8', 'nothing left the building unpaid', 'always',
    `SELECT f.fulfillment_id FROM fulfillments f JOIN payments p USING (order_id) WHERE f.handed_over_at IS NOT NULL AND p.status NOT IN ('authorized', 'captured')`),
]
