/** How a promise stands: kept, missed, still to be kept, or in danger because a part has missed a milestone. */
import type { FulfillmentStatus } from '../fulfillment/moves'
import type { OrderPromise } from './kept'

export const promiseStates = ['on_track', 'at_risk', 'missed', 'kept'] as const
export type PromiseState = (typeof promiseStates)[number]

/** @param arrivedAt when the last part was delivered; absent while something is on its way. Instants are ISO 8601; without a promise nothing can be missed. */
export function promiseState(promise: OrderPromise | null, now: string, parts: readonly { nodeId: string; status: FulfillmentStatus }[], arrivedAt: string | undefined): PromiseState {
  if (promise === null) return 'on_track'
  if (arrivedAt !== undefined) return arrivedAt <= promise.promisedBy ? 'kept' : 'missed'
  if (now > promise.promisedBy) return 'missed'
  return parts.some((part) => isBehind(part, promise, now)) ? 'at_risk' : 'on_track'
}

/** Not picked by the time by which it had to be, or not handed over. */
function isBehind({ nodeId, status }: { nodeId: string; status: FulfillmentStatus }, { milestones }: OrderPromise, now: string): boolean {
  const by = milestones[nodeId]
  if (!by) return false
  if (status === 'released' || status === 'picking') return now > by.pickBy
  return (status === 'picked' || status === 'packed') && now > by.handOverBy
}
