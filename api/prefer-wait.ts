/** Whoever asks for something that others carry on may wait until it is known what has become of it. */
import { z } from 'zod'
import type { Db } from '../db/connection'
import { orderBrief, type OrderBrief } from '../db/views/order-brief'

export const preferHeader = z.object({ Prefer: z.string().optional().meta({ description: '`wait=5`: answer when it is known what has become of it (of an order: payment and sourcing are decided), at most that many seconds (up to 30)' }) })

/** `Prefer: wait=5` (RFC 7240), in milliseconds, at most 30 s. */
export function preferredWaitMs(prefer: string | undefined): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(prefer ?? '')?.[1]
  return Math.min(30, Number(seconds ?? 0)) * 1000
}

const lookEveryMs = 100

/** Looks until it has seen enough, or the caller's patience ends. */
export async function looking<Seen>(look: () => Promise<Seen>, enough: (seen: Seen) => boolean, waitMs: number): Promise<Seen> {
  const until = Date.now() + waitMs
  for (;;) {
    const seen = await look()
    if (enough(seen) || Date.now() >= until) return seen
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}

/** Waits until payment and sourcing are decided. */
export const decided = (db: Db, orderId: string, waitMs: number): Promise<OrderBrief> =>
  looking(async () => (await orderBrief(db, orderId))!, ({ status }) => status !== 'placed' && status !== 'sourcing', waitMs)
