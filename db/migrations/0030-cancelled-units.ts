/** Units that a customer no longer wants leave the work order that had them, while the rest of it goes on. */
export const name = '0030-cancelled-units'

export const up = `
-- What a work order was given is quantity + cancelled; a line of which nothing is left stays, so that whoever picks sees what became of it.
ALTER TABLE fulfillment_lines ADD COLUMN cancelled integer NOT NULL DEFAULT 0 CHECK (cancelled >= 0);
ALTER TABLE fulfillment_lines DROP CONSTRAINT fulfillment_lines_quantity_check;
ALTER TABLE fulfillment_lines ADD CONSTRAINT fulfillment_lines_something CHECK (quantity >= 0 AND quantity + cancelled > 0);
`
