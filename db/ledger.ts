/** The ledger is written here: each journal once, in the transaction of the fact it is about, under the order's lock. */
import { captureJournal, chargeJournal, countedJournal, creditJournal, disputeEndJournal, disputeJournal, keptJournal, refundJournal, saleJournal, type Journal, type Sale } from '../domain/payment/ledger'
import { partsBetween, type RefundParts } from '../domain/returns/refund'
import { row, rows, run, type Transaction } from './connection'
import type { PaymentRow } from './payments'

/** Goods have left. Where they are worth nothing, there is nothing to post. */
export const postSale = (tx: Transaction, order: { orderId: string; currency: string }, sale: Sale): Promise<void> => post(tx, { orderId: order.orderId, currency: order.currency, paymentId: null }, saleJournal(sale))

/** What did not come back is the customer's, and she owes its price. */
export const postCharge = (tx: Transaction, order: { orderId: string; currency: string }, charge: Parameters<typeof chargeJournal>[0]): Promise<void> => post(tx, { orderId: order.orderId, currency: order.currency, paymentId: null }, chargeJournal(charge))

/** News of a payment says that more was taken, or given back, than was known. */
export async function postMoney(tx: Transaction, orderId: string, known: Pick<PaymentRow, 'paymentId' | 'provider' | 'currency' | 'capturedMinor' | 'refundedMinor'>, now: { capturedMinor: number; refundedMinor: number }): Promise<void> {
  const { paymentId, provider, currency } = known
  const [takenMinor, givenMinor] = [now.capturedMinor - known.capturedMinor, now.refundedMinor - known.refundedMinor]
  if (takenMinor > 0) await post(tx, { orderId, paymentId, currency }, captureJournal({ paymentId, provider, amountMinor: takenMinor, capturedMinor: now.capturedMinor }))
  if (givenMinor > 0) {
    const [owedMinor, parts] = [await owedToCustomer(tx, orderId), partsBetween(await refundsOf(tx, paymentId), known.refundedMinor, now.refundedMinor)]
    await post(tx, { orderId, paymentId, currency }, refundJournal({ paymentId, provider, amountMinor: givenMinor, refundedMinor: now.refundedMinor, owedMinor, parts }))
  }
}

/** A fee took all that would have been given back. */
export const postKept = (tx: Transaction, order: { orderId: string; currency: string }, kept: Parameters<typeof keptJournal>[0]): Promise<void> => post(tx, { orderId: order.orderId, currency: order.currency, paymentId: null }, keptJournal(kept))

/** What would have been given back is store credit now. */
export const postCredit = (tx: Transaction, order: { orderId: string; currency: string }, credit: Parameters<typeof creditJournal>[0]): Promise<void> => post(tx, { orderId: order.orderId, currency: order.currency, paymentId: null }, creditJournal(credit))

/** What was given ahead is counted. */
export const postCounted = (tx: Transaction, order: { orderId: string; currency: string }, counted: Parameters<typeof countedJournal>[0]): Promise<void> => post(tx, { orderId: order.orderId, currency: order.currency, paymentId: null }, countedJournal(counted))

/** A bank takes money back, or has decided about it: the end posts the beginning too where that has not come yet. */
export async function postDispute(tx: Transaction, about: { orderId: string; paymentId: string; currency: string }, dispute: Parameters<typeof disputeJournal>[0] & { status: 'open' | 'won' | 'lost' }): Promise<void> {
  const { status } = dispute
  const begun = await row(tx, 'SELECT 1 FROM ledger_entries WHERE journal_id = ? LIMIT 1', [`dispute:${dispute.disputeId}`])
  const journals = [...(begun ? [] : [disputeJournal(dispute)]), ...(status === 'open' ? [] : [disputeEndJournal({ ...dispute, status })])]
  await postAll(tx, journals.map((journal) => ({ about, journal })))
}

/** Many journals of facts that cannot come again, in one statement. */
export async function postAll(tx: Transaction, posted: readonly { about: About; journal: Journal }[]): Promise<void> {
  const entries = posted.flatMap(({ about, journal }) => journal.entries.map((e) => ({ ...about, ...e, journalId: journal.journalId, kind: journal.kind })))
  if (entries.length === 0) return
  const column = <K extends keyof (typeof entries)[number]>(name: K): (typeof entries)[number][K][] => entries.map((e) => e[name])
  await run(
    tx,
    `INSERT INTO ledger_entries (journal_id, kind, order_id, payment_id, currency, account, amount_minor, cause)
     SELECT * FROM unnest(?::text[], ?::text[], ?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::int8[], ?::text[])`,
    [column('journalId'), column('kind'), column('orderId'), column('paymentId'), column('currency'), column('account'), column('amountMinor'), column('cause')],
  )
}

/** The refunds of a payment that say what they give back, in the sequence they were intended in. */
const refundsOf = (tx: Transaction, paymentId: string): Promise<{ amountMinor: number; parts: RefundParts }[]> =>
  rows(tx, `SELECT amount_minor AS "amountMinor", parts FROM payment_operations WHERE payment_id = ? AND kind = 'refund' AND parts IS NOT NULL AND status <> 'abandoned' ORDER BY operation_id`, [paymentId])

/** What was paid of an order and no goods have left for. */
async function owedToCustomer(tx: Transaction, orderId: string): Promise<number> {
  const found = await row<{ receivableMinor: number }>(
    tx,
    `SELECT coalesce(sum(amount_minor), 0)::int8 AS "receivableMinor" FROM ledger_entries WHERE order_id = ? AND account = 'receivable'`,
    [orderId],
  )
  return Math.max(0, -found!.receivableMinor)
}

interface About {
  orderId: string | null
  paymentId: string | null
  currency: string
}

/** A journal that was posted before fails on its key: what calls this twice for one fact is broken. */
const post = (tx: Transaction, about: About, journal: Journal): Promise<void> => postAll(tx, [{ about, journal }])
