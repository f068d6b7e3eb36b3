/** Typed holds: who stopped which steps of an order, why, until when, and who has said yes so far. */
export const name = '0045-holds'

export const up = `
-- The steps that open holds block, kept with the order so that whoever locks it sees them: a hold and a hand-over cannot both win.
ALTER TABLE orders ADD COLUMN blocked text[] NOT NULL DEFAULT '{}';

CREATE TABLE holds (
  hold_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  type text NOT NULL,
  reason text NOT NULL,
  blocks text[] NOT NULL CHECK (cardinality(blocks) > 0 AND blocks <@ ARRAY['payment', 'sourcing', 'picking', 'shipping', 'refund']),
  owner text NOT NULL CHECK (owner IN ('support', 'operations', 'admin')),
  -- The rule of the policy that placed it; NULL: a person did.
  rule text,
  placed_by text NOT NULL,
  placed_at timestamptz NOT NULL,
  command_id text UNIQUE,
  deadline timestamptz,
  at_deadline text NOT NULL CHECK (at_deadline IN ('release', 'cancel', 'escalate')),
  -- So many people have to say yes, none of whom is the one who asked.
  approvals integer NOT NULL DEFAULT 0 CHECK (approvals >= 0),
  asked_by text NOT NULL,
  released_by_fact text,
  ended_at timestamptz,
  ended_how text CHECK (ended_how IN ('released', 'order_ended')),
  ended_by text,
  CHECK ((ended_at IS NULL) = (ended_how IS NULL))
);
CREATE INDEX holds_of_order ON holds (order_id);
CREATE INDEX holds_open ON holds (owner, placed_at) WHERE ended_at IS NULL;

CREATE TABLE hold_approvals (
  hold_id uuid NOT NULL REFERENCES holds,
  approver text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (hold_id, approver)
);
`
