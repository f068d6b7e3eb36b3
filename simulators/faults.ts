/** Trouble on demand: the next calls of a kind go wrong in a chosen way, and whole outages, so that others can show they survive them. */
import type { RequestHandler } from 'express'

export interface Fault {
  kind: string
  /** The only operation it hits; any when absent. */
  operation?: string
  /** How long the answer is held back; each kind has its own default. */
  delayMs?: number
  /** For `error_500`: the effect happens although the answer says error. */
  afterEffect?: boolean
}

export interface FaultQueue {
  add(fault: Fault, next: number): void
  /** The fault for this call, used up by it; the oldest that fits comes first. */
  take(operation: string): Fault | undefined
  pending(): (Fault & { next: number })[]
  clear(): void
}

export function faultQueue(): FaultQueue {
  let queue: (Fault & { next: number })[] = []
  return {
    add: (fault, next) => void (next > 0 && queue.push({ ...fault, next })),
    take: (operation) => {
      const found = queue.find((fault) => fault.operation === undefined || fault.operation === operation)
      if (!found) return undefined
      found.next -= 1
      queue = queue.filter((fault) => fault.next > 0)
      return found
    },
    pending: () => queue.map((fault) => ({ ...fault })),
    clear: () => {
      queue = []
    },
  }
}

export interface Outage {
  /** @param forMs without it the outage lasts until it is cleared */
  start(forMs?: number): void
  clear(): void
  active(): boolean
  /** Resets the connection of every call while the outage lasts: the caller cannot know whether it was heard. */
  guard: RequestHandler
}

export function outageSwitch(): Outage {
  let untilMs = 0
  const active = (): boolean => Date.now() < untilMs
  return {
    start: (forMs = Infinity) => {
      untilMs = Date.now() + forMs
    },
    clear: () => {
      untilMs = 0
    },
    active,
    guard: (request, _response, next) => (active() ? void request.socket.resetAndDestroy() : next()),
  }
}
