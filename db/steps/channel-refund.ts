/** What a channel gave back by itself, told on the order's timeline; whoever was to see to it need not any more. */
import type { Transaction } from '../connection'
import { record } from '../events'
import { lockOrder } from '../orders'
import { settleExceptions } from '../waiting'

export async function noteChannelRefund(tx: Transaction, refund: { orderId: string; actor: string; refundId: string; amountMinor: number; currency: string | null; units: readonly object[] }): Promise<void> {
  const { orderId, actor, ...data } = refund
  const order = await lockOrder(tx, orderId)
  await record(tx, order, { type: 'channel.refunded', actor, data })
  await settleExceptions(tx, order, 'the channel gave it back', { kind: 'order.refund_elsewhere' })
}
