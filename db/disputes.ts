/** A customer has her bank take the money back: what that touches is frozen until the provider says how it ended, money and goods. News comes twice, late, or the end first. */
import type { HoldsChanged } from '../domain/messages'
import { formatMinor } from '../domain/money'
import { heldByDispute } from '../domain/order/holds'
import { refuse } from '../domain/refusals'
import { endRefunds } from './charged-back'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, self } from './events'
import { asStanding, holdsOfDispute } from './holds'
import { rememberTelling, settleFact, tellLater, type InboundFact, type Telling } from './inbox'
import { postDispute } from './ledger'
import { isWorkflowOpen, lockOrderOf, refreshOrder, type OrderRow } from './orders'
import { standInTheWay, statusOf } from './steps/place-hold'
import { release } from './steps/release-hold'
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

/** Applied under the order's lock, in one transaction with the fact's own row. @returns what the order's workflow is to hear: a hold on its goods, or that it is over */
export const applyDisputeFact = (db: Db, fact: InboundFact): Promise<Telling | undefined> =>
  db.transaction(async (tx) => {
    const news = fact.payload as unknown as DisputeNews
    const payment = await row<Payment>(tx, 'SELECT payment_id AS "paymentId", tender_id AS "tenderId", provider, currency FROM payments WHERE reference = ?', [news.reference])
    if (!payment) return void (await settleFact(tx, fact, 'done', 'no payment of ours'))
    const order = await lockOrderOf(tx, payment.paymentId)
    if (!(await keep(tx, payment.paymentId, news))) return void (await settleFact(tx, fact, 'done', 'nothing new'))
    const told = await tell(tx, order, payment, news, fact.source)
    const held = await holdGoods(tx, order, news, fact.source)
    if (!held) return void (await settleFact(tx, fact, 'done', told))
    const telling = tellingOf(order, held)
    await rememberTelling(tx, fact, telling, told)
    return telling
  })

const tellingOf = ({ channel, channelOrderId }: OrderRow, fact: HoldsChanged): Telling => ({ channel, channelOrderId, signal: 'holdsChanged', fact })

/** What has still to leave waits for the bank, and goes on when the shop has won. Lost, it stays: nobody pays for it, and a person cancels it or lets it go. */
async function holdGoods(tx: Transaction, order: OrderRow, { disputeId, status }: Pick<DisputeNews, 'disputeId' | 'status'>, actor: string): Promise<HoldsChanged | undefined> {
  const before = await holdsOfDispute(tx, disputeId)
  const standing = before.filter((h) => h.endedHow === null)
  if (status === 'won') return standing.length ? release(tx, order, standing, { actor, why: 'dispute_won' }) : undefined
  const isDecided = before.some((h) => h.endedHow !== 'order_ended') // it stands, or whoever released it knows better
  if (isDecided || order.stage === 'cancelled' || !(await isWorkflowOpen(tx, order.orderId))) return undefined
  const placed = await standInTheWay(tx, order, { draft: { ...heldByDispute, disputeId }, actor })
  await refreshOrder(tx, order.orderId)
  return { placed: [asStanding(placed)], released: [], moved: [], status: await statusOf(tx, order.orderId) }
}

/** An order that had come to its end goes on: what leaves for it now is held as what would have left before. Under the order's lock, and its workflow is told. */
export async function holdAgain(tx: Transaction, order: OrderRow): Promise<void> {
  const disputes = await rows<{ disputeId: string; status: 'open' }>(tx, `SELECT dispute_id AS "disputeId", d.status FROM disputes d JOIN payments USING (payment_id) WHERE order_id = ? AND d.status = 'open'`, [order.orderId])
  for (const dispute of disputes) {
    const held = await holdGoods(tx, order, dispute, self)
    if (held) await tellLater(tx, { source: self, eventId: `held:${held.placed[0]!.holdId}`, kind: 'dispute', subject: dispute.disputeId, payload: {} }, tellingOf(order, held))
  }
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
    await openException(tx, { ...order, kind: 'payment.disputed', subject: disputeId, owner: 'finance', summary: `The customer’s bank takes ${money} back: answer at the provider. Until it is decided nothing is refunded, and what has still to leave is held`, data: { ...data, paymentId }, deadline: deadlineOf(order.policy.parcels) })
    return 'the payment is frozen'
  }
  await record(tx, order, { type: 'payment.dispute_closed', actor, data: { ...data, outcome: status } })
  await run(tx, `UPDATE exceptions SET resolved_at = now(), resolution = ?, resolved_by = ? WHERE kind = 'payment.disputed' AND subject = ? AND resolved_at IS NULL`, [`The dispute was ${status}`, actor, disputeId])
  if (status === 'lost') {
    await endRefunds(tx, order, { paymentId })
    await openException(tx, { ...order, kind: 'payment.dispute_lost', subject: disputeId, owner: 'finance', summary: `${money} went back to the customer by her bank: what was to be given back is counted of it. What has still to leave is held: cancel it, or release the hold`, data: { ...data, paymentId } })
    await refreshOrder(tx, order.orderId)
  }
  return `the dispute was ${status}`
}

/** To be asked before a refund is promised to anybody. @throws `payment.disputed` */
export async function needUndisputed(db: Db | Transaction, paymentId: string): Promise<void> {
  const open = await row<{ disputeId: string; amountMinor: number }>(db, `SELECT dispute_id AS "disputeId", amount_minor AS "amountMinor" FROM disputes WHERE payment_id = ? AND status = 'open'`, [paymentId])
  if (open) throw refuse('payment.disputed', { ...open })
}
