/** Payments and their operations at the provider. News about a payment, whether our own answer or a webhook, goes through `applyView` and nowhere else. */
import type { EventType } from '../domain/events'
import type { WaitingOn } from '../domain/order/status'
import { holdsMoney, mergeView, type PaymentView } from '../domain/payment/view'
import { invariant } from '../domain/invariant'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, self } from './events'
import { postMoney } from './ledger'
import { lockOrderOf, refreshOrder, setPartWait, snapshotOf, type OrderRow } from './orders'
import { settleOperations, type OperationKind } from './payment-operations'
import { noteTakenAtOnce } from './taken-at-once'
import { dropBeyond, dropUnwanted } from './unwanted-money'

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
  /** Of a capture: nothing more is to be taken of the hold. */
  final: boolean
  /** Other captures of the same payment are still to be made, or nobody knows whether they were. */
  capturesOpen: boolean
  /** The order may leave in several parts. */
  inParts: boolean
  /** The payment method may have to be charged again: for a part, or because the goods leave when the first hold has run out. */
  keepsMethod: boolean
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
  /** 1 for the hold of the whole tender; from 2 on for what had still to leave when the one before was taken; 0 for what a change adds, until it is held. */
  part: number
  /** The hold may be captured several times. */
  multicapture: boolean
  /** Whom the provider keeps the payment method for, and what it calls it. */
  payer: string | null
  savedMethod: string | null
  /** The customer has given the method for this payment: she is there to be asked. */
  given: boolean
  /** It is to be held until goods leave or come back: money that is taken at once would not do. */
  heldOnly: boolean
  authorizationExpiresAt: string | null
}

const paymentJson = `json_build_object('paymentId', p.payment_id, 'tenderId', p.tender_id, 'provider', p.provider, 'paymentMethod', p.payment_method,
  'amountMinor', p.amount_minor, 'currency', p.currency, 'reference', p.reference, 'declineCode', p.decline_code, 'status', p.status,
  'authorizedMinor', p.authorized_minor, 'capturedMinor', p.captured_minor, 'refundedMinor', p.refunded_minor, 'part', p.part,
  'multicapture', p.multicapture, 'payer', p.payer, 'savedMethod', p.saved_method, 'given', p.given_id IS NOT NULL,
  'heldOnly', p.given_id IS NOT NULL OR EXISTS (SELECT 1 FROM exchange_payments h WHERE h.payment_id = p.payment_id), 'authorizationExpiresAt', p.authorization_expires_at)`

const inPartsSql = `((${snapshotOf('o')}->'sourcing'->>'maxShipments')::int > 1 AND (SELECT sum(quantity) > 1 FROM order_lines l WHERE l.order_id = o.order_id))`

/** Card holds last five to seven days: what is sold before it is there, or promised for later, outlives them. */
const mayWaitSql = `(o.claim = 'later' OR EXISTS (SELECT 1 FROM supply_claims s WHERE s.order_id = o.order_id) OR coalesce((o.promise->>'promisedBy')::timestamptz > o.accepted_at + interval '5 days', false))`

/** Held over goods that are sent back by mail, which may take longer than a hold lasts. */
const isGuardSql = `EXISTS (SELECT 1 FROM exchange_payments x WHERE x.payment_id = p.payment_id AND x.role = 'guard')`

export async function loadOperation(db: Db | Transaction, operationId: string): Promise<PaymentOperation> {
  const operation = await row<PaymentOperation>(
    db,
    `SELECT op.operation_id AS "operationId", op.payment_id AS "paymentId", op.order_id AS "orderId", op.kind, op.amount_minor AS "amountMinor", op.status,
       op.key_number AS "keyNumber", op.key_first_used_at AS "keyFirstUsedAt", op.key_spent AS "keySpent", op.final, ${paymentJson} AS payment,
       EXISTS (SELECT 1 FROM payment_operations c WHERE c.payment_id = op.payment_id AND c.kind = 'capture' AND c.status IN ('intended', 'unknown')
               AND c.operation_id <> op.operation_id) AS "capturesOpen",
       ${inPartsSql} AS "inParts", ${inPartsSql} OR ${mayWaitSql} OR ${isGuardSql} AS "keepsMethod",
       o.channel, o.channel_order_id AS "channelOrderId"
     FROM payment_operations op JOIN payments p USING (payment_id) JOIN orders o ON o.order_id = op.order_id WHERE operation_id = ?`,
    [operationId],
  )
  invariant(operation, `payment operation ${operationId} has a row`)
  return operation
}

/** @returns how far the payment is: it may have been given up while it was being opened. */
export async function saveReference(db: Db, paymentId: string, { reference, payer }: { reference: string; payer?: string }): Promise<PaymentView['status']> {
  const saved = await row<{ status: PaymentView['status'] }>(db, 'UPDATE payments SET reference = coalesce(reference, ?), payer = coalesce(payer, ?) WHERE payment_id = ? RETURNING status', [reference, payer ?? null, paymentId])
  invariant(saved, `payment ${paymentId} has a row`)
  return saved.status
}

/** Is it known by now what the provider calls it? Nobody else finds out before this transaction ends. Under the order's lock. */
export const isOpened = async (tx: Transaction, paymentId: string): Promise<boolean> =>
  (await row<{ reference: string | null }>(tx, 'SELECT reference FROM payments WHERE payment_id = ? FOR UPDATE', [paymentId]))!.reference !== null

export interface PaymentNews extends PaymentView {
  reference?: string
  authorizationExpiresAt?: string
  declineCode?: string
  multicapture?: boolean
  methodInUse?: string
  captures?: Readonly<Record<string, number>>
  action?: object
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
  await postMoney(tx, order.orderId, known, view)
  await settleOperations(tx, paymentId, view, news)
  const changed = view.status !== known.status
  for (const { type, amountMinor } of eventsOf(known, view)) await record(tx, order, { type, actor: self, data: eventData(known, amountMinor, news) })
  if (changed && holdsMoney(view.status)) {
    const isTakenAtOnce = view.status === 'captured' && !news.captures && (await noteTakenAtOnce(tx, paymentId)) // what we took ourselves says so by name
    if (order.stage === 'cancelled' || known.part === 0) await dropUnwanted(tx, order, paymentId)
    else if (isTakenAtOnce && order.stage === 'open') await dropBeyond(tx, order, paymentId)
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
  if (order.stage === 'cancelled') return undefined
  if (fulfillmentId === undefined) return waitingOn
  const part = await row<{ status: string }>(tx, 'SELECT status FROM fulfillments WHERE fulfillment_id = ?', [fulfillmentId])
  await setPartWait(tx, fulfillmentId, ['delivered', 'collected', 'lost', 'returned'].includes(part!.status) ? null : waitingOn)
  return undefined
}

const eventOf: Partial<Record<PaymentView['status'], EventType>> = {
  action_required: 'payment.action_required',
  processing: 'payment.processing',
  declined: 'payment.declined',
  authorized: 'payment.authorized',
  voided: 'payment.voided',
}

/** What the timeline says: where the payment has come to, how much was taken or given back now, and what was let go after part of it had been taken. */
function eventsOf(known: PaymentRow, view: PaymentView): { type: EventType; amountMinor: number }[] {
  const takenMinor = view.capturedMinor - known.capturedMinor
  const type = view.status === known.status ? undefined : eventOf[view.status]
  const isOver = view.status === 'captured' && known.status !== 'captured' && known.capturedMinor > 0
  const backMinor = view.refundedMinor - known.refundedMinor
  const restMinor = isOver && takenMinor === 0 ? view.authorizedMinor - view.capturedMinor : 0
  return [
    ...(type ? [{ type, amountMinor: view.status === 'authorized' ? view.authorizedMinor : known.amountMinor }] : []),
    ...(takenMinor > 0 ? [{ type: 'payment.captured' as const, amountMinor: takenMinor }] : []),
    ...(restMinor > 0 ? [{ type: 'payment.voided' as const, amountMinor: restMinor }] : []),
    ...(backMinor > 0 ? [{ type: 'payment.refunded' as const, amountMinor: backMinor }] : []),
  ]
}

const eventData = (payment: PaymentRow, amountMinor: number, news: PaymentNews): Record<string, unknown> => ({
  tenderId: payment.tenderId,
  amountMinor,
  currency: payment.currency,
  reference: news.reference ?? payment.reference,
  ...(news.declineCode ? { declineCode: news.declineCode } : {}),
})

async function savePayment(tx: Transaction, paymentId: string, view: PaymentView, news: PaymentNews): Promise<void> {
  await run(tx, 
    `UPDATE payments SET status = ?, authorized_minor = ?, captured_minor = ?, refunded_minor = ?, reference = coalesce(reference, ?),
       authorization_expires_at = coalesce(?::timestamptz, authorization_expires_at), decline_code = coalesce(?, decline_code),
       multicapture = multicapture OR ?, action = CASE WHEN ? = 'action_required' THEN coalesce(?::jsonb, action) END, saved_method = CASE WHEN payer IS NOT NULL THEN coalesce(?, saved_method) END WHERE payment_id = ?`,
    [
      view.status, view.authorizedMinor, view.capturedMinor, view.refundedMinor, news.reference ?? null, news.authorizationExpiresAt ?? null,
      news.declineCode ?? null, news.multicapture ?? false, view.status, news.action ? JSON.stringify(news.action) : null, news.methodInUse ?? null, paymentId,
    ],
  )
}
