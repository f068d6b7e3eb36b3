/** What customers were told, in whose words, and who does not want to hear it. */
export const name = '0044-customer-messages'

export const up = `
CREATE TABLE message_templates (
  channel text NOT NULL REFERENCES channels,
  kind text NOT NULL,
  language text NOT NULL,
  version integer NOT NULL,
  subject text NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  PRIMARY KEY (channel, kind, language, version)
);

-- No word of what was said and no address: those are the order's and the template's.
CREATE TABLE customer_messages (
  message_id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  seq bigint NOT NULL,
  kind text NOT NULL,
  language text,
  template_version integer,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sending', 'sent', 'unknown', 'failed', 'suppressed')),
  reason text,
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  queued_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz,
  UNIQUE (seq, kind)
);
CREATE INDEX customer_messages_due ON customer_messages (next_attempt_at) WHERE status IN ('queued', 'sending');
CREATE INDEX customer_messages_of_order ON customer_messages (order_id, message_id);

-- Kept when a customer is erased, as a keyed hash: whoever asked not to be written to is not written to.
CREATE TABLE message_opt_outs (
  channel text NOT NULL REFERENCES channels,
  contact_hmac text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  PRIMARY KEY (channel, contact_hmac)
);

-- How far the event log was read for messages.
CREATE TABLE message_cursor (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  xid xid8 NOT NULL,
  seq bigint NOT NULL
);
`
