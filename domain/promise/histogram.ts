/**
 * Distributions over whole steps (days, quarter hours), learned from what happened. Where little happened, what happened in the wider
 * neighbourhood speaks too: a lane leans on its zone, the zone on its carrier, so that a thin lane neither boasts nor panics.
 */
import type { LocalDay } from './days'

/** `upTo[k]` = P(X ≤ k), never falling. 1 − the last entry is the probability that it takes longer than anything on record, or never comes. */
export interface Distribution {
  upTo: readonly number[]
}

/** P(X ≤ `step`). */
export const probabilityUpTo = (distribution: Distribution, step: number): number =>
  step < 0 ? 0 : (distribution.upTo[Math.min(Math.floor(step), distribution.upTo.length - 1)] ?? 0)

/** The first step with P(X ≤ step) ≥ `share`; undefined when even the last falls short. */
export function quantile(distribution: Distribution, share: number): number | undefined {
  const step = distribution.upTo.findIndex((p) => p >= share)
  return step < 0 ? undefined : step
}

/** One thing that happened, or failed to. */
export interface Observation {
  /** From the closest neighbourhood to the widest: `[lane, zone, carrier]`. */
  keys: readonly string[]
  /** The day it began (hand-over, release). */
  day: LocalDay
  /** Whole steps it took; none when it has not ended yet. */
  steps?: number
}
export interface LearningSettings {
  /** The day up to which things are known. */
  asOf: LocalDay
  /**
   * What began less than this ago is left out whole: of young ones only the quick have ended, and learning from those would flatter everybody.
   * What began earlier and has not ended counts as never.
   */
  maturityDays: number
  /** After this many days an observation weighs half: what is learned follows the seasons. None = all weigh the same. */
  halfLifeDays?: number
  /** How many observations the wider neighbourhood is worth in the closer one (pseudo-count). */
  priorWeight?: number
  /** How many (weighted) observations a neighbourhood needs to be named as the source. */
  enough?: number
}
export interface Learned extends Distribution {
  /** Index into `keys` of the closest neighbourhood with enough observations; `keys.length` when it is the prior. */
  level: number
  /** Weighted observations at that level. */
  observations: number
}
/** @param prior what is believed without any observation. */
export type Histograms = (keys: readonly string[], prior: Distribution) => Learned

/**
 * Learns every neighbourhood at once. Each is the posterior mean of a Dirichlet-multinomial whose prior is the next wider one with weight `priorWeight`
 * (partial pooling; Gelman et al., Bayesian Data Analysis, 3rd ed., ch. 5): P = (Σ weights ≤ k + priorWeight · P_wider) / (Σ weights + priorWeight).
 */
export function learnHistograms(observations: Iterable<Observation>, settings: LearningSettings): Histograms {
  const priorWeight = settings.priorWeight ?? 20
  const enough = settings.enough ?? 30
  const tallies = tally(observations, settings)
  return (keys, prior) => {
    let learned: Learned = { ...prior, level: keys.length, observations: 0 }
    for (let level = keys.length - 1; level >= 0; level -= 1) {
      const own = tallies.get(keys[level]!)
      if (!own) continue
      const source = own.total >= enough ? { level, observations: own.total } : { level: learned.level, observations: learned.observations }
      learned = { upTo: leanOn(own, learned, priorWeight), ...source }
    }
    return learned
  }
}

interface Tally {
  /** Weight per step. */
  weights: number[]
  /** With what never ended. */
  total: number
}

function tally(observations: Iterable<Observation>, settings: LearningSettings): Map<string, Tally> {
  const tallies = new Map<string, Tally>()
  for (const seen of observations) {
    const age = settings.asOf - seen.day
    if (age < settings.maturityDays) continue
    const weight = settings.halfLifeDays === undefined ? 1 : 0.5 ** (age / settings.halfLifeDays)
    for (const key of seen.keys) {
      let own = tallies.get(key)
      if (!own) tallies.set(key, (own = { weights: [], total: 0 }))
      own.total += weight
      if (seen.steps === undefined) continue
      while (own.weights.length <= seen.steps) own.weights.push(0)
      own.weights[seen.steps]! += weight
    }
  }
  return tallies
}

function leanOn(own: Tally, wider: Distribution, priorWeight: number): number[] {
  const length = Math.max(own.weights.length, wider.upTo.length)
  let sum = 0
  return Array.from({ length }, (_, k) => {
    sum += own.weights[k] ?? 0
    return (sum + priorWeight * probabilityUpTo(wider, k)) / (own.total + priorWeight)
  })
}
