/** Money is whole: read, shown and shared out without losing a minor unit. */
import fc from 'fast-check'
import { currencyDigits, formatMinor, isCurrency, parseMinor, shareOut, type Currency } from '../../domain/money'
import { holds } from '../support/property'

const currencies = Object.keys(currencyDigits) as Currency[]

it('gives every cent away when a sum is shared out, and no share differs from its exact part by a whole cent', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 20 })
  holds(
    fc.property(fc.integer({ min: -10_000_000, max: 10_000_000 }), weights, (total, parts) => {
      const shares = shareOut(total, parts)
      expect(shares.reduce((a, b) => a + b, 0)).toBe(total)
      const sum = parts.reduce((a, b) => a + b, 0)
      if (sum > 0) shares.forEach((share, i) => expect(Math.abs(share - (total * parts[i]!) / sum)).toBeLessThan(1))
    }),
  )
})

it('gives the odd cents to the largest remainders, the earlier one on a tie', () => {
  expect(shareOut(100, [1, 1, 1])).toEqual([34, 33, 33])
  expect(shareOut(-100, [1, 1, 1])).toEqual([-34, -33, -33])
  expect(shareOut(10, [0, 0])).toEqual([10, 0])
  expect(shareOut(1001, [9800, 11000])).toEqual([472, 529])
})

it('reads back every amount it shows, in every currency', () => {
  holds(
    fc.property(fc.constantFrom(...currencies), fc.integer({ min: -999_999_999, max: 999_999_999 }), (currency, minor) => {
      expect(parseMinor(formatMinor(minor, currency).split(' ')[0]!, currency)).toBe(minor)
    }),
  )
})

it.each([
  ['398.00', 'USD', 39800],
  ['398', 'USD', 39800],
  ['0.5', 'EUR', 50],
  ['-0.00', 'EUR', 0],
  ['1.500', 'EUR', 150],
  ['1.005', 'EUR', undefined],
  ['12', 'JPY', 12],
  ['12.5', 'JPY', undefined],
  ['1.2345', 'KWD', undefined],
  ['1e3', 'EUR', undefined],
  ['', 'EUR', undefined],
  ['1,00', 'EUR', undefined],
] as const)('reads %s %s as %s', (text, currency, minor) => {
  expect(parseMinor(text, currency)).toBe(minor)
})

it('knows a currency by its code and nothing else', () => {
  expect([isCurrency('EUR'), isCurrency('eur'), isCurrency('toString'), isCurrency('XXX')]).toEqual([true, false, false, false])
})
