/** Money that is recorded to be given back and that no workflow may know of: its news came when the order had closed, or never. Whoever begins the order's thread again finds it here. */
import { signals } from '../domain/messages'
import type { ReturnStatus } from '../domain/returns/status'
import { row, rows, type Db, type Transaction } from './connection'
import type { OrderRow } from './orders'
import type { IntendedRefund } from './refunds'
import type { ReturnNews } from './returns'
import { settleExceptions } from './waiting'

/** @returns whether a fact begins the thread of an order again that has come to its end: it brings something that is still to be done, or somebody presses retry where something is */
export async function beginsAgain(db: Db, { channel, channelOrderId }: Pick<OrderRow, 'channel' | 'channelOrderId'>, signal: string, fact: object): Promise<boolean> {
  if (signal === signals.moneyUnwanted) return true
  if (signal === signals.returnReported) return isStillToDo(db, fact as ReturnNews)
  if (signal !== signals.exceptionRetried) return false
  const order = await row<{ orderId: string }>(db, `SELECT order_id AS "orderId" FROM orders WHERE channel = ? AND channel_order_id = ? AND stage <> 'cancelled'`, [channel, channelOrderId])
  return order !== undefined && (await leftOfReturns(db, order.orderId)).length > 0
}

const isStillToDo = async (db: Db, { refunds, voids = [], claimId, toSource }: ReturnNews): Promise<boolean> => {
  const found = await row<{ left: boolean }>(
    db,
    `SELECT EXISTS (SELECT 1 FROM payment_operations WHERE operation_id = ANY(?::uuid[]) AND status IN ('intended', 'unknown'))
         OR EXISTS (SELECT 1 FROM return_labels WHERE claim_id = ?::uuid AND claim_reference IS NULL) AS left`,
    [[...refunds.map((r) => r.operationId), ...voids], claimId ?? null],
  )
  return toSource || found!.left
}

interface Left extends IntendedRefund {
  returnId: string
  status: ReturnStatus
}

/** Refunds of returns of an order that are not made. Where its thread has just begun again nobody else is at it. */
export const leftOfReturns = (db: Db | Transaction, orderId: string): Promise<Left[]> =>
  rows(
    db,
    `SELECT r.return_id AS "returnId", r.status, op.operation_id AS "operationId", op.amount_minor AS "amountMinor" FROM payment_operations op JOIN returns r ON r.order_id = op.order_id AND op.purpose LIKE 'refund:' || r.return_id || ':%'
     WHERE op.order_id = ? AND op.kind = 'refund' AND op.status IN ('intended', 'unknown') ORDER BY op.operation_id`,
    [orderId],
  )

interface NotMade extends IntendedRefund {
  orderId: string
  channel: string
  kind: 'refund' | 'capture'
  workflowOpen: boolean
}

/** Captures and refunds that are recorded for so long and not made, where no hold stops them and nothing of their order is known to fail: the next waits for what goes before. What has been made since is no case any more. */
export async function notMadeFor(tx: Transaction, minutes: number): Promise<NotMade[]> {
  const made = await rows<{ orderId: string; channel: string; subject: string }>(
    tx,
    `SELECT o.order_id AS "orderId", o.channel, e.subject FROM exceptions e JOIN orders o USING (order_id) JOIN payment_operations op ON op.operation_id::text = e.subject
     WHERE e.kind = 'payment.not_made' AND e.resolved_at IS NULL AND op.status NOT IN ('intended', 'unknown')`,
  )
  for (const { subject, ...order } of made) await settleExceptions(tx, order, 'it is made', { kind: 'payment.not_made', subject })
  return rows(
    tx,
    `SELECT op.order_id AS "orderId", o.channel, op.operation_id AS "operationId", op.kind, op.amount_minor AS "amountMinor", o.workflow_open AS "workflowOpen" FROM payment_operations op JOIN orders o USING (order_id)
     WHERE op.status = 'intended' AND op.kind IN ('refund', 'capture') AND op.intended_at < now() - ? * interval '1 minute' AND NOT (op.kind = 'refund' AND 'refund' = ANY(o.blocked))
       AND NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.order_id = op.order_id AND e.kind IN ('payment.capture_failed', 'payment.charge_failed', 'payment.refund_failed') AND e.resolved_at IS NULL)
     ORDER BY op.intended_at LIMIT 100`,
    [minutes],
  )
}
