/** A customer gives another way of paying for what of her order is not held any more. */
export const name = '0064-given-methods'

export const up = `
CREATE TABLE given_methods (
  given_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  -- Of the order’s tenders the one that is paid by it from now on; null: every one that is not held.
  tender_id text,
  provider text NOT NULL,
  -- The provider’s token; of a gift card or store credit its account.
  payment_method text,
  actor text NOT NULL,
  given_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX given_methods_of ON given_methods (order_id);
-- She is there to be asked by her bank: the method is given for this payment, and not charged again.
ALTER TABLE payments ADD COLUMN given_id uuid REFERENCES given_methods;
`
