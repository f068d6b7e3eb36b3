/** A channel did something to an order by itself that could not be done here too: somebody has to bring both together. */
import type { Transaction } from '../connection'
import { lockOrder } from '../orders'
import { openException } from '../waiting'

export interface ChannelCase {
  orderId: string
  actor: string
  about: 'update' | 'refund'
  /** Ids, codes and numbers; nothing of a person. */
  data: Record<string, unknown>
}

export async function noteChannelCase(tx: Transaction, { orderId, about, actor, data }: ChannelCase): Promise<void> {
  const order = await lockOrder(tx, orderId)
  const subject = `${orderId}:${String(data.refundId ?? data.code ?? about)}`
  const of = { ...order, data: { ...data, by: actor } }
  if (about === 'update')
    await openException(tx, { ...of, kind: 'channel.update_not_applied', subject, owner: 'support', summary: 'The channel changed the order, and it could not be changed here: bring both together' })
  else await openException(tx, { ...of, kind: 'channel.refund_unexplained', subject, owner: 'finance', summary: 'The channel gave money back, and the goods do not say why: see what it was for, and book it' })
}
