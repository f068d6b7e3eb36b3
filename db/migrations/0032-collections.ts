/** What drivers take along: old goods collected at the door to which the new ones are brought. */
export const name = '0032-collections'

export const up = `
-- One row per return that a driver is to collect, from when its replacement is packed. No reference to orders, like everything about runs.
CREATE TABLE collections (
  return_id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  with_fulfillment uuid NOT NULL REFERENCES fulfillments,
  status text NOT NULL CHECK (status IN ('waiting', 'on_run', 'done')),
  run_id uuid REFERENCES delivery_runs,
  queued_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((status = 'on_run') = (run_id IS NOT NULL))
);
CREATE INDEX collections_with ON collections (with_fulfillment) WHERE status = 'waiting';

ALTER TABLE stop_tasks ADD COLUMN return_id uuid, ADD CHECK (type <> 'collect' OR return_id IS NOT NULL);
CREATE INDEX stop_tasks_of_return ON stop_tasks (return_id) WHERE return_id IS NOT NULL;
`
