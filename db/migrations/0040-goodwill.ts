/** Money given back beyond what came back: who asked, how much of it is above the value received, and who else agreed. */
export const name = '0040-goodwill'

export const up = `
CREATE TABLE goodwill_refunds (
  refund_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  status text NOT NULL CHECK (status IN ('waiting', 'given', 'rejected')),
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  -- Of it, what is beyond what was paid for goods the customer does not have: it needs another person's yes.
  above_minor bigint NOT NULL CHECK (above_minor >= 0 AND above_minor <= amount_minor),
  tender_id text,
  lines jsonb,
  reason text NOT NULL,
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT now(),
  decided_by text,
  decided_at timestamptz,
  command_id text UNIQUE,
  CHECK (status <> 'given' OR above_minor = 0 OR (decided_by IS NOT NULL AND decided_by <> asked_by))
);
CREATE INDEX goodwill_refunds_of_order ON goodwill_refunds (order_id);
`
