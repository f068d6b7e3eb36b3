/** Refunds that came back: what the customer is owed since, until it is given another way. */
import type { GiveAgain } from '../domain/messages'
import { refuse } from '../domain/refusals'
import { row, run, type Db, type Transaction } from './connection'

export interface ReturnedRefund {
  refundReference: string
  orderId: string
  paymentId: string
  amountMinor: number
  currency: string
  returnedAt: string
  status: 'owed' | 'given'
  way: GiveAgain['by']['way'] | null
  transferReference: string | null
  sentBy: string | null
  givenBy: string | null
  givenAt: string | null
  /** Whose wish beyond what came back it was, where it was one; then another person settled it the first time too. */
  askedBy: string | null
}

const columns = `refund_reference AS "refundReference", r.order_id AS "orderId", r.payment_id AS "paymentId", r.amount_minor AS "amountMinor", r.currency, returned_at AS "returnedAt", r.status, way,
  transfer_reference AS "transferReference", sent_by AS "sentBy", given_by AS "givenBy", given_at AS "givenAt",
  (SELECT g.asked_by FROM payment_operations op JOIN goodwill_refunds g ON op.purpose IN ('goodwill:' || g.refund_id, 'refund:' || g.return_id || ':0') WHERE op.operation_id = r.operation_id AND g.above_minor > 0) AS "askedBy"`

export const findReturned = (db: Db | Transaction, refundReference: string): Promise<ReturnedRefund | undefined> => row(db, `SELECT ${columns} FROM returned_refunds r WHERE refund_reference = ?`, [refundReference])

/** @throws `refund.still_owed` */
export async function needGivenAgain(tx: Transaction, refundReference: string): Promise<void> {
  const returned = await findReturned(tx, refundReference)
  if (returned?.status === 'owed') throw refuse('refund.still_owed', { refundReference, amountMinor: returned.amountMinor })
}

export interface NewReturned {
  refundReference: string
  orderId: string
  paymentId: string
  operationId: string | null
  amountMinor: number
  currency: string
}

export async function insertReturned(tx: Transaction, returned: NewReturned): Promise<void> {
  await run(
    tx,
    `INSERT INTO returned_refunds (refund_reference, order_id, payment_id, operation_id, amount_minor, currency) VALUES (:refundReference, :orderId, :paymentId, :operationId, :amountMinor, :currency)`,
    { ...returned },
  )
}

export async function settleReturned(tx: Transaction, { refundReference, by, actor, commandId }: GiveAgain): Promise<void> {
  const { transferReference, sentBy } = by.way === 'bank_transfer' ? by : { transferReference: null, sentBy: null }
  await run(tx, `UPDATE returned_refunds SET status = 'given', way = ?, transfer_reference = ?, sent_by = ?, given_by = ?, given_at = now(), command_id = ? WHERE refund_reference = ?`, [by.way, transferReference, sentBy, actor, commandId, refundReference])
}
