/** The retailer's own last mile: parcels that wait for a driver, runs with their stops and tasks, and what orders have still to be told of them. */
export const name = '0022-runs'

export const up = `
-- No row here refers to orders: who plans a run holds what waits for it, and to check the order's row then would be to wait for whoever cancels it.
-- Where a postal code lies, for addresses that come without a position.
CREATE TABLE geocodes (
  country text NOT NULL,
  postal_code text NOT NULL,
  latitude double precision NOT NULL,
  longitude double precision NOT NULL,
  PRIMARY KEY (country, postal_code)
);

CREATE TABLE delivery_runs (
  run_id uuid PRIMARY KEY,
  node_id text NOT NULL REFERENCES nodes,
  driver_id text NOT NULL REFERENCES drivers,
  date date NOT NULL,
  number integer NOT NULL,
  status text NOT NULL CHECK (status IN ('planned', 'accepted', 'departed', 'returned', 'cancelled')),
  distance_meters integer NOT NULL,
  saved_meters integer NOT NULL,
  planned_at timestamptz NOT NULL DEFAULT now(),
  depart_by timestamptz NOT NULL,
  accepted_at timestamptz,
  departed_at timestamptz,
  returned_at timestamptz,
  UNIQUE (node_id, date, number)
);
CREATE UNIQUE INDEX delivery_runs_one_per_driver ON delivery_runs (driver_id) WHERE status IN ('planned', 'accepted', 'departed');
CREATE INDEX delivery_runs_of_node ON delivery_runs (node_id, run_id DESC);

CREATE TABLE stops (
  stop_id uuid PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES delivery_runs,
  sequence integer NOT NULL,
  order_id uuid NOT NULL,
  latitude double precision NOT NULL,
  longitude double precision NOT NULL,
  eta_from timestamptz,
  eta_to timestamptz,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'completed', 'dropped')),
  completed_at timestamptz,
  token text NOT NULL UNIQUE,
  UNIQUE (run_id, sequence)
);
CREATE INDEX stops_of_order ON stops (order_id);

CREATE TABLE stop_tasks (
  task_id uuid PRIMARY KEY,
  stop_id uuid NOT NULL REFERENCES stops,
  type text NOT NULL CHECK (type IN ('deliver', 'collect')),
  order_id uuid NOT NULL,
  fulfillment_id uuid REFERENCES fulfillments,
  outcome text CHECK (outcome IN ('done', 'failed', 'refused', 'wrong_item', 'damaged', 'dropped')),
  reason text,
  proof_id uuid,
  at timestamptz,
  CHECK (type <> 'deliver' OR fulfillment_id IS NOT NULL)
);
CREATE INDEX stop_tasks_of_stop ON stop_tasks (stop_id);
CREATE INDEX stop_tasks_of_fulfillment ON stop_tasks (fulfillment_id);

-- What the driver saw at a door: personal data, so it is a row that can be erased.
CREATE TABLE delivery_proofs (
  proof_id uuid PRIMARY KEY,
  task_id uuid NOT NULL REFERENCES stop_tasks,
  proof jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);

-- One row per parcel-carrying work order of an own driver, from packed to its end.
CREATE TABLE dispatch_queue (
  fulfillment_id uuid PRIMARY KEY REFERENCES fulfillments,
  order_id uuid NOT NULL,
  node_id text NOT NULL REFERENCES nodes,
  status text NOT NULL CHECK (status IN ('waiting', 'parked', 'on_run', 'done')),
  attempt integer NOT NULL DEFAULT 1,
  parcels integer NOT NULL,
  weight_grams integer NOT NULL,
  latitude double precision,
  longitude double precision,
  window_from timestamptz,
  window_to timestamptz,
  not_before timestamptz NOT NULL DEFAULT now(),
  run_id uuid REFERENCES delivery_runs,
  queued_at timestamptz NOT NULL DEFAULT now(),
  told_at timestamptz,
  CHECK ((status = 'on_run') = (run_id IS NOT NULL)),
  CHECK (status IN ('parked', 'done') OR (latitude IS NOT NULL AND longitude IS NOT NULL))
);
CREATE INDEX dispatch_queue_waiting ON dispatch_queue (node_id, window_to, queued_at) WHERE status = 'waiting';
CREATE INDEX dispatch_queue_untold ON dispatch_queue (node_id) WHERE status = 'waiting' AND told_at IS NULL;

-- What happened on a run, in order: told to its workflow, and by that to the orders.
CREATE TABLE run_reports (
  run_id uuid NOT NULL REFERENCES delivery_runs,
  number integer NOT NULL,
  what text NOT NULL,
  tellings jsonb NOT NULL DEFAULT '[]',
  told_at timestamptz,
  leased_until timestamptz,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, number)
);
CREATE INDEX run_reports_untold ON run_reports (at) WHERE told_at IS NULL;
`
