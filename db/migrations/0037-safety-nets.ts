/** The safety net of an advance exchange: what is held over the old goods, and what of it was taken because they did not come back. */
export const name = '0037-safety-nets'

export const up = `
ALTER TABLE exchange_payments DROP CONSTRAINT exchange_payments_role_check, ADD CHECK (role IN ('difference', 'guard'));

-- What was paid for the old units that a line stands for; how many of them were charged because they did not come back, and of how many of these that was given back.
ALTER TABLE exchanges
  ADD COLUMN value_minor bigint NOT NULL DEFAULT 0 CHECK (value_minor >= 0),
  ADD COLUMN value_tax_minor bigint NOT NULL DEFAULT 0 CHECK (value_tax_minor BETWEEN 0 AND value_minor),
  ADD COLUMN charged integer NOT NULL DEFAULT 0,
  ADD COLUMN charged_back integer NOT NULL DEFAULT 0,
  ADD CHECK (0 <= charged_back AND charged_back <= charged);

ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check, ADD CHECK (kind IN ('sale', 'capture', 'refund', 'settlement', 'issue', 'credit', 'charge', 'refund_failed'));
`
