/** Changes that ask for more: what they hold while they wait, who decides on them, and the batches that lines have grown by. */
export const name = '0031-more-after-the-click'

export const up = `
ALTER TABLE order_changes
  ADD COLUMN state text NOT NULL DEFAULT 'asked' CHECK (state IN ('requested', 'asked', 'paying', 'confirmed', 'failed', 'rejected')),
  ADD COLUMN requested_by text NOT NULL DEFAULT 'merchant' CHECK (requested_by IN ('merchant', 'customer')),
  -- Where the units would come from that it asks for, as it was decided; they are reserved under the change's id.
  ADD COLUMN decision jsonb,
  -- By how much the order becomes dearer, as it was shown.
  ADD COLUMN delta_minor bigint NOT NULL DEFAULT 0,
  ADD COLUMN payment_method text,
  ADD COLUMN payment_id uuid REFERENCES payments,
  ADD COLUMN charge_minor bigint NOT NULL DEFAULT 0 CHECK (charge_minor >= 0),
  ADD COLUMN decided_by text,
  ADD COLUMN decided_at timestamptz,
  ADD COLUMN reason text;
UPDATE order_changes SET state = 'confirmed' WHERE confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX order_changes_one_paying ON order_changes (order_id) WHERE state = 'paying';

-- First to last, what was added to a line after the click: its quantity and tax contain it, at its price and without a discount.
ALTER TABLE order_lines ADD COLUMN raised jsonb NOT NULL DEFAULT '[]';

-- Part 0: what a change asks to be held, and no tender of the order until it is.
ALTER TABLE payments DROP CONSTRAINT payments_part_check;
ALTER TABLE payments ADD CONSTRAINT payments_part_check CHECK (part >= 0);
`
