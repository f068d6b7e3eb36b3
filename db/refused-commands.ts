/** A command that was refused is on the timeline of its order too: which, why and by whose wish, once, and without a word of the customer's. */
import { row, type Transaction } from './connection'
import { record } from './events'

export interface RefusedCommand {
  commandId: string
  /** As routes name it, without ids: `orders/returns`, `returns/receive`. */
  command: string
  actor: string
  /** Of the order, or of the return it is about. */
  orderId?: string
  returnId?: string
}

/** Sent again under the same key, the command is told once. */
export async function noteRefused(tx: Transaction, { commandId, command, actor, orderId, returnId }: RefusedCommand, code: string): Promise<void> {
  const order = await row<{ orderId: string; channel: string }>(
    tx,
    'SELECT order_id AS "orderId", channel FROM orders WHERE order_id = coalesce(?::uuid, (SELECT order_id FROM returns WHERE return_id = ?::uuid))',
    [orderId ?? null, returnId ?? null],
  )
  if (!order) return
  const first = await row(tx, 'INSERT INTO effects (effect_key) VALUES (?) ON CONFLICT DO NOTHING RETURNING 1', [`refused:${commandId}`])
  if (first) await record(tx, order, { type: 'order.command_refused', actor, data: { command, code } })
}
