/** One thing done to many orders: what was asked, by whom and why, and what came of it for each. */
export const name = '0047-bulk-actions'

export const up = `
CREATE TABLE bulk_actions (
  bulk_action_id uuid PRIMARY KEY,
  action text NOT NULL CHECK (action IN ('release', 'cancel', 're-source', 're-promise')),
  reason text NOT NULL,
  actor text NOT NULL,
  -- Of holds: only those of this type.
  hold_type text,
  status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'done', 'withdrawn')),
  orders integer NOT NULL CHECK (orders > 0),
  -- What it was said to do when it was asked for.
  preview jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  starts_at timestamptz NOT NULL,
  started_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX bulk_actions_live ON bulk_actions (starts_at) WHERE status IN ('waiting', 'running');

CREATE TABLE bulk_action_orders (
  bulk_action_id uuid NOT NULL REFERENCES bulk_actions,
  position integer NOT NULL,
  order_id uuid NOT NULL REFERENCES orders,
  outcome text NOT NULL DEFAULT 'waiting' CHECK (outcome IN ('waiting', 'done', 'refused', 'failed', 'withdrawn')),
  code text,
  data jsonb,
  attempts integer NOT NULL DEFAULT 0,
  leased_until timestamptz,
  last_error text,
  at timestamptz,
  PRIMARY KEY (bulk_action_id, position),
  UNIQUE (bulk_action_id, order_id)
);
CREATE INDEX bulk_action_orders_waiting ON bulk_action_orders (bulk_action_id, position) WHERE outcome = 'waiting';
`
