/**
 * A refund that had been given comes back to the provider, days later: the card is closed, the account gone. The customer is owed it still, so finance has a case that says which
 * ways are left, and the ledger says to whom it is owed. The refund itself stays as given: what is known of a payment only grows.
 */
import { formatMinor } from '../domain/money'
import { failedRefundJournal } from '../domain/payment/ledger'
import { row, type Db, type Transaction } from './connection'
import { record } from './events'
import { settleFact, type InboundFact } from './inbox'
import { postAll } from './ledger'
import { lockOrderOf } from './orders'
import { settleRefund } from './payment-operations'
import { applyView } from './payments'
import { insertReturned } from './returned-refunds'
import { openException } from './waiting'

export interface FailedRefund {
  refundReference: string
  /** The payment at the provider, and our operation where it was one of ours. */
  reference: string
  operationId?: string
  amountMinor: number
  currency: string
  reason: string
}

/** Applied under the order's lock, in one transaction with the fact's own row; said again, or by another kind of message, it changes nothing. */
export async function applyFailedRefund(db: Db, fact: InboundFact): Promise<undefined> {
  const news = fact.payload as unknown as FailedRefund
  await db.transaction(async (tx) => {
    const payment = await row<Payment>(tx, 'SELECT payment_id AS "paymentId", tender_id AS "tenderId", provider FROM payments WHERE reference = ?', [news.reference])
    if (!payment) return settleFact(tx, fact, 'done', 'no payment of ours')
    const { paymentId, tenderId, provider } = payment
    const order = await lockOrderOf(tx, paymentId)
    if (await row(tx, 'SELECT 1 FROM ledger_entries WHERE journal_id = ? LIMIT 1', [`refund-failed:${news.refundReference}`])) return settleFact(tx, fact, 'done', 'nothing new')
    await knowAsGiven(tx, paymentId, news)
    await postAll(tx, [{ about: { orderId: order.orderId, paymentId, currency: news.currency }, journal: failedRefundJournal({ provider, ...news }) }])
    const { refundReference, reference, operationId = null, amountMinor, currency, reason } = news
    await insertReturned(tx, { refundReference, orderId: order.orderId, paymentId, operationId, amountMinor, currency })
    const data = { tenderId, refundReference, reference, amountMinor, currency, reason }
    await record(tx, order, { type: 'payment.refund_failed', actor: fact.source, data })
    const ways = ['store_credit', ...((await otherMoney(tx, order.orderId, paymentId)) >= amountMinor ? ['another_payment'] : []), 'bank_transfer']
    const summary = `A refund of ${formatMinor(amountMinor, currency)} came back to the provider: the customer is owed it still. Give it another way`
    await openException(tx, { ...order, kind: 'payment.refund_returned', subject: refundReference, owner: 'finance', summary, data: { ...data, paymentId, ways } })
    await settleFact(tx, fact, 'done', 'the customer is owed it again')
  })
}

interface Payment {
  paymentId: string
  tenderId: string
  provider: string
}

/** The failure may come before the word that it was given at all. */
async function knowAsGiven(tx: Transaction, paymentId: string, { operationId, amountMinor }: FailedRefund): Promise<void> {
  if (operationId !== undefined) await settleRefund(tx, operationId)
  const known = (await row<{ status: 'captured'; authorizedMinor: number; capturedMinor: number; refundedMinor: number; givenMinor: number }>(
    tx,
    `SELECT status, authorized_minor AS "authorizedMinor", captured_minor AS "capturedMinor", refunded_minor AS "refundedMinor",
       (SELECT coalesce(sum(amount_minor), 0)::int8 FROM payment_operations op WHERE op.payment_id = p.payment_id AND kind = 'refund' AND op.status = 'succeeded') AS "givenMinor"
     FROM payments p WHERE payment_id = ?`,
    [paymentId],
  ))!
  await applyView(tx, paymentId, { ...known, refundedMinor: Math.max(known.refundedMinor, known.givenMinor, amountMinor) })
}

/** What other payments of the order have taken and could give back. */
const otherMoney = async (tx: Transaction, orderId: string, paymentId: string): Promise<number> =>
  (await row<{ leftMinor: number }>(tx, `SELECT coalesce(sum(captured_minor - refunded_minor), 0)::int8 AS "leftMinor" FROM payments WHERE order_id = ? AND payment_id <> ? AND provider <> 'paid_elsewhere'`, [orderId, paymentId]))!.leftMinor

/** Of a payment's refunds what came back: the provider counts it as not given any more. */
export const returnedMinor = async (db: Db | Transaction, paymentId: string): Promise<number> =>
  (await row<{ minor: number }>(db, `SELECT coalesce(-sum(amount_minor), 0)::int8 AS minor FROM ledger_entries WHERE payment_id = ? AND kind = 'refund_failed' AND account = 'refunds_owed'`, [paymentId]))!.minor
