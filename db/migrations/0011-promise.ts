/** What a date is made of at a node, and the quote an order took up. */
export const name = '0011-promise'

export const up = `
ALTER TABLE nodes
  ADD COLUMN special_days jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN pickups jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN lead_minutes integer NOT NULL DEFAULT 120 CHECK (lead_minutes > 0);

ALTER TABLE orders ADD COLUMN quote_id uuid UNIQUE;
`
