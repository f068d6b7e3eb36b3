/** A quarantined message says which order it was about and who has it, and ends with a reason; and what channels have given back by themselves is kept, each refund once. */
export const name = '0050-quarantine'

export const up = `
ALTER TABLE quarantine
  ADD COLUMN channel_order_id text,
  ADD COLUMN sequence bigint,
  ADD COLUMN topic text NOT NULL DEFAULT 'order',
  ADD COLUMN assignee text,
  ADD COLUMN resolution text,
  ADD COLUMN ended_by text,
  ADD COLUMN ended_at timestamptz;
CREATE INDEX quarantine_of_order ON quarantine (channel, channel_order_id) WHERE status = 'open';
CREATE INDEX quarantine_open ON quarantine (received_at) WHERE status = 'open';

CREATE TABLE channel_refunds (
  source text NOT NULL,
  refund_id text NOT NULL,
  order_id uuid NOT NULL REFERENCES orders,
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  currency text,
  units jsonb NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source, refund_id)
);
CREATE INDEX channel_refunds_of_order ON channel_refunds (order_id);
`
