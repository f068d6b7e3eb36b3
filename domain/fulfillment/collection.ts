/** Click and collect: how long goods wait at the counter, and what proves that they were given to the right person. */
import { durationMs } from '../policy/duration'
import type { NodeCalendar } from '../promise/calendar'
import { dayMs, type Instant } from '../promise/days'

/** Looked ahead for open days; a node that is closed for longer keeps goods for the plain duration. */
const lookDays = 366

/**
 * Until when goods that are ready at `readyAt` wait: whole days of the window are counted as days on which the node is open, the day they became ready not counted,
 * and end when the node closes; what is shorter than a day is plain time.
 * @param window ISO 8601 duration (`P7D`)
 */
export function pickupDeadline(calendar: NodeCalendar, readyAt: Instant, window: string): Instant {
  const windowMs = durationMs(window)
  const days = Math.floor(windowMs / dayMs)
  if (days === 0) return readyAt + windowMs
  const first = calendar.zone.dayOf(readyAt) + 1
  for (let day = first, counted = 0; day < first + lookDays; day += 1) {
    const closes = calendar.hours(day).at(-1)?.to
    if (closes !== undefined && (counted += 1) === days) return closes
  }
  return readyAt + windowMs
}

/** What the associate saw at the counter. Stays in the database. */
export interface CollectionProof {
  name: string
  pickupCode?: string
  idChecked?: boolean
}

/** Wrong codes that are looked at before only an identity document counts. */
export const mostPickupTries = 5

export type ProofVerdict = 'proven' | 'wrong code' | 'no more tries'

/** A code that is right, or an identity document that was looked at. */
export function judgeProof(proof: CollectionProof, known: { pickupCode: string; pickupTries: number }): ProofVerdict {
  if (proof.idChecked) return 'proven'
  if (known.pickupTries >= mostPickupTries) return 'no more tries'
  return proof.pickupCode?.trim() === known.pickupCode ? 'proven' : 'wrong code'
}

/** Codes there are: six digits, easily read out. */
export const pickupCodes = 1_000_000
/** @param draw a whole number from 0 up to, not including, `pickupCodes` */
export const pickupCodeOf = (draw: number): string => String(draw).padStart(6, '0')
