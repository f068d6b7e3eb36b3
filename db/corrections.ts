/** The correction that a settlement's break proposes, booked when finance agrees: once, with a name to it, and the case is closed with it. */
import { correctionJournal } from '../domain/payment/ledger'
import { correctionOf, type BreakReason } from '../domain/payment/settlement'
import { refuse } from '../domain/refusals'
import { row, run, type Transaction } from './connection'
import { resolveException, type Held } from './exceptions'
import { postAll } from './ledger'
import { cases } from './settlement-cases'

interface Broken {
  settlementId: string
  number: number
  provider: string
  operationId: string | null
  reason: BreakReason
  reference: string | null
  oursMinor: number
  theirsMinor: number
  feeMinor: number | null
  currency: string | null
  orderId: string | null
  paymentId: string | null
  /** How many of the payment's disputes the ledger has begun, or has as won. */
  disputed: number
  won: number
}

const brokenSql = `
  SELECT b.settlement_id AS "settlementId", b.number, s.provider, b.operation_id AS "operationId", b.reason, b.reference, b.ours_minor AS "oursMinor", b.theirs_minor AS "theirsMinor", l.fee_minor AS "feeMinor", b.currency,
    p.order_id AS "orderId", p.payment_id AS "paymentId",
    (SELECT count(*) FROM disputes d WHERE d.payment_id = p.payment_id)::int AS disputed, (SELECT count(*) FROM disputes d WHERE d.payment_id = p.payment_id AND d.status = 'won')::int AS won
  FROM settlement_breaks b JOIN settlements s USING (settlement_id) LEFT JOIN settlement_lines l ON l.settlement_id = b.settlement_id AND l.line = b.line LEFT JOIN payments p ON p.reference = b.reference
  WHERE b.exception_id = ?`

/** Under the lock of settlements, so that no file matches meanwhile what is corrected here. @throws `exception.nothing_to_book`, `settlement.dispute_not_told` */
export async function bookCorrection(tx: Transaction, held: Held, { actor, reason }: { actor: string; reason?: string }): Promise<void> {
  const broken = await row<Broken>(tx, brokenSql, [held.exceptionId])
  const entries = broken ? correctionOf(broken.reason, { ...broken, feeMinor: broken.feeMinor ?? 0, stranger: broken.paymentId === null }).entries : []
  if (!broken || entries.length === 0) throw refuse('exception.nothing_to_book', { kind: held.kind })
  const { settlementId, number, orderId, paymentId, currency, operationId } = broken
  if (broken.reason === 'chargeback' && paymentId !== null) needTold(broken)
  const why = cases[broken.reason].summary
  await postAll(tx, [{ about: { orderId, paymentId, currency: currency! }, journal: correctionJournal({ settlementId, number, entries, why, actor }) }])
  // What is written off comes in no later file: there it would be paid out a second time.
  if (broken.reason === 'wrong_amount') await run(tx, 'UPDATE payment_operations SET paid_out = true WHERE operation_id = ?', [operationId])
  await resolveException(tx, held, { resolution: `Booked as correction:${settlementId}:${number}${reason === undefined ? '' : `: ${reason}`}`, actor })
}

/** What the bank takes is in the ledger by the provider's message; without it the line would stand alone. */
function needTold({ theirsMinor, disputed, won, reference }: Broken): void {
  if ((theirsMinor < 0 ? disputed : won) === 0) throw refuse('settlement.dispute_not_told', { reference })
}
