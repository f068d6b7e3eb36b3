/** The label that something comes back with: bought while it may come another way too, given back where nobody uses it; and what the carrier lost is claimed. */
import type { ReturnAnswer } from '../../domain/messages'
import { hasEnded } from '../../domain/returns/status'
import { carriers } from '../support/activities'
import { now } from '../support/clock'
import { isFault } from '../support/failures'
import { condition } from '../support/turns'
import type { Back, Thread, Waiter } from './thread'
import { persist } from './waits'

/** Goods are to come by mail. Wanted again after the first was given back, it is bought again. */
export function wantLabel(thread: Thread, back: Back): void {
  if (back.label === 'wanted') return
  back.label = 'wanted'
  thread.toLabel = [...(thread.toLabel ?? []), back]
}

export const wantsLabels = (thread: Thread): boolean => (thread.toLabel?.length ?? 0) > 0

/** Most labels are there at once; who asked hears of hers then, and looks again later otherwise. */
const comesWithinMs = 3_000

export async function labelled(thread: Thread, answer: ReturnAnswer): Promise<ReturnAnswer> {
  const back = thread.backs.find((b) => b.returnId === answer.returnId)
  if (back?.label === 'wanted') await thread.until(() => back.label !== 'wanted', now() + comesWithinMs, 'Word of the label')
  return answer
}

/** Until a carrier has sold one or nobody does; a return that ends meanwhile needs none. */
export async function labelReturn(thread: Thread, back: Back): Promise<void> {
  const { returnId } = back
  const trouble = { kind: 'return.label_failed', subject: returnId, owner: 'operations', summary: 'No label could be bought for what is to come back' } as const
  await persist(thread, back, { trouble }, async () => (hasEnded(back.status) ? undefined : carriers('Buy the label of a return').buyReturnLabel({ returnId })))
  back.label = 'settled'
}

/** The return is over; whatever label it has is used, or goes back. */
export async function giveBackReturnLabel(thread: Thread, back: Back): Promise<void> {
  if (back.label === undefined) return
  thread.nudges += 1 // a purchase that waits for its next try hears that none is needed
  await condition(() => back.label === 'settled')
  const { returnId } = back
  const trouble = { kind: 'return.label_void_failed', subject: returnId, owner: 'operations', summary: 'The label of a return could not be given back' } as const
  await persist(thread, back, { trouble }, () => carriers('Give back the label of a return').giveBackReturnLabel({ returnId }))
}

/** Once, while the return goes on: what cannot be reached now is given back at its end. */
export async function giveBackUnused({ returnId }: Back): Promise<void> {
  try {
    await carriers('Give back a label nobody used').giveBackReturnLabel({ returnId })
  } catch (cause) {
    if (!isFault(cause)) throw cause
  }
}

/** The customer has hers; this is between us and the carrier. */
export async function claimLost(thread: Thread, back: Back): Promise<void> {
  await claim(thread, back, back.claimId!)
  back.claimId = undefined
}

export async function claim(thread: Thread, who: Waiter, claimId: string): Promise<void> {
  const trouble = { kind: 'return.claim_failed', subject: claimId, owner: 'operations', summary: 'The carrier does not take the claim for what it lost on its way back' } as const
  await persist(thread, who, { trouble }, () => carriers('Claim what was lost on its way back').claimReturn({ claimId }))
}
