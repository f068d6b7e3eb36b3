/** How a promise stands: kept, missed, or still to be kept. */
export const promiseStates = ['on_track', 'at_risk', 'missed', 'kept'] as const
export type PromiseState = (typeof promiseStates)[number]

/** @param arrivedAt when the last part was delivered; absent while something is on its way. Instants are ISO 8601; without a promise nothing can be missed. */
export function promiseState(promisedBy: string | null, now: string, arrivedAt: string | undefined): PromiseState {
  if (promisedBy === null) return 'on_track'
  if (arrivedAt !== undefined) return arrivedAt <= promisedBy ? 'kept' : 'missed'
  return now > promisedBy ? 'missed' : 'on_track'
}
