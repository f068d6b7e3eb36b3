/** Terms of returns per category: what SKUs belong to, the rule and the fee of every line that comes back, what a customer showed for it. */
export const name = '0038-return-terms'

export const up = `
ALTER TABLE skus ADD COLUMN category text;

-- References that a customer gives, like the number of a receipt; kept apart, so that a command carries the id alone.
CREATE TABLE return_proofs (
  proof_id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders,
  proof jsonb NOT NULL,
  kept_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE returns ADD COLUMN proof_id uuid REFERENCES return_proofs;

ALTER TABLE return_lines
  -- The name of the rule that governs it; NULL: what the policy says of everything.
  ADD COLUMN rule text,
  ADD COLUMN fee_minor bigint NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
  ADD COLUMN fee_per text NOT NULL DEFAULT 'return' CHECK (fee_per IN ('return', 'line'));
UPDATE return_lines rl SET fee_minor = r.fee_minor FROM returns r WHERE r.return_id = rl.return_id AND r.fee_minor > 0;
`
