/** Is this process so busy answering its callers that background work should wait? Read off the event loop, so it means the same on small and large machines. */
import { performance } from 'node:perf_hooks'

export interface BusyGauge {
  isBusy(): boolean
  stop(): void
}

/** @param threshold share of a window the event loop may be at work before the process counts as busy. */
export function watchBusyness(threshold = 0.5, windowMs = 250): BusyGauge {
  let last = performance.eventLoopUtilization()
  let utilization = 0
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    utilization = performance.eventLoopUtilization(now, last).utilization
    last = now
  }, windowMs)
  timer.unref()
  return { isBusy: () => utilization > threshold, stop: () => clearInterval(timer) }
}
