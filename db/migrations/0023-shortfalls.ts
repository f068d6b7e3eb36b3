/** Shelves that hold less than is claimed of them, since somebody has counted: the newest claims nobody has picked are to be taken back. */
export const name = '0023-shortfalls'

export const up = `
CREATE TABLE stock_shortfalls (
  sku text NOT NULL,
  node_id text NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz,
  PRIMARY KEY (sku, node_id)
);
`
