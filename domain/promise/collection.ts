/** When goods can be fetched: from a store that has them, as soon as it has put them aside; from one they are sent to, once the parcel is unpacked. */
import { workOf } from './arrival'
import { minuteMs, type Instant } from './days'
import { leadMinutes, readyWithin } from './lead-time'
import { isObstacle, obstacle, type Obstacle } from './obstacle'
import type { PromiseNode } from './options'
import type { DatePromise } from './promise'
import { addWorkingMinutes, nextOpening } from './working-time'

/** Under this name a node may have a cut-off for work that is fetched. */
export const collectionService = 'pickup'

/** Working minutes from a parcel's arrival until what is in it waits at the counter. An assumption. */
const unpackMinutes = 30
const lookAheadDays = 14
/** Below this share of the orders nobody is told to come yet. */
const earlyShare = 0.1
/** Nobody is told to come at 15:03:27. */
const roundingMs = 5 * minuteMs

export type ReadyPromise = Pick<DatePromise, 'cutoffAt' | 'promisedFrom' | 'promisedBy' | 'confidence'>

/**
 * Ready at the counter with the confidence asked for, for whoever orders within `patienceMs` from now (or by the day's cut-off, if that is earlier): a quote stays true as long as it lasts.
 * `promisedFrom` is when it may be ready first, `promisedBy` when it is with that confidence.
 */
export function promiseReady(node: PromiseNode, units: number, now: Instant, { confidence, patienceMs }: { confidence: number; patienceMs: number }): ReadyPromise | Obstacle {
  const { calendar, lead, capacity } = node
  if (isObstacle(calendar)) return calendar
  const leg = { calendar, service: collectionService, units, ...(capacity && { capacity: { ...capacity, lookAheadDays } }) }
  const soon = workOf(leg, now)
  if (isObstacle(soon)) return soon
  const orderedBy = Math.max(now, Math.min(now + patienceMs, soon.cutoffAt))
  const work = workOf(leg, orderedBy)
  if (isObstacle(work)) return work
  const minutes = leadMinutes(lead, confidence)
  if (minutes === undefined) return obstacle('confidence.unreachable', String(confidence))
  const by = addWorkingMinutes(calendar, work.workFrom, minutes)
  const from = addWorkingMinutes(calendar, work.workFrom, leadMinutes(lead, Math.min(earlyShare, confidence)) ?? minutes)
  if (by === undefined || from === undefined) return obstacle('calendar.no_open_day')
  return { cutoffAt: orderedBy, promisedFrom: from, promisedBy: roundedUp(node, by), confidence: readyWithin(lead, minutes) }
}

/** Ready once the store has unpacked what was delivered to it: as likely as that it is delivered. */
export function promiseUnpacked(store: PromiseNode, delivered: Pick<DatePromise, 'cutoffAt' | 'promisedFrom' | 'promisedBy' | 'confidence'>): ReadyPromise | Obstacle {
  const { calendar } = store
  if (isObstacle(calendar)) return calendar
  const [from, by] = [delivered.promisedFrom, delivered.promisedBy].map((at) => addWorkingMinutes(calendar, at, unpackMinutes))
  if (by === undefined || from === undefined) return obstacle('calendar.no_open_day')
  return { cutoffAt: delivered.cutoffAt, promisedFrom: from, promisedBy: roundedUp(store, by), confidence: delivered.confidence }
}

/** To the next full five minutes, unless the node closes before. */
function roundedUp({ calendar }: PromiseNode, at: Instant): Instant {
  const rounded = Math.ceil(at / roundingMs) * roundingMs
  return !isObstacle(calendar) && nextOpening(calendar, rounded) === rounded ? rounded : at
}
