/**
 * Money that comes when nobody counts on it any more: the order was cancelled, or some of its units while a debit was under way; a change was given up,
 * or it was taken where it was only to be held for an exchange. What is held is let go, what was taken is given back, each by an operation of its own; the order's workflow hears of it by the queue of facts, and begins again for it where it has closed.
 */
import { rows, type Db, type Transaction } from './connection'
import { tellLater } from './inbox'
import type { OrderRow } from './orders'
import { giveBackUnsold, refundTakenBeyond } from './taken-at-once'

/** To be called with every news of a payment that has changed, under the order's lock. */
export async function dropUnwanted(tx: Transaction, order: OrderRow, paymentId: string): Promise<void> {
  if (order.stage !== 'cancelled' && !(await isLeftOver(tx, paymentId))) return
  const voids = (await voidHeld(tx, paymentId)).map(({ operationId, amountMinor }) => ({ kind: 'void' as const, operationId, amountMinor }))
  const refunds = (await giveBackUnsold(tx, { paymentId, purpose: 'unwanted', atMostMinor: Number.MAX_SAFE_INTEGER })).map((r) => ({ kind: 'refund' as const, ...r }))
  await tellOf(tx, order, paymentId, [...voids, ...refunds])
}

/** A bank took it at once. To be called under the order's lock. */
export async function dropBeyond(tx: Transaction, order: OrderRow, paymentId: string): Promise<void> {
  await tellOf(tx, order, paymentId, (await refundTakenBeyond(tx, order, paymentId)).map((r) => ({ kind: 'refund' as const, ...r })))
}

async function tellOf(tx: Transaction, { channel, channelOrderId }: OrderRow, paymentId: string, unwanted: readonly { kind: 'void' | 'refund'; operationId: string; amountMinor: number }[]): Promise<void> {
  for (const money of unwanted)
    await tellLater(tx, { source: 'money', eventId: `unwanted:${money.operationId}`, kind: 'payment', subject: paymentId, payload: {} }, { channel, channelOrderId, signal: 'moneyUnwanted', fact: { paymentId, ...money } })
}

/** It was to pay for a change that was not carried out, or to be held for an exchange that does without it; or was taken at once for an exchange, which counts on what is held alone. */
const isLeftOver = async (tx: Transaction, paymentId: string): Promise<boolean> =>
  (
    await rows(
      tx,
      `SELECT 1 FROM payments p WHERE payment_id = ? AND part = 0 AND (
         EXISTS (SELECT 1 FROM order_changes c WHERE c.payment_id = p.payment_id AND c.state <> 'paying')
         OR EXISTS (SELECT 1 FROM exchange_payments x WHERE x.payment_id = p.payment_id AND x.over)
         OR taken_at_once AND EXISTS (SELECT 1 FROM exchange_payments x LEFT JOIN returns r USING (return_id) WHERE x.payment_id = p.payment_id AND r.return_id IS NULL))`,
      [paymentId],
    )
  ).length > 0

/** Unless a void is under way, or was and found more to come. */
const voidHeld = (tx: Transaction, paymentId: string): Promise<{ operationId: string; amountMinor: number }[]> =>
  rows(
    tx,
    `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor)
     SELECT gen_random_uuid(), payment_id, order_id, 'void', CASE WHEN EXISTS (SELECT 1 FROM payment_operations v WHERE v.payment_id = p.payment_id AND v.purpose = 'void') THEN 'void:late' ELSE 'void' END,
       authorized_minor - captured_minor
     FROM payments p WHERE payment_id = ? AND status = 'authorized' AND NOT EXISTS (SELECT 1 FROM payment_operations v WHERE v.payment_id = p.payment_id AND v.kind = 'void' AND v.status IN ('intended', 'unknown'))
     ON CONFLICT (payment_id, purpose) DO NOTHING RETURNING operation_id AS "operationId", amount_minor AS "amountMinor"`,
    [paymentId],
  )

/** Is money of this payment still to be given back because it came too late? */
export const owesUnwanted = async (db: Db, paymentId: string): Promise<boolean> =>
  (await rows(db, `SELECT 1 FROM payment_operations WHERE payment_id = ? AND purpose = 'unwanted' AND status IN ('intended', 'unknown') LIMIT 1`, [paymentId])).length > 0
