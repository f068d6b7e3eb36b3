/** A customer gives another way of paying for what of her order has still to leave and is not held: recorded before anybody is asked for the money. */
import type { GiveMethod } from '../../domain/messages'
import { refuse } from '../../domain/refusals'
import { voidCharge } from '../change-payments'
import { rows, type Transaction } from '../connection'
import { record } from '../events'
import { givenMethod } from '../given-methods'
import { refuseIfHeld } from '../holds'
import { refreshOrder } from '../orders'
import { insertRemainder, missingMoney, type Remainder } from '../part-payments'
import { lockOpenOrder } from './cancel-lines'

export interface MethodGiven {
  /** The operations that hold it, one per tender. */
  remainders: Remainder[]
  /** What the customer was asked for before, and is not any more. */
  voids: string[]
}

/** @throws `order.already_cancelled`, `order.closed`, `order.held`, `order.nothing_to_hold`, `order.payment_under_way` */
export async function giveMethod(tx: Transaction, { orderId, givenId, actor }: GiveMethod & { orderId: string }): Promise<MethodGiven> {
  const order = await lockOpenOrder(tx, orderId)
  await refuseIfHeld(tx, order, 'payment')
  const { tenderId, provider } = await givenMethod(tx, givenId)
  const missing = (await missingMoney(tx, orderId)).filter((m) => tenderId === null || m.tenderId === tenderId)
  if (missing.length === 0) throw refuse('order.nothing_to_hold', { ...(tenderId !== null && { tenderId }) })
  const voids = await endPending(tx, orderId, missing.map((m) => m.tenderId))
  const remainders: Remainder[] = []
  for (const wanted of missing) {
    const { currency } = order
    await record(tx, order, { type: 'payment.method_given', actor, data: { tenderId: wanted.tenderId, provider, amountMinor: wanted.amountMinor, currency } })
    remainders.push(await insertRemainder(tx, orderId, wanted, givenId))
  }
  await refreshOrder(tx, orderId)
  return { remainders, voids }
}

/** What waits for the customer gives way; what may be held this very moment does not. */
async function endPending(tx: Transaction, orderId: string, tenderIds: readonly string[]): Promise<string[]> {
  const pending = await rows<{ paymentId: string; tenderId: string; status: string; part: number }>(
    tx,
    `SELECT payment_id AS "paymentId", tender_id AS "tenderId", status, part FROM payments p WHERE order_id = ? AND tender_id = ANY(?) AND part > 0 AND status IN ('opened', 'action_required', 'processing')
       AND NOT EXISTS (SELECT 1 FROM payment_operations v WHERE v.payment_id = p.payment_id AND v.kind = 'void') ORDER BY payment_id`,
    [orderId, [...tenderIds]],
  )
  const standing = pending.find((p) => p.status !== 'action_required' || p.part === 1)
  if (standing) throw refuse('order.payment_under_way', { tenderId: standing.tenderId, paymentId: standing.paymentId, state: standing.status })
  const voids: string[] = []
  for (const { paymentId } of pending) voids.push(...(await voidCharge(tx, paymentId)))
  return voids
}
