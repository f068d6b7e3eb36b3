/** What a lost dispute took, the customer has: it is counted where money is to be given back. And what banks take stands in the ledger. */
export const name = '0067-charged-back'

const posted = (journal: string, debit: string, credit: string, cause: string, which: string): string => `
INSERT INTO ledger_entries (journal_id, kind, order_id, payment_id, account, amount_minor, currency, cause)
  SELECT '${journal}:' || dispute_id, 'dispute', p.order_id, d.payment_id, e.account, e.sign * d.amount_minor, p.currency, '${cause}: ' || dispute_id
  FROM disputes d JOIN payments p USING (payment_id), LATERAL (VALUES (${debit}, 1), (${credit}, -1)) e(account, sign) WHERE d.amount_minor > 0 AND ${which};
`
const clearing = `'provider_clearing:' || p.provider`

export const up = `
ALTER TABLE counted_goodwill ADD COLUMN given_by text NOT NULL DEFAULT 'hand' CHECK (given_by IN ('hand', 'bank'));
DROP INDEX disputes_open;
CREATE INDEX disputes_of_payment ON disputes (payment_id);
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_kind_check,
  ADD CONSTRAINT ledger_entries_kind_check CHECK (kind IN ('sale', 'capture', 'refund', 'settlement', 'issue', 'credit', 'charge', 'refund_failed', 'given_again', 'counted', 'dispute', 'correction'));
${posted('dispute', `'disputes'`, clearing, 'Taken back by the customer’s bank', 'true')}
${posted('dispute-won', clearing, `'disputes'`, 'Given back by the customer’s bank', `d.status = 'won'`)}
${posted('dispute-lost', `'adjustments'`, `'disputes'`, 'Lost to the customer’s bank', `d.status = 'lost'`)}
`
