/** A change depends on what the order's goods were when it was asked for, and not on what our own dealings with the bank write meanwhile. */
export const name = '0055-change-basis'

export const up = `
ALTER TABLE order_changes ADD COLUMN basis text;
`
