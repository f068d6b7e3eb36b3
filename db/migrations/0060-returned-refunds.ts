/** A refund that came back is owed to the customer until somebody gives it another way: which, by whom, and once. */
export const name = '0060-returned-refunds'

export const up = `
CREATE TABLE returned_refunds (
  refund_reference text PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  payment_id uuid NOT NULL REFERENCES payments,
  -- Ours, where it was one of ours; a refund made by hand at the provider has none.
  operation_id uuid,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency text NOT NULL,
  returned_at timestamptz NOT NULL DEFAULT now(),
  status text NOT NULL DEFAULT 'owed' CHECK (status IN ('owed', 'given')),
  way text CHECK (way IN ('another_payment', 'store_credit', 'bank_transfer')),
  -- Of a transfer: what the bank calls it, and who made it.
  transfer_reference text,
  sent_by text,
  given_by text,
  given_at timestamptz,
  command_id text UNIQUE,
  CHECK ((status = 'given') = (way IS NOT NULL AND given_by IS NOT NULL AND given_at IS NOT NULL)),
  CHECK ((way IS NOT DISTINCT FROM 'bank_transfer') = (transfer_reference IS NOT NULL AND sent_by IS NOT NULL))
);
CREATE INDEX returned_refunds_of_order ON returned_refunds (order_id);
INSERT INTO returned_refunds (refund_reference, order_id, payment_id, amount_minor, currency, returned_at)
  SELECT substr(journal_id, 15), order_id, payment_id, -amount_minor, currency, at FROM ledger_entries WHERE kind = 'refund_failed' AND account = 'refunds_owed';
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check,
  ADD CONSTRAINT ledger_entries_kind_check CHECK (kind IN ('sale', 'capture', 'refund', 'settlement', 'issue', 'credit', 'charge', 'refund_failed', 'given_again'));
`
