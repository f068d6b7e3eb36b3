/** Durations as policies write them. */
import fc from 'fast-check'
import { durationMs, parseDuration } from '../../../domain/policy/duration'
import { defaultPolicies } from '../../../domain/policy/kinds'
import { holds } from '../../support/property'

it.each([
  ['PT30M', 1_800_000], ['PT0.2S', 200], ['P1D', 86_400_000], ['P1DT1H', 90_000_000], ['P2W', 1_209_600_000], ['PT1H30M5S', 5_405_000],
  ['P', undefined], ['PT', undefined], ['P1M', undefined], ['P1Y', undefined], ['30M', undefined], ['PT-1S', undefined], ['P1DT', undefined], ['pt1s', undefined], ['', undefined],
])('reads %s as %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

it('adds its parts', () => {
  holds(
    fc.property(fc.nat(50), fc.nat(23), fc.nat(59), fc.nat(59), (d, h, m, s) => {
      expect(durationMs(`P${d}DT${h}H${m}M${s}S`)).toBe((((d * 24 + h) * 60 + m) * 60 + s) * 1000)
    }),
  )
  expect(() => durationMs('soon')).toThrow('soon')
})

it('can read every duration of the default policies', () => {
  const texts = Object.values(defaultPolicies).flatMap((p) => Object.values(p as object)).filter((v): v is string => typeof v === 'string' && v.startsWith('P'))
  expect(texts.length).toBeGreaterThan(10)
  for (const text of texts) expect(parseDuration(text)).toBeGreaterThan(0)
})
