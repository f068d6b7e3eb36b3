/** Tenders pay in the sequence in which they became the order's: one that an exchange adds late pays after those that have paid since it was held. */
export const name = '0069-joined-tenders'

export const up = `
ALTER TABLE payments ADD COLUMN joined_at timestamptz NOT NULL DEFAULT now();
`
