/** Orders change after the click: units leave the work orders that had them, changes wait for a yes, and what the order was before can be read again. */
export const name = '0028-changes'

export const up = `
-- What a work order was given is quantity + cancelled; a line of which nothing is left stays, so that whoever picks sees what became of it.
ALTER TABLE fulfillment_lines ADD COLUMN cancelled integer NOT NULL DEFAULT 0 CHECK (cancelled >= 0);
ALTER TABLE fulfillment_lines DROP CONSTRAINT fulfillment_lines_quantity_check;
ALTER TABLE fulfillment_lines ADD CONSTRAINT fulfillment_lines_something CHECK (quantity >= 0 AND quantity + cancelled > 0);

CREATE TABLE order_changes (
  change_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  order_version integer NOT NULL,
  operations jsonb NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  confirmed_at timestamptz
);
CREATE INDEX order_changes_of_order ON order_changes (order_id);

-- Version 1 is the order as it was placed; it is written with the first change.
CREATE TABLE order_versions (
  order_id uuid NOT NULL REFERENCES orders,
  number integer NOT NULL CHECK (number > 0),
  actor text NOT NULL,
  cause text NOT NULL,
  document jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (order_id, number)
);
`
