/** Orders, their lines, the work orders they become, and the one timeline that tells it all. */
export const name = '0003-orders'

export const up = `
CREATE TABLE orders (
  order_id uuid PRIMARY KEY,
  channel text NOT NULL REFERENCES channels,
  channel_order_id text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  body_hash bytea NOT NULL,
  currency text NOT NULL,
  total_minor bigint NOT NULL CHECK (total_minor >= 0),
  tax_included boolean NOT NULL,
  shipping jsonb NOT NULL,
  priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
  claim text NOT NULL CHECK (claim IN ('required', 'later')),
  customer jsonb,
  ship_to jsonb,
  delivery jsonb NOT NULL,
  customer_ref_hmac text,
  search text NOT NULL,
  policy jsonb NOT NULL,
  status text NOT NULL,
  payment_status text NOT NULL,
  fulfillment_status text NOT NULL,
  stage text NOT NULL DEFAULT 'open' CHECK (stage IN ('open', 'completed', 'cancelled')),
  waiting_on jsonb,
  promise jsonb,
  workflow_open boolean NOT NULL DEFAULT true,
  placed_at timestamptz NOT NULL,
  accepted_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  UNIQUE (channel, channel_order_id)
);
CREATE INDEX orders_newest ON orders (order_id DESC);
CREATE INDEX orders_by_channel ON orders (channel, order_id DESC);
CREATE INDEX orders_by_status ON orders (status, order_id DESC);
CREATE INDEX orders_by_placed ON orders (placed_at);
CREATE INDEX orders_search ON orders USING gin (search gin_trgm_ops);

CREATE TABLE order_lines (
  order_id uuid NOT NULL REFERENCES orders,
  line_id text NOT NULL,
  position smallint NOT NULL,
  sku text NOT NULL REFERENCES skus,
  quantity integer NOT NULL CHECK (quantity > 0),
  unit_price_minor bigint NOT NULL,
  discount_minor bigint NOT NULL,
  tax_minor bigint NOT NULL,
  allocated integer NOT NULL DEFAULT 0,
  picked integer NOT NULL DEFAULT 0,
  shipped integer NOT NULL DEFAULT 0,
  delivered integer NOT NULL DEFAULT 0,
  cancelled integer NOT NULL DEFAULT 0,
  returned integer NOT NULL DEFAULT 0,
  backordered integer NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, line_id),
  CHECK (allocated >= 0 AND picked >= 0 AND shipped >= 0 AND delivered >= 0 AND cancelled >= 0 AND returned >= 0 AND backordered >= 0),
  CHECK (shipped + cancelled + allocated + backordered <= quantity),
  CHECK (delivered <= shipped AND returned <= shipped)
);

CREATE TABLE sourcing_decisions (
  order_id uuid NOT NULL REFERENCES orders,
  number integer NOT NULL,
  decision jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (order_id, number)
);

CREATE TABLE fulfillments (
  fulfillment_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  node_id text NOT NULL REFERENCES nodes,
  method text NOT NULL,
  service text NOT NULL,
  status text NOT NULL,
  assignee text,
  due_at timestamptz,
  released_at timestamptz NOT NULL DEFAULT now(),
  packed_at timestamptz,
  handed_over_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX fulfillments_of_order ON fulfillments (order_id);
CREATE INDEX fulfillments_of_node ON fulfillments (node_id, status, fulfillment_id);

CREATE TABLE fulfillment_lines (
  fulfillment_id uuid NOT NULL REFERENCES fulfillments,
  line_id text NOT NULL,
  sku text NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  picked integer NOT NULL DEFAULT 0,
  rejected integer NOT NULL DEFAULT 0,
  PRIMARY KEY (fulfillment_id, line_id),
  CHECK (picked >= 0 AND rejected >= 0 AND picked + rejected <= quantity)
);

CREATE TABLE shipments (
  shipment_id uuid PRIMARY KEY,
  fulfillment_id uuid NOT NULL REFERENCES fulfillments,
  order_id uuid NOT NULL REFERENCES orders,
  carrier text NOT NULL,
  service text NOT NULL,
  status text NOT NULL DEFAULT 'label_created',
  promised_by timestamptz,
  handed_over_at timestamptz,
  delivered_at timestamptz
);
CREATE INDEX shipments_of_order ON shipments (order_id);
CREATE INDEX shipments_of_fulfillment ON shipments (fulfillment_id);

CREATE TABLE packages (
  package_id uuid PRIMARY KEY,
  fulfillment_id uuid NOT NULL REFERENCES fulfillments,
  shipment_id uuid REFERENCES shipments,
  number integer NOT NULL,
  weight_grams integer NOT NULL CHECK (weight_grams > 0),
  length_mm integer,
  width_mm integer,
  height_mm integer,
  lines jsonb NOT NULL,
  carrier text,
  tracking_number text,
  label jsonb,
  status text NOT NULL DEFAULT 'label_created',
  UNIQUE (fulfillment_id, number),
  UNIQUE (carrier, tracking_number)
);

CREATE TABLE carrier_operations (
  operation_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  fulfillment_id uuid NOT NULL REFERENCES fulfillments,
  package_id uuid REFERENCES packages,
  kind text NOT NULL CHECK (kind IN ('label', 'void_label', 'manifest')),
  carrier text NOT NULL,
  status text NOT NULL DEFAULT 'intended' CHECK (status IN ('intended', 'unknown', 'succeeded', 'abandoned')),
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_called_at timestamptz,
  settled_at timestamptz
);
CREATE UNIQUE INDEX carrier_operations_once ON carrier_operations (fulfillment_id, kind, coalesce(package_id, fulfillment_id));

CREATE TABLE order_events (
  seq bigserial PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  order_id uuid NOT NULL,
  channel text NOT NULL,
  type text NOT NULL,
  actor text NOT NULL,
  data jsonb NOT NULL DEFAULT '{}',
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_events_of_order ON order_events (order_id, seq);
CREATE INDEX order_events_feed ON order_events (xid, seq);
CREATE TRIGGER order_events_append_only BEFORE UPDATE OR DELETE ON order_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
`
