/** What has still to leave is held while the customer's bank takes back what she paid. */
export const name = '0070-held-by-dispute'

export const up = `
ALTER TABLE holds ADD COLUMN dispute_id text REFERENCES disputes;
CREATE INDEX holds_of_dispute ON holds (dispute_id) WHERE dispute_id IS NOT NULL;
`
