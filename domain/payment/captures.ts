/**
 * Which captures of a hold have happened. A hold may be captured several times, so the sum alone does not tell which of them did: each capture leaves
 * its operation's id and amount with the payment at the provider, in the same call that takes the money.
 */
import type { PaymentState } from './view'

export interface CaptureFacts {
  status: PaymentState
  capturedMinor: number
  /** What was taken, by operation, as the provider has it written; absent where the news does not carry it. */
  captures?: Readonly<Record<string, number>>
}
export interface Capture {
  operationId: string
  amountMinor: number
}

/**
 * A capture happened when the provider names it. Where it does not (somebody captured by hand, or the news carries sums only), it happened when nothing
 * more can be taken and what was taken and belongs to no other capture covers it.
 * @param others captures of the same hold that are known to have happened, or that may have and are not named
 */
export function captureHappened(facts: CaptureFacts, capture: Capture, others: readonly Capture[] = []): boolean {
  const named = facts.captures ?? {}
  if (Object.hasOwn(named, capture.operationId)) return true
  if (facts.status !== 'captured') return false
  const elsewhereMinor = others.filter((o) => !Object.hasOwn(named, o.operationId)).reduce((sum, o) => sum + o.amountMinor, 0)
  const namedMinor = Object.values(named).reduce((sum, amount) => sum + amount, 0)
  return facts.capturedMinor - namedMinor - elsewhereMinor >= capture.amountMinor
}
