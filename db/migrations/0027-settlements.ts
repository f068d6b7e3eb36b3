/** The provider's files of what it paid out, held line by line against our operations: each file once, each operation matched by at most one line. And what banks take back. */
export const name = '0027-settlements'

export const up = `
CREATE TABLE settlements (
  settlement_id uuid PRIMARY KEY,
  provider text NOT NULL,
  content_hash bytea NOT NULL UNIQUE,
  period_end timestamptz,
  lines integer NOT NULL DEFAULT 0,
  matched integer NOT NULL DEFAULT 0,
  repeated integer NOT NULL DEFAULT 0,
  broken integer NOT NULL DEFAULT 0,
  received_by text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE settlement_lines (
  settlement_id uuid NOT NULL REFERENCES settlements,
  line integer NOT NULL,
  transaction_id text,
  kind text CHECK (kind IN ('capture', 'refund')),
  category text,
  reference text,
  currency text,
  gross_minor bigint,
  fee_minor bigint,
  created_at timestamptz,
  outcome text NOT NULL DEFAULT 'new' CHECK (outcome IN ('new', 'matched', 'repeated', 'ignored', 'broken')),
  operation_id uuid REFERENCES payment_operations,
  PRIMARY KEY (settlement_id, line)
);
CREATE UNIQUE INDEX settlement_lines_once ON settlement_lines (operation_id) WHERE outcome = 'matched';
CREATE INDEX settlement_lines_of_transaction ON settlement_lines (transaction_id);

CREATE TABLE settlement_breaks (
  settlement_id uuid NOT NULL REFERENCES settlements,
  number integer GENERATED ALWAYS AS IDENTITY,
  line integer,
  operation_id uuid REFERENCES payment_operations,
  reason text NOT NULL,
  reference text,
  ours_minor bigint NOT NULL,
  theirs_minor bigint NOT NULL,
  currency text,
  why text,
  exception_id uuid REFERENCES exceptions,
  PRIMARY KEY (settlement_id, number)
);
CREATE INDEX settlement_breaks_of_operation ON settlement_breaks (operation_id);
CREATE TRIGGER settlement_breaks_kept BEFORE DELETE ON settlement_breaks FOR EACH ROW EXECUTE FUNCTION refuse_delete();

CREATE TABLE disputes (
  dispute_id text PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payments,
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  reason text NOT NULL,
  status text NOT NULL CHECK (status IN ('open', 'won', 'lost')),
  opened_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  CHECK ((status = 'open') = (closed_at IS NULL))
);
CREATE INDEX disputes_open ON disputes (payment_id) WHERE status = 'open';

ALTER TABLE payment_operations ADD COLUMN paid_out boolean NOT NULL DEFAULT false;
CREATE INDEX payment_operations_not_paid_out ON payment_operations (payment_id) WHERE NOT paid_out AND status = 'succeeded' AND kind IN ('capture', 'refund');
`
