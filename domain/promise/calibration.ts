/** Whether what was stated is true: promises whose day has passed, put into bins by the confidence they stated, and the share of each bin that was kept. */

export interface PastPromise {
  carrier: string
  /** As stated to the customer, between 0 and 1. */
  confidence: number
  /** Delivered by the promised instant. */
  kept: boolean
}
export interface CalibrationRow {
  count: number
  /** Mean of what was stated. */
  stated: number
  keptShare: number
  /** Where the true share lies with 95 %, by chance alone (Wilson 1927). */
  interval: { low: number; high: number }
  /** Too few promises say nothing; they are shown but not judged. */
  judged: boolean
  /** |keptShare − stated| within the tolerance; true of what is not judged. */
  within: boolean
}
export interface CalibrationBin extends CalibrationRow {
  from: number
  to: number
}
export interface CarrierCalibration extends CalibrationRow {
  carrier: string
  bins: readonly CalibrationBin[]
}
export interface CalibrationReport {
  overall: CalibrationRow
  bins: readonly CalibrationBin[]
  carriers: readonly CarrierCalibration[]
  /** Every row that was judged is within its tolerance, and there was one to judge. */
  honest: boolean
}
export interface CalibrationRules {
  /** Upper ends of the bins; the last is 1. */
  edges: readonly number[]
  /** In points of probability: 0.02 = two points. */
  toleranceOverall: number
  tolerancePerCarrier: number
  /** Promises a row needs to be judged. At 2,000 chance alone moves a kept share of 90 % by 1.3 points at most, 95 times in 100. */
  minimumCount: number
}

export const calibrationRules: CalibrationRules = { edges: [0.5, 0.8, 0.85, 0.9, 0.95, 0.98, 1], toleranceOverall: 0.02, tolerancePerCarrier: 0.03, minimumCount: 2_000 }

/** Bins and carriers side by side: the reliability diagram as numbers (Murphy & Winkler 1977; DeGroot & Fienberg 1983). */
export function calibrationReport(promises: Iterable<PastPromise>, rules: CalibrationRules = calibrationRules): CalibrationReport {
  const all = emptyTally(rules)
  const byCarrier = new Map<string, BinTally>()
  for (const promise of promises) {
    const own = byCarrier.get(promise.carrier) ?? emptyTally(rules)
    byCarrier.set(promise.carrier, own)
    for (const tally of [all, own]) count(tally, promise, rules)
  }
  const bins = binRows(all, rules, rules.toleranceOverall)
  const overall = row(all.sum, rules, rules.toleranceOverall)
  const carriers = [...byCarrier]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([carrier, tally]) => ({ carrier, ...row(tally.sum, rules, rules.tolerancePerCarrier), bins: binRows(tally, rules, rules.tolerancePerCarrier) }))
  const rows: CalibrationRow[] = [overall, ...bins, ...carriers, ...carriers.flatMap((c) => c.bins)]
  return { overall, bins, carriers, honest: rows.some((r) => r.judged) && rows.every((r) => r.within) }
}

interface Sum {
  count: number
  stated: number
  kept: number
}
interface BinTally {
  sum: Sum
  bins: Sum[]
}

const emptySum = (): Sum => ({ count: 0, stated: 0, kept: 0 })
const emptyTally = (rules: CalibrationRules): BinTally => ({ sum: emptySum(), bins: rules.edges.map(emptySum) })

function count(tally: BinTally, promise: PastPromise, rules: CalibrationRules): void {
  const bin = rules.edges.findIndex((edge) => promise.confidence < edge)
  for (const sum of [tally.sum, tally.bins[bin < 0 ? rules.edges.length - 1 : bin]!]) {
    sum.count += 1
    sum.stated += promise.confidence
    sum.kept += promise.kept ? 1 : 0
  }
}

const binRows = (tally: BinTally, rules: CalibrationRules, tolerance: number): CalibrationBin[] =>
  tally.bins.map((sum, i) => ({ from: rules.edges[i - 1] ?? 0, to: rules.edges[i]!, ...row(sum, rules, tolerance) }))

function row(sum: Sum, rules: CalibrationRules, tolerance: number): CalibrationRow {
  const n = Math.max(1, sum.count)
  const stated = sum.stated / n
  const keptShare = sum.kept / n
  const judged = sum.count >= rules.minimumCount
  return { count: sum.count, stated, keptShare, interval: wilson(sum.kept, sum.count), judged, within: !judged || Math.abs(keptShare - stated) <= tolerance }
}

/** Wilson's score interval at 95 %. */
function wilson(kept: number, n: number): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 }
  const z = 1.959964
  const p = kept / n
  const centre = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const half = (z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))) / (1 + z ** 2 / n)
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}
