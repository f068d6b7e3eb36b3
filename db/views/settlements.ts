/** A settlement as finance reads it: how much of the file agreed, and everything that did not. */
import { row, type Db, type Transaction } from '../connection'
import { list } from './sql'

export interface SettlementView {
  settlementId: string
  provider: string
  receivedAt: string
  periodEnd: string | null
  lines: number
  matched: number
  /** Said by an earlier file already. */
  repeated: number
  breakCount: number
  /** The first thousand. */
  breaks: { reference: string | null; oursMinor: number; theirsMinor: number; currency: string | null; reason: string; line: number | null; why: string | null; exceptionId: string }[]
}

export const mostBreaksShown = 1_000

const breakJson = `json_build_object('reference', reference, 'oursMinor', ours_minor, 'theirsMinor', theirs_minor, 'currency', currency, 'reason', reason, 'line', line, 'why', why, 'exceptionId', exception_id)`

export const settlementView = (db: Db | Transaction, settlementId: string): Promise<SettlementView | undefined> =>
  row(
    db,
    `SELECT settlement_id AS "settlementId", provider, received_at AS "receivedAt", period_end AS "periodEnd", lines, matched, repeated, broken AS "breakCount",
       ${list(breakJson, `(SELECT * FROM settlement_breaks b WHERE b.settlement_id = s.settlement_id ORDER BY number LIMIT ${mostBreaksShown}) b`, 'number')} AS breaks
     FROM settlements s WHERE settlement_id = ?`,
    [settlementId],
  )
