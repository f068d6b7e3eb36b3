/** Questions to the fraud service: a row with its key before anything is asked, leased to whoever asks, and the first answer. */
import type { Address } from '../domain/order/change'
import type { FraudVerdict } from '../domain/order/fraud'
import { underReview } from '../domain/order/hold-rules'
import type { HoldsChanged } from '../domain/messages'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record } from './events'
import { asStanding, openHolds } from './holds'
import { rememberTelling, settleFact, type InboundFact, type Telling } from './inbox'
import { lockOrder, refreshOrder, type OrderRow } from './orders'
import { standInTheWay, statusOf } from './steps/place-hold'
import { release } from './steps/release-hold'
import { openException, settleExceptions } from './waiting'

export interface AskedCheck {
  checkId: string
  attempts: number
  orderId: string
  channel: string
  currency: string
  totalMinor: number
  customer: Record<string, string> | null
  shipTo: Address | null
  billTo: Address | null
  lines: { sku: string; quantity: number; unitPriceMinor: number }[]
  tenders: { provider: string; amountMinor: number }[]
}

/** Takes what is to be asked, or asked again because nothing was heard, for as long as its hold stands; asked no sooner than `againMs` from now by anybody else. */
export const leaseChecks = (db: Db, limit: number, againMs: number): Promise<AskedCheck[]> =>
  rows<AskedCheck>(
    db,
    `WITH due AS (SELECT check_id FROM fraud_checks c WHERE status <> 'answered' AND next_at <= now() AND EXISTS (SELECT 1 FROM holds h WHERE h.hold_id = c.hold_id AND h.ended_at IS NULL)
                  ORDER BY next_at LIMIT ? FOR UPDATE SKIP LOCKED),
       taken AS (UPDATE fraud_checks c SET attempts = attempts + 1, asked_at = coalesce(asked_at, now()), next_at = now() + ? * interval '1 millisecond' FROM due WHERE c.check_id = due.check_id
                 RETURNING c.check_id, c.order_id, c.attempts)
     SELECT t.check_id AS "checkId", t.attempts, o.order_id AS "orderId", o.channel, o.currency, o.total_minor AS "totalMinor", o.customer, o.ship_to AS "shipTo", o.bill_to AS "billTo",
       (SELECT json_agg(json_build_object('sku', sku, 'quantity', quantity, 'unitPriceMinor', unit_price_minor) ORDER BY position) FROM order_lines l WHERE l.order_id = o.order_id) AS lines,
       (SELECT json_agg(json_build_object('provider', provider, 'amountMinor', amount_minor) ORDER BY tender_id) FROM payments p WHERE p.order_id = o.order_id) AS tenders
     FROM taken t JOIN orders o USING (order_id)`,
    [limit, againMs],
  )

/** The service has the question and thinks about it. */
export const checkIsAsked = (db: Db, checkId: string, { reference, againMs }: { reference: string; againMs: number }): Promise<void> =>
  run(db, `UPDATE fraud_checks SET status = 'asked', reference = ?, last_error = NULL, next_at = now() + ? * interval '1 millisecond' WHERE check_id = ? AND status <> 'answered'`, [reference, againMs, checkId])

export const checkFailed = (db: Db, checkId: string, error: string, retryMs: number): Promise<void> =>
  run(db, `UPDATE fraud_checks SET last_error = ?, next_at = now() + ? * interval '1 millisecond' WHERE check_id = ? AND status <> 'answered'`, [error.slice(0, 300), retryMs, checkId])

const severity: Record<FraudVerdict, number> = { accept: 0, review: 1, reject: 2 }

/** What the service says, at once or later, first or again: the first answer counts, and somebody is told of a worse one after it. */
export const applyFraudFact = (db: Db, fact: InboundFact): Promise<Telling | undefined> =>
  db.transaction(async (tx) => {
    const { verdict, reference } = fact.payload as { verdict: FraudVerdict; reference: string }
    const found = await row<{ orderId: string }>(tx, 'SELECT order_id AS "orderId" FROM fraud_checks WHERE check_id::text = ?', [fact.subject])
    if (!found) return void (await settleFact(tx, fact, 'done', 'no check of ours'))
    const order = await lockOrder(tx, found.orderId)
    const check = (await row<{ verdict: FraudVerdict | null }>(tx, 'SELECT verdict FROM fraud_checks WHERE order_id = ?', [found.orderId]))!
    if (check.verdict) return void (await heardAgain(tx, order, fact, { was: check.verdict, is: verdict }))
    await run(tx, `UPDATE fraud_checks SET status = 'answered', verdict = ?, reference = ?, answered_at = now() WHERE order_id = ?`, [verdict, reference, order.orderId])
    await record(tx, order, { type: 'fraud.checked', actor: 'fraud', data: { checkId: fact.subject, verdict, reference } })
    if (order.stage !== 'open') return void (await heardAtItsEnd(tx, order, fact, verdict))
    const telling = await consequence(tx, order, verdict, fact.subject)
    await rememberTelling(tx, fact, telling, verdict)
    return telling
  })

/** Accepted: what waited for it goes on. To be reviewed: a person’s hold takes the place of the service’s. Rejected: the order is told to end itself. */
async function consequence(tx: Transaction, order: OrderRow, verdict: FraudVerdict, checkId: string): Promise<Telling> {
  const { channel, channelOrderId, orderId } = order
  const to = { channel, channelOrderId }
  if (verdict === 'reject') return { ...to, signal: 'fraudRejected', fact: { checkId } }
  const open = await openHolds(tx, orderId)
  const rule = order.policy.holds.fraud!
  const reviewing = verdict === 'review' ? await standInTheWay(tx, order, { draft: underReview(rule, new Date().toISOString()), actor: 'fraud' }) : undefined
  const over = open.filter((h) => (verdict === 'accept' ? h.releasedBy === 'fraud_accepted' : h.type === 'fraud_check'))
  const released = over.length ? await release(tx, order, over, { actor: 'fraud', why: verdict === 'accept' ? 'fraud_accepted' : 'fraud_review' }) : undefined
  if (!released) await refreshOrder(tx, orderId)
  const news: HoldsChanged = { released: [], moved: [], status: await statusOf(tx, orderId), ...released, placed: reviewing ? [asStanding(reviewing)] : [] }
  return { ...to, signal: 'holdsChanged', fact: news }
}

async function heardAgain(tx: Transaction, order: OrderRow, fact: InboundFact, { was, is }: { was: FraudVerdict; is: FraudVerdict }): Promise<void> {
  if (severity[is] > severity[was] && order.stage !== 'cancelled') {
    const summary = `The fraud service said ${was} first and now says ${is}: look at the order, hold or cancel it`
    await openException(tx, { ...order, kind: 'fraud.answers_differ', subject: fact.subject, owner: 'support', summary, data: { was, is } })
  }
  await settleFact(tx, fact, 'done', 'answered before')
}

/** A person has let it go before the service said anything, and nothing is left to be stopped. */
async function heardAtItsEnd(tx: Transaction, order: OrderRow, fact: InboundFact, verdict: FraudVerdict): Promise<void> {
  if (verdict === 'reject' && order.stage === 'completed' && (await hasLeft(tx, order.orderId))) await tellTooLate(tx, order, { checkId: fact.subject, code: 'order.closed' })
  await settleFact(tx, fact, 'done', `the order is ${order.stage}`)
}

/** It came too late: what is on its way cannot be stopped by us. */
export const noteFraudTooLate = async (tx: Transaction, { orderId, checkId, code }: { orderId: string; checkId: string; code: string }): Promise<void> =>
  tellTooLate(tx, await lockOrder(tx, orderId), { checkId, code })

/** Of goods that carriers have brought back, or lost, nothing is to be intercepted any more. */
export async function settleTooLate(tx: Transaction, order: OrderRow): Promise<void> {
  if (!(await hasLeft(tx, order.orderId))) await settleExceptions(tx, order, 'nothing of it has stayed with the customer', { kind: 'fraud.rejected_too_late' })
}

const hasLeft = async (tx: Transaction, orderId: string): Promise<boolean> => (await row(tx, 'SELECT 1 FROM order_lines WHERE order_id = ? AND shipped > 0 LIMIT 1', [orderId])) !== undefined

async function tellTooLate(tx: Transaction, order: OrderRow, { checkId, code }: { checkId: string; code: string }): Promise<void> {
  await openException(tx, { ...order, kind: 'fraud.rejected_too_late', subject: checkId, owner: 'support', summary: 'The fraud service rejects an order that can no longer be cancelled: have it intercepted', data: { checkId, code } })
}
