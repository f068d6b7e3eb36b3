/** Distances, carrier services and what a carrier's report means. */
import fc from 'fast-check'
import { distanceMeters } from '../../../domain/delivery/distance'
import { chooseService, ratePackageMinor, type OfferedService } from '../../../domain/delivery/service'
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

const slow: OfferedService = { carrier: 'c', service: 'standard', transitDays: 2, rates: [{ upToGrams: 1000, priceMinor: 400 }, { upToGrams: 5000, priceMinor: 700 }] }
const fast: OfferedService = { carrier: 'c', service: 'express', transitDays: 1, rates: [{ upToGrams: 1000, priceMinor: 900 }, { upToGrams: 5000, priceMinor: 1000 }] }

it('prices a package by its weight step, the last one for what is heavier', () => {
  expect([1, 1000, 1001, 5000, 9999].map((grams) => ratePackageMinor(slow, grams))).toEqual([400, 400, 700, 700, 700])
})

it('takes the service that was asked for, else the cheapest over all packages, the faster on a tie', () => {
  expect(chooseService([fast, slow], [800])?.service).toBe('standard')
  expect(chooseService([fast, slow], [800], 'express')?.service).toBe('express')
  expect(chooseService([fast, slow], [800], 'overnight')).toBeUndefined()
  expect(chooseService([{ ...slow, rates: fast.rates }, fast], [800])?.service).toBe('express')
  expect(chooseService([], [800])).toBeUndefined()
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
