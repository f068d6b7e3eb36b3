/** What else a channel is set up with: which kind of place it is, where its customers find their orders, what the rules are told of it, how long it may be silent, and its own api: what it is told of parcels and stock, and how far it has been listed. */
export const name = '0051-channel-settings'

export const up = `
ALTER TABLE channels
  ADD COLUMN kind text NOT NULL DEFAULT 'web' CHECK (kind IN ('web', 'marketplace', 'till', 'phone', 'agent')),
  ADD COLUMN order_page_url text,
  ADD COLUMN flags text[] NOT NULL DEFAULT '{}',
  ADD COLUMN silence text,
  ADD COLUMN api jsonb,
  ADD COLUMN api_token text,
  ADD COLUMN listed_until timestamptz,
  ADD COLUMN listed_at timestamptz,
  ADD COLUMN stock_teller_until timestamptz;
UPDATE channels SET kind = 'till' WHERE channel_id = 'pos';
UPDATE channels SET kind = 'marketplace' WHERE channel_id = 'marketplace';
CREATE VIEW channel_sequence AS
  SELECT channel, sequence, received_at FROM channel_documents WHERE sequence IS NOT NULL
  UNION ALL SELECT channel, sequence, received_at FROM quarantine WHERE sequence IS NOT NULL;

CREATE TABLE channel_operations (
  operation_id uuid PRIMARY KEY,
  channel text NOT NULL REFERENCES channels,
  order_id uuid NOT NULL REFERENCES orders,
  fulfillment_id uuid NOT NULL UNIQUE REFERENCES fulfillments,
  payload jsonb NOT NULL,
  status text NOT NULL DEFAULT 'intended' CHECK (status IN ('intended', 'unknown', 'succeeded', 'refused')),
  reference text,
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  next_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz
);
CREATE INDEX channel_operations_due ON channel_operations (next_at) WHERE status IN ('intended', 'unknown');
CREATE TRIGGER channel_operations_kept BEFORE DELETE ON channel_operations FOR EACH ROW EXECUTE FUNCTION refuse_delete();

CREATE TABLE channel_stock_told (
  channel text NOT NULL REFERENCES channels,
  sku text NOT NULL,
  node_id text NOT NULL,
  quantity integer NOT NULL,
  told_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (channel, sku, node_id)
);
`
