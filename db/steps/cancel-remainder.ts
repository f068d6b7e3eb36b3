/** What nobody could fill by its deadline is cancelled, while what has left or is being worked on goes on. */
import { uuidv7 } from 'uuidv7'
import { isBetweenNodes, isInBuilding } from '../../domain/fulfillment/moves'
import type { Units } from '../../domain/payment/shares'
import { row, rows, type Transaction } from '../connection'
import { writeAudit } from '../audit'
import { record, self } from '../events'
import { fulfillmentsOf } from '../fulfillments'
import { giveBackUnsent, letGoOfIdleGuards } from '../guards'
import { keepVersion } from '../order-versions'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { intendIdleVoids } from '../part-payments'
import { intendVoids } from '../payment-operations'
import { refundRest, refundUnsent, type IntendedRefund } from '../refunds'
import { holdsSome } from '../stock'
import { endClaims } from '../supply-claims'
import { refundUncovered } from '../taken-at-once'
import { openException, settleExceptions } from '../waiting'

export interface RemainderCancelled {
  /** Holds of which nothing more will be taken. */
  voids: string[]
  /** Of what was paid and never came. */
  refunds: IntendedRefund[]
  /** Of what is left some is claimed and waited for the rest: it needs a work order. */
  toSource?: true
}

/**
 * Units without a node are cancelled; the money held for them is let go with the last capture, or at once if nothing more leaves. What was to be sent again
 * was paid before: as much of it as has a node still leaves.
 */
export async function cancelRemainder(tx: Transaction, { orderId, reason }: { orderId: string; reason: string }): Promise<RemainderCancelled> {
  const order = await lockOrder(tx, orderId)
  if (order.stage === 'cancelled') return { voids: [], refunds: [] }
  const given = await rows<{ lineId: string; quantity: number; paid: number }>(
    tx,
    `UPDATE order_lines l SET cancelled = l.cancelled + o.open, backordered = 0, resend = l.resend - o.again
     FROM (SELECT line_id, open, least(open, greatest(0, resend - allocated)) AS again FROM (SELECT *, quantity - cancelled - shipped - allocated AS open FROM order_lines WHERE order_id = ?) s) o
     WHERE l.order_id = ? AND l.line_id = o.line_id AND o.open > 0 RETURNING l.line_id AS "lineId", o.open AS quantity, o.again AS paid`,
    [orderId, orderId],
  )
  await endClaims(tx, orderId, 'cancelled')
  const lines = given.map(({ lineId, quantity }) => ({ lineId, quantity }))
  const paid = given.filter((l) => l.paid > 0).map((l) => ({ lineId: l.lineId, quantity: l.paid }))
  await settleExceptions(tx, order, 'cancelled', { kind: 'sourcing.short' })
  const outcome = await unitsCancelled(tx, order, lines, { reason, paid })
  await refreshOrder(tx, orderId, null)
  return (await holdsSome(tx, orderId)) ? { ...outcome, toSource: true } : outcome
}

/** What follows when units of an order were cancelled and the rest goes on: told, audited, and their money let go once nothing more leaves. */
export async function unitsCancelled(tx: Transaction, order: OrderRow, lines: readonly { lineId: string; quantity: number }[], { reason, actor = self, paid = [] }: { reason: string; actor?: string; paid?: readonly Units[] }): Promise<RemainderCancelled> {
  const { orderId } = order
  await record(tx, order, { type: 'order.lines_cancelled', actor, data: { lines, reason } })
  await writeAudit(tx, { actor, action: 'order.cancel_lines', subject: orderId, cause: reason })
  await keepVersion(tx, orderId, { actor, cause: reason })
  const refunds = await giveBackCancelled(tx, order, lines, { reason, paid })
  await tellIfPaidElsewhere(tx, order, lines)
  const leaving = (await fulfillmentsOf(tx, orderId)).some((f) => isInBuilding(f.status) || isBetweenNodes(f)) || (await hasUnitsInside(tx, orderId))
  const voids = (await (leaving ? intendIdleVoids(tx, orderId) : intendVoids(tx, orderId))).map((v) => v.operationId)
  return { voids: [...voids, ...(await letGoOfIdleGuards(tx, orderId))], refunds }
}

/** The money of it: what was taken for these units and pays for nothing else. */
export async function giveBackCancelled(tx: Transaction, order: OrderRow, lines: readonly Units[], { reason, paid = [] }: { reason: string; paid?: readonly Units[] }): Promise<IntendedRefund[]> {
  const cause = { reason, lines }
  const refunds = await refundUnsent(tx, order, { purpose: `cancelled:${uuidv7()}`, paid, unsent: without(lines, paid), cause })
  refunds.push(...(await giveBackUnsent(tx, order, { units: lines, purpose: `cancelled:${uuidv7()}` })))
  refunds.push(...(await refundUncovered(tx, order, without(lines, paid), `uncovered:${uuidv7()}`)))
  refunds.push(...(await refundRest(tx, order, { purpose: `cancelled:${uuidv7()}`, cause })))
  return refunds
}

/** What was to be sent again had left before. */
const without = (lines: readonly Units[], paid: readonly Units[]): Units[] =>
  lines.map(({ lineId, quantity }) => ({ lineId, quantity: quantity - (paid.find((p) => p.lineId === lineId)?.quantity ?? 0) })).filter((l) => l.quantity > 0)

/** Money that the channel took is given back there. */
export async function tellIfPaidElsewhere(tx: Transaction, order: OrderRow, lines: readonly { lineId: string; quantity: number }[]): Promise<void> {
  const channel = await paidElsewhere(tx, order.orderId)
  if (!channel) return
  const { givenMinor } = channel
  const summary = `Units were cancelled that the channel has been paid for: give the money back there${givenMinor > 0 ? '. Some of it was given back before' : ''}`
  await openException(tx, { ...order, kind: 'order.refund_elsewhere', subject: order.orderId, owner: 'finance', summary, data: { lines, ...(givenMinor > 0 && { givenMinor }) } })
}

/** Are there units that have still to leave, with a node or without? */
const hasUnitsInside = async (tx: Transaction, orderId: string): Promise<boolean> =>
  (await row(tx, 'SELECT 1 FROM order_lines WHERE order_id = ? AND quantity > cancelled + shipped LIMIT 1', [orderId])) !== undefined

/** Are there units that still look for a node? */
export const hasOpenUnits = async (tx: Transaction, orderId: string): Promise<boolean> =>
  (await row(tx, 'SELECT 1 FROM order_lines WHERE order_id = ? AND quantity > cancelled + shipped + allocated LIMIT 1', [orderId])) !== undefined

/** @returns undefined where no channel was paid, else what it has given back already */
const paidElsewhere = async (tx: Transaction, orderId: string): Promise<{ givenMinor: number } | undefined> =>
  (await rows<{ givenMinor: number }>(tx, `SELECT sum(refunded_minor)::int8 AS "givenMinor" FROM payments WHERE order_id = ? AND provider = 'paid_elsewhere' HAVING count(*) > 0`, [orderId]))[0]
