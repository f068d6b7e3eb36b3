/** The ledger as finance reads it: every entry of an order, in the sequence in which they were posted. */
import { rows, type Db } from '../connection'

export interface LedgerEntryView {
  journalId: string
  account: string
  amountMinor: number
  currency: string
  at: string
  cause: string
}

export const ledgerOf = (db: Db, orderId: string): Promise<LedgerEntryView[]> =>
  rows(
    db,
    `SELECT journal_id AS "journalId", account, amount_minor AS "amountMinor", currency, at, cause FROM ledger_entries WHERE order_id = ? ORDER BY entry_id`,
    [orderId],
  )
