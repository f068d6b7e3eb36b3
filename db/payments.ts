/** Payments and their operations at the provider. News about a payment, whether our own answer or a webhook, goes through `applyView` and nowhere else. */
import type { EventType } from '../domain/events'
import type { WaitingOn } from '../domain/order/status'
import { holdsMoney, mergeView, type PaymentView } from '../domain/payment/view'
import { invariant } from '../domain/invariant'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, self } from './events'
import { lockOrderOf, refreshOrder, setPartWait, type OrderRow } from './orders'
import { openException } from './waiting'

export type OperationKind = 'authorize' | 'capture' | 'void' | 'refund'

export interface PaymentOperation {
  operationId: string
  paymentId: string
  orderId: string
  kind: OperationKind
  amountMinor: number
  status: 'intended' | 'unknown' | 'succeeded' | 'declined' | 'abandoned'
  keyNumber: number
  keyFirstUsedAt: string | null
  keySpent: boolean
  payment: PaymentRow
  channel: string
  channelOrderId: string
}

export interface PaymentRow extends PaymentView {
  paymentId: string
  tenderId: string
  provider: string
  paymentMethod: string | null
  amountMinor: number
  currency: string
  reference: string | null
  declineCode: string | null
}

const paymentJson = `json_build_object('paymentId', p.payment_id, 'tenderId', p.tender_id, 'provider', p.provider, 'paymentMethod', p.payment_method,
  'amountMinor', p.amount_minor, 'currency', p.currency, 'reference', p.reference, 'declineCode', p.decline_code, 'status', p.status,
  'authorizedMinor', p.authorized_minor, 'capturedMinor', p.captured_minor, 'refundedMinor', p.refunded_minor)`

export async function loadOperation(db: Db | Transaction, operationId: string): Promise<PaymentOperation> {
  const operation = await row<PaymentOperation>(
    db,
    `SELECT op.operation_id AS "operationId", op.payment_id AS "paymentId", op.order_id AS "orderId", op.kind, op.amount_minor AS "amountMinor", op.status,
       op.key_number AS "keyNumber", op.key_first_used_at AS "keyFirstUsedAt", op.key_spent AS "keySpent", ${paymentJson} AS payment,
       o.channel, o.channel_order_id AS "channelOrderId"
     FROM payment_operations op JOIN payments p USING (payment_id) JOIN orders o ON o.order_id = op.order_id WHERE operation_id = ?`,
    [operationId],
  )
  invariant(operation, `payment operation ${operationId} has a row`)
  return operation
}

/** Written before every call: from now on the outcome is unknown until it is recorded. A spent or old key gives way to the next one. @returns the key to use, or undefined when the operation has been given up meanwhile. */
export async function beginCall(db: Db, operationId: string, nextKey: boolean): Promise<number | undefined> {
  const begun = await row<{ keyNumber: number }>(
    db,
    `UPDATE payment_operations SET status = 'unknown', attempts = attempts + 1, last_called_at = now(),
       key_number = key_number + ?, key_spent = false, key_first_used_at = CASE WHEN ? THEN now() ELSE coalesce(key_first_used_at, now()) END
     WHERE operation_id = ? AND status IN ('intended', 'unknown') RETURNING key_number AS "keyNumber"`,
    [nextKey ? 1 : 0, nextKey, operationId],
  )
  return begun?.keyNumber
}

/** The provider has stored a failure under this key; it will never answer anything else. */
export async function spendKey(db: Db, operationId: string): Promise<void> {
  await run(db, 'UPDATE payment_operations SET key_spent = true WHERE operation_id = ?', [operationId])
}

export async function saveReference(db: Db, paymentId: string, reference: string): Promise<void> {
  await run(db, 'UPDATE payments SET reference = coalesce(reference, ?) WHERE payment_id = ?', [reference, paymentId])
}

export interface PaymentNews extends PaymentView {
  reference?: string
  authorizationExpiresAt?: string
  declineCode?: string
}

/**
 * Merges what the provider says into a payment: the row, its operations, the timeline and the order's statuses in one transaction. Late, repeated and
 * reordered news end in the same state.
 * @returns the merged view and whether this news changed its status.
 */
export async function applyView(tx: Transaction, paymentId: string, news: PaymentNews, then?: WaitAfter): Promise<{ view: PaymentView; changed: boolean; order: OrderRow }> {
  const order = await lockOrderOf(tx, paymentId)
  const [payment] = await rows<{ payment: PaymentRow }>(tx, `SELECT ${paymentJson} AS payment FROM payments p WHERE payment_id = ?`, [paymentId])
  const known = payment!.payment
  const view = mergeView(known, news)
  await savePayment(tx, paymentId, view, news)
  await settleOperations(tx, paymentId, view)
  const changed = view.status !== known.status
  if (changed) {
    const type = eventOf[view.status]
    if (type) await record(tx, order, { type, actor: self, data: eventData(known, view, news) })
    if (order.stage === 'cancelled' && holdsMoney(view.status)) await reportLateMoney(tx, order, paymentId, view)
  }
  await refreshOrder(tx, order.orderId, then && (await waitAfter(tx, order, then)))
  return { view, changed, order }
}

/** What the order waits on once the news is in, or one part of it. */
export interface WaitAfter {
  waitingOn: WaitingOn
  fulfillmentId?: string
}

/** Said late, it must not take back an order that was cancelled, or a part that has been delivered meanwhile. @returns the order's own wait where that changes. */
async function waitAfter(tx: Transaction, order: OrderRow, { waitingOn, fulfillmentId }: WaitAfter): Promise<WaitingOn | undefined> {
  if (order.stage !== 'open') return undefined
  if (fulfillmentId === undefined) return waitingOn
  const part = await row<{ status: string }>(tx, 'SELECT status FROM fulfillments WHERE fulfillment_id = ?', [fulfillmentId])
  await setPartWait(tx, fulfillmentId, part!.status === 'delivered' ? null : waitingOn)
  return undefined
}

const eventOf: Partial<Record<PaymentView['status'], EventType>> = {
  action_required: 'payment.action_required',
  processing: 'payment.processing',
  declined: 'payment.declined',
  authorized: 'payment.authorized',
  captured: 'payment.captured',
  voided: 'payment.voided',
}

const eventData = (payment: PaymentRow, view: PaymentView, news: PaymentNews): Record<string, unknown> => ({
  tenderId: payment.tenderId,
  amountMinor: view.status === 'captured' ? view.capturedMinor : view.status === 'authorized' ? view.authorizedMinor : payment.amountMinor,
  currency: payment.currency,
  reference: news.reference ?? payment.reference,
  ...(news.declineCode ? { declineCode: news.declineCode } : {}),
})

async function savePayment(tx: Transaction, paymentId: string, view: PaymentView, news: PaymentNews): Promise<void> {
  await run(tx, 
    `UPDATE payments SET status = ?, authorized_minor = ?, captured_minor = ?, refunded_minor = ?, reference = coalesce(reference, ?),
       authorization_expires_at = coalesce(?::timestamptz, authorization_expires_at), decline_code = coalesce(?, decline_code) WHERE payment_id = ?`,
    [
      view.status, view.authorizedMinor, view.capturedMinor, view.refundedMinor, news.reference ?? null, news.authorizationExpiresAt ?? null,
      news.declineCode ?? null, paymentId,
    ],
  )
}

/** An operation is settled by what the payment shows, whoever told us first. */
async function settleOperations(tx: Transaction, paymentId: string, view: PaymentView): Promise<void> {
  const outcomes: [OperationKind, 'succeeded' | 'declined' | 'abandoned'][] = []
  if (view.authorizedMinor > 0) outcomes.push(['authorize', 'succeeded'])
  else if (view.status === 'declined') outcomes.push(['authorize', 'declined'])
  else if (view.status === 'voided') outcomes.push(['authorize', 'abandoned'])
  if (view.capturedMinor > 0) outcomes.push(['capture', 'succeeded'])
  if (view.status === 'voided') outcomes.push(['void', 'succeeded'])
  for (const [kind, outcome] of outcomes)
    await run(tx, 
      `UPDATE payment_operations SET status = ?, settled_at = coalesce(settled_at, now()) WHERE payment_id = ? AND kind = ? AND status IN ('intended', 'unknown')`,
      [outcome, paymentId, kind],
    )
}

/** Money that arrives for an order that was cancelled meanwhile belongs to the customer: finance is told unless a void is under way. */
async function reportLateMoney(tx: Transaction, order: OrderRow, paymentId: string, view: PaymentView): Promise<void> {
  const voiding = await row(tx, `SELECT 1 FROM payment_operations WHERE payment_id = ? AND kind = 'void' AND status IN ('intended', 'unknown')`, [paymentId])
  if (voiding) return
  await openException(tx, {
    orderId: order.orderId,
    channel: order.channel,
    kind: 'payment.after_cancel',
    subject: paymentId,
    owner: 'finance',
    summary: 'The provider holds money for an order that is cancelled: void or refund it at the provider',
    data: { paymentId, authorizedMinor: view.authorizedMinor, capturedMinor: view.capturedMinor },
  })
}

/** Records the operation that takes what is held, per payment of the order; money taken elsewhere needs none. @returns operation ids. */
export const intendCaptures = (tx: Transaction, orderId: string, fulfillmentId: string): Promise<{ operationId: string }[]> =>
  intend(tx, orderId, 'capture', `capture:${fulfillmentId}`, `p.status = 'authorized'`, 'p.authorized_minor - p.captured_minor')

/** Records the operation that lets go of what is or may be held; a declined payment holds nothing. */
export const intendVoids = (tx: Transaction, orderId: string): Promise<{ operationId: string }[]> =>
  intend(tx, orderId, 'void', 'void', `p.status NOT IN ('captured', 'voided', 'declined')`, 'p.amount_minor')

const intend = (tx: Transaction, orderId: string, kind: OperationKind, purpose: string, when: string, amount: string): Promise<{ operationId: string }[]> =>
  rows(
    tx,
    `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
     SELECT gen_random_uuid(), p.payment_id, p.order_id, ?, ?, ${amount} FROM payments p WHERE p.order_id = ? AND p.provider <> 'paid_elsewhere' AND ${when}
     ON CONFLICT (payment_id, purpose) DO UPDATE SET purpose = excluded.purpose
     RETURNING operation_id AS "operationId"`,
    [kind, purpose, orderId],
  )

/** Is every tender held or taken, and no hold past its end? */
export async function mayShip(tx: Transaction, orderId: string): Promise<boolean> {
  const bad = await row(
    tx,
    `SELECT 1 FROM payments WHERE order_id = ? AND (status NOT IN ('authorized', 'captured') OR (status = 'authorized' AND authorization_expires_at <= now()))`,
    [orderId],
  )
  return bad === undefined
}
