/** A trip that takes on more. */
import fc from 'fast-check'
import { longerTrip, type LongerTrip } from '../../../domain/delivery/longer-trip'
import { arrivals } from '../../../domain/delivery/run'
import type { Drop } from '../../../domain/delivery/trip'
import { holds } from '../../support/property'

const now = Date.UTC(2026, 10, 23, 10)
const minutes = 60_000
const pace = { roadFactor: 1.3, speedKmh: 25, stopMinutes: 4 }
const depot = { latitude: 52.52, longitude: 13.4 }
const drop = (id: string, north: number, more: Partial<Drop> = {}): Drop => ({ id, latitude: 52.52 + north / 1_000, longitude: 13.4, parcels: 1, weightGrams: 500, ...more })
const ask = (more: Partial<LongerTrip>): LongerTrip => ({ from: depot, depot, announced: [], waiting: [], aboard: { parcels: 0, weightGrams: 0 }, vehicle: {}, now, pace, ...more })
const ids = (trip: readonly Drop[]): string[] => trip.map((d) => d.id)

describe('a trip takes on more', () => {
  it('in between, where it is on the way', () => {
    const announced = [drop('a', 20, { longitude: 13.36, windowTo: now + 60 * minutes }), drop('b', 20, { longitude: 13.44, windowTo: now + 90 * minutes })]
    expect(ids(longerTrip(ask({ announced, waiting: [drop('new', 30)] })))).toEqual(['a', 'new', 'b'])
  })
  it('at its end, where somebody who was told a time would wait longer than that', () => {
    const announced = [drop('a', 20, { longitude: 13.36, windowTo: now + 60 * minutes }), drop('b', 20, { longitude: 13.44, windowTo: now + 34 * minutes })]
    expect(ids(longerTrip(ask({ announced, waiting: [drop('new', 30)] })))).toEqual(['a', 'b', 'new'])
  })
  it('after the door the driver is on his way to', () => {
    expect(ids(longerTrip(ask({ leftAt: now - minutes, announced: [drop('a', 30)], waiting: [drop('new', 10)] })))).toEqual(['a', 'new'])
  })
  it('not at all, where the vehicle is full of what it brings back, or the driver must be home', () => {
    const waiting = [drop('new', 5, { parcels: 0, weightGrams: 0, fetches: { parcels: 1, weightGrams: 2_000 } })]
    expect(ids(longerTrip(ask({ waiting, vehicle: { maxWeightGrams: 10_000 }, aboard: { parcels: 3, weightGrams: 9_000 } })))).toEqual([])
    expect(ids(longerTrip(ask({ waiting, backBy: now + 3 * minutes })))).toEqual([])
    expect(ids(longerTrip(ask({ waiting, backBy: now + 30 * minutes })))).toEqual(['new'])
  })

  it('and whoever was told a time keeps it and his place, or waits no longer than he would anyway', () => {
    const doors = (most: number) => fc.array(fc.record({ north: fc.integer({ min: -60, max: 60 }), east: fc.integer({ min: -60, max: 60 }), until: fc.integer({ min: 5, max: 120 }) }), { maxLength: most })
    holds(fc.property(doors(6), doors(6), fc.boolean(), (told, more, isOut) => {
      const at = (id: string) => (d: { north: number; east: number }, i: number): Drop => ({ ...drop(`${id}${i}`, d.north), longitude: 13.4 + d.east / 1_000 })
      const announced = told.map((d, i) => ({ ...at('told')(d, i), windowTo: now + d.until * minutes }))
      const waiting = more.map(at('new'))
      const trip = longerTrip(ask({ announced, waiting, ...(isOut && { leftAt: now }) }))
      expect(trip.filter((d) => announced.includes(d as (typeof announced)[number]))).toEqual(announced)
      if (isOut && announced[0]) expect(trip[0]).toBe(announced[0])
      const [before, after] = [arrivals(announced, depot, now, pace), arrivals(trip, depot, now, pace)]
      announced.forEach((d, i) => expect(after[trip.indexOf(d)]!).toBeLessThanOrEqual(Math.max(d.windowTo, before[i]!) + 1_000 * trip.length))
    }), 200)
  })
})
