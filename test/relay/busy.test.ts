/** In a burst the channels are answered first; the starter holds back and then comes back carefully. */
import { createIntakeGauge } from '../../relay/busy'

function gaugeAt() {
  let now = 0
  const gauge = createIntakeGauge(() => now)
  const submits = (perSecond: number, tookMs: number, forMs: number): number => {
    for (const end = now + forMs; now < end; now += 1000 / perSecond) gauge.observe(tookMs)
    return gauge.pauseMs()
  }
  const wait = (ms: number): number => {
    now += ms
    gauge.pauseMs()
    now += 600
    return gauge.pauseMs()
  }
  return { submits, wait }
}

it('holds nothing back while submits are fast, however many, or slow but few', () => {
  expect(gaugeAt().submits(500, 8, 2_000)).toBe(0)
  expect(gaugeAt().submits(10, 300, 5_000)).toBe(0)
})

it('lets only a trickle through while many submits are slow, and comes back carefully', () => {
  const { submits, wait } = gaugeAt()
  expect(submits(50, 8, 2_000)).toBe(0)
  expect(submits(300, 80, 2_000)).toBe(1_000)
  expect(submits(300, 8, 6_000)).toBe(250)
  expect(submits(300, 8, 20_000)).toBe(0)
  expect(submits(300, 80, 2_000)).toBe(1_000)
  expect(wait(1_000)).toBe(0)
})

it('takes a database far away for what it is: submits that always take long are not a burst', () => {
  const { submits } = gaugeAt()
  expect(submits(10, 60, 60_000)).toBe(0)
  expect(submits(200, 70, 10_000)).toBe(0)
  expect(submits(200, 400, 2_000)).toBe(1_000)
})
