/** Local dates, times of day and the instants they fall on: the one place that knows about time zones and daylight saving. */
import { IANAZone } from 'luxon'

/** Milliseconds since 1970-01-01T00:00Z. */
export type Instant = number
/** A calendar date without a place: days since 1970-01-01. Whole-day arithmetic on it is plain addition, whatever the clocks do. */
export type LocalDay = number

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
export type Weekday = (typeof weekdays)[number]

export const minuteMs = 60_000
export const dayMs = 86_400_000
/** Instants a zone keeps in mind before it forgets them all: some years of a busy node. */
const remembered = 50_000

/** A time zone with its answers kept, because asking `Intl` costs microseconds and a promise asks dozens of times for the same few days. */
export interface Zone {
  name: string
  /**
   * The instant of a local time. A time that is skipped in spring is taken as far past the gap as it lies past the gap's beginning (02:30 → 03:30);
   * of a time that comes twice in autumn, the first is taken.
   */
  at(day: LocalDay, minuteOfDay: number): Instant
  /** The local date at an instant. */
  dayOf(instant: Instant): LocalDay
}

/** @returns undefined when the IANA database has no such zone. */
export function openZone(name: string): Zone | undefined {
  if (!IANAZone.isValidZone(name)) return undefined
  const zone = IANAZone.create(name)
  const known = new Map<number, Instant>()
  const at = (day: LocalDay, minuteOfDay: number): Instant => {
    const wallMs = day * dayMs + minuteOfDay * minuteMs
    const before = known.get(wallMs)
    if (before !== undefined) return before
    if (known.size >= remembered) known.clear()
    const instant = instantOf(wallMs, zone)
    known.set(wallMs, instant)
    return instant
  }
  const dayOf = (instant: Instant): LocalDay => {
    const guess = Math.floor(instant / dayMs)
    if (instant < at(guess, 0)) return guess - 1
    return instant < at(guess + 1, 0) ? guess : guess + 1
  }
  return { name, at, dayOf }
}

/** `wallMs` is what the clocks on the wall show, counted as if it were UTC. Offsets lie within ±14 h, so a day either side brackets any change of the clocks. */
function instantOf(wallMs: number, zone: IANAZone): Instant {
  const earlier = zone.offset(wallMs - dayMs) * minuteMs
  const later = zone.offset(wallMs + dayMs) * minuteMs
  const fits = [wallMs - earlier, wallMs - later].filter((t) => zone.offset(t) * minuteMs === wallMs - t)
  return fits.length > 0 ? Math.min(...fits) : wallMs - earlier
}

export const weekdayOf = (day: LocalDay): Weekday => weekdays[(((day + 3) % 7) + 7) % 7]! // 1970-01-01 was a Thursday

/** Reads `2026-12-24`. @returns undefined when it is no date that exists. */
export function readDay(text: string): LocalDay | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const ms = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(ms) || formatDay(ms / dayMs) !== text ? undefined : ms / dayMs
}

export const formatDay = (day: LocalDay): string => new Date(day * dayMs).toISOString().slice(0, 10)

/** Reads `09:30` as minutes since midnight; `24:00` is the end of the day. @returns undefined otherwise. */
export function readTimeOfDay(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$|^24:00$/.exec(text)
  if (!match) return undefined
  return text === '24:00' ? 1440 : Number(match[1]) * 60 + Number(match[2])
}
