/** Receives the provider's settlement files: lines in, matched, posted, and a case for everything that does not agree; one transaction, one file at a time. */
import { uuidv7 } from 'uuidv7'
import { settlementJournal } from '../domain/payment/ledger'
import type { SettlementLine } from '../domain/payment/settlement'
import type { ProviderFees } from '../domain/policy/kinds'
import { refuse } from '../domain/refusals'
import { row, run, type Transaction } from './connection'
import { postAll } from './ledger'
import { openCases, settleCases } from './settlement-cases'
import { coveredUntil, matchLines } from './settlement-matching'
import { writeAudit } from './audit'
import { iso } from './views/sql'

export interface SettlementFile {
  provider: string
  /** Of the file's bytes: the same file is the same settlement. */
  contentHash: Buffer
  /** Until when the file covers everything; none: what its newest line says. */
  periodEnd?: string
  lines(): AsyncIterable<ReadLine[]>
}
/** A line of the file by its number; or why it cannot be read. */
export type ReadLine = { line: number } & ({ read: SettlementLine } | { why: string })

/** Any number nobody else uses for an advisory lock in this database. */
const settlementLock = 7_204_482

/** One file at a time, and no correction meanwhile: it comes before every other lock. */
export const lockSettlements = (tx: Transaction): Promise<void> => run(tx, 'SELECT pg_advisory_xact_lock(?)', [settlementLock])

/** @returns the settlement's id. @throws `settlement.received_before`, `settlement.currency` */
export async function receiveSettlement(tx: Transaction, file: SettlementFile, { fees, actor }: { fees: ProviderFees; actor: string }): Promise<string> {
  await lockSettlements(tx)
  const before = await row<{ settlementId: string; receivedAt: string }>(tx, `SELECT settlement_id AS "settlementId", ${iso('received_at')} AS "receivedAt" FROM settlements WHERE content_hash = ?`, [file.contentHash])
  if (before) throw refuse('settlement.received_before', { ...before })
  const settlementId = uuidv7()
  const { provider, contentHash } = file
  await run(tx, 'INSERT INTO settlements (settlement_id, provider, content_hash, received_by) VALUES (?, ?, ?, ?)', [settlementId, provider, contentHash, actor])
  for await (const lines of file.lines()) await insertLines(tx, settlementId, lines)
  await needOurCurrencies(tx, settlementId, provider)
  const periodEnd = file.periodEnd ?? (await coveredUntil(tx, settlementId))
  await run(tx, 'UPDATE settlements SET period_end = ? WHERE settlement_id = ?', [periodEnd, settlementId])
  await matchLines(tx, { settlementId, provider, periodEnd }, fees)
  await postPaidOut(tx, settlementId, provider)
  await settleCases(tx, settlementId)
  await openCases(tx, settlementId, provider)
  await writeAudit(tx, { actor, action: 'settlement.receive', subject: settlementId, cause: 'sent by finance' })
  return settlementId
}

/** A line in a currency that no channel sells in, or in another than its payment was taken in: then the file is not for these books. @throws `settlement.currency` */
async function needOurCurrencies(tx: Transaction, settlementId: string, provider: string): Promise<void> {
  const wrong = await row<{ line: number; currency: string; expected: string[] }>(
    tx,
    `SELECT l.line, l.currency, CASE WHEN p.currency IS NULL THEN ours.currencies ELSE ARRAY[p.currency] END AS expected
     FROM (SELECT array_agg(DISTINCT currency ORDER BY currency) AS currencies FROM channels) ours,
       settlement_lines l LEFT JOIN payments p ON p.reference = l.reference AND p.provider = ?
     WHERE l.settlement_id = ? AND l.currency <> ALL(CASE WHEN p.currency IS NULL THEN ours.currencies ELSE ARRAY[p.currency] END) ORDER BY l.line LIMIT 1`,
    [provider, settlementId],
  )
  if (wrong) throw refuse('settlement.currency', { ...wrong }, `Line ${wrong.line} is in ${wrong.currency}, and not in ${wrong.expected.join(' or ')}`)
}

async function insertLines(tx: Transaction, settlementId: string, lines: readonly ReadLine[]): Promise<void> {
  const read = lines.flatMap((l) => ('read' in l ? [{ line: l.line, ...l.read }] : []))
  const column = <K extends keyof (typeof read)[number]>(name: K): (typeof read)[number][K][] => read.map((l) => l[name])
  await run(
    tx,
    `INSERT INTO settlement_lines (settlement_id, line, transaction_id, kind, category, reference, currency, gross_minor, fee_minor, created_at)
     SELECT ?::uuid, * FROM unnest(?::int[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::int8[], ?::int8[], ?::timestamptz[])`,
    [settlementId, column('line'), column('transactionId'), column('kind'), column('category'), column('reference'), column('currency'), column('grossMinor'), column('feeMinor'), column('createdAt')],
  )
  const broken = lines.flatMap((l) => ('why' in l ? [{ line: l.line, why: l.why }] : []))
  if (broken.length === 0) return
  await run(
    tx,
    `WITH given AS (SELECT * FROM unnest(?::int[], ?::text[]) AS g(line, why)),
       kept AS (INSERT INTO settlement_lines (settlement_id, line, outcome) SELECT ?::uuid, line, 'broken' FROM given)
     INSERT INTO settlement_breaks (settlement_id, line, reason, ours_minor, theirs_minor, why) SELECT ?::uuid, line, 'unreadable', 0, 0, why FROM given ORDER BY line`,
    [broken.map((b) => b.line), broken.map((b) => b.why), settlementId, settlementId],
  )
}

interface PaidLine {
  line: number
  operationId: string
  orderId: string
  paymentId: string
  grossMinor: number
  feeMinor: number
  currency: string
}

/** Matched money leaves the clearing account, some lines at a time. */
async function postPaidOut(tx: Transaction, settlementId: string, provider: string): Promise<void> {
  await run(
    tx,
    `DECLARE paid_lines NO SCROLL CURSOR FOR
     SELECT l.line, l.operation_id AS "operationId", op.order_id AS "orderId", op.payment_id AS "paymentId", l.gross_minor AS "grossMinor", l.fee_minor AS "feeMinor", l.currency
     FROM settlement_lines l JOIN payment_operations op USING (operation_id) WHERE l.settlement_id = ? AND l.outcome = 'matched' ORDER BY l.line`,
    [settlementId],
  )
  for (;;) {
    const paid = (await tx.raw<{ rows: PaidLine[] }>('FETCH 1000 FROM paid_lines')).rows
    if (paid.length === 0) break
    await postAll(tx, paid.map((p) => ({ about: p, journal: settlementJournal({ ...p, provider, settlementId }) })))
  }
  await tx.raw('CLOSE paid_lines')
}
