/** Orders that leave in parts: a claim knows the work order it became, and every part says what it waits on. */
export const name = '0009-parts'

export const up = `
ALTER TABLE allocations ADD COLUMN fulfillment_id uuid REFERENCES fulfillments;
UPDATE allocations a SET fulfillment_id = f.fulfillment_id FROM fulfillments f
  WHERE f.order_id = a.order_id AND f.node_id = a.node_id AND f.status NOT IN ('rejected', 'cancelled') AND a.status <> 'released';
CREATE INDEX allocations_of_fulfillment ON allocations (fulfillment_id);

-- What an order waits on is the most urgent of what it waits on as a whole and of what each of its parts does.
ALTER TABLE orders ADD COLUMN own_waiting_on jsonb;
ALTER TABLE fulfillments ADD COLUMN waiting_on jsonb;
UPDATE orders SET own_waiting_on = waiting_on;
`
