/** What rules for holds look at, and the fraud service: each question is a row before it is asked, with its one key and its first answer. */
export const name = '0046-hold-rules'

export const up = `
ALTER TABLE orders ADD COLUMN bill_to jsonb, ADD COLUMN flags text[];
CREATE INDEX orders_of_customer ON orders (customer_ref_hmac, order_id) WHERE customer_ref_hmac IS NOT NULL;

CREATE TABLE fraud_checks (
  check_id uuid PRIMARY KEY,
  order_id uuid NOT NULL UNIQUE REFERENCES orders,
  -- What stands until it is answered.
  hold_id uuid NOT NULL REFERENCES holds,
  status text NOT NULL CHECK (status IN ('to_ask', 'asked', 'answered')),
  attempts integer NOT NULL DEFAULT 0,
  -- When it is asked next, or again: under the same key the service says what it knows by then.
  next_at timestamptz NOT NULL DEFAULT now(),
  last_error text,
  reference text,
  verdict text CHECK (verdict IN ('accept', 'review', 'reject')),
  asked_at timestamptz,
  answered_at timestamptz,
  CHECK ((status = 'answered') = (verdict IS NOT NULL))
);
CREATE INDEX fraud_checks_due ON fraud_checks (next_at) WHERE status <> 'answered';
`
