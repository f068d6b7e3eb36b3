/** Distances, and what a carrier's report means. */
import fc from 'fast-check'
import { distanceMeters } from '../../../domain/delivery/distance'
import { afterReport, isParcelStatus, parcelStatuses } from '../../../domain/delivery/tracking'
import { holds } from '../../support/property'

const position = fc.record({ latitude: fc.double({ min: -90, max: 90, noNaN: true }), longitude: fc.double({ min: -180, max: 180, noNaN: true }) })

it('measures the same distance both ways, none to itself, and never more than half the way round', () => {
  holds(
    fc.property(position, position, (a, b) => {
      expect(distanceMeters(a, b)).toBe(distanceMeters(b, a))
      expect(distanceMeters(a, a)).toBe(0)
      expect(distanceMeters(a, b)).toBeLessThanOrEqual(20_015_200)
    }),
  )
  expect(distanceMeters({ latitude: 52.52, longitude: 13.405 }, { latitude: 48.137, longitude: 11.575 })).toBeGreaterThan(503_000)
  expect(distanceMeters({ latitude: 52.52, longitude: 13.405 }, { latitude: 48.137, longitude: 11.575 })).toBeLessThan(506_000)
})

it('moves a parcel only forward: any order of the same reports, with repeats, ends the same', () => {
  const reports = fc.array(fc.constantFrom(...parcelStatuses), { minLength: 1, maxLength: 6 })
  holds(
    fc.property(
      reports.chain((r) => fc.tuple(fc.constant(r), fc.shuffledSubarray([...r, ...r], { minLength: r.length * 2 }))),
      ([once, shuffled]) => expect(shuffled.reduce(afterReport, 'label_created')).toBe(once.reduce(afterReport, 'label_created')),
    ),
  )
  expect([isParcelStatus('delivered'), isParcelStatus('teleported')]).toEqual([true, false])
})
