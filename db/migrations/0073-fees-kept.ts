/** What was kept of a return so far, and what the units were paid with that it gave money for: so that a fee the first of them do not cover is kept of the next. */
export const name = '0073-fees-kept'

export const up = `
ALTER TABLE returns ADD COLUMN fee_kept_minor bigint NOT NULL DEFAULT 0 CHECK (fee_kept_minor >= 0);
-- Shipping left out.
ALTER TABLE return_lines ADD COLUMN worth_minor bigint NOT NULL DEFAULT 0;

UPDATE returns r SET fee_kept_minor =
    (SELECT coalesce(-sum((parts->>'feeMinor')::int8), 0) FROM payment_operations op WHERE op.order_id = r.order_id AND kind IN ('refund', 'credit') AND status <> 'abandoned' AND purpose LIKE 'refund:' || r.return_id || ':%')
  + (SELECT coalesce(-sum((parts->>'feeMinor')::int8), 0) FROM counted_goodwill c WHERE c.order_id = r.order_id AND purpose LIKE 'refund:' || r.return_id || ':%')
WHERE fee_minor > 0;
-- Near enough for fees: what the line cost for each of the units.
UPDATE return_lines rl SET worth_minor = (l.unit_price_minor * l.quantity - l.discount_minor) * rl.given / l.quantity
FROM order_lines l WHERE l.order_id = rl.order_id AND l.line_id = rl.line_id AND rl.given > 0;
`
