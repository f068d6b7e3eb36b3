/** A command that was refused is on the timeline of its order too: which, why and by whose wish, once, and without a word of the customer's. */
import { row, type Db, type Transaction } from './connection'
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

export interface Told {
  code: string
  /** The fields that are not as they should be. */
  pointers?: readonly string[]
}

/** @returns undefined where there is none */
export const orderOf = (db: Db | Transaction, { orderId, returnId }: RefusedCommand): Promise<{ orderId: string; channel: string } | undefined> =>
  row(db, 'SELECT order_id AS "orderId", channel FROM orders WHERE order_id = coalesce(?::uuid, (SELECT order_id FROM returns WHERE return_id = ?::uuid))', [orderId ?? null, returnId ?? null])

/** @param once under which key it is told once; absent: the command, so that one sent again under the same key is */
export async function noteRefused(tx: Transaction, refused: RefusedCommand, { code, pointers }: Told, once = refused.commandId): Promise<void> {
  const order = await orderOf(tx, refused)
  if (!order) return
  const first = await row(tx, 'INSERT INTO effects (effect_key) VALUES (?) ON CONFLICT DO NOTHING RETURNING 1', [`refused:${once}`])
  if (first) await record(tx, order, { type: 'order.command_refused', actor: refused.actor, data: { command: refused.command, code, ...(pointers && { pointers }) } })
}
