/** Files of many orders: what became of each order is kept with it, so that a file sent again goes on where it broke off. */
export const name = '0048-bulk'

export const up = `
CREATE TABLE bulk_submits (
  bulk_id uuid PRIMARY KEY,
  api_key_id text NOT NULL,
  idempotency_key text NOT NULL,
  content_hash bytea NOT NULL,
  actor text NOT NULL,
  lease_token uuid NOT NULL,
  lease_until timestamptz,
  received_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz,
  UNIQUE (api_key_id, idempotency_key)
);

CREATE TABLE bulk_results (
  bulk_id uuid NOT NULL REFERENCES bulk_submits,
  index integer NOT NULL,
  result json NOT NULL,
  PRIMARY KEY (bulk_id, index)
);
`
