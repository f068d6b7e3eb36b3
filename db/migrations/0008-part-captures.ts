/** The money of an order that leaves in parts: several captures of one hold, or one hold after the other. */
export const name = '0008-part-captures'

export const up = `
-- A tender is held in full by its first payment; where that can be captured only once, what has still to leave is held again by a further one.
ALTER TABLE payments
  ADD COLUMN part integer NOT NULL DEFAULT 1 CHECK (part > 0),
  ADD COLUMN multicapture boolean NOT NULL DEFAULT false,
  ADD COLUMN payer text,
  ADD COLUMN saved_method text;
ALTER TABLE payments DROP CONSTRAINT payments_order_id_tender_id_key;
ALTER TABLE payments ADD CONSTRAINT payments_one_per_part UNIQUE (order_id, tender_id, part);

-- After a final capture the provider lets go of what is still held.
ALTER TABLE payment_operations ADD COLUMN final boolean NOT NULL DEFAULT true;
`
