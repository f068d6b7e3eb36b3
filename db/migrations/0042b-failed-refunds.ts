/** A refund that had succeeded may come back days later, because the card is closed: the ledger has a journal for it. */
export const name = '0042b-failed-refunds'

export const up = `
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check, ADD CHECK (kind IN ('sale', 'capture', 'refund', 'settlement', 'issue', 'credit', 'charge', 'refund_failed'));
`
