/** What a change was said to charge: no more is charged when it is confirmed. */
export const name = '0074-charge-of-change'

export const up = `
-- Null for what was asked before it was kept.
ALTER TABLE order_changes ADD COLUMN said_charge_minor bigint CHECK (said_charge_minor >= 0);
`
