/** A channel raises what it sold: what that costs was paid to it, or the message waits. Messages that were about an order, and not the order itself, end by being taken. */
export const name = '0059-raises-by-channels'

export const up = `
-- The channel has taken what the change costs more.
ALTER TABLE order_changes ADD COLUMN paid_elsewhere boolean NOT NULL DEFAULT false;
-- The document of the channel that the order is like once this is carried out: its source and event id.
ALTER TABLE order_changes ADD COLUMN document jsonb;
ALTER TABLE quarantine DROP CONSTRAINT quarantine_status_check;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_status_check CHECK (status IN ('open', 'ordered', 'taken', 'dismissed'));
`
