/** Goods that are fetched: where they wait, until when, by which code, and the proof that they were given; and parcels that travel between our own nodes first. */
export const name = '0018-collection'

export const up = `
ALTER TABLE fulfillments
  ADD COLUMN to_node_id text REFERENCES nodes,
  ADD COLUMN ready_at timestamptz,
  ADD COLUMN pickup_by timestamptz,
  ADD COLUMN pickup_code text,
  ADD COLUMN pickup_tries integer NOT NULL DEFAULT 0,
  ADD COLUMN proof_id uuid,
  ADD CHECK ((method = 'transfer') = (to_node_id IS NOT NULL));
CREATE INDEX fulfillments_to_node ON fulfillments (to_node_id, status) WHERE to_node_id IS NOT NULL;

-- What was seen at the counter: personal data, so it is a row that can be erased, and travels as its id alone.
CREATE TABLE collection_proofs (
  proof_id uuid PRIMARY KEY,
  fulfillment_id uuid NOT NULL REFERENCES fulfillments,
  proof jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX collection_proofs_of_fulfillment ON collection_proofs (fulfillment_id);

-- Of a transfer: what the other node has counted.
ALTER TABLE fulfillment_lines ADD COLUMN received integer NOT NULL DEFAULT 0 CHECK (received >= 0 AND received <= quantity);

-- What travels between two nodes is on no shelf and still claimed.
ALTER TABLE allocations DROP CONSTRAINT allocations_status_check;
ALTER TABLE allocations ADD CONSTRAINT allocations_status_check CHECK (status IN ('open', 'in_transfer', 'shipped', 'released'));
`
