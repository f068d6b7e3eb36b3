/** Open orders planned again together: the proposal, and what became of each of its moves. */
export const name = '0015-re-optimisations'

export const up = `
CREATE TABLE re_optimisations (
  re_optimisation_id uuid PRIMARY KEY,
  status text NOT NULL DEFAULT 'computing' CHECK (status IN ('computing', 'proposed', 'applying', 'applied', 'failed')),
  channel text NOT NULL REFERENCES channels,
  policy_version integer NOT NULL,
  orders integer,
  before_minor bigint,
  after_minor bigint,
  failure text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  computed_at timestamptz,
  applied_by text,
  apply_started_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX re_optimisations_to_start ON re_optimisations (created_at) WHERE (status = 'computing' AND started_at IS NULL) OR (status = 'applying' AND apply_started_at IS NULL);

-- Moves that need each other have the same group: all of them are made, or none.
CREATE TABLE re_optimisation_moves (
  re_optimisation_id uuid NOT NULL REFERENCES re_optimisations,
  group_number integer NOT NULL,
  order_id uuid NOT NULL,
  shipments_from jsonb NOT NULL,
  shipments_to jsonb NOT NULL,
  cost_minor bigint NOT NULL,
  saves_minor bigint NOT NULL,
  outcome text NOT NULL DEFAULT 'proposed' CHECK (outcome IN ('proposed', 'moved', 'skipped')),
  reason text,
  PRIMARY KEY (re_optimisation_id, order_id)
);
`
