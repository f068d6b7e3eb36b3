/** How far the count of a shelf is believed. */
import { safetyStockFor, trustAfter } from '../../../domain/inventory/trust'

it('believes a shelf less with every rejection that says something about it', () => {
  expect([trustAfter(1, 'not_in_stock'), trustAfter(0.5, 'mismatch'), trustAfter(1, 'damaged'), trustAfter(0.3, 'no_time')]).toEqual([0.5, 0.25, 0.8, 0.3])
  expect(trustAfter(0.01, 'not_in_stock')).toBe(0.01)
})

it('keeps more back the less a shelf is believed, and nothing more than was set once it is', () => {
  expect([1, 0.9, 0.5, 0.25, 0.01].map((trust) => safetyStockFor(3, trust))).toEqual([3, 4, 5, 6, 7])
})
