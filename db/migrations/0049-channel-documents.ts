/** The channel's own words, kept beside the order that was made of them, for whoever has to explain it. Held as `json`, which keeps what `jsonb` would refuse. */
export const name = '0049-channel-documents'

export const up = `
CREATE TABLE channel_documents (
  source text NOT NULL,
  event_id text NOT NULL,
  channel text NOT NULL REFERENCES channels,
  channel_order_id text NOT NULL,
  topic text NOT NULL,
  body json NOT NULL,
  said_at timestamptz,
  sequence bigint,
  applied boolean NOT NULL DEFAULT false,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source, event_id)
);
CREATE INDEX channel_documents_sequence ON channel_documents (channel, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX channel_documents_of_order ON channel_documents (channel, channel_order_id);
CREATE INDEX inbound_events_of_source ON inbound_events (source, received_at);
`
