/** What was given ahead by hand and is counted where goods come back, or are cancelled, and the payments of the order have no more. */
export const name = '0065-counted-goodwill'

export const up = `
CREATE TABLE counted_goodwill (
  order_id uuid NOT NULL REFERENCES orders,
  -- The refund that it is counted in, as with its operations.
  purpose text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  -- What of the refund it stands for; adds up to the amount.
  parts jsonb NOT NULL,
  -- Of money that was taken at once, and no goods had left for.
  payment_id uuid REFERENCES payments,
  counted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (order_id, purpose)
);
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check,
  ADD CONSTRAINT ledger_entries_kind_check CHECK (kind IN ('sale', 'capture', 'refund', 'settlement', 'issue', 'credit', 'charge', 'refund_failed', 'given_again', 'counted'));
`
