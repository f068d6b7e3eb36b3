/** What nobody could fill by its deadline is cancelled, while what has left or is being worked on goes on. */
import { isInBuilding } from '../../domain/fulfillment/moves'
import { rows, type Transaction } from '../connection'
import { writeAudit } from '../audit'
import { record, self } from '../events'
import { fulfillmentsOf } from '../fulfillments'
import { lockOrder, refreshOrder } from '../orders'
import { intendVoids } from '../payment-operations'
import { endClaims } from '../supply-claims'
import { openException, settleExceptions } from '../waiting'

export interface RemainderCancelled {
  /** Holds of which nothing more will be taken. */
  voids: string[]
}

/** Units without a node are cancelled; the money held for them is let go with the last capture, or at once if nothing more leaves. */
export async function cancelRemainder(tx: Transaction, { orderId, reason }: { orderId: string; reason: string }): Promise<RemainderCancelled> {
  const order = await lockOrder(tx, orderId)
  if (order.stage !== 'open') return { voids: [] }
  const lines = await rows<{ lineId: string; quantity: number }>(
    tx,
    `UPDATE order_lines l SET cancelled = l.cancelled + o.open, backordered = 0
     FROM (SELECT line_id, quantity - cancelled - shipped - allocated AS open FROM order_lines WHERE order_id = ?) o
     WHERE l.order_id = ? AND l.line_id = o.line_id AND o.open > 0 RETURNING l.line_id AS "lineId", o.open AS quantity`,
    [orderId, orderId],
  )
  await endClaims(tx, orderId, 'cancelled')
  await settleExceptions(tx, order, 'cancelled', 'sourcing.short')
  await record(tx, order, { type: 'order.lines_cancelled', actor: self, data: { lines, reason } })
  await writeAudit(tx, { actor: self, action: 'order.cancel_lines', subject: orderId, cause: reason })
  if (await paidElsewhere(tx, orderId)) {
    const summary = 'Units were cancelled that the channel has been paid for: give the money back there'
    await openException(tx, { ...order, kind: 'order.refund_elsewhere', subject: orderId, owner: 'finance', summary, data: { lines } })
  }
  const leaving = (await fulfillmentsOf(tx, orderId)).some((f) => isInBuilding(f.status))
  const voids = leaving ? [] : (await intendVoids(tx, orderId)).map((v) => v.operationId)
  await refreshOrder(tx, orderId, null)
  return { voids }
}

const paidElsewhere = async (tx: Transaction, orderId: string): Promise<boolean> =>
  (await rows(tx, `SELECT 1 FROM payments WHERE order_id = ? AND provider = 'paid_elsewhere' LIMIT 1`, [orderId])).length > 0
