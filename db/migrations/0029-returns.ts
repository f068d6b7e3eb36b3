/** What comes back: returns with their lines, every count at a counter, and refunds that say what they give back. */
export const name = '0029-returns'

export const up = `
-- Of a refund: what it gives back of goods, tax and shipping, less a fee; adds up to its amount.
ALTER TABLE payment_operations ADD COLUMN parts jsonb;

-- Units whose money was given back, whether they came back or not.
ALTER TABLE order_lines ADD COLUMN credited integer NOT NULL DEFAULT 0 CHECK (credited >= 0 AND credited <= quantity);
-- Units sent in place of others: which line they replace.
ALTER TABLE order_lines ADD COLUMN replaces text;

CREATE TABLE returns (
  return_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  number integer NOT NULL CHECK (number > 0),
  status text NOT NULL CHECK (status IN ('requested', 'approved', 'in_transit', 'collected', 'received', 'closed', 'rejected', 'cancelled')),
  method text NOT NULL CHECK (method IN ('mail', 'store', 'courier', 'at_door', 'none')),
  -- What the customer gets for what comes back.
  remedy text NOT NULL CHECK (remedy IN ('refund', 'replacement')),
  -- Refunded when it is asked for, before anything has come back.
  in_advance boolean NOT NULL DEFAULT false,
  fee_minor bigint NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
  -- A person let it through against the policy: who, and which rule.
  override jsonb,
  -- Of a replacement that is sent when the old goods are back: what is to be sent.
  wanted jsonb,
  command_id text UNIQUE,
  due_at timestamptz NOT NULL,
  waiting_on jsonb,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  UNIQUE (order_id, number)
);
CREATE INDEX returns_open ON returns (order_id) WHERE ended_at IS NULL;

CREATE TABLE return_lines (
  return_id uuid NOT NULL REFERENCES returns,
  order_id uuid NOT NULL,
  line_id text NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  reason text NOT NULL,
  received integer NOT NULL DEFAULT 0,
  -- Counted, and not what was sent: they come to nothing.
  disputed integer NOT NULL DEFAULT 0,
  PRIMARY KEY (return_id, line_id),
  FOREIGN KEY (order_id, line_id) REFERENCES order_lines,
  CHECK (received >= 0 AND disputed >= 0 AND received + disputed <= quantity)
);
CREATE INDEX return_lines_of_order ON return_lines (order_id, line_id);

CREATE TABLE return_receipts (
  receipt_id bigserial PRIMARY KEY,
  return_id uuid NOT NULL REFERENCES returns,
  line_id text NOT NULL,
  node_id text NOT NULL REFERENCES nodes,
  quantity integer NOT NULL CHECK (quantity > 0),
  grade text NOT NULL,
  disposition text NOT NULL CHECK (disposition IN ('restock', 'refurbish', 'write_off', 'to_vendor', 'none')),
  actor text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER return_receipts_append_only BEFORE UPDATE OR DELETE ON return_receipts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE INDEX return_receipts_of_return ON return_receipts (return_id);
`
