/** What must have happened by when for a promise still to be kept, computed backwards from it: the deadlines an order is watched by after the sale. */
import type { NodeCalendar } from './calendar'
import { minuteMs, type Instant } from './days'
import { obstacle, type Obstacle } from './obstacle'
import { subtractWorkingMinutes } from './working-time'

export interface Milestones {
  /** Everything is picked. */
  pickBy: Instant
  /** The carrier has it. */
  handOverBy: Instant
  /** The carrier has scanned it for the first time. */
  scanBy: Instant
}
export interface GuardSettings {
  /** Working minutes the node needs from picked to standing at the door: packing, labelling, bringing it there. */
  packMinutes: number
  /** Minutes a carrier may take from collecting a parcel to scanning it, nights and Sundays included. */
  scanMinutes: number
}

/**
 * @param promised `handOverBy` of the part and `promisedBy` of the order (`promise.ts`).
 * @returns milestones in their order: pickBy ≤ handOverBy ≤ scanBy ≤ promisedBy; an obstacle when the node is not open long enough for its packing within a year.
 */
export function milestonesOf(calendar: NodeCalendar, promised: { handOverBy: Instant; promisedBy: Instant }, guard: GuardSettings): Milestones | Obstacle {
  const pickBy = subtractWorkingMinutes(calendar, promised.handOverBy, guard.packMinutes)
  if (pickBy === undefined) return obstacle('calendar.no_open_day')
  return { pickBy, handOverBy: promised.handOverBy, scanBy: Math.min(promised.handOverBy + guard.scanMinutes * minuteMs, promised.promisedBy) }
}
