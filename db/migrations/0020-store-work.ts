/** The work of a building: what is due first, who has it, where goods lie, waves through the shelves, scans, and the cartons there are. */
export const name = '0020-store-work'

export const up = `
ALTER TABLE fulfillments
  ADD COLUMN hand_over_by timestamptz,
  ADD COLUMN urgency smallint NOT NULL DEFAULT 4 CHECK (urgency BETWEEN 0 AND 9),
  ADD COLUMN due_first timestamptz GENERATED ALWAYS AS (coalesce(hand_over_by, due_at, released_at)) STORED;
UPDATE fulfillments f SET urgency = 9 - o.priority, hand_over_by = (o.promise->'milestones'->f.node_id->>'handOverBy')::timestamptz FROM orders o WHERE o.order_id = f.order_id;

-- The list of a node in the order in which it is worked off: of one status, of what is still in the building, of all.
CREATE INDEX fulfillments_due_by_status ON fulfillments (node_id, status, due_first, urgency, fulfillment_id);
CREATE INDEX fulfillments_due_open ON fulfillments (node_id, due_first, urgency, fulfillment_id) WHERE status IN ('released', 'picking', 'picked', 'packed', 'ready');
CREATE INDEX fulfillments_due ON fulfillments (node_id, due_first, urgency, fulfillment_id);
CREATE INDEX fulfillments_coming ON fulfillments (to_node_id, due_first, urgency, fulfillment_id) WHERE to_node_id IS NOT NULL;
CREATE INDEX fulfillments_due_anywhere ON fulfillments (due_first, urgency, fulfillment_id);
DROP INDEX fulfillments_of_node;

-- Where a SKU lies in a building.
CREATE TABLE bins (
  node_id text NOT NULL REFERENCES nodes,
  sku text NOT NULL REFERENCES skus,
  bin text NOT NULL,
  PRIMARY KEY (node_id, sku)
);

CREATE TABLE waves (
  wave_id uuid PRIMARY KEY,
  node_id text NOT NULL REFERENCES nodes,
  assignee text,
  opened_by text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz
);
CREATE INDEX waves_of_node ON waves (node_id, wave_id DESC);

-- The wave that a fulfillment is in now: one at most. What it was in, and why it left, stays with the wave.
ALTER TABLE fulfillments ADD COLUMN wave_id uuid REFERENCES waves;
CREATE TABLE wave_fulfillments (
  wave_id uuid NOT NULL REFERENCES waves,
  fulfillment_id uuid NOT NULL REFERENCES fulfillments,
  position integer NOT NULL,
  left_at timestamptz,
  left_why text,
  PRIMARY KEY (wave_id, fulfillment_id),
  CHECK ((left_at IS NULL) = (left_why IS NULL))
);
CREATE UNIQUE INDEX wave_fulfillments_one ON wave_fulfillments (fulfillment_id) WHERE left_at IS NULL;

-- What a scanner has reported: the same scan counts once.
CREATE TABLE pick_scans (
  fulfillment_id uuid NOT NULL REFERENCES fulfillments,
  scan_id text NOT NULL,
  line_id text NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (fulfillment_id, scan_id)
);

-- The cartons that goods are packed into, with their inner measures. Its cost ranks one against another.
CREATE TABLE cartons (
  carton_id text PRIMARY KEY,
  name text NOT NULL,
  inner_length_mm integer NOT NULL CHECK (inner_length_mm > 0),
  inner_width_mm integer NOT NULL CHECK (inner_width_mm > 0),
  inner_height_mm integer NOT NULL CHECK (inner_height_mm > 0),
  max_weight_grams integer NOT NULL CHECK (max_weight_grams > 0),
  tare_grams integer NOT NULL DEFAULT 0 CHECK (tare_grams >= 0),
  cost_minor integer NOT NULL CHECK (cost_minor >= 0),
  nodes text[] NOT NULL DEFAULT '{}',
  active boolean NOT NULL DEFAULT true
);
`
