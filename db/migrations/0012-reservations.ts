/** Soft claims on stock: what a quote holds until it is ordered, given up or has expired. Each ends once. */
export const name = '0012-reservations'

export const up = `
CREATE TABLE reservations (
  reservation_id uuid PRIMARY KEY,
  quote_id uuid NOT NULL UNIQUE,
  channel text NOT NULL REFERENCES channels,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'taken', 'released', 'expired')),
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CHECK ((status = 'open') = (ended_at IS NULL))
);
CREATE INDEX reservations_due ON reservations (expires_at) WHERE status = 'open';

CREATE TABLE reservation_lines (
  reservation_id uuid NOT NULL REFERENCES reservations,
  sku text NOT NULL,
  node_id text NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (reservation_id, sku, node_id)
);
`
