/**
 * How much the starter should hold back. Starting workflows and answering channels may share the same cores, and in a burst the answers come first.
 * It goes by what the channels feel: many submits that take long. Where there are cores enough, submits stay fast and nothing is held back.
 */
export interface IntakeGauge {
  /** A submit was answered after `ms`. */
  observe(ms: number): void
  /** How long to wait before the next start; 0 is at full speed. */
  pauseMs(): number
}

interface Patience {
  /** A mean above this counts as slow. */
  slowMs: number
  /** Below this rate there is no burst, however slow the answers. */
  burstPerSecond: number
  /** How long after the last slow window starts stay slow. */
  holdMs: number
  recoverMs: number
}
const usual: Patience = { slowMs: 25, burstPerSecond: 40, holdMs: 5_000, recoverMs: 20_000 }

const windowMs = 500
const trickleMs = 250
const carefulMs = 80

/** @param clock milliseconds that only go forward. */
export function createIntakeGauge(clock: () => number = () => performance.now(), { slowMs, burstPerSecond, holdMs, recoverMs }: Patience = usual): IntakeGauge {
  let window = { from: clock(), count: 0, sumMs: 0 }
  let rate = 0
  let slowAt = Number.NEGATIVE_INFINITY

  const roll = (now: number): void => {
    const age = now - window.from
    if (age < windowMs) return
    rate = (window.count / age) * 1000
    if (rate >= burstPerSecond && window.sumMs / window.count > slowMs) slowAt = now
    window = { from: now, count: 0, sumMs: 0 }
  }

  return {
    observe: (ms) => {
      roll(clock())
      window.count += 1
      window.sumMs += ms
    },
    pauseMs: () => {
      const now = clock()
      roll(now)
      if (rate < burstPerSecond || now - slowAt > recoverMs) return 0
      return now - slowAt < holdMs ? trickleMs : carefulMs
    },
  }
}
