/** When the money of a return is given back is one of its terms, fixed when it is asked for. */
export const name = '0066-refund-times'

export const up = `
-- Null: asked for before rules could say it; then the policy of its order does.
ALTER TABLE returns ADD COLUMN refund_on text CHECK (refund_on IN ('receipt', 'collection', 'scan', 'request'));
`
