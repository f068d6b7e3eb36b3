/** Whoever places an order may wait until it is known what has become of its money and its goods. */
import { z } from 'zod'
import type { Db } from '../db/connection'
import { orderBrief, type OrderBrief } from '../db/views/order-brief'

export const preferHeader = z.object({ Prefer: z.string().optional().meta({ description: '`wait=5`: answer after payment and sourcing are decided, at most that many seconds (up to 30)' }) })

/** `Prefer: wait=5` (RFC 7240), in milliseconds, at most 30 s. */
export function preferredWaitMs(prefer: string | undefined): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(prefer ?? '')?.[1]
  return Math.min(30, Number(seconds ?? 0)) * 1000
}

const lookEveryMs = 100

/** Waits until payment and sourcing are decided, or the caller's patience ends. */
export async function decided(db: Db, orderId: string, waitMs: number): Promise<OrderBrief> {
  const until = Date.now() + waitMs
  for (;;) {
    const brief = (await orderBrief(db, orderId))!
    const open = brief.status === 'placed' || brief.status === 'sourcing'
    if (!open || Date.now() >= until) return brief
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}
