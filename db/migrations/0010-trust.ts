/** How far the count of a shelf is believed; and how many orders a node was given today, quickly. */
export const name = '0010-trust'

export const up = `
-- safety_stock is what applies: what somebody set, and more where the shelf has proved wrong.
ALTER TABLE stock_levels
  ADD COLUMN safety_stock_set integer NOT NULL DEFAULT 0 CHECK (safety_stock_set >= 0),
  ADD COLUMN trust double precision NOT NULL DEFAULT 1 CHECK (trust > 0 AND trust <= 1);
UPDATE stock_levels SET safety_stock_set = safety_stock;

CREATE INDEX fulfillments_by_release ON fulfillments (node_id, released_at);
`
