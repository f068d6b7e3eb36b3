/** The days on which a carrier delivers at a destination. Transit is counted in them, so a Sunday is neither learned nor promised as a day on the road. */
import { openZone, readDay, readTimeOfDay, weekdayOf, weekdays, type Instant, type LocalDay, type Weekday, type Zone } from './days'
import type { Hours } from './calendar'
import { obstacle, type Obstacle } from './obstacle'

export interface CarrierDaysSettings {
  /** Of the destination. */
  timeZone: string
  deliversOn: readonly Weekday[]
  /** Local dates without delivery. */
  holidays?: readonly string[]
  /** Local times between which doors are rung at. */
  hours: Hours
}
export interface CarrierDays {
  zone: Zone
  delivers(day: LocalDay): boolean
  /** When the first and the last door of a day is rung at. */
  window(day: LocalDay): { from: Instant; to: Instant }
}

export function openCarrierDays(settings: CarrierDaysSettings): CarrierDays | Obstacle {
  const zone = openZone(settings.timeZone)
  if (!zone) return obstacle('calendar.time_zone_unknown', settings.timeZone)
  const opens = readTimeOfDay(settings.hours.opens)
  const closes = readTimeOfDay(settings.hours.closes)
  if (opens === undefined || closes === undefined || closes <= opens) return obstacle('calendar.hours_malformed', `${settings.hours.opens}–${settings.hours.closes}`)
  const badDate = settings.holidays?.find((date) => readDay(date) === undefined)
  if (badDate !== undefined) return obstacle('calendar.date_malformed', badDate)
  const on = new Set(settings.deliversOn.filter((w) => weekdays.includes(w)))
  if (on.size === 0) return obstacle('carrier.never_delivers')
  const holidays = new Set(settings.holidays?.map((date) => readDay(date)!))
  return {
    zone,
    delivers: (day) => on.has(weekdayOf(day)) && !holidays.has(day),
    window: (day) => ({ from: zone.at(day, opens), to: zone.at(day, closes) }),
  }
}

/** A parcel collected then can still be delivered the same day. */
export const sameDayPossible = (days: CarrierDays, handOverDay: LocalDay, handedOverAt: Instant): boolean =>
  days.delivers(handOverDay) && handedOverAt < days.window(handOverDay).to

/**
 * Transit as it is learned and promised: the delivery days after the day of hand-over, the day of delivery included; 0 is the same day.
 * What is delivered on a day on which nobody should have come counts as the next delivery day.
 * @returns undefined when it was delivered before it was handed over: no observation at all.
 */
export function transitDays(days: CarrierDays, handOverDay: LocalDay, deliveredDay: LocalDay): number | undefined {
  if (deliveredDay < handOverDay) return undefined
  let count = deliveredDay > handOverDay && !days.delivers(deliveredDay) ? 1 : 0
  for (let day = handOverDay + 1; day <= deliveredDay; day += 1) if (days.delivers(day)) count += 1
  return count
}
