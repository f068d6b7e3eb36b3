/**
 * How much the starter should hold back. Starting workflows and answering channels may share the same cores, and in a burst the answers come first.
 * It goes by what the channels feel: many submits that take much longer than they do here when it is calm. Where there are cores enough, submits
 * stay as fast as ever and nothing is held back, however far away the database is.
 */
export interface IntakeGauge {
  /** A submit was answered after `ms`. */
  observe(ms: number): void
  /** How long to wait before the next start; 0 is at full speed. */
  pauseMs(): number
}

interface Patience {
  /** A mean above this many times the calmest of late counts as slow, */
  slowTimes: number
  /** but never one below this. */
  slowMs: number
  /** Below this rate there is no burst, however slow the answers. */
  burstPerSecond: number
  /** How long after the last slow window starts stay slow. */
  holdMs: number
  recoverMs: number
}
const usual: Patience = { slowTimes: 2.5, slowMs: 15, burstPerSecond: 40, holdMs: 5_000, recoverMs: 20_000 }

const windowMs = 500
const trickleMs = 1_000
const carefulMs = 250
/** How far one calm window moves what is known of calm; a burst teaches only that it can be faster. */
const learns = 0.05

/** @param clock milliseconds that only go forward. */
export function createIntakeGauge(clock: () => number = () => performance.now(), { slowTimes, slowMs, burstPerSecond, holdMs, recoverMs }: Patience = usual): IntakeGauge {
  let window = { from: clock(), count: 0, sumMs: 0 }
  let rate = 0
  let calmMs = slowMs / slowTimes
  let slowAt = Number.NEGATIVE_INFINITY

  const roll = (now: number): void => {
    const age = now - window.from
    if (age < windowMs) return
    rate = (window.count / age) * 1000
    if (window.count > 0) {
      const mean = window.sumMs / window.count
      if (rate < burstPerSecond) calmMs += (mean - calmMs) * learns
      else calmMs = Math.min(mean, calmMs)
      if (rate >= burstPerSecond && mean > Math.max(slowMs, calmMs * slowTimes)) slowAt = now
    }
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
