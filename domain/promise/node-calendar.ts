/** A node's hours as they are set, with what nobody has set: a service is worked on the same day until closing, and every carrier collects as it does by its contract. */
import type { CalendarSettings, Hours, Weekly } from './calendar'
import { collectionService } from './collection'
import type { Weekday } from './days'

export interface NodeHours {
  timeZone: string
  calendar: Partial<Record<Weekday, Hours>>
  specialDays: Record<string, { hours: Hours[] }>
  cutoffs: Record<string, string>
  pickups: Record<string, Weekly<string[]>>
}
export interface CollectingService {
  carrier: string
  service: string
  /** Days on which the carrier collects, and until when at the latest. */
  collects: { on: readonly Weekday[]; until: string }
}

export function calendarSettings({ timeZone, calendar, specialDays, cutoffs, pickups }: NodeHours, services: readonly CollectingService[]): CalendarSettings {
  const hours = Object.entries(calendar) as [Weekday, Hours][]
  const closing = Object.fromEntries(hours.map(([weekday, { closes }]) => [weekday, closes]))
  const collected = services.map(({ carrier, collects }) => [carrier, collections(hours, collects)] as const).filter(([, days]) => Object.keys(days).length > 0)
  return {
    timeZone,
    weekly: calendar,
    specialDays,
    cutoffs: { ...Object.fromEntries(services.map((s) => [s.service, closing])), [collectionService]: closing, ...cutoffs },
    pickups: { ...Object.fromEntries(collected), ...pickups },
  }
}

/** At closing, or at the carrier's last hour where that is earlier; times of day compare as text. A node that opens later than that is not collected from. */
const collections = (hours: readonly [Weekday, Hours][], { on, until }: CollectingService['collects']): Partial<Record<Weekday, string[]>> =>
  Object.fromEntries(hours.filter(([weekday, { opens }]) => on.includes(weekday) && opens < until).map(([weekday, { closes }]) => [weekday, [closes < until ? closes : until]]))
