/** The arithmetic of rate cards: zones, weight steps, what size weighs, surcharges. */
import fc from 'fast-check'
import { dimensionalGrams, priceParcel, type Parcel, type ParcelPrice, type RateCard } from '../../../domain/delivery/rate-card'
import { isObstacle } from '../../../domain/promise/obstacle'
import { holds } from '../../support/property'

const card: RateCard = {
  currency: 'EUR',
  zones: [
    { zone: 'regional', from: ['1'], country: 'DE', to: ['10', '12', '13', '14'] },
    { zone: 'national', country: 'DE' },
    { zone: 'abroad', country: 'AT' },
  ],
  volumeMm3PerGram: 5_000,
  rates: {
    regional: [{ upToGrams: 2_000, priceMinor: 300 }, { upToGrams: 10_000, priceMinor: 500 }, { upToGrams: 31_500, priceMinor: 900 }],
    national: [{ upToGrams: 2_000, priceMinor: 400 }, { upToGrams: 10_000, priceMinor: 700 }, { upToGrams: 31_500, priceMinor: 1_300 }],
    abroad: [{ upToGrams: 5_000, priceMinor: 1_100 }],
  },
  limits: { grams: 31_500, lengthMm: 1_200, lengthAndGirthMm: 3_000 },
  surcharges: [
    { code: 'fuel', basisPoints: 850 },
    { code: 'bulky', amountMinor: 450, when: { kind: 'longer_than', lengthMm: 1_000 } },
    { code: 'heavy', amountMinor: 250, when: { kind: 'heavier_than', grams: 20_000 } },
    { code: 'island', amountMinor: 1_200, when: { kind: 'remote', country: 'DE', to: ['25849', '26465'] } },
  ],
}
const berlin = { country: 'DE', postalCode: '10178' }
const hamburg = { country: 'DE', postalCode: '20095' }
const priced = (parcel: Parcel, to = hamburg): ParcelPrice => {
  const price = priceParcel(card, parcel, { from: berlin, to })
  if (isObstacle(price)) throw new Error(price.says)
  return price
}

const weight = fc.integer({ min: 1, max: 31_500 })
const side = fc.integer({ min: 1, max: 600 })
const parcel = fc.record({ weightGrams: weight, lengthMm: side, widthMm: side, heightMm: side })
const place = fc.constantFrom(berlin, hamburg, { country: 'DE', postalCode: '25849' })

it('charges the weight of a parcel or that of its size, whichever is more', () => {
  holds(
    fc.property(parcel, (p) => {
      const volumeMm3 = p.lengthMm * p.widthMm * p.heightMm
      const grams = dimensionalGrams(p, 5_000)
      expect(grams * 5_000).toBeGreaterThanOrEqual(volumeMm3)
      expect((grams - 1) * 5_000).toBeLessThan(volumeMm3)
      const price = priceParcel(card, p, { from: berlin, to: hamburg })
      if (!isObstacle(price)) expect(price.chargedGrams).toBe(Math.max(p.weightGrams, grams))
    }),
  )
  expect(dimensionalGrams({ weightGrams: 1, lengthMm: 500, widthMm: 400 }, 5_000)).toBe(0)
  expect(dimensionalGrams({ weightGrams: 1, lengthMm: 500, widthMm: 400, heightMm: 300 }, undefined)).toBe(0)
})

it('has the sum of its parts as its price, each a whole number that is not below zero', () => {
  holds(
    fc.property(parcel, place, (p, to) => {
      const price = priceParcel(card, p, { from: berlin, to })
      if (isObstacle(price)) return
      expect(price.priceMinor).toBe(price.stepMinor + price.surcharges.reduce((sum, s) => sum + s.amountMinor, 0))
      for (const amount of [price.stepMinor, ...price.surcharges.map((s) => s.amountMinor)]) expect(Number.isSafeInteger(amount) && amount >= 0).toBe(true)
    }),
  )
})

it('never costs less for more weight or a longer side', () => {
  holds(
    fc.property(parcel, fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 600 }), (p, grams, longer) => {
      const small = priceParcel(card, p, { from: berlin, to: hamburg })
      const large = priceParcel(card, { ...p, weightGrams: p.weightGrams + grams, lengthMm: p.lengthMm + longer }, { from: berlin, to: hamburg })
      if (isObstacle(small)) expect(isObstacle(large)).toBe(true) // what was too much is not taken when there is more of it
      else if (!isObstacle(large)) expect(large.priceMinor).toBeGreaterThanOrEqual(small.priceMinor)
    }),
  )
})

it('does not ask which side is called length', () => {
  holds(
    fc.property(parcel, fc.shuffledSubarray(['lengthMm', 'widthMm', 'heightMm'] as const, { minLength: 3, maxLength: 3 }), (p, order) => {
      const turned = { weightGrams: p.weightGrams, lengthMm: p[order[0]!], widthMm: p[order[1]!], heightMm: p[order[2]!] }
      const [one, other] = [p, turned].map((way) => priceParcel(card, way, { from: berlin, to: hamburg }))
      expect(isObstacle(one!) ? one.obstacle : one).toEqual(isObstacle(other!) ? other.obstacle : other)
    }),
  )
})

it('prices at the step that a weight still fits, and the next gram at the next', () => {
  expect([1, 2_000, 2_001, 10_000, 10_001, 31_500].map((weightGrams) => priced({ weightGrams }).stepMinor)).toEqual([400, 400, 700, 700, 1_300, 1_300])
})

it('adds fuel to the step, and a surcharge where its reason holds', () => {
  expect(priced({ weightGrams: 900 })).toMatchObject({ zone: 'national', surcharges: [{ code: 'fuel', amountMinor: 34 }], priceMinor: 434 })
  expect(priced({ weightGrams: 25_000, lengthMm: 1_001 })).toMatchObject({
    surcharges: [{ code: 'fuel', amountMinor: 111 }, { code: 'bulky', amountMinor: 450 }, { code: 'heavy', amountMinor: 250 }],
    priceMinor: 2_111,
  })
  expect(priced({ weightGrams: 900 }, { country: 'DE', postalCode: '25849' }).surcharges.map((s) => s.code)).toEqual(['fuel', 'island'])
})

it('takes the zone by where it comes from and goes to', () => {
  expect(priced({ weightGrams: 900 }, { country: 'DE', postalCode: '12 047' })).toMatchObject({ zone: 'regional', priceMinor: 326 })
  const fromHamburg = priceParcel(card, { weightGrams: 900 }, { from: hamburg, to: berlin })
  expect(fromHamburg).toMatchObject({ zone: 'national' })
})

it('says why it does not take a parcel', () => {
  const refused = (p: Parcel, to: { country: string; postalCode?: string } = hamburg): unknown => priceParcel(card, p, { from: berlin, to })
  expect(refused({ weightGrams: 31_501 })).toMatchObject({ obstacle: 'parcel.too_heavy' })
  expect(refused({ weightGrams: 5_001 }, { country: 'AT', postalCode: '1010' })).toMatchObject({ obstacle: 'parcel.too_heavy' })
  expect(refused({ weightGrams: 900, widthMm: 1_201 })).toMatchObject({ obstacle: 'parcel.too_large' })
  expect(refused({ weightGrams: 900, lengthMm: 1_000, widthMm: 600, heightMm: 401 })).toMatchObject({ obstacle: 'parcel.too_large' })
  expect(refused({ weightGrams: 900 }, { country: 'FR', postalCode: '75001' })).toMatchObject({ obstacle: 'carrier.does_not_serve' })
})
