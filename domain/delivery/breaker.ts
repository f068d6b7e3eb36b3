/**
 * The circuit breaker of a carrier: faults that come thick fence it off, so that orders go to the next best at once and do not each wait for a time-out;
 * when it has cooled down one call is let through, and what comes of that decides: a success makes it `healthy` again. Old faults fade, so a bad minute a day never adds up.
 */

export interface Health {
  /** Faults, each worth less the longer ago it was. */
  score: number
  /** When the score was reckoned (ms since epoch). */
  at: number
  /** Until when nobody is sent there; null: it is open to all. */
  fencedUntil: number | null
}
export interface BreakerSettings {
  /** Score from which it is fenced off. */
  limit: number
  /** After how long a fault counts half. */
  halfLifeMs: number
  /** How long it is left alone before one call tries. */
  coolOffMs: number
}

/** Three faults within seconds, as one order meets them in its own attempts, are enough. */
export const breaker: BreakerSettings = { limit: 2.5, halfLifeMs: 60_000, coolOffMs: 30_000 }

export const healthy: Health = { score: 0, at: 0, fencedUntil: null }

/** `open`: as ever. `fenced`: nobody is sent there. `probe`: it has cooled down, and one call may try; who tries takes the fence over (`probing`). */
export type Admission = 'open' | 'fenced' | 'probe'

export const admission = (health: Health, now: number): Admission => (health.fencedUntil === null ? 'open' : now < health.fencedUntil ? 'fenced' : 'probe')

/** One call is under way; until it has ended or been forgotten, nobody else tries. */
export const probing = (health: Health, now: number, settings: BreakerSettings = breaker): Health => ({ ...health, fencedUntil: now + settings.coolOffMs })

/** A call failed. A carrier that is fenced stays so for as long again. */
export function afterFault(health: Health, now: number, settings: BreakerSettings = breaker): Health {
  const score = fadedScore(health, now, settings) + 1
  const isFenced = health.fencedUntil !== null || score >= settings.limit
  return { score, at: now, fencedUntil: isFenced ? now + settings.coolOffMs : null }
}

const fadedScore = ({ score, at }: Health, now: number, { halfLifeMs }: BreakerSettings): number => score * 0.5 ** (Math.max(0, now - at) / halfLifeMs)
