/** When a carrier is fenced off, and how it comes back. */
import fc from 'fast-check'
import { admission, afterFault, breaker, healthy, probing, type Health } from '../../../domain/delivery/breaker'
import { holds } from '../../support/property'

const faults = (times: readonly number[], from: Health = healthy): Health => times.reduce((health, at) => afterFault(health, at), from)

it('fences a carrier off after three faults in a row, and no sooner', () => {
  expect(admission(faults([1_000, 2_000]), 2_001)).toBe('open')
  expect(admission(faults([1_000, 2_000, 3_000]), 3_001)).toBe('fenced')
})

it('forgets old faults: one every two minutes never adds up', () => {
  const rare = Array.from({ length: 200 }, (_, i) => i * 2 * breaker.halfLifeMs)
  expect(admission(faults(rare), rare.at(-1)! + 1)).toBe('open')
})

it('lets one call try once it has cooled down, and opens or stays fenced by what comes of it', () => {
  const fenced = faults([0, 0, 0])
  const later = breaker.coolOffMs
  expect([admission(fenced, later - 1), admission(fenced, later)]).toEqual(['fenced', 'probe'])
  const tried = probing(fenced, later)
  expect(admission(tried, later + 1)).toBe('fenced') // nobody else tries meanwhile
  expect(admission(healthy, later + 3)).toBe('open')
  const failed = afterFault(tried, later + 2)
  expect([admission(failed, later + breaker.coolOffMs), admission(failed, later + 2 + breaker.coolOffMs)]).toEqual(['fenced', 'probe'])
})

it('is never fenced for longer than it cools down, whatever has failed, and is never let through while it is', () => {
  holds(
    fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 20 }), (gaps) => {
      let at = 0
      const times = gaps.map((gap) => (at += gap))
      const health = faults(times)
      expect(admission(health, at + breaker.coolOffMs)).not.toBe('fenced')
      expect(admission(health, at)).toBe(health.fencedUntil === null ? 'open' : 'fenced')
    }),
  )
})
