/** What a customer may send back, by the policy her order was placed under: binding for her, advisory for staff, whose override is kept. */
import { durationMs } from '../policy/duration'
import type { ReturnsPolicy } from '../policy/kinds'

export interface Asked {
  /** ISO instant of the last arrival; undefined while nothing has arrived. */
  arrivedAt: string | undefined
  now: number
  skus: readonly string[]
}

/** The rule that speaks against it, and what a person should know of it; undefined where the policy allows it. */
export function objection({ window, finalSale = [] }: ReturnsPolicy, { arrivedAt, now, skus }: Asked): { rule: 'window' | 'final_sale'; closedAt?: string; skus?: string[] } | undefined {
  const final = skus.filter((sku) => finalSale.some((prefix) => sku.startsWith(prefix)))
  if (final.length) return { rule: 'final_sale', skus: final }
  if (arrivedAt === undefined) return undefined
  const closesAt = Date.parse(arrivedAt) + durationMs(window)
  return now > closesAt ? { rule: 'window', closedAt: new Date(closesAt).toISOString() } : undefined
}
