/** Holds the lines of a settlement file against our operations, a whole file per statement: each operation to one line at most, over all files. */
import type { ProviderFees } from '../domain/policy/kinds'
import { row, run, type Transaction } from './connection'

interface File {
  settlementId: string
  provider: string
  /** Until when the file says everything; what we know only after it may come in the next one. */
  periodEnd: string | null
}

/** What is left when this is done are matched, repeated and ignored lines, and a row for everything that does not agree. */
export async function matchLines(tx: Transaction, file: File, fees: ProviderFees): Promise<void> {
  await tx.raw('ANALYZE settlement_lines') // the plans below are made for what has just come
  for (const sql of [repeatedSql, doubledSql, matchSql, paidOutSql, wrongAmountSql, otherSql]) await run(tx, sql, { settlementId: file.settlementId, provider: file.provider })
  await run(tx, feeSql, { settlementId: file.settlementId, ...fees })
  if (file.periodEnd !== null) await run(tx, missingSql, { ...file })
  await run(tx, unmatchedSql, { settlementId: file.settlementId })
}

/** Until when a file covers what we know: the newest line, and as long as the provider's news may take to reach us. */
export async function coveredUntil(tx: Transaction, settlementId: string): Promise<string | null> {
  const found = await row<{ until: string | null }>(tx, `SELECT max(created_at) + interval '1 minute' AS until FROM settlement_lines WHERE settlement_id = ?`, [settlementId])
  return found!.until
}

/** Said before, in another file, and the same: nothing new. */
const repeatedSql = `
  UPDATE settlement_lines l SET outcome = 'repeated' FROM settlement_lines e
  WHERE l.settlement_id = :settlementId AND l.outcome = 'new' AND e.transaction_id = l.transaction_id AND e.settlement_id <> l.settlement_id AND e.outcome IN ('matched', 'ignored', 'broken')
    AND (e.category, e.reference, e.currency, e.gross_minor, e.fee_minor) IS NOT DISTINCT FROM (l.category, l.reference, l.currency, l.gross_minor, l.fee_minor)`

/** Said twice in this file. */
const doubledSql = `
  WITH again AS (
    UPDATE settlement_lines l SET outcome = 'broken'
    FROM (SELECT line, row_number() OVER (PARTITION BY transaction_id ORDER BY line) AS n FROM settlement_lines WHERE settlement_id = :settlementId AND outcome = 'new') d
    WHERE l.settlement_id = :settlementId AND l.line = d.line AND d.n > 1 RETURNING l.*)
  INSERT INTO settlement_breaks (settlement_id, line, reason, reference, ours_minor, theirs_minor, currency)
  SELECT settlement_id, line, 'doubled', reference, 0, gross_minor, currency FROM again ORDER BY line`

const theirs = `SELECT line, reference, kind, abs(gross_minor) AS amount, currency, created_at FROM settlement_lines WHERE settlement_id = :settlementId AND outcome = 'new' AND kind IS NOT NULL`
const ours = `
  SELECT op.operation_id, p.reference, op.kind, op.amount_minor AS amount, p.currency, op.settled_at FROM payment_operations op JOIN payments p USING (payment_id)
  WHERE NOT op.paid_out AND op.status = 'succeeded' AND op.kind IN ('capture', 'refund') AND op.amount_minor > 0 AND p.provider = :provider
    AND p.reference IN (SELECT reference FROM settlement_lines WHERE settlement_id = :settlementId AND outcome = 'new')`

/** The same payment, kind, amount and currency; where there are several alike, in the sequence in which they happened. */
const matchSql = `
  UPDATE settlement_lines l SET outcome = 'matched', operation_id = o.operation_id
  FROM (SELECT t.*, row_number() OVER (PARTITION BY reference, kind, amount, currency ORDER BY created_at, line) AS n FROM (${theirs}) t) t
  JOIN (SELECT o.*, row_number() OVER (PARTITION BY reference, kind, amount, currency ORDER BY settled_at, operation_id) AS n FROM (${ours}) o) o USING (reference, kind, amount, currency, n)
  WHERE l.settlement_id = :settlementId AND l.line = t.line`

const paidOutSql = `
  UPDATE payment_operations op SET paid_out = true FROM settlement_lines l WHERE l.settlement_id = :settlementId AND l.outcome = 'matched' AND op.operation_id = l.operation_id`

/** The same payment and kind, another amount. */
const wrongAmountSql = `
  WITH pair AS (
    SELECT t.line, o.operation_id, o.amount
    FROM (SELECT t.*, row_number() OVER (PARTITION BY reference, kind, currency ORDER BY created_at, line) AS n FROM (${theirs}) t) t
    JOIN (SELECT o.*, row_number() OVER (PARTITION BY reference, kind, currency ORDER BY settled_at, operation_id) AS n FROM (${ours}) o) o USING (reference, kind, currency, n)),
  wrong AS (
    UPDATE settlement_lines l SET outcome = 'broken' FROM pair WHERE l.settlement_id = :settlementId AND l.line = pair.line RETURNING l.*, pair.operation_id AS ours_id, pair.amount)
  INSERT INTO settlement_breaks (settlement_id, line, operation_id, reason, reference, ours_minor, theirs_minor, currency)
  SELECT settlement_id, line, ours_id, 'wrong_amount', reference, sign(gross_minor) * amount, gross_minor, currency FROM wrong ORDER BY line`

/** What is left belongs to nothing that is still to be paid out: paid out before, a dispute, or nothing of ours. Payouts themselves are no change of what we are owed. */
const otherSql = `
  WITH other AS (
    UPDATE settlement_lines l SET outcome = CASE WHEN category = 'payout' THEN 'ignored' ELSE 'broken' END
    WHERE l.settlement_id = :settlementId AND outcome = 'new' RETURNING l.*)
  INSERT INTO settlement_breaks (settlement_id, line, operation_id, reason, reference, ours_minor, theirs_minor, currency)
  SELECT settlement_id, line, NULL, CASE
      WHEN category LIKE 'dispute%' THEN 'chargeback'
      WHEN EXISTS (SELECT 1 FROM payments p JOIN payment_operations op USING (payment_id) WHERE p.provider = :provider AND p.reference = other.reference AND op.kind = other.kind AND op.amount_minor = abs(other.gross_minor) AND op.paid_out) THEN 'doubled'
      ELSE 'unknown' END,
    reference, 0, gross_minor, currency FROM other WHERE outcome = 'broken' ORDER BY line`

/** What was agreed for a capture; giving back is free. */
const feeSql = `
  INSERT INTO settlement_breaks (settlement_id, line, operation_id, reason, reference, ours_minor, theirs_minor, currency)
  SELECT settlement_id, line, operation_id, 'fee_difference', reference, agreed, fee_minor, currency
  FROM settlement_lines, LATERAL (SELECT CASE kind WHEN 'capture' THEN round(gross_minor * :perMyriad::int / 10000.0)::int8 + :fixedMinor::int8 ELSE 0 END AS agreed) a
  WHERE settlement_id = :settlementId AND outcome = 'matched' AND abs(fee_minor - agreed) > :toleranceMinor::int8 ORDER BY line`

/** Ours, in the time the file covers, and in no file so far; told once. */
const missingSql = `
  INSERT INTO settlement_breaks (settlement_id, operation_id, reason, reference, ours_minor, theirs_minor, currency)
  SELECT :settlementId, op.operation_id, 'missing', p.reference, CASE op.kind WHEN 'refund' THEN -op.amount_minor ELSE op.amount_minor END, 0, p.currency
  FROM payment_operations op JOIN payments p USING (payment_id)
  WHERE NOT op.paid_out AND op.status = 'succeeded' AND op.kind IN ('capture', 'refund') AND op.amount_minor > 0 AND p.provider = :provider AND op.settled_at < :periodEnd::timestamptz
    AND NOT EXISTS (SELECT 1 FROM settlement_breaks b WHERE b.operation_id = op.operation_id AND b.reason IN ('missing', 'wrong_amount'))
  ORDER BY op.settled_at, op.operation_id`

const unmatchedSql = `UPDATE settlements s SET
    lines = (SELECT count(*) FROM settlement_lines l WHERE l.settlement_id = s.settlement_id),
    matched = (SELECT count(*) FROM settlement_lines l WHERE l.settlement_id = s.settlement_id AND outcome = 'matched'),
    repeated = (SELECT count(*) FROM settlement_lines l WHERE l.settlement_id = s.settlement_id AND outcome = 'repeated'),
    broken = (SELECT count(*) FROM settlement_breaks b WHERE b.settlement_id = s.settlement_id)
  WHERE settlement_id = :settlementId`
