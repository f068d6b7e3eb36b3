/** Dates: never too early, never getting earlier by waiting, and right on the days on which clocks and years change. */
import fc from 'fast-check'
import { openCalendar, type CalendarSettings, type NodeCalendar } from '../../../domain/promise/calendar'
import { earliestRoom, queueAhead } from '../../../domain/promise/capacity'
import { openCarrierDays, transitDays } from '../../../domain/promise/carrier-days'
import { formatDay, minuteMs, openZone, readDay, weekdays } from '../../../domain/promise/days'
import { isObstacle, type Obstacle } from '../../../domain/promise/obstacle'
import { promiseDelivery, type DatePromise } from '../../../domain/promise/promise'
import { addWorkingMinutes, daysWork, nextPickup, workingMsBetween } from '../../../domain/promise/working-time'
import { holds } from '../../support/property'
import { freshLeg } from './year'

const must = <T extends object>(value: T | Obstacle): T => {
  if (isObstacle(value)) throw new Error(value.says)
  return value
}
const promiseAt = (now: number, confidence = 0.9, leg = freshLeg()): DatePromise => {
  const { promise, why } = promiseDelivery([leg], now, { confidence })
  if (!promise) throw new Error(why.says)
  return promise
}
const from = Date.UTC(2026, 0, 1)
const instant = fc.integer({ min: 0, max: 3 * 365 * 24 * 60 }).map((minutes) => from + minutes * minuteMs)
const at = (text: string): number => Date.parse(text)

describe('a promise', () => {
  it('never gets earlier by waiting', () => {
    holds(fc.property(instant, fc.integer({ min: 1, max: 5_000 }), (now, minutes) => expect(promiseAt(now + minutes * minuteMs).promisedBy).toBeGreaterThanOrEqual(promiseAt(now).promisedBy)))
  })

  it('never gets earlier by asking for more confidence, and states at least what was asked for', () => {
    holds(
      fc.property(instant, fc.double({ min: 0.5, max: 0.9, noNaN: true }), fc.double({ min: 0, max: 0.08, noNaN: true }), (now, confidence, more) => {
        const [careful, bold] = [promiseAt(now, confidence + more), promiseAt(now, confidence)]
        expect(careful.promisedBy).toBeGreaterThanOrEqual(bold.promisedBy)
        expect(bold.confidence).toBeGreaterThanOrEqual(confidence - 1e-6)
      }),
    )
  })

  it('is in order: now, cut-off, hand-over, window', () => {
    holds(
      fc.property(instant, (now) => {
        const p = promiseAt(now)
        expect(p.cutoffAt).toBeGreaterThanOrEqual(now)
        expect(p.handOverBy).toBeGreaterThan(now)
        expect(p.promisedBy).toBeGreaterThan(p.handOverBy)
        expect(p.promisedFrom).toBeLessThan(p.promisedBy)
      }),
    )
  })

  it('is the same for everybody who orders until its cut-off', () => {
    holds(
      fc.property(instant, fc.double({ min: 0, max: 1, noNaN: true }), (now, share) => {
        const p = promiseAt(now)
        expect(promiseAt(now + Math.floor((p.cutoffAt - now) * share)).promisedBy).toBe(p.promisedBy)
      }),
      60,
    )
  })

  it('of several parts is no earlier and no surer than that of each', () => {
    holds(
      fc.property(instant, (now) => {
        const other = freshLeg({ carrier: 'budget' })
        const { promise } = promiseDelivery([freshLeg(), other], now, { confidence: 0.9 })
        const each = [promiseAt(now), promiseAt(now, 0.9, other)]
        expect(promise!.promisedBy).toBeGreaterThanOrEqual(Math.max(...each.map((p) => p.promisedBy)))
      }),
      60,
    )
  })

  it('is an answer with a reason where there is none', () => {
    expect(promiseDelivery([], from, { confidence: 0.9 }).why).toMatchObject({ obstacle: 'order.empty' })
    expect(promiseDelivery([freshLeg()], from, { confidence: 1 }).why).toMatchObject({ obstacle: 'confidence.out_of_range' })
    expect(promiseDelivery([freshLeg()], from, { confidence: 0.9999 }).why).toMatchObject({ obstacle: 'confidence.unreachable' })
    expect(promiseDelivery([freshLeg({ service: 'teleport' })], from, { confidence: 0.9 }).why).toMatchObject({ obstacle: 'cutoff.unknown_service' })
    expect(promiseDelivery([freshLeg({ carrier: 'nobody' })], from, { confidence: 0.9 }).why).toMatchObject({ obstacle: 'pickup.unknown_carrier' })
  })
})

const allDay: CalendarSettings = { timeZone: 'Europe/Berlin', weekly: Object.fromEntries(weekdays.map((d) => [d, { opens: '00:00', closes: '24:00' }])), cutoffs: { standard: '15:00' }, pickups: { swift: ['17:00'] } }
const shop: CalendarSettings = { timeZone: 'Europe/Berlin', weekly: { monday: { opens: '09:00', closes: '18:00' }, friday: [{ opens: '09:00', closes: '12:00' }, { opens: '13:00', closes: '18:00' }] }, cutoffs: { standard: '15:00' }, pickups: { swift: ['17:00'] } }
const opened = (settings: CalendarSettings): NodeCalendar => must(openCalendar(settings))

describe('working time', () => {
  it('counts the hours that the clocks really had, in both zones and both directions', () => {
    const lengths: [string, string, number][] = [
      ['Europe/Berlin', '2026-03-29', 23], ['Europe/Berlin', '2026-10-25', 25], ['Europe/Berlin', '2026-06-01', 24],
      ['America/New_York', '2026-03-08', 23], ['America/New_York', '2026-11-01', 25],
    ]
    for (const [timeZone, date, hours] of lengths) {
      const calendar = opened({ ...allDay, timeZone })
      const day = readDay(date)!
      expect([date, workingMsBetween(calendar, calendar.zone.at(day, 0), calendar.zone.at(day + 1, 0)) / 3_600_000]).toEqual([date, hours])
    }
  })

  it('adds up: what is added is what lies between', () => {
    holds(
      fc.property(instant, fc.integer({ min: 1, max: 3_000 }), (now, minutes) => {
        const calendar = opened(shop)
        const end = addWorkingMinutes(calendar, now, minutes)!
        expect(workingMsBetween(calendar, now, end)).toBe(minutes * minuteMs)
      }),
    )
  })

  it('takes an order at the cut-off for today and a minute later for the next open day', () => {
    const calendar = opened(shop)
    expect(must(daysWork(calendar, 'standard', at('2026-11-23T14:00:00Z'))).cutoffAt).toBe(at('2026-11-23T14:00:00Z'))
    const late = must(daysWork(calendar, 'standard', at('2026-11-23T14:01:00Z')))
    expect([formatDay(late.day), late.from]).toEqual(['2026-11-27', at('2026-11-27T08:00:00Z')])
  })

  it('knows leap days, the turn of the year and holidays', () => {
    const calendar = opened({ ...allDay, specialDays: { '2026-12-25': { hours: [] }, '2027-01-01': { hours: [] } } })
    expect(formatDay(must(daysWork(calendar, 'standard', at('2026-12-24T20:00:00Z'))).day)).toBe('2026-12-26')
    expect(formatDay(must(daysWork(calendar, 'standard', at('2026-12-31T20:00:00Z'))).day)).toBe('2027-01-02')
    expect(formatDay(must(daysWork(calendar, 'standard', at('2028-02-28T20:00:00Z'))).day)).toBe('2028-02-29')
    expect(nextPickup(calendar, 'swift', at('2026-12-24T17:00:00Z'))).toBe(at('2026-12-26T16:00:00Z'))
  })

  it('turns every local time into an instant of that day and back', () => {
    const zone = openZone('Europe/Berlin')!
    holds(fc.property(fc.integer({ min: 18_000, max: 24_000 }), fc.nat(1_439), (day, minute) => expect(zone.dayOf(zone.at(day, minute))).toBe(day)))
    expect(zone.at(readDay('2026-03-29')!, 150)).toBe(at('2026-03-29T01:30:00Z')) // 02:30 does not exist: 03:30
    expect(zone.at(readDay('2026-10-25')!, 150)).toBe(at('2026-10-25T00:30:00Z')) // 02:30 comes twice: the first
  })
})

const wrong: [string, Partial<CalendarSettings>][] = [
  ['calendar.time_zone_unknown', { timeZone: 'Europe/Atlantis' }],
  ['calendar.no_open_day', { weekly: {} }],
  ['calendar.hours_malformed', { weekly: { monday: { opens: '18:00', closes: '09:00' } } }],
  ['calendar.time_malformed', { cutoffs: { standard: '25:00' } }],
  ['calendar.date_malformed', { specialDays: { '2026-02-29': { hours: [] } } }],
  ['cutoff.never', { cutoffs: { standard: { sunday: '12:00' } } }],
  ['pickup.never', { pickups: { swift: { sunday: ['12:00'] } } }],
]
it.each(wrong)('refuses a calendar that cannot be worked by: %s', (code, more) => {
  expect(openCalendar({ ...shop, ...more })).toMatchObject({ obstacle: code })
})

describe('capacity', () => {
  const calendar = opened(shop)
  const monday = at('2026-11-23T08:00:00Z')

  it('gives an order the earliest slot with room, and moves a full day’s work to the next', () => {
    const settings = { ordersPerHour: 1 }
    const room = (waiting: number): number => must(earliestRoom(calendar, settings, queueAhead(calendar, settings, { orders: waiting, units: waiting }, monday, 14), monday, 1, 14)).from
    expect([room(0), room(1), room(8), room(9)].map((i) => new Date(i).toISOString())).toEqual(['2026-11-23T08:00:00.000Z', '2026-11-23T09:00:00.000Z', '2026-11-23T16:00:00.000Z', '2026-11-27T08:00:00.000Z'])
  })

  it('says so when there is no room in all the days looked at', () => {
    expect(earliestRoom(calendar, { ordersPerHour: 0 }, new Map(), monday, 1, 14)).toMatchObject({ obstacle: 'capacity.full' })
  })

  it('never books a slot beyond what it can work, however many come', () => {
    holds(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), (perHour, waiting) => {
        const taken = queueAhead(calendar, { ordersPerHour: perHour, unitsPerHour: 2 * perHour }, { orders: waiting, units: waiting }, monday, 60)
        const loads = [...taken.values()]
        expect(loads.every((l) => l.orders <= perHour && l.units <= 2 * perHour)).toBe(true)
        expect(loads.reduce((sum, l) => sum + l.orders, 0)).toBe(waiting)
      }),
    )
  })
})

it('counts transit in delivery days: a parcel sent on Saturday and delivered on Monday took one', () => {
  const days = must(openCarrierDays({ timeZone: 'Europe/Berlin', deliversOn: weekdays.slice(0, 6), hours: { opens: '08:00', closes: '20:00' } }))
  const [saturday, monday] = [readDay('2026-11-21')!, readDay('2026-11-23')!]
  expect([transitDays(days, saturday, monday), transitDays(days, saturday, saturday), transitDays(days, saturday, saturday - 1), transitDays(days, saturday, saturday + 1)]).toEqual([1, 0, undefined, 1])
  expect(openCarrierDays({ timeZone: 'Europe/Berlin', deliversOn: [], hours: { opens: '08:00', closes: '20:00' } })).toMatchObject({ obstacle: 'carrier.never_delivers' })
})
