/** Labels for what comes back by mail: bought, tracked, given back when they are not used; what was lost on its way back is claimed. */
export const name = '0039-return-labels'

export const up = `
-- One row per try to buy one, written before the carrier is called; its id is the reference the carrier knows the label by.
CREATE TABLE return_labels (
  operation_id uuid PRIMARY KEY,
  return_id uuid NOT NULL REFERENCES returns,
  order_id uuid NOT NULL REFERENCES orders,
  -- Where the parcel goes.
  node_id text NOT NULL REFERENCES nodes,
  carrier text NOT NULL,
  service text NOT NULL,
  weight_grams integer NOT NULL CHECK (weight_grams > 0),
  status text NOT NULL DEFAULT 'intended' CHECK (status IN ('intended', 'unknown', 'succeeded', 'abandoned', 'given_back')),
  attempts integer NOT NULL DEFAULT 0,
  last_called_at timestamptz,
  settled_at timestamptz,
  refusal text,
  tracking_number text,
  label jsonb,
  -- What the carrier says of the parcel.
  parcel_status text NOT NULL DEFAULT 'label_created',
  arrived_at timestamptz,
  -- What is asked of the carrier for a parcel it lost; the claim's own reference at the carrier.
  claim_id uuid,
  claim_minor bigint,
  claim_reference text,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX return_labels_once ON return_labels (return_id) WHERE status IN ('intended', 'unknown', 'succeeded');
CREATE UNIQUE INDEX return_labels_tracked ON return_labels (carrier, tracking_number);
CREATE UNIQUE INDEX return_labels_claimed ON return_labels (claim_id);
CREATE INDEX return_labels_of_return ON return_labels (return_id);

-- Why what comes back by mail has no label of ours.
ALTER TABLE returns ADD COLUMN no_label jsonb;
`
