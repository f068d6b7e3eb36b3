/**
 * The date a customer is given: the earliest day that is kept with the confidence the policy asks for, and the probability it really has.
 * What goes into it is in `arrival.ts`; here parts are taken together, the day is chosen, and the promise says until when it can be had.
 */
import { arrivalOf, arrivedBy, arrivedByFrom, type Arrival, type Leg } from './arrival'
import type { SlotBooking } from './capacity'
import { uncorrected, type Correction } from './conformal'
import { dayMs, minuteMs, type Instant, type LocalDay } from './days'
import { isObstacle, obstacle, type Obstacle } from './obstacle'
import { pickupsFrom } from './working-time'

export interface PromiseTerms {
  /** The least probability with which the promised day must be kept, above 0 and below 1. */
  confidence: number
  /** The window begins on the first day on which everything has arrived with at least this probability; a tenth unless told otherwise. */
  earlyShare?: number
  /** Learned from parcels the model has not seen (`conformal.ts`), by carrier. */
  correction?: Correction
  /** Days looked at; 60 unless told otherwise. What would come later counts as never. */
  horizonDays?: number
}
/** All instants in milliseconds since 1970-01-01T00:00Z. */
export interface DatePromise {
  /**
   * Until when an order still gets this very day: at most the cut-off of the day's work, and earlier where the node would get too little time before the pick-up.
   * The work ahead of it is taken as it is now.
   */
  cutoffAt: Instant
  /** Ship-by: the last pick-up of the part that must leave first, after which the day is no longer kept with the confidence asked for. */
  handOverBy: Instant
  promisedFrom: Instant
  /** The end of the carrier's delivery hours on the promised day. */
  promisedBy: Instant
  promisedDay: LocalDay
  /** P(everything is delivered by `promisedBy`); at least what was asked for, and more by as much as whole days jump. */
  confidence: number
  legs: readonly LegPromise[]
}
export interface LegPromise {
  carrier: string
  workFrom: Instant
  handOverBy: Instant
  /** P(this part is delivered by the promised day). */
  confidence: number
  bookings: readonly SlotBooking[]
  /** As predicted, before the correction: kept with the promise, it gives the score of the parcel once it is delivered (`kept.ts`). */
  arrival: Arrival
}
export type PromiseAnswer = { promise: DatePromise; why?: undefined } | { promise?: undefined; why: Obstacle }

/** Probabilities that differ by less are the same: sums of many shares differ in their last digits. */
const rounding = 1e-6

/**
 * The earliest promise for an order of one or several parts, placed at `now`.
 * The parts of an order are taken as independent: P(all by day d) = Π P(part by day d). Delays that come together (one carrier, one storm) make the truth no worse than that,
 * since P(all) ≥ Π P(each) for outcomes that rise and fall together (Esary, Proschan & Walkup 1967): the promise then errs to the careful side.
 */
export function promiseDelivery(legs: readonly Leg[], now: Instant, terms: PromiseTerms): PromiseAnswer {
  if (legs.length === 0) return { why: obstacle('order.empty') }
  if (!(terms.confidence > 0 && terms.confidence < 1)) return { why: obstacle('confidence.out_of_range', String(terms.confidence)) }
  const arrivals = arrivalsOf(legs, now, terms)
  if (isObstacle(arrivals)) return { why: arrivals }
  const promisedDay = firstDayWith(terms.confidence, legs, arrivals, terms)
  if (promisedDay === undefined) return { why: obstacle('confidence.unreachable', String(terms.confidence)) }

  const firstDay = firstDayWith(Math.min(terms.earlyShare ?? 0.1, terms.confidence), legs, arrivals, terms) ?? promisedDay
  const parts = legs.map((leg, i) => legPromise(leg, arrivals[i]!, promisedDay, terms))
  return {
    promise: {
      cutoffAt: sameDayUntil(legs, arrivals, now, promisedDay, terms),
      handOverBy: Math.min(...parts.map((p) => p.handOverBy)),
      promisedFrom: Math.min(...legs.map((leg) => leg.days.window(firstDay).from)),
      promisedBy: Math.max(...legs.map((leg) => leg.days.window(promisedDay).to)),
      promisedDay,
      confidence: allBy(promisedDay, legs, arrivals, terms),
      legs: parts,
    },
  }
}

function arrivalsOf(legs: readonly Leg[], now: Instant, terms: PromiseTerms): Arrival[] | Obstacle {
  const arrivals: Arrival[] = []
  for (const leg of legs) {
    const arrival = arrivalOf(leg, now, terms.horizonDays ?? 60)
    if (isObstacle(arrival)) return arrival
    arrivals.push(arrival)
  }
  return arrivals
}

const corrected = (leg: Leg, predicted: number, terms: PromiseTerms): number => (predicted <= 0 ? 0 : (terms.correction ?? uncorrected)(leg.carrier, predicted))

const allBy = (day: LocalDay, legs: readonly Leg[], arrivals: readonly Arrival[], terms: PromiseTerms): number =>
  legs.reduce((product, leg, i) => product * corrected(leg, arrivedBy(arrivals[i]!, day), terms), 1)

function firstDayWith(share: number, legs: readonly Leg[], arrivals: readonly Arrival[], terms: PromiseTerms): LocalDay | undefined {
  const first = Math.max(...arrivals.map((a) => a.firstDay))
  const last = Math.max(...arrivals.map((a) => a.firstDay + a.upTo.length - 1))
  for (let day = first; day <= last; day += 1) if (allBy(day, legs, arrivals, terms) >= share - rounding) return day
  return undefined
}

function legPromise(leg: Leg, arrival: Arrival, promisedDay: LocalDay, terms: PromiseTerms): LegPromise {
  return {
    carrier: leg.carrier,
    workFrom: arrival.workFrom,
    handOverBy: lastPickupFor(leg, arrival, promisedDay, terms),
    confidence: corrected(leg, arrivedBy(arrival, promisedDay), terms),
    bookings: arrival.bookings,
    arrival,
  }
}

/**
 * The last pick-up from which this part still keeps the day with the confidence asked for. There always is one: the parcel arrives by a mixture over
 * its pick-ups, and the earliest of them is at least as good as their mixture.
 */
function lastPickupFor(leg: Leg, arrival: Arrival, promisedDay: LocalDay, terms: PromiseTerms): Instant {
  let last: Instant | undefined
  for (const at of pickupsFrom(leg.calendar, leg.carrier, arrival.workFrom, leg.days.window(promisedDay).to)) {
    if (last !== undefined && corrected(leg, arrivedByFrom(leg, at, promisedDay), terms) < terms.confidence - rounding) break
    last = at
  }
  return last ?? arrival.workFrom
}

/** The last minute in which an order still gets `day`. What is promised only ever gets later as the clock moves on, so halving finds it. */
function sameDayUntil(legs: readonly Leg[], arrivals: readonly Arrival[], now: Instant, day: LocalDay, terms: PromiseTerms): Instant {
  const kept = (at: Instant): boolean => {
    const then = arrivalsOf(legs, at, { ...terms, horizonDays: Math.ceil((legs[0]!.days.window(day).to - at) / dayMs) + 1 })
    return !isObstacle(then) && allBy(day, legs, then, terms) >= terms.confidence - rounding
  }
  const cutoffAt = Math.min(...arrivals.map((a) => a.cutoffAt))
  if (kept(cutoffAt)) return cutoffAt
  let good = now
  let bad = cutoffAt
  while (bad - good > minuteMs) {
    const middle = good + Math.floor((bad - good) / 2)
    if (kept(middle)) good = middle
    else bad = middle
  }
  return good
}
