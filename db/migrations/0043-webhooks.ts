/** Who wants to hear of what, how far each has heard, and every message sent. */
export const name = '0043-webhooks'

export const up = `
CREATE TABLE webhook_endpoints (
  endpoint_id uuid PRIMARY KEY,
  url text NOT NULL,
  -- null: all
  event_types text[],
  channels text[],
  description text NOT NULL DEFAULT '',
  api_version text NOT NULL,
  status text NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'disabled', 'deleted')),
  disabled_reason text,
  secret text NOT NULL,
  previous_secret text,
  previous_until timestamptz,
  -- Everything of the log up to and including here has its delivery, or was not for this endpoint.
  cursor_xid xid8 NOT NULL,
  cursor_seq bigint NOT NULL,
  -- Its circuit breaker; fenced_until null: open to all.
  score double precision NOT NULL DEFAULT 0,
  scored_at timestamptz NOT NULL DEFAULT now(),
  fenced_until timestamptz,
  last_success_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL
);

CREATE TABLE webhook_deliveries (
  delivery_id uuid PRIMARY KEY,
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints,
  webhook_id text NOT NULL,
  -- null: a test, about no event of the log
  seq bigint,
  order_id uuid,
  type text NOT NULL,
  api_version text NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'dead')),
  -- Asked for by a person: waits for no other, and no other waits for it.
  by_hand boolean NOT NULL DEFAULT false,
  -- Also the lease of whoever is sending it.
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  give_up_at timestamptz NOT NULL,
  claims integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  attempts jsonb NOT NULL DEFAULT '[]',
  reason text,
  queued_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz,
  UNIQUE (endpoint_id, seq)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at, seq) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_ahead ON webhook_deliveries (endpoint_id, order_id, seq) WHERE status = 'pending' AND NOT by_hand;
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (endpoint_id, delivery_id DESC);
CREATE INDEX webhook_deliveries_of_order ON webhook_deliveries (order_id, delivery_id DESC);
CREATE INDEX webhook_deliveries_settled ON webhook_deliveries (settled_at) WHERE status <> 'pending';

-- Replays ask from when on; events come nearly in the order of time, so a coarse index is enough and costs intake next to nothing.
CREATE INDEX order_events_by_time ON order_events USING brin (at) WITH (pages_per_range = 32);
`
