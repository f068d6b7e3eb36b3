/** What drivers take along: old goods collected where the new ones are brought, or fetched by themselves. */
export const name = '0032-collections'

export const up = `
-- One row per return that a driver is to collect: with its replacement, from when that is packed, or by itself. No reference to orders, like everything about runs.
CREATE TABLE collections (
  return_id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  -- The new goods for these old ones; null: the driver comes for the old goods alone.
  with_fulfillment uuid REFERENCES fulfillments,
  node_id text REFERENCES nodes,
  latitude double precision,
  longitude double precision,
  weight_grams integer NOT NULL DEFAULT 0,
  attempt integer NOT NULL DEFAULT 1,
  not_before timestamptz NOT NULL DEFAULT now(),
  status text NOT NULL CHECK (status IN ('waiting', 'on_run', 'done')),
  run_id uuid REFERENCES delivery_runs,
  queued_at timestamptz NOT NULL DEFAULT now(),
  told_at timestamptz,
  CHECK ((status = 'on_run') = (run_id IS NOT NULL)),
  CHECK (with_fulfillment IS NOT NULL OR (node_id IS NOT NULL AND latitude IS NOT NULL AND longitude IS NOT NULL))
);
CREATE INDEX collections_with ON collections (with_fulfillment) WHERE status = 'waiting';
CREATE INDEX collections_waiting ON collections (node_id, queued_at) WHERE status = 'waiting' AND with_fulfillment IS NULL;

ALTER TABLE stop_tasks ADD COLUMN return_id uuid, ADD CHECK (type <> 'collect' OR return_id IS NOT NULL);
CREATE INDEX stop_tasks_of_return ON stop_tasks (return_id) WHERE return_id IS NOT NULL;
`
