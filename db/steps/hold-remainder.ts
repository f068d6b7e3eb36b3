/** What has still to leave is to be held again: part of the order has left on a hold that can be captured only once, or the hold's time runs out. */
import type { Transaction } from '../connection'
import { lockOrder, refreshOrder } from '../orders'
import { intendOldVoids, intendRemainder, type Remainder } from '../part-payments'

export interface RemainderOutcome {
  /** The operations that hold it, one per tender; none when all of it is held, or the order was cancelled meanwhile. */
  remainders: Remainder[]
}

export interface HoldRemainder {
  orderId: string
  /** What is held, but not for long any more, is to be held anew. */
  renewing?: boolean
}

export async function holdRemainder(tx: Transaction, { orderId, renewing }: HoldRemainder): Promise<RemainderOutcome> {
  const order = await lockOrder(tx, orderId)
  if (order.stage === 'cancelled') return { remainders: [] }
  const remainders = await intendRemainder(tx, orderId, { renewing })
  await refreshOrder(tx, orderId)
  return { remainders }
}

/** The money is held anew: what was held before is let go of. @returns the operations that do */
export async function dropOldHolds(tx: Transaction, { orderId }: { orderId: string }): Promise<{ voids: string[] }> {
  const order = await lockOrder(tx, orderId)
  if (order.stage === 'cancelled') return { voids: [] }
  return { voids: (await intendOldVoids(tx, orderId)).map((v) => v.operationId) }
}
