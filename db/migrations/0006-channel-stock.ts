/** What a channel may not sell of a shelf, so that the last units are kept for others or for a wrong count. */
export const name = '0006-channel-stock'

export const up = `
ALTER TABLE channels
  ADD COLUMN stock_buffer integer NOT NULL DEFAULT 0 CHECK (stock_buffer >= 0),
  ADD COLUMN stock_threshold integer NOT NULL DEFAULT 0 CHECK (stock_threshold >= 0);
`
