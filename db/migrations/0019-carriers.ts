/** Several carriers: which one was chosen and why, how each of them does, and more than one try to buy a label. */
export const name = '0019-carriers'

export const up = `
CREATE TABLE carrier_choices (
  fulfillment_id uuid NOT NULL REFERENCES fulfillments,
  number integer NOT NULL,
  carrier text NOT NULL,
  service text NOT NULL,
  choice jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (fulfillment_id, number)
);
CREATE TRIGGER carrier_choices_append_only BEFORE UPDATE OR DELETE ON carrier_choices FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A row only for carriers that have failed of late.
CREATE TABLE carrier_health (
  carrier text PRIMARY KEY,
  score double precision NOT NULL,
  at timestamptz NOT NULL,
  fenced_until timestamptz,
  last_fault text
);

-- stray: given up for another carrier with its outcome unknown, or bought in vain; to be looked up and given back.
ALTER TABLE carrier_operations
  ADD COLUMN service text,
  ADD COLUMN refusal text,
  ADD COLUMN amount_minor bigint,
  ADD COLUMN reference text,
  DROP CONSTRAINT carrier_operations_status_check,
  DROP CONSTRAINT carrier_operations_kind_check,
  ADD CONSTRAINT carrier_operations_status_check CHECK (status IN ('intended', 'unknown', 'succeeded', 'abandoned', 'stray')),
  ADD CONSTRAINT carrier_operations_kind_check CHECK (kind IN ('label', 'void_label', 'manifest', 'claim'));
UPDATE carrier_operations op SET service = f.service FROM fulfillments f WHERE f.fulfillment_id = op.fulfillment_id AND op.kind = 'label';
DROP INDEX carrier_operations_once;
CREATE UNIQUE INDEX carrier_operations_once ON carrier_operations (fulfillment_id, kind, coalesce(package_id, fulfillment_id)) WHERE status NOT IN ('abandoned', 'stray');

-- A parcel that never arrived: its units leave the count of what was shipped, and are sent again without being paid again.
ALTER TABLE packages ADD COLUMN undelivered text CHECK (undelivered IN ('lost', 'damaged', 'returned'));
ALTER TABLE order_lines ADD COLUMN resend integer NOT NULL DEFAULT 0 CHECK (resend >= 0);
ALTER TABLE fulfillment_lines ADD COLUMN resent integer NOT NULL DEFAULT 0 CHECK (resent >= 0);
ALTER TABLE stock_movements
  DROP CONSTRAINT stock_movements_type_check,
  ADD CONSTRAINT stock_movements_type_check
    CHECK (type IN ('receipt', 'count', 'adjustment', 'reserve', 'release', 'allocate', 'ship', 'undelivered', 'return', 'transfer', 'write_off'));
CREATE INDEX carrier_operations_of_fulfillment ON carrier_operations (fulfillment_id);
`
