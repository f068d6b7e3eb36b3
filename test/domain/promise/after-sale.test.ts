/** What is kept of a promise once its parts come from elsewhere, or its date cannot be kept any more. */
import { expectedDaysLate, type Arrival } from '../../../domain/promise/arrival'
import { renewed, withParts, type OrderPromise } from '../../../domain/promise/kept'

const predicted = { carrier: 'swiftparcel', service: 'standard', firstDay: 20_000, upTo: [0, 0.9, 1] }
const known: OrderPromise = { promisedFrom: '2026-11-25T08:00:00.000Z', promisedBy: '2026-11-26T19:00:00.000Z', confidence: 0.93, milestones: { a: { pickBy: '1', handOverBy: '2', scanBy: '3' } }, predicted }
const can = (promisedBy: string): OrderPromise => ({ promisedFrom: '2026-11-27T08:00:00.000Z', promisedBy, confidence: 0.91, milestones: { b: { pickBy: '4', handOverBy: '5', scanBy: '6' } }, predicted: { ...predicted, firstDay: 20_002 } })

it('watches and judges the part of another node beside what was promised, whose date stays', () => {
  const next = withParts(known, can('2026-11-26T19:00:00.000Z'), ['b'])
  expect(next).toMatchObject({ promisedBy: known.promisedBy, confidence: 0.93, milestones: { a: {}, b: { pickBy: '4' } }, parts: { b: { firstDay: 20_002 } }, predicted })
})

it('tells a new date only when the old one cannot be kept, and never forgets the first', () => {
  expect(renewed(known, can('2026-11-26T19:00:00.000Z'), ['b'])).toBeUndefined()
  const once = renewed(known, can('2026-11-27T19:00:00.000Z'), ['b'])!
  expect(once).toMatchObject({ promisedBy: '2026-11-27T19:00:00.000Z', first: { promisedBy: known.promisedBy, confidence: 0.93 } })
  expect(renewed(once, can('2026-11-28T19:00:00.000Z'), ['b'])).toMatchObject({ promisedBy: '2026-11-28T19:00:00.000Z', first: { promisedBy: known.promisedBy } })
})

it('expects a part late by as many days as it is likely to be missing', () => {
  const arrival: Arrival = { workFrom: 0, cutoffAt: 0, bookings: [], firstDay: 10, upTo: [0.5, 0.8, 1] }
  expect(expectedDaysLate(arrival, 12)).toBeCloseTo(0)
  expect(expectedDaysLate(arrival, 11)).toBeCloseTo(0.2)
  expect(expectedDaysLate(arrival, 10)).toBeCloseTo(0.7)
  expect(expectedDaysLate({ ...arrival, upTo: [0] }, 10)).toBe(14) // never, as far as anybody knows
})
