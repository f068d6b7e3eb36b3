/** The rows of operations at the provider: begun before every call, settled by what the payment shows, whoever told us first. */
import { captureHappened, type Capture, type CaptureFacts } from '../domain/payment/captures'
import type { PaymentView } from '../domain/payment/view'
import { row, rows, run, type Db, type Transaction } from './connection'
import { needUndisputed } from './disputes'

/** `credit`: of what was captured, given as store credit in place of a refund. */
export type OperationKind = 'authorize' | 'capture' | 'void' | 'refund' | 'credit'

/** What a call is made with: the key, and the amount as it stands. */
export interface Begun {
  keyNumber: number
  amountMinor: number
}

/**
 * Written before every call: from now on the outcome is unknown until it is recorded. A spent or old key gives way to the next one. Nothing is given back while the customer's bank may do it too.
 * @returns the key and the amount to use, or undefined when the operation has been given up meanwhile.
 * @throws `payment.disputed` for a refund of a payment with an open dispute; it may be tried again when that has ended
 */
export async function beginCall(db: Db, operationId: string, nextKey: boolean): Promise<Begun | undefined> {
  for (;;) {
    const begun = await begin(db, operationId, nextKey)
    if (begun) return begun
    if (!(await wasDisputed(db, operationId))) return undefined
  }
}

const begin = (db: Db, operationId: string, nextKey: boolean): Promise<Begun | undefined> =>
  row<Begun>(
    db,
    `UPDATE payment_operations SET status = 'unknown', attempts = attempts + 1, last_called_at = now(),
       key_number = key_number + ?, key_spent = false, key_first_used_at = CASE WHEN ? THEN now() ELSE coalesce(key_first_used_at, now()) END
     WHERE operation_id = ? AND status IN ('intended', 'unknown')
       AND NOT (kind = 'refund' AND EXISTS (SELECT 1 FROM disputes d WHERE d.payment_id = payment_operations.payment_id AND d.status = 'open')) RETURNING key_number AS "keyNumber", amount_minor AS "amountMinor"`,
    [nextKey ? 1 : 0, nextKey, operationId],
  )

/** @returns whether it was stopped by a dispute that has ended since. @throws `payment.disputed` while it has not */
async function wasDisputed(db: Db, operationId: string): Promise<boolean> {
  const refund = await row<{ paymentId: string }>(db, `SELECT payment_id AS "paymentId" FROM payment_operations WHERE operation_id = ? AND kind = 'refund' AND status IN ('intended', 'unknown')`, [operationId])
  if (refund) await needUndisputed(db, refund.paymentId)
  return refund !== undefined
}

/** The provider has stored a failure under this key; it will never answer anything else. */
export async function spendKey(db: Db, operationId: string): Promise<void> {
  await run(db, 'UPDATE payment_operations SET key_spent = true WHERE operation_id = ?', [operationId])
}

const open = ['intended', 'unknown']

/** An operation is settled by what the payment shows, whoever told us first. */
export async function settleOperations(tx: Transaction, paymentId: string, view: PaymentView, news: Pick<CaptureFacts, 'captures'>): Promise<void> {
  const outcomes: [OperationKind, 'succeeded' | 'declined' | 'abandoned'][] = []
  if (view.authorizedMinor > 0) outcomes.push(['authorize', 'succeeded'])
  else if (view.status === 'declined') outcomes.push(['authorize', 'declined'])
  else if (view.status === 'voided') outcomes.push(['authorize', 'abandoned'])
  if (view.status === 'voided') outcomes.push(['void', 'succeeded'])
  if (view.status === 'declined') outcomes.push(['void', 'abandoned'])
  if (view.status === 'captured') outcomes.push(['void', view.capturedMinor < view.authorizedMinor ? 'succeeded' : 'abandoned'])
  if (outcomes.length > 0)
    await run(
      tx,
      `UPDATE payment_operations o SET status = settled.outcome, settled_at = coalesce(settled_at, now()) FROM unnest(?::text[], ?::text[]) AS settled (kind, outcome)
       WHERE o.payment_id = ? AND o.kind = settled.kind AND (o.status = ANY(?) OR o.status = 'declined' AND o.kind = 'authorize' AND settled.outcome = 'succeeded')`, // a customer may try again at her bank
      [outcomes.map(([kind]) => kind), outcomes.map(([, outcome]) => outcome), paymentId, open],
    )
  if (view.capturedMinor > 0) await settleCaptures(tx, paymentId, view, news)
}

/** News of one capture settles that one and no other. */
async function settleCaptures(tx: Transaction, paymentId: string, view: PaymentView, { captures }: Pick<CaptureFacts, 'captures'>): Promise<void> {
  const all = await rows<Capture & { open: boolean }>(
    tx,
    `SELECT operation_id AS "operationId", amount_minor AS "amountMinor", status <> 'succeeded' AS open FROM payment_operations
     WHERE payment_id = ? AND kind = 'capture' AND status IN ('intended', 'unknown', 'succeeded')`,
    [paymentId],
  )
  const facts = { status: view.status, capturedMinor: view.capturedMinor, captures }
  const done = all.filter((c) => c.open && captureHappened(facts, c, all.filter((other) => other !== c)))
  if (done.length === 0) return
  await run(tx, `UPDATE payment_operations SET status = 'succeeded', settled_at = coalesce(settled_at, now()) WHERE operation_id = ANY(?::uuid[])`, [done.map((c) => c.operationId)])
}

/** The provider has this refund among its own. */
export async function settleRefund(tx: Transaction, operationId: string): Promise<void> {
  await run(tx, `UPDATE payment_operations SET status = 'succeeded', settled_at = coalesce(settled_at, now()) WHERE operation_id = ? AND kind = 'refund' AND status IN ('intended', 'unknown')`, [operationId])
}

/** Records the operation that lets go of what is or may be held. A declined payment holds nothing, and what a final capture leaves the provider lets go by itself; what is held for an exchange ends with that. */
export const intendVoids = (tx: Transaction, orderId: string): Promise<{ operationId: string }[]> =>
  rows(
    tx,
    `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
     SELECT gen_random_uuid(), p.payment_id, p.order_id, 'void', 'void', p.amount_minor - p.captured_minor FROM payments p
     WHERE p.order_id = ? AND p.provider <> 'paid_elsewhere' AND p.status NOT IN ('captured', 'voided', 'declined')
       AND NOT EXISTS (SELECT 1 FROM payment_operations c WHERE c.payment_id = p.payment_id AND c.kind = 'capture' AND c.final AND c.status <> 'abandoned')
       AND NOT (p.part = 0 AND EXISTS (SELECT 1 FROM exchange_payments x WHERE x.payment_id = p.payment_id))
     ON CONFLICT (payment_id, purpose) DO UPDATE SET purpose = excluded.purpose
     RETURNING operation_id AS "operationId"`,
    [orderId],
  )
