/** Trouble on demand: the next calls of a kind go wrong in a chosen way, and whole outages, so that others can show they survive them. */
import type { Request, RequestHandler } from 'express'

export interface Fault {
  kind: string
  /** The only operation it hits; any when absent. */
  operation?: string
  /** The only party it hits, where several share a simulator. */
  carrier?: string
  /** The only payment it hits, by its description. */
  about?: string
  /** How long the answer is held back; each kind has its own default. */
  delayMs?: number
  /** For `error_500`: the effect happens although the answer says error. */
  afterEffect?: boolean
}

/** What a call is about, as far as faults are aimed by it. */
export interface FaultyCall {
  carrier?: string
  about?: string
  /** Only faults that name the operation hit it. */
  onlyNamed?: boolean
}

export interface FaultQueue {
  add(fault: Fault, next: number): void
  /** The fault for this call, used up by it; the oldest that fits comes first. */
  take(operation: string, call?: FaultyCall): Fault | undefined
  pending(): (Fault & { next: number })[]
  /** Those aimed at one payment, or all. */
  clear(about?: string): void
}

export function faultQueue(): FaultQueue {
  let queue: (Fault & { next: number })[] = []
  return {
    add: (fault, next) => void (next > 0 && queue.push({ ...fault, next })),
    take: (operation, { carrier, about, onlyNamed } = {}) => {
      const hits = (fault: Fault): boolean => (fault.operation ?? (onlyNamed ? undefined : operation)) === operation
      const found = queue.find((fault) => hits(fault) && (fault.carrier ?? carrier) === carrier && (fault.about ?? about) === about)
      if (!found) return undefined
      found.next -= 1
      queue = queue.filter((fault) => fault.next > 0)
      return found
    },
    pending: () => queue.map((fault) => ({ ...fault })),
    clear: (about) => {
      queue = about === undefined ? [] : queue.filter((fault) => fault.about !== about)
    },
  }
}

export interface Outage {
  /** @param forMs without it the outage lasts until it is cleared; @param party the only one it hits: a carrier where several share a simulator, a payment by its description */
  start(forMs?: number, party?: string): void
  /** Of one party, or of everybody. */
  clear(party?: string): void
  /** Is anybody out? */
  active(): boolean
  /** Resets the connection of every call while the outage lasts: the caller cannot know whether it was heard. */
  guard(party?: string | ((request: Request) => string | undefined)): RequestHandler
}

export function outageSwitch(): Outage {
  const everybody = ''
  const until = new Map<string, number>()
  const isOut = (party: string): boolean => Date.now() < (until.get(party) ?? 0)
  return {
    start: (forMs = Infinity, party = everybody) => void until.set(party, Date.now() + forMs),
    clear: (party) => (party === undefined ? until.clear() : void until.delete(party)),
    active: () => [...until.keys()].some(isOut),
    guard:
      (party = everybody) =>
      (request, _response, next) =>
        isOut(everybody) || isOut((typeof party === 'string' ? party : party(request)) ?? everybody) ? void request.socket.resetAndDestroy() : next(),
  }
}
