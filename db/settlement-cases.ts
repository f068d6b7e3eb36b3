/** What does not agree between a settlement file and our operations is a case for finance, with what would put it right. */
import { uuidv7 } from 'uuidv7'
import { formatMinor } from '../domain/money'
import { correctionOf, type BreakReason } from '../domain/payment/settlement'
import { rows, run, type Transaction } from './connection'
import { self } from './events'

/** As the case, and what is booked of it, call it. */
export const cases = {
  missing: { kind: 'settlement.missing', summary: 'Taken or given back, and in no settlement', owner: 'finance' },
  doubled: { kind: 'settlement.doubled', summary: 'Paid out a second time', owner: 'finance' },
  wrong_amount: { kind: 'settlement.wrong_amount', summary: 'Paid out with another amount', owner: 'finance' },
  fee_difference: { kind: 'settlement.fee_difference', summary: 'Paid out with another fee than agreed', owner: 'finance' },
  chargeback: { kind: 'settlement.chargeback', summary: 'Charged back by the customer’s bank', owner: 'finance' },
  unknown: { kind: 'settlement.unknown', summary: 'Booked by the provider, and no operation of ours', owner: 'finance' },
  unreadable: { kind: 'settlement.unreadable', summary: 'A line that cannot be read', owner: 'finance' },
} as const satisfies Record<BreakReason, { kind: string; summary: string; owner: 'finance' }>

interface BreakRow {
  number: number
  line: number | null
  reason: BreakReason
  reference: string | null
  oursMinor: number
  theirsMinor: number
  feeMinor: number | null
  currency: string | null
  why: string | null
  orderId: string | null
  channel: string | null
}

const pageSize = 1_000

/** A case for every break of the settlement, a page of them at a time. */
export async function openCases(tx: Transaction, settlementId: string, provider: string): Promise<void> {
  for (let after = 0; ; ) {
    const page = await rows<BreakRow>(
      tx,
      `SELECT b.number, b.line, b.reason, b.reference, b.ours_minor AS "oursMinor", b.theirs_minor AS "theirsMinor", l.fee_minor AS "feeMinor", b.currency, b.why, o.order_id AS "orderId", o.channel
       FROM settlement_breaks b LEFT JOIN settlement_lines l ON l.settlement_id = b.settlement_id AND l.line = b.line LEFT JOIN payments p ON p.reference = b.reference LEFT JOIN orders o ON o.order_id = p.order_id
       WHERE b.settlement_id = ? AND b.number > ? ORDER BY b.number LIMIT ?`,
      [settlementId, after, pageSize],
    )
    if (page.length === 0) return
    await openPage(tx, settlementId, page.map((found) => caseOf(settlementId, provider, found)))
    after = page.at(-1)!.number
  }
}

interface Case {
  exceptionId: string
  number: number
  orderId: string | null
  channel: string | null
  kind: string
  subject: string
  owner: string
  summary: string
  data: Record<string, unknown>
}

function caseOf(settlementId: string, provider: string, { number, orderId, channel, reason, line, reference, oursMinor, theirsMinor, feeMinor, currency, why }: BreakRow): Case {
  const { kind, owner, summary } = cases[reason]
  const correction = correctionOf(reason, { oursMinor, theirsMinor, feeMinor: feeMinor ?? 0, provider, stranger: orderId === null })
  const amounts = currency ? `${summary}: ours ${formatMinor(oursMinor, currency)}, theirs ${formatMinor(theirsMinor, currency)}` : `${summary}: ${why}`
  const data = { settlementId, line, reference, oursMinor, theirsMinor, ...(feeMinor !== null && { feeMinor }), currency, ...(why !== null && { why }), correction }
  return { exceptionId: uuidv7(), number, orderId, channel, kind, subject: `${settlementId}:${number}`, owner, summary: amounts, data }
}

async function openPage(tx: Transaction, settlementId: string, opened: readonly Case[]): Promise<void> {
  await run(
    tx,
    `WITH given AS (
       SELECT * FROM jsonb_to_recordset(?::jsonb) AS c("exceptionId" uuid, number int, "orderId" uuid, channel text, kind text, subject text, owner text, summary text, data jsonb)),
     opened AS (
       INSERT INTO exceptions (exception_id, order_id, kind, subject, owner, summary, data) SELECT "exceptionId", "orderId", kind, subject, owner, summary, data FROM given ORDER BY number),
     told AS (
       INSERT INTO order_events (order_id, channel, type, actor, data)
       SELECT "orderId", channel, 'exception.opened', ?, jsonb_build_object('exceptionId', "exceptionId", 'kind', kind, 'owner', owner, 'summary', summary) FROM given WHERE "orderId" IS NOT NULL ORDER BY number)
     UPDATE settlement_breaks b SET exception_id = given."exceptionId" FROM given WHERE b.settlement_id = ? AND b.number = given.number`,
    [JSON.stringify(opened), self, settlementId],
  )
}

/** What was missing or wrong in an earlier file has come in this one: its case is settled. What was missing and has another amount has come too, and that is the case. */
export async function settleCases(tx: Transaction, settlementId: string): Promise<void> {
  await run(
    tx,
    `WITH settled AS (
       UPDATE exceptions e SET resolved_at = now(), resolution = came.resolution, resolved_by = :self
       FROM (
         SELECT operation_id, ARRAY['missing', 'wrong_amount'] AS reasons, :resolution::text AS resolution FROM settlement_lines WHERE settlement_id = :settlementId AND outcome = 'matched'
         UNION ALL SELECT operation_id, ARRAY['missing'], :otherAmount::text FROM settlement_breaks WHERE settlement_id = :settlementId AND reason = 'wrong_amount') came
       JOIN settlement_breaks b ON b.operation_id = came.operation_id AND b.settlement_id <> :settlementId AND b.reason = ANY(came.reasons), orders o
       WHERE e.exception_id = b.exception_id AND e.resolved_at IS NULL AND o.order_id = e.order_id
       RETURNING e.exception_id, e.kind, e.resolution, o.order_id, o.channel)
     INSERT INTO order_events (order_id, channel, type, actor, data)
     SELECT order_id, channel, 'exception.resolved', :self, jsonb_build_object('exceptionId', exception_id, 'kind', kind, 'resolution', resolution) FROM settled ORDER BY exception_id`,
    { settlementId, resolution: `Paid out in settlement ${settlementId}`, otherAmount: `Paid out with another amount in settlement ${settlementId}`, self },
  )
}
