/** Part of an order has left on a hold that can be captured only once: what has still to leave is to be held again. */
import type { Transaction } from '../connection'
import { lockOrder, refreshOrder } from '../orders'
import { intendRemainder, type Remainder } from '../part-payments'

export interface RemainderOutcome {
  /** The operations that hold it, one per tender; none when all of it is held, or the order was cancelled meanwhile. */
  remainders: Remainder[]
}

export async function holdRemainder(tx: Transaction, { orderId }: { orderId: string }): Promise<RemainderOutcome> {
  const order = await lockOrder(tx, orderId)
  if (order.stage === 'cancelled') return { remainders: [] }
  const remainders = await intendRemainder(tx, orderId)
  await refreshOrder(tx, orderId)
  return { remainders }
}
