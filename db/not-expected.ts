/** Goods of a return that has ended are on their way to us all the same: somebody finds out what they are, and has them counted. */
import type { Transaction } from './connection'
import type { OrderRow } from './orders'
import { deadlineOf } from './undelivered'
import { openException } from './waiting'

export async function tellNotExpected(tx: Transaction, order: OrderRow, { summary, data }: { summary: string; data: { returnId: string; nodeId: string; status: string; [what: string]: unknown } }): Promise<void> {
  await openException(tx, { ...order, kind: 'return.not_expected', subject: data.returnId, owner: 'support', summary, data, deadline: deadlineOf(order.policy.parcels) })
}
