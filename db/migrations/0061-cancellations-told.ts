/** Channels are told of what was cancelled here, each cancellation once, by the event that says so; and a channel may ask for a second secret of ours. */
export const name = '0061-cancellations-told'

export const up = `
ALTER TABLE channel_operations
  ADD COLUMN kind text NOT NULL DEFAULT 'parcel' CHECK (kind IN ('parcel', 'cancellation')),
  ADD COLUMN event_seq bigint UNIQUE,
  ALTER COLUMN fulfillment_id DROP NOT NULL,
  ADD CONSTRAINT channel_operations_about CHECK (CASE kind WHEN 'parcel' THEN fulfillment_id IS NOT NULL ELSE event_seq IS NOT NULL END);
CREATE INDEX order_events_cancelled ON order_events (at) WHERE type IN ('order.cancelled', 'order.lines_cancelled');
ALTER TABLE channels ADD COLUMN api_secret text;
`
