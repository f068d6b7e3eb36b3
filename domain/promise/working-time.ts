/** Sums in a node's working time: when it opens next, when so many minutes of work are done, which day's work an order belongs to, who collects next. */
import type { NodeCalendar, Stretch } from './calendar'
import { minuteMs, type Instant, type LocalDay } from './days'
import { obstacle, type Obstacle } from './obstacle'

/** How far ahead or back a sum looks before it says that the time never comes: a leap year, so that every date of a year is met once. */
const lookDays = 366

/** The first instant at or after `at` at which the node is open. */
export function nextOpening(calendar: NodeCalendar, at: Instant): Instant | undefined {
  for (const stretch of stretchesFrom(calendar, at)) return Math.max(at, stretch.from)
  return undefined
}

/**
 * When `minutes` of work begun at `at` are done. Elapsed minutes are counted, so a night in which the clocks change is as long as it really is.
 * Work that ends as the node closes is done at closing, not at the next opening.
 */
export function addWorkingMinutes(calendar: NodeCalendar, at: Instant, minutes: number): Instant | undefined {
  let leftMs = minutes * minuteMs
  for (const stretch of stretchesFrom(calendar, at)) {
    const from = Math.max(at, stretch.from)
    if (leftMs <= stretch.to - from) return from + leftMs
    leftMs -= stretch.to - from
  }
  return undefined
}

/** The last instant at which `minutes` of work can begin and still be done by `by`. */
export function subtractWorkingMinutes(calendar: NodeCalendar, by: Instant, minutes: number): Instant | undefined {
  let leftMs = minutes * minuteMs
  const last = calendar.zone.dayOf(by)
  for (let day = last; day > last - lookDays; day -= 1) {
    for (const stretch of [...calendar.hours(day)].reverse()) {
      const to = Math.min(by, stretch.to)
      if (to <= stretch.from) continue
      if (leftMs <= to - stretch.from) return to - leftMs
      leftMs -= to - stretch.from
    }
  }
  return undefined
}

/** Milliseconds of work between two instants; 0 when `to` is not after `from`. */
export function workingMsBetween(calendar: NodeCalendar, from: Instant, to: Instant): number {
  let sumMs = 0
  for (let day = calendar.zone.dayOf(from); day <= calendar.zone.dayOf(to); day += 1)
    for (const stretch of calendar.hours(day)) sumMs += Math.max(0, Math.min(to, stretch.to) - Math.max(from, stretch.from))
  return sumMs
}

export const workingMinutesBetween = (calendar: NodeCalendar, from: Instant, to: Instant): number => workingMsBetween(calendar, from, to) / minuteMs

export interface DaysWork {
  /** Whose work it is. */
  day: LocalDay
  /** When it can begin: now, or the opening of that day. */
  from: Instant
  /** Until when an order still counts for that day. */
  cutoffAt: Instant
}

/** The day's work an order placed at `now` belongs to: the first open day whose cut-off is not over. An order exactly at the cut-off is in time. */
export function daysWork(calendar: NodeCalendar, service: string, now: Instant): DaysWork | Obstacle {
  if (!calendar.services.includes(service)) return obstacle('cutoff.unknown_service', service)
  const today = calendar.zone.dayOf(now)
  for (let day = today; day < today + lookDays; day += 1) {
    const cutoffAt = calendar.cutoffAt(service, day)
    if (cutoffAt === undefined || cutoffAt < now) continue
    return { day, from: Math.max(now, calendar.hours(day)[0]!.from), cutoffAt }
  }
  return obstacle('cutoff.never', service)
}

/** Pick-ups of a carrier from `from` on (that instant included), for the days looked ahead; none after `until`. */
export function* pickupsFrom(calendar: NodeCalendar, carrier: string, from: Instant, until: Instant): Generator<Instant> {
  const lastDay = calendar.zone.dayOf(until)
  for (let day = calendar.zone.dayOf(from); day <= lastDay; day += 1)
    for (const at of calendar.pickups(carrier, day)) if (at >= from && at <= until) yield at
}

/** The first pick-up at or after `at`. */
export function nextPickup(calendar: NodeCalendar, carrier: string, at: Instant): Instant | undefined {
  for (const pickup of pickupsFrom(calendar, carrier, at, at + lookDays * 1440 * minuteMs)) return pickup
  return undefined
}

/** What of the calendar is open after `at`; the first stretch may have begun before. */
export function* stretchesFrom(calendar: NodeCalendar, at: Instant, days = lookDays): Generator<Stretch> {
  const first = calendar.zone.dayOf(at)
  for (let day = first; day < first + days; day += 1) for (const stretch of calendar.hours(day)) if (stretch.to > at) yield stretch
}
