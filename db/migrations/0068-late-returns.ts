/** A return that is late has a second period, after which it is closed as never come. */
export const name = '0068-late-returns'

export const up = `
-- Since when its goods are late; null: they are not, or she was reminded.
ALTER TABLE returns ADD COLUMN late_at timestamptz;
`
