/**
 * When a node works: opening hours in its own time zone, holidays and special days, the cut-off of each service and the hours at which carriers collect.
 * Settings are read once into a calendar that keeps the days it has worked out; a calendar that can never work is refused when it is read.
 */
import { openZone, readDay, readTimeOfDay, weekdayOf, weekdays, type Instant, type LocalDay, type Weekday, type Zone } from './days'
import { isObstacle, obstacle, type Obstacle } from './obstacle'

/** Local times of day, `09:00`; `24:00` is the end of the day. Hours over midnight are written as two. */
export interface Hours {
  opens: string
  closes: string
}
/** The same every day, or by weekday; a weekday that is not named has none. */
export type Weekly<Value> = Value | Partial<Record<Weekday, Value>>
export interface CalendarSettings {
  /** IANA name, `Europe/Berlin`. */
  timeZone: string
  weekly: Partial<Record<Weekday, Hours | readonly Hours[]>>
  /** By local date, instead of the weekday's hours; no hours = closed. On a closed day nobody collects. */
  specialDays?: Readonly<Record<string, { hours: readonly Hours[]; pickups?: readonly string[] }>>
  /** By service: the last time of day that counts for that day's work. */
  cutoffs: Readonly<Record<string, Weekly<string>>>
  /** By carrier: when it collects, on days on which the node is open. */
  pickups: Readonly<Record<string, Weekly<readonly string[]>>>
}

/** Work between two instants, the end not included. */
export interface Stretch {
  from: Instant
  to: Instant
}
export interface NodeCalendar {
  zone: Zone
  /** Open stretches of a local day in order; none = closed. */
  hours(day: LocalDay): readonly Stretch[]
  /** The cut-off on a day, or the end of the day's work where that is earlier; none when the node is closed or the service has no cut-off that day. */
  cutoffAt(service: string, day: LocalDay): Instant | undefined
  /** The carrier's pick-ups on a day, in order. */
  pickups(carrier: string, day: LocalDay): readonly Instant[]
  services: readonly string[]
  carriers: readonly string[]
}

/** Reads settings into a calendar. @returns the first thing that is wrong with them, if anything is. */
export function openCalendar(settings: CalendarSettings): NodeCalendar | Obstacle {
  const zone = openZone(settings.timeZone)
  if (!zone) return obstacle('calendar.time_zone_unknown', settings.timeZone)
  const read = readSettings(settings)
  if (isObstacle(read)) return read
  const never = whatNeverComes(read)
  if (never) return never

  const hours = kept((day) => minutesOpen(read, day).map(([opens, closes]) => ({ from: zone.at(day, opens), to: zone.at(day, closes) })).filter((s) => s.from < s.to))
  const cutoffs = keptByName(read.cutoffs, (byWeekday, day) => {
    const minute = byWeekday[weekdayOf(day)]
    const closes = hours(day).at(-1)?.to
    return minute === undefined || closes === undefined ? undefined : Math.min(zone.at(day, minute), closes)
  })
  const pickups = keptByName(read.pickups, (byWeekday, day) =>
    hours(day).length === 0 ? [] : (read.special.get(day)?.pickups ?? byWeekday[weekdayOf(day)] ?? []).map((minute) => zone.at(day, minute)),
  )
  return {
    zone,
    hours,
    cutoffAt: (service, day) => cutoffs.get(service)?.(day),
    pickups: (carrier, day) => pickups.get(carrier)?.(day) ?? [],
    services: [...cutoffs.keys()],
    carriers: [...pickups.keys()],
  }
}

type Minutes = readonly (readonly [opens: number, closes: number])[]
type ByWeekday<Value> = Partial<Record<Weekday, Value>>
interface ReadSettings {
  weekly: ByWeekday<Minutes>
  special: ReadonlyMap<LocalDay, { hours: Minutes; pickups?: readonly number[] }>
  cutoffs: ReadonlyMap<string, ByWeekday<number>>
  pickups: ReadonlyMap<string, ByWeekday<readonly number[]>>
}

const minutesOpen = (read: ReadSettings, day: LocalDay): Minutes => read.special.get(day)?.hours ?? read.weekly[weekdayOf(day)] ?? []

function readSettings(settings: CalendarSettings): ReadSettings | Obstacle {
  try {
    return {
      weekly: mapValues(settings.weekly, (hours) => readHours('opens' in hours ? [hours] : hours)),
      special: new Map(Object.entries(settings.specialDays ?? {}).map(([date, s]) => [dayOrStop(date), { hours: readHours(s.hours), pickups: s.pickups && readTimes(s.pickups) }])),
      cutoffs: new Map(Object.entries(settings.cutoffs).map(([service, at]) => [service, mapValues(everyDay(at), minuteOrStop)])),
      pickups: new Map(Object.entries(settings.pickups).map(([carrier, at]) => [carrier, mapValues(everyDay(at), readTimes)])),
    }
  } catch (cause) {
    if (cause instanceof Stop) return cause.why
    throw cause
  }
}

/** Leaves a reading half-way; never leaves this file. */
class Stop extends Error {
  constructor(readonly why: Obstacle) {
    super(why.says)
  }
}

function minuteOrStop(text: string): number {
  const minute = readTimeOfDay(text)
  if (minute === undefined) throw new Stop(obstacle('calendar.time_malformed', text))
  return minute
}

function dayOrStop(text: string): LocalDay {
  const day = readDay(text)
  if (day === undefined) throw new Stop(obstacle('calendar.date_malformed', text))
  return day
}

const readTimes = (times: readonly string[]): number[] => times.map(minuteOrStop).sort((a, b) => a - b)

function readHours(hours: readonly Hours[]): Minutes {
  const read = hours.map((h) => [minuteOrStop(h.opens), minuteOrStop(h.closes)] as const).sort((a, b) => a[0] - b[0])
  const wrong = read.find(([opens, closes], i) => closes <= opens || (i > 0 && opens < read[i - 1]![1]))
  if (wrong) throw new Stop(obstacle('calendar.hours_malformed', hours.map((h) => `${h.opens}–${h.closes}`).join(', ')))
  return read
}

const isByWeekday = <Value>(value: Weekly<Value>): value is ByWeekday<Value> => typeof value === 'object' && value !== null && !Array.isArray(value)
const everyDay = <Value>(value: Weekly<Value>): ByWeekday<Value> => (isByWeekday(value) ? value : Object.fromEntries(weekdays.map((w) => [w, value])))

function mapValues<From, To>(values: ByWeekday<From>, read: (value: From) => To): ByWeekday<To> {
  return Object.fromEntries(Object.entries(values).map(([weekday, value]) => [weekday, read(value)]))
}

/** A node that never opens, a cut-off or a pick-up on none of its open days: better said when it is set up than found out by an order. */
function whatNeverComes(read: ReadSettings): Obstacle | undefined {
  const open = new Set([...weekdays.filter((w) => read.weekly[w]?.length), ...[...read.special].filter(([, s]) => s.hours.length > 0).map(([day]) => weekdayOf(day))])
  if (open.size === 0) return obstacle('calendar.no_open_day')
  for (const [service, at] of read.cutoffs) if (![...open].some((w) => at[w] !== undefined)) return obstacle('cutoff.never', service)
  for (const [carrier, at] of read.pickups) if (![...open].some((w) => at[w]?.length)) return obstacle('pickup.never', carrier)
  return undefined
}

/** Days worked out once. Forgotten all at once when there are too many, so that a calendar never grows without bound. */
function kept<Value>(work: (day: LocalDay) => Value): (day: LocalDay) => Value {
  const known = new Map<LocalDay, Value>()
  return (day) => {
    if (known.has(day)) return known.get(day)!
    if (known.size >= 2_000) known.clear()
    const value = work(day)
    known.set(day, value)
    return value
  }
}

const keptByName = <Settings, Value>(byName: ReadonlyMap<string, Settings>, work: (settings: Settings, day: LocalDay) => Value): Map<string, (day: LocalDay) => Value> =>
  new Map([...byName].map(([name, settings]) => [name, kept((day) => work(settings, day))]))
