/** The three durable ways in (starts, commands, outside facts), effects done once, and what waits on a person. */
export const name = '0005-queues'

export const up = `
CREATE TABLE workflow_starts (
  order_id uuid PRIMARY KEY REFERENCES orders,
  priority smallint NOT NULL,
  queued_at timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  done_at timestamptz
);
CREATE INDEX workflow_starts_waiting ON workflow_starts (priority DESC, queued_at) WHERE done_at IS NULL;

CREATE TABLE idempotency_keys (
  api_key_id text NOT NULL,
  route text NOT NULL,
  idempotency_key text NOT NULL,
  body_hash bytea NOT NULL,
  command_id text NOT NULL UNIQUE,
  order_id uuid,
  update_name text,
  update_args jsonb,
  lease_until timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  answered_at timestamptz,
  answer_status smallint,
  answer jsonb,
  answer_headers jsonb,
  PRIMARY KEY (api_key_id, route, idempotency_key)
);
CREATE INDEX idempotency_keys_unanswered ON idempotency_keys (lease_until) WHERE answered_at IS NULL AND update_name IS NOT NULL;

CREATE TABLE inbound_events (
  source text NOT NULL,
  event_id text NOT NULL,
  kind text NOT NULL,
  subject text NOT NULL,
  payload jsonb NOT NULL,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'done', 'kept', 'failed')),
  outcome text,
  telling jsonb,
  attempts integer NOT NULL DEFAULT 0,
  leased_until timestamptz,
  last_error text,
  received_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz,
  PRIMARY KEY (source, event_id)
);
CREATE INDEX inbound_events_queued ON inbound_events (received_at) WHERE status = 'queued';
CREATE INDEX inbound_events_kept ON inbound_events (source, subject) WHERE status = 'kept';

CREATE TABLE effects (
  effect_key text PRIMARY KEY,
  result jsonb,
  at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE exceptions (
  exception_id uuid PRIMARY KEY,
  order_id uuid REFERENCES orders,
  kind text NOT NULL,
  subject text NOT NULL,
  owner text NOT NULL,
  assignee text,
  summary text NOT NULL,
  data jsonb NOT NULL DEFAULT '{}',
  deadline timestamptz,
  opened_at timestamptz NOT NULL DEFAULT now(),
  resolved_at timestamptz,
  resolution text,
  resolved_by text
);
CREATE UNIQUE INDEX exceptions_one_open ON exceptions (kind, subject) WHERE resolved_at IS NULL;
CREATE INDEX exceptions_open ON exceptions (owner, opened_at) WHERE resolved_at IS NULL;
CREATE INDEX exceptions_of_order ON exceptions (order_id);

CREATE TABLE quarantine (
  quarantine_id uuid PRIMARY KEY,
  channel text NOT NULL REFERENCES channels,
  source text NOT NULL,
  event_id text NOT NULL,
  body json NOT NULL,
  reasons jsonb NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'ordered', 'dismissed')),
  order_id uuid,
  received_at timestamptz NOT NULL DEFAULT now(),
  retried_at timestamptz,
  UNIQUE (source, event_id)
);

CREATE TABLE audit (
  audit_id bigserial PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  cause text NOT NULL
);
CREATE INDEX audit_of_subject ON audit (subject, audit_id);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
`
