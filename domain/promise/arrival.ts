/**
 * When one part of an order arrives, as a distribution over local days at the destination: the node's lead time decides which pick-up it catches,
 * the carrier's transit from that pick-up decides the day, and both are taken with all their probabilities (a convolution).
 */
import type { NodeCalendar } from './calendar'
import { earliestRoom, type CapacitySettings, type SlotBooking, type Taken } from './capacity'
import { sameDayPossible, type CarrierDays } from './carrier-days'
import { dayMs, minuteMs, type Instant, type LocalDay } from './days'
import { probabilityUpTo, type Distribution } from './histogram'
import { readyWithin } from './lead-time'
import { isObstacle, obstacle, type Obstacle } from './obstacle'
import { daysWork, pickupsFrom, workingMsBetween } from './working-time'

/** One part of an order: from one node, by one carrier service. */
export interface Leg {
  calendar: NodeCalendar
  service: string
  carrier: string
  days: CarrierDays
  /** Working minutes from the beginning of the work until it is ready, in steps of `leadStepMinutes`. */
  lead: Distribution
  /** Delivery days from hand-over. */
  transit: Distribution
  /** Without it the node takes any number of orders. */
  capacity?: { settings: CapacitySettings; taken: Taken; lookAheadDays: number }
  units: number
}
export interface Arrival {
  /** When the work begins, cut-off and work ahead of it considered. */
  workFrom: Instant
  /** The cut-off of the day on which the work begins. */
  cutoffAt: Instant
  bookings: readonly SlotBooking[]
  /** The day of the first pick-up that counts; `upTo` begins there. */
  firstDay: LocalDay
  /** `upTo[k]` = P(delivered by the end of `firstDay + k`). */
  upTo: readonly number[]
}

/** @param horizonDays days after `now` that are looked at; what would come later counts as never. */
export function arrivalOf(leg: Leg, now: Instant, horizonDays: number): Arrival | Obstacle {
  const work = workOf(leg, now)
  if (isObstacle(work)) return work
  const lastDay = leg.calendar.zone.dayOf(now) + horizonDays
  const shipped = shippedBy(leg, work.workFrom, now + horizonDays * dayMs)
  if (shipped.length === 0) return obstacle(leg.calendar.carriers.includes(leg.carrier) ? 'pickup.never' : 'pickup.unknown_carrier', leg.carrier)
  const firstDay = leg.calendar.zone.dayOf(shipped[0]!.at)
  const upTo = new Array<number>(Math.max(1, lastDay - firstDay + 1)).fill(0)
  for (const { at, share } of shipped) {
    const handOverDay = leg.calendar.zone.dayOf(at)
    let transit = 0
    let reached = sameDayPossible(leg.days, handOverDay, at) ? probabilityUpTo(leg.transit, 0) : 0
    for (let day = handOverDay; day <= lastDay; day += 1) {
      if (day > handOverDay && leg.days.delivers(day)) reached = probabilityUpTo(leg.transit, (transit += 1))
      upTo[day - firstDay]! += share * reached
    }
  }
  return { ...work, firstDay, upTo }
}

/** P(delivered by the end of `day`). */
export const arrivedBy = (arrival: Arrival, day: LocalDay): number => probabilityUpTo(arrival, day - arrival.firstDay)

/** P(delivered by the end of `day`) of a parcel handed over at `at`, whatever the node did before. */
export function arrivedByFrom(leg: Pick<Leg, 'calendar' | 'days' | 'transit'>, at: Instant, day: LocalDay): number {
  const handOverDay = leg.calendar.zone.dayOf(at)
  if (day < handOverDay) return 0
  let transit = 0
  for (let next = handOverDay + 1; next <= day; next += 1) if (leg.days.delivers(next)) transit += 1
  return transit === 0 && !sameDayPossible(leg.days, handOverDay, at) ? 0 : probabilityUpTo(leg.transit, transit)
}

/** When a node begins an order placed at `now`: after the cut-off the next day, and where there is room. */
export function workOf(leg: Pick<Leg, 'calendar' | 'service' | 'capacity' | 'units'>, now: Instant): Pick<Arrival, 'workFrom' | 'cutoffAt' | 'bookings'> | Obstacle {
  const { calendar, service, capacity, units } = leg
  const work = daysWork(calendar, service, now)
  if (isObstacle(work)) return work
  if (!capacity) return { workFrom: work.from, cutoffAt: work.cutoffAt, bookings: [] }
  const room = earliestRoom(calendar, capacity.settings, capacity.taken, work.from, units, capacity.lookAheadDays)
  if (isObstacle(room)) return room
  // A full node moves the work to a later day, and an order placed until that day's cut-off would still be worked on then.
  const cutoffAt = calendar.cutoffAt(service, calendar.zone.dayOf(room.from))
  return { workFrom: room.from, cutoffAt: Math.max(work.cutoffAt, cutoffAt ?? 0), bookings: room.bookings }
}

/** What is so unlikely still to come that its pick-up is not worth looking for; it counts as never. */
const negligible = 1e-7

/** The share of orders that leaves with each pick-up: ready for it, but not for the one before. */
function shippedBy(leg: Leg, workFrom: Instant, until: Instant): { at: Instant; share: number }[] {
  const shipped: { at: Instant; share: number }[] = []
  const ever = leg.lead.upTo.at(-1) ?? 0
  let ready = 0
  let workedMs = 0
  let since = workFrom
  for (const at of pickupsFrom(leg.calendar, leg.carrier, workFrom, until)) {
    workedMs += workingMsBetween(leg.calendar, since, at)
    since = at
    const readyNow = readyWithin(leg.lead, workedMs / minuteMs)
    if (readyNow > ready) shipped.push({ at, share: readyNow - ready })
    ready = readyNow
    if (ready >= ever - negligible) break
  }
  return shipped
}
