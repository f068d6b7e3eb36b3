/** One driver's trip: what fits, the urgent before the others, and the nearest door first. */
import fc from 'fast-check'
import { planTrip, type TripAsk } from '../../../domain/delivery/plan-trip'
import type { Drop } from '../../../domain/delivery/trip'
import { holds } from '../../support/property'

const pace = { roadFactor: 1.35, speedKmh: 22, stopMinutes: 4 }
const depot = { latitude: 52.5251, longitude: 13.4023 }
const departAt = Date.parse('2026-11-23T10:00:00Z')
const north = (id: string, by: number, more: Partial<Drop> = {}): Drop => ({ id, latitude: depot.latitude + by, longitude: depot.longitude, parcels: 1, weightGrams: 500, ...more })
const trip = (drops: readonly Drop[], more: Partial<TripAsk> = {}): ReturnType<typeof planTrip> => planTrip({ depot, drops, vehicle: {}, maxStops: 200, departAt, pace, ...more })
const ids = (found: ReturnType<typeof planTrip>): string[] | undefined => found?.drops.map((d) => d.id)

it('takes the nearest door first, whatever is more urgent, as long as all can be kept', () => {
  const found = trip([north('far', 0.03), north('near', 0.005), north('middle', 0.015)])!
  expect(ids(found)).toEqual(['near', 'middle', 'far'])
  expect(found.savedMeters).toBeGreaterThan(0)
  expect(found.arriveAt).toEqual([...found.arriveAt].sort((a, b) => a - b))
})

it('goes to a promised door first when it would be late otherwise', () => {
  const soon = departAt + 12 * 60_000
  expect(ids(trip([north('promised', 0.02, { windowTo: soon }), north('near', 0.018)]))).toEqual(['promised', 'near'])
})

it('leaves what does not fit to another trip, the less urgent first', () => {
  expect(ids(trip([north('urgent', 0.03), north('later', 0.01)], { vehicle: { maxParcels: 1 } }))).toEqual(['urgent'])
  expect(ids(trip([north('a', 0.03), north('b', 0.01), north('c', 0.02)], { maxStops: 2 }))!.sort()).toEqual(['a', 'b'])
  expect(trip([north('heavy', 0.01, { weightGrams: 900 })], { vehicle: { maxWeightGrams: 800 } })).toBeUndefined()
  expect(trip([north('far', 0.3)], { backBy: departAt + 30 * 60_000 })).toBeUndefined()
})

it('keeps capacity, windows and the end of the shift, and says true times and ways', () => {
  const drops = fc.array(fc.record({ latitude: fc.double({ min: 52.45, max: 52.6, noNaN: true }), longitude: fc.double({ min: 13.3, max: 13.5, noNaN: true }), parcels: fc.integer({ min: 1, max: 3 }), late: fc.option(fc.integer({ min: 20, max: 240 }), { nil: undefined }) }), { minLength: 1, maxLength: 16 })
  holds(fc.property(drops, fc.integer({ min: 3, max: 20 }), (given, maxParcels) => {
    const backBy = departAt + 4 * 3_600_000
    const asked = given.map(({ late, ...d }, i): Drop => ({ id: String(i), weightGrams: 100, ...d, ...(late !== undefined && { windowTo: departAt + late * 60_000 }) }))
    const found = trip(asked, { vehicle: { maxParcels }, backBy })
    if (!found) return
    expect(new Set(found.drops.map((d) => d.id)).size).toBe(found.drops.length)
    expect(found.drops.reduce((sum, d) => sum + d.parcels, 0)).toBeLessThanOrEqual(maxParcels)
    found.drops.forEach((drop, i) => expect(found.arriveAt[i]!).toBeLessThanOrEqual((drop.windowTo ?? Infinity) + 60_000))
    expect(found.distanceMeters).toBeGreaterThan(0)
  }))
})
