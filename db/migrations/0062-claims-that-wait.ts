/** A claim that gives more than what came back is a refund that waits for another person's yes, like any. */
export const name = '0062-claims-that-wait'

export const up = `
ALTER TABLE goodwill_refunds
  -- Of a claim: what is given for its units, once another person has agreed; null: an amount, and the units stay as they are.
  ADD COLUMN remedy text CHECK (remedy IN ('refund', 'credit')),
  -- What it became.
  ADD COLUMN return_id uuid REFERENCES returns,
  ADD CHECK (remedy IS NULL OR lines IS NOT NULL),
  ADD CHECK ((return_id IS NOT NULL) = (remedy IS NOT NULL AND status = 'given'));
`
