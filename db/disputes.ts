/** A customer has her bank take the money back: what that touches is frozen until the provider says how it ended. News comes twice, late, or the end first. */
import { formatMinor } from '../domain/money'
import { refuse } from '../domain/refusals'
import { endRefunds } from './charged-back'
import { row, run, type Db, type Transaction } from './connection'
import { record } from './events'
import { settleFact, type InboundFact } from './inbox'
import { postDispute } from './ledger'
import { lockOrderOf, refreshOrder, type OrderRow } from './orders'
import { deadlineOf } from './undelivered'
import { openException } from './waiting'

export interface DisputeNews {
  disputeId: string
  /** The payment at the provider. */
  reference: string
  amountMinor: number
  currency: string
  reason: string
  status: 'open' | 'won' | 'lost'
}

/** Applied under the order's lock, in one transaction with the fact's own row. */
export async function applyDisputeFact(db: Db, fact: InboundFact): Promise<undefined> {
  const news = fact.payload as unknown as DisputeNews
  await db.transaction(async (tx) => {
    const payment = await row<Payment>(tx, 'SELECT payment_id AS "paymentId", tender_id AS "tenderId", provider, currency FROM payments WHERE reference = ?', [news.reference])
    if (!payment) return settleFact(tx, fact, 'done', 'no payment of ours')
    const order = await lockOrderOf(tx, payment.paymentId)
    const told = (await keep(tx, payment.paymentId, news)) ? await tell(tx, order, payment, news, fact.source) : 'nothing new'
    await settleFact(tx, fact, 'done', told)
  })
}

interface Payment {
  paymentId: string
  tenderId: string
  provider: string
  currency: string
}

/** An end is never undone by the beginning that comes after it. @returns false when this was known. */
async function keep(tx: Transaction, paymentId: string, { disputeId, amountMinor, reason, status }: DisputeNews): Promise<boolean> {
  const kept = await row(
    tx,
    `INSERT INTO disputes (dispute_id, payment_id, amount_minor, reason, status, closed_at) VALUES (?, ?, ?, ?, ?, CASE WHEN ? <> 'open' THEN now() END)
     ON CONFLICT (dispute_id) DO UPDATE SET status = excluded.status, closed_at = excluded.closed_at WHERE disputes.status = 'open' AND excluded.status <> 'open' RETURNING dispute_id`,
    [disputeId, paymentId, amountMinor, reason, status, status],
  )
  return kept !== undefined
}

async function tell(tx: Transaction, order: OrderRow, { paymentId, tenderId, provider, ...paid }: Payment, news: DisputeNews, actor: string): Promise<string> {
  const { disputeId, reference, amountMinor, currency, reason, status } = news
  const data = { disputeId, tenderId, reference, amountMinor, currency, reason }
  const money = formatMinor(amountMinor, currency)
  if (amountMinor > 0) await postDispute(tx, { orderId: order.orderId, paymentId, currency: paid.currency }, { disputeId, provider, amountMinor, status })
  if (status === 'open') {
    await record(tx, order, { type: 'payment.disputed', actor, data })
    await openException(tx, { ...order, kind: 'payment.disputed', subject: disputeId, owner: 'finance', summary: `The customer’s bank takes ${money} back: answer at the provider. Nothing is refunded until it is decided`, data: { ...data, paymentId }, deadline: deadlineOf(order.policy.parcels) })
    return 'the payment is frozen'
  }
  await record(tx, order, { type: 'payment.dispute_closed', actor, data: { ...data, outcome: status } })
  await run(tx, `UPDATE exceptions SET resolved_at = now(), resolution = ?, resolved_by = ? WHERE kind = 'payment.disputed' AND subject = ? AND resolved_at IS NULL`, [`The dispute was ${status}`, actor, disputeId])
  if (status === 'lost') {
    await endRefunds(tx, order, { paymentId })
    await openException(tx, { ...order, kind: 'payment.dispute_lost', subject: disputeId, owner: 'finance', summary: `${money} went back to the customer by her bank: what was to be given back is counted of it`, data: { ...data, paymentId } })
    await refreshOrder(tx, order.orderId)
  }
  return `the dispute was ${status}`
}

/** To be asked before a refund is promised to anybody. @throws `payment.disputed` */
export async function needUndisputed(db: Db | Transaction, paymentId: string): Promise<void> {
  const open = await row<{ disputeId: string; amountMinor: number }>(db, `SELECT dispute_id AS "disputeId", amount_minor AS "amountMinor" FROM disputes WHERE payment_id = ? AND status = 'open'`, [paymentId])
  if (open) throw refuse('payment.disputed', { ...open })
}
