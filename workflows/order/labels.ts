/** Labels that will not travel go back to who sold them: all of a fulfillment that was cancelled, or those that another carrier's took the place of. */
import { carriers } from '../support/activities'
import { waiting, type Thread, type Waiter } from './thread'
import { persist } from './waits'

/** @param stray only those the parcels do not travel by; nothing waits for these, nor for those of one part of an order. */
export async function giveBackLabels(thread: Thread, who: Waiter, fulfillmentId: string, stray: boolean): Promise<void> {
  const isPart = who.fulfillmentId !== undefined
  const summary = stray ? 'Labels that are not used could not be given back' : `The ${isPart ? 'parcel' : 'order'} is cancelled and its labels could not be given back`
  const trouble = { kind: 'carrier.void_failed', subject: fulfillmentId, owner: 'operations', summary } as const
  await persist(thread, who, { ...(stray || isPart ? {} : { waitingOn: waiting('carrier', null) }), trouble }, () => carriers('Give back the labels').voidLabels({ fulfillmentId, stray }))
}
