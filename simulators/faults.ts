/** Trouble on demand: the next calls of a kind go wrong in a chosen way, and whole outages, so that others can show they survive them. */
import type { RequestHandler } from 'express'

export interface Fault {
  kind: string
  /** The only operation it hits; any when absent. */
  operation?: string
  /** The only party it hits, where several share a simulator. */
  carrier?: string
  /** How long the answer is held back; each kind has its own default. */
  delayMs?: number
  /** For `error_500`: the effect happens although the answer says error. */
  afterEffect?: boolean
}

export interface FaultQueue {
  add(fault: Fault, next: number): void
  /** The fault for this call, used up by it; the oldest that fits comes first. */
  take(operation: string, carrier?: string): Fault | undefined
  pending(): (Fault & { next: number })[]
  clear(): void
}

export function faultQueue(): FaultQueue {
  let queue: (Fault & { next: number })[] = []
  return {
    add: (fault, next) => void (next > 0 && queue.push({ ...fault, next })),
    take: (operation, carrier) => {
      const found = queue.find((fault) => (fault.operation ?? operation) === operation && (fault.carrier ?? carrier) === carrier)
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
  /** @param forMs without it the outage lasts until it is cleared; @param carrier the only party that is out, where several share a simulator */
  start(forMs?: number, carrier?: string): void
  clear(): void
  /** Is anybody out? */
  active(): boolean
  /** Resets the connection of every call while the outage lasts: the caller cannot know whether it was heard. */
  guard(carrier?: string): RequestHandler
}

export function outageSwitch(): Outage {
  const everybody = ''
  const until = new Map<string, number>()
  const isOut = (carrier: string): boolean => Date.now() < (until.get(carrier) ?? 0)
  return {
    start: (forMs = Infinity, carrier = everybody) => void until.set(carrier, Date.now() + forMs),
    clear: () => until.clear(),
    active: () => [...until.keys()].some(isOut),
    guard:
      (carrier = everybody) =>
      (request, _response, next) =>
        isOut(everybody) || isOut(carrier) ? void request.socket.resetAndDestroy() : next(),
  }
}
