/** When a webhook is sent again, and when it is given up. */
import fc from 'fast-check'
import { isDelivered, nextAttemptAt, retrySettings, type Heard } from '../../../domain/webhooks/attempt'
import { holds } from '../../support/property'

const heard = (status: number | null): Heard => ({ status, error: null, durationMs: 1, answer: null, retryAfterMs: null })
const { giveUpMs } = retrySettings

it('takes any 2xx for a yes and everything else, redirects too, for a no', () => {
  expect([200, 204, 299, 301, 304, 400, 410, 500, null].map((status) => isDelivered(heard(status)))).toEqual([true, true, true, false, false, false, false, false, false])
})

it('tries over three days: ever later, and one last time at their end', () => {
  const times: number[] = []
  let now = 0
  for (let failures = 1; ; failures += 1) {
    const next = nextAttemptAt({ failures, now, giveUpAt: giveUpMs, retryAfterMs: null, random: 1 })
    if (next === undefined) break
    times.push(next)
    now = next
  }
  expect(times.slice(0, 4)).toEqual([10_000, 30_000, 70_000, 150_000])
  expect(times.at(-1)).toBe(giveUpMs)
  expect(times.length).toBeGreaterThan(20)
  expect(times.length).toBeLessThan(40)
})

it('waits as long as the endpoint asks, but not past the end', () => {
  expect(nextAttemptAt({ failures: 1, now: 0, giveUpAt: giveUpMs, retryAfterMs: 120_000, random: 0 })).toBe(120_000)
  expect(nextAttemptAt({ failures: 1, now: giveUpMs - 1_000, giveUpAt: giveUpMs, retryAfterMs: 120_000, random: 0 })).toBe(giveUpMs)
})

it('always tries later than now and never past the end, and ends whatever the dice say', () => {
  holds(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 }), fc.option(fc.nat(10_000_000), { nil: null }), (dice, retryAfterMs) => {
      let now = 0
      for (const [i, random] of dice.entries()) {
        const next = nextAttemptAt({ failures: i + 1, now, giveUpAt: giveUpMs, retryAfterMs, random })
        if (next === undefined) return expect(now).toBe(giveUpMs)
        expect(next).toBeGreaterThan(now)
        expect(next).toBeLessThanOrEqual(giveUpMs)
        now = next
      }
    }),
  )
})
