/** How long goods wait at the counter, and what proves that they were given to the right person. */
import fc from 'fast-check'
import { judgeProof, mostPickupTries, pickupCodeOf, pickupCodes, pickupDeadline } from '../../../domain/fulfillment/collection'
import { openCalendar, type NodeCalendar } from '../../../domain/promise/calendar'
import { holds } from '../../support/property'

const weekdays = { opens: '10:00', closes: '20:00' }
const shop = (specialDays: Record<string, { hours: { opens: string; closes: string }[] }> = {}): NodeCalendar =>
  openCalendar({ timeZone: 'Europe/Berlin', weekly: { monday: weekdays, tuesday: weekdays, wednesday: weekdays, thursday: weekdays, friday: weekdays, saturday: weekdays }, specialDays, cutoffs: {}, pickups: {} }) as NodeCalendar
const at = (text: string): number => Date.parse(text)
const iso = (instant: number): string => new Date(instant).toISOString()

describe('the pickup window', () => {
  it('counts open days and ends when the store closes', () => {
    // Thursday; Friday, Saturday, Monday are the three days
    expect(iso(pickupDeadline(shop(), at('2026-11-26T09:00:00Z'), 'P3D'))).toBe('2026-11-30T19:00:00.000Z')
  })
  it('skips holidays', () => {
    expect(iso(pickupDeadline(shop({ '2026-11-30': { hours: [] } }), at('2026-11-26T09:00:00Z'), 'P3D'))).toBe('2026-12-01T19:00:00.000Z')
  })
  it('ends at closing by the clock on the wall, also after it was changed', () => {
    expect(iso(pickupDeadline(shop(), at('2026-10-23T09:00:00Z'), 'P2D'))).toBe('2026-10-26T19:00:00.000Z')
    expect(iso(pickupDeadline(shop(), at('2026-10-22T09:00:00Z'), 'P2D'))).toBe('2026-10-24T18:00:00.000Z')
  })
  it('is plain time when it is shorter than a day', () => {
    expect(pickupDeadline(shop(), at('2026-11-28T19:30:00Z'), 'PT2H') - at('2026-11-28T19:30:00Z')).toBe(7_200_000)
  })
  it('never ends earlier than the days it names, nor on a closed day', () => {
    const calendar = shop({ '2026-12-25': { hours: [] }, '2026-12-26': { hours: [] } })
    holds(fc.property(fc.integer({ min: at('2026-11-01T00:00:00Z'), max: at('2027-02-01T00:00:00Z') }), fc.integer({ min: 1, max: 14 }), (readyAt, days) => {
      const end = pickupDeadline(calendar, readyAt, `P${days}D`)
      const day = calendar.zone.dayOf(end)
      return day - calendar.zone.dayOf(readyAt) >= days && calendar.hours(day).at(-1)?.to === end
    }))
  })
})

describe('at the counter', () => {
  const known = { pickupCode: '012345', pickupTries: 0 }
  it('the code or a document proves it', () => {
    expect(judgeProof({ name: 'Customer', pickupCode: ' 012345 ' }, known)).toBe('proven')
    expect(judgeProof({ name: 'Customer', idChecked: true }, known)).toBe('proven')
    expect(judgeProof({ name: 'Customer', pickupCode: '12345' }, known)).toBe('wrong code')
    expect(judgeProof({ name: 'Customer' }, known)).toBe('wrong code')
  })
  it('a code counts no more after too many wrong ones, a document does', () => {
    const tried = { ...known, pickupTries: mostPickupTries }
    expect(judgeProof({ name: 'Customer', pickupCode: known.pickupCode }, tried)).toBe('no more tries')
    expect(judgeProof({ name: 'Customer', idChecked: true }, tried)).toBe('proven')
  })
  it('every code has six digits', () => {
    expect([pickupCodeOf(0), pickupCodeOf(pickupCodes - 1)]).toEqual(['000000', '999999'])
  })
})
