/** Erasing a customer: what was asked for, what is done, and what waits for an order to end. */
export const name = '0054-erasure'

export const up = `
-- Whom it was about is not kept: that would be the one thing left of her.
CREATE TABLE erasures (
  erasure_id uuid PRIMARY KEY,
  of text NOT NULL CHECK (of IN ('customer', 'order')),
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE orders
  ADD COLUMN erased_at timestamptz,
  -- Under way when it was asked for: erased in the transaction in which it ends.
  ADD COLUMN erase_when_ended uuid REFERENCES erasures;
CREATE INDEX orders_to_erase ON orders (erase_when_ended) WHERE erase_when_ended IS NOT NULL;
`
