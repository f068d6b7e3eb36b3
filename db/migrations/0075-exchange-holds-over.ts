/** A hold for an exchange that nothing counts on any more. */
export const name = '0075-exchange-holds-over'

export const up = `
ALTER TABLE exchange_payments ADD COLUMN over boolean NOT NULL DEFAULT false;
-- What the bank said no to before this was kept.
UPDATE exchange_payments x SET over = true FROM payments p WHERE p.payment_id = x.payment_id AND p.part = 0 AND p.status = 'declined';
`
