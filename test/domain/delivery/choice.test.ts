/** The choice of a carrier service, and why every other one lost. */
import fc from 'fast-check'
import { chooseService, type Bid, type ChoiceTerms } from '../../../domain/delivery/choice'
import { holds } from '../../support/property'

const terms: ChoiceTerms = { confidence: 0.9, paysForSpeed: false }
const bid = (carrier: string, service: string, priceMinor: number, kept?: number, withinDays = 3): Bid => ({ carrier, service, priceMinor, currency: 'EUR', kept, withinDays })
const slow = bid('hansepost', 'standard', 367, 0.8, 4)
const usual = bid('swiftparcel', 'standard', 389, 0.92, 3)
const fast = bid('kestrel', 'express', 752, 0.98, 1)

const anyBid = fc.record({
  carrier: fc.constantFrom('a', 'b', 'c'),
  service: fc.constantFrom('standard', 'express'),
  priceMinor: fc.integer({ min: 100, max: 2_000 }),
  currency: fc.constant('EUR'),
  kept: fc.double({ min: 0, max: 1, noNaN: true }),
  withinDays: fc.integer({ min: 0, max: 10 }),
})
const bids = fc.uniqueArray(anyBid, { selector: (b) => `${b.carrier} ${b.service}`, minLength: 1, maxLength: 6 })
const anyTerms = fc.record({ confidence: fc.double({ min: 0.5, max: 0.99, noNaN: true }), paysForSpeed: fc.boolean(), wanted: fc.constantFrom(undefined, 'standard') })

it('takes the cheapest that keeps the promise, and says of each other why it lost', () => {
  const { chosen, others, hurry } = chooseService([fast, usual, slow], [{ carrier: 'easypost', service: 'express', why: { code: 'fenced', says: 'it is fenced off' } }], terms)
  expect(chosen).toMatchObject({ carrier: 'swiftparcel', service: 'standard', reason: 'cheapest_that_keeps' })
  expect(others.map((o) => [o.carrier, o.lost, o.says])).toEqual([
    ['hansepost', 'too_late', 'keeps the promise with 80 %, 90 % are asked for'],
    ['kestrel', 'dearer', 'costs 363 more in minor units'],
    ['easypost', 'not_offered', 'it is fenced off'],
  ])
  expect(hurry).toBeUndefined()
})

it('keeps every service exactly once, chosen or lost, whatever order they come in', () => {
  holds(
    fc.property(bids.chain((b) => fc.tuple(fc.constant(b), fc.shuffledSubarray(b, { minLength: b.length, maxLength: b.length }))), anyTerms, ([given, shuffled], t) => {
      const choice = chooseService(given, [], t)
      expect(chooseService(shuffled, [], t)).toEqual(choice)
      const named = [...(choice.chosen ? [choice.chosen] : []), ...choice.others].map((b) => `${b.carrier} ${b.service}`)
      expect([...named].sort()).toEqual(given.map((b) => `${b.carrier} ${b.service}`).sort())
    }),
  )
})

it('never takes a dearer one where a cheaper one that may be taken keeps the promise', () => {
  holds(
    fc.property(bids, anyTerms, (given, t) => {
      const { chosen } = chooseService(given, [], t)
      const mayHave = given.filter((b) => t.wanted === undefined || b.service === t.wanted)
      if (!chosen) return expect(mayHave).toEqual([])
      const keeping = mayHave.filter((b) => b.kept >= t.confidence)
      if (keeping.length > 0) expect(chosen.priceMinor).toBeLessThanOrEqual(Math.min(...keeping.map((b) => b.priceMinor)))
      else if (t.paysForSpeed) expect(chosen.kept).toBeGreaterThanOrEqual(Math.min(t.confidence, Math.max(...given.map((b) => b.kept))) - 1e-6)
      else expect(chosen.priceMinor).toBe(Math.min(...mayHave.map((b) => b.priceMinor)))
    }),
  )
})

it('pays for a faster way where the policy says so, and shows what that costs', () => {
  const late = [bid('swiftparcel', 'standard', 389, 0.4), bid('kestrel', 'express', 752, 0.95, 1), bid('swiftparcel', 'express', 790, 0.95, 1)]
  const standard = { ...terms, wanted: 'standard', promisedOn: 'standard' }
  expect(chooseService(late, [], { ...standard, paysForSpeed: true })).toMatchObject({ chosen: { carrier: 'kestrel', reason: 'faster_to_keep' }, hurry: { insteadOf: 'standard', costMinor: 363 } })
  expect(chooseService(late, [], standard)).toMatchObject({ chosen: { carrier: 'swiftparcel', service: 'standard', reason: 'cheapest_though_late' } })
})

it('takes the most likely, and of those the fastest, where nobody can keep it any more', () => {
  const over = [bid('swiftparcel', 'standard', 389, 0, 4), bid('kestrel', 'express', 752, 0, 2), bid('swiftparcel', 'express', 790, 0, 2)]
  expect(chooseService(over, [], { ...terms, paysForSpeed: true, promisedOn: 'standard' })).toMatchObject({ chosen: { carrier: 'kestrel', reason: 'most_likely' }, hurry: { insteadOf: 'standard' } })
})

it('takes the cheapest, the faster on a tie, where no date was promised', () => {
  const unpromised = [bid('a', 'standard', 400, undefined, 3), bid('b', 'standard', 400, undefined, 2), bid('c', 'express', 401, undefined, 1)]
  expect(chooseService(unpromised, [], terms)).toMatchObject({ chosen: { carrier: 'b', reason: 'cheapest' }, others: [{ says: 'costs the same and is no faster' }, { lost: 'dearer' }] })
  expect(chooseService(unpromised, [], { ...terms, wanted: 'overnight' }).chosen).toBeUndefined()
})
