/** Money that a bank takes at once instead of holding it, what a customer has still to do for a payment, and refunds that fail after all. */
export const name = '0042-money-that-comes-late'

export const up = `
ALTER TABLE payments
  -- The bank took it all instead of holding it: what leaves needs no capture, what does not is given back.
  ADD COLUMN taken_at_once boolean NOT NULL DEFAULT false,
  -- What the customer needs to go on with it at her bank, while that is waited for. Secret: for her channel and support.
  ADD COLUMN action jsonb;
`
