/** Of each line of a return, for how many units it gave the money, and which of them others paid for or brought: so that nothing is paid twice. */
export const name = '0072-given-before-it-came'

export const up = `
-- Units whose money this return gave: when they were counted, or before they came.
ALTER TABLE return_lines ADD COLUMN given integer NOT NULL DEFAULT 0 CHECK (given >= 0 AND given <= quantity);
-- Of these, what did not come with it and came with a later return.
ALTER TABLE return_lines ADD COLUMN came_later integer NOT NULL DEFAULT 0 CHECK (came_later >= 0 AND came_later <= given);
-- Units that an earlier return paid for and ended without: they come for nothing.
ALTER TABLE return_lines ADD COLUMN covered integer NOT NULL DEFAULT 0 CHECK (covered >= 0 AND covered <= quantity);
-- Of these, what is here.
ALTER TABLE return_lines ADD COLUMN covered_back integer NOT NULL DEFAULT 0 CHECK (covered_back >= 0 AND covered_back <= covered AND covered_back <= received);

-- What was counted as something else before the money was given was not paid for.
UPDATE return_lines rl SET given = CASE WHEN r.in_advance THEN rl.quantity - coalesce((
    SELECT sum(c.quantity) FROM return_receipts c WHERE c.return_id = rl.return_id AND c.line_id = rl.line_id AND c.disposition = 'none'
      AND c.at < coalesce((SELECT min(op.created_at) FROM payment_operations op WHERE op.order_id = rl.order_id AND op.purpose = 'refund:' || rl.return_id || ':0'), r.requested_at)), 0)
  ELSE rl.received END
FROM returns r WHERE r.return_id = rl.return_id AND r.remedy <> 'replacement';
`
