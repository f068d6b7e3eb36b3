/**
 * The correction that makes stated probabilities true. A model learned from the past is wrong in its own way; parcels it has not learned from (the calibration part)
 * show how wrong, and what is stated is what really happened to them.
 *
 * Method: split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei et al. 2018) on the predicted distribution itself (Chernozhukov, Wüthrich & Zhu 2021), per group
 * (Mondrian: Vovk et al. 2005, ch. 4). The score of a parcel is where its delivery lay in its predicted distribution, U = F(T). Were F right, U would be uniform;
 * as it is not, P(T ≤ d) = P(U ≤ F(d)) is read off the scores of the calibration part, the parcel to come counted among those that fail: Σ weights / (Σ weights + 1).
 * Whole days jump: a day takes a whole interval (F(d−1), F(d)] of U, so each score is spread evenly over its interval (non-randomised PIT: Czado, Gneiting & Held 2009).
 * So the probability stated for a day is the one really reached there, above the one asked for by as much as that day jumps.
 * Weights that fall with age keep this honest while the world drifts, up to how much it drifts within a few half-lives (Barber, Candès, Ramdas & Tibshirani 2023).
 */
import type { Distribution } from './histogram'
import { probabilityUpTo } from './histogram'

/** Where one parcel's outcome lay in its predicted distribution. */
export interface Score {
  /** What shares its errors; the carrier. */
  group: string
  /** F(d − 1), predicted. */
  below: number
  /** F(d), predicted; `below` and `upTo` are both 1 for what never came. */
  upTo: number
  /** 1 for the newest, less with age; 1 unless told otherwise. */
  weight?: number
}
/** From a predicted probability to the one that is stated. Never falls as `predicted` rises, and never reaches 1. */
export type Correction = (group: string, predicted: number) => number

export const uncorrected: Correction = (_group, predicted) => predicted

/** The score of an outcome `step` in its predicted distribution. */
export function scoreOf(group: string, predicted: Distribution, step: number | undefined, weight = 1): Score {
  return step === undefined ? { group, below: 1, upTo: 1, weight } : { group, below: probabilityUpTo(predicted, step - 1), upTo: probabilityUpTo(predicted, step), weight }
}

/**
 * @param enough parcels (by weight) a group needs to be corrected by its own; below that by all groups together, and when even these are too few, not at all.
 *   With 300 a corrected 90 % has a standard error of 1.7 points.
 */
export function learnCorrection(scores: Iterable<Score>, enough = 300): Correction {
  const all = emptyCurve()
  const groups = new Map<string, Curve>()
  for (const score of scores) {
    const own = groups.get(score.group) ?? emptyCurve()
    groups.set(score.group, own)
    add(own, score)
    add(all, score)
  }
  const pooled = all.total >= enough ? readable(all) : undefined
  const ready = new Map([...groups].map(([group, curve]) => [group, curve.total >= enough ? readable(curve) : pooled]))
  return (group, predicted) => {
    const curve = ready.has(group) ? ready.get(group) : pooled
    return curve ? curve(predicted) : predicted
  }
}

/** The scores' distribution function, kept at so many points of [0, 1] and straight in between. */
const points = 1000

interface Curve {
  /** Weight of scores, spread over their intervals, up to each point. */
  upTo: Float64Array
  total: number
}

const emptyCurve = (): Curve => ({ upTo: new Float64Array(points + 1), total: 0 })

function add(curve: Curve, score: Score): void {
  const weight = score.weight ?? 1
  curve.total += weight
  // An outcome the model held impossible has no interval; it counts as late for every probability up to the model's own.
  const width = score.upTo - score.below
  for (let i = Math.ceil(score.below * points); i <= points; i += 1) {
    const u = i / points
    if (u <= score.below) continue
    curve.upTo[i]! += width <= 0 || u >= score.upTo ? weight : (weight * (u - score.below)) / width
  }
}

function readable(curve: Curve): (predicted: number) => number {
  const stated = curve.upTo.map((sum) => sum / (curve.total + 1))
  return (predicted) => {
    const at = Math.min(1, Math.max(0, predicted)) * points
    const low = Math.floor(at)
    const here = stated[low]!
    return here + (at - low) * ((stated[Math.min(points, low + 1)] ?? here) - here)
  }
}
