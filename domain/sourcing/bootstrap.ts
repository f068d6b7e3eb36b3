/**
 * Two policies side by side, with how sure the difference is: the orders of the period are drawn again with replacement, each with what both policies
 * did with it, and the differences between such samples show how much of the one seen could be chance. Paired percentile intervals
 * (B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, ch. 8 and 13). They answer for other orders of this kind, not for other stock.
 */
import type { Outcome } from './replay'

export const measures = ['filledShare', 'lostMinor', 'costMinor', 'costPerOrderMinor', 'shipmentsPerOrder', 'lateShare'] as const
export type Measure = (typeof measures)[number]

export interface Difference {
  draft: number
  against: number
  /** draft − against. */
  difference: number
  /** In which the difference lies with the confidence asked for. */
  low: number
  high: number
}

/** Sums over orders of which the measures are made. */
const columns = ['orders', 'filled', 'lostMinor', 'costMinor', 'shipments', 'dated', 'late'] as const
type Column = (typeof columns)[number]

/** Each a sum, or one divided by another. */
const made: Record<Measure, { top: Column; per?: Column }> = {
  filledShare: { top: 'filled', per: 'orders' },
  lostMinor: { top: 'lostMinor' },
  costMinor: { top: 'costMinor' },
  costPerOrderMinor: { top: 'costMinor', per: 'filled' },
  shipmentsPerOrder: { top: 'shipments', per: 'filled' },
  lateShare: { top: 'late', per: 'dated' },
}

export interface Resampling {
  resamples: number
  confidence: number
}
export const usual: Resampling = { resamples: 1_000, confidence: 0.95 }

/**
 * @param random uniform in [0, 1).
 * @returns a measure that one of them does not have (nothing filled, nothing dated) is null.
 */
export function compare(draft: Outcome, against: Outcome, random: () => number, { resamples, confidence }: Resampling = usual): Record<Measure, Difference | null> {
  const table = sideBySide(draft, against)
  const whole = new Float64Array(2 * columns.length)
  for (let order = 0; order < draft.orders; order += 1) addRow(whole, table, order)
  const drawn = measures.map(() => new Float64Array(resamples))
  const sums = new Float64Array(2 * columns.length)
  for (let sample = 0; sample < resamples; sample += 1) {
    sums.fill(0)
    for (let draw = 0; draw < draft.orders; draw += 1) addRow(sums, table, Math.floor(random() * draft.orders))
    measures.forEach((measure, m) => (drawn[m]![sample] = valueOf(measure, sums, 0) - valueOf(measure, sums, 1)))
  }
  const entries = measures.map((measure, m) => [measure, differenceOf(valueOf(measure, whole, 0), valueOf(measure, whole, 1), drawn[m]!, confidence)] as const)
  return Object.fromEntries(entries) as Record<Measure, Difference | null>
}

function differenceOf(draft: number, against: number, drawn: Float64Array, confidence: number): Difference | null {
  if (Number.isNaN(draft) || Number.isNaN(against)) return null
  const known = drawn.filter((d) => !Number.isNaN(d)).sort()
  if (known.length === 0) return null
  return { draft, against, difference: draft - against, low: quantile(known, (1 - confidence) / 2), high: quantile(known, (1 + confidence) / 2) }
}

const quantile = (ascending: Float64Array, share: number): number => ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))]!

/** A row per order, its columns by the draft and then by the other: drawing an order touches one place of memory. */
function sideBySide(draft: Outcome, against: Outcome): Float64Array {
  const table = new Float64Array(draft.orders * 2 * columns.length)
  ;[draft, against].forEach((outcome, side) =>
    columns.forEach((column, c) => {
      const values = column === 'orders' ? undefined : outcome[column]
      for (let order = 0; order < draft.orders; order += 1) table[(order * 2 + side) * columns.length + c] = values ? values[order]! : 1
    }),
  )
  return table
}

function addRow(sums: Float64Array, table: Float64Array, order: number): void {
  const from = order * sums.length
  for (let i = 0; i < sums.length; i += 1) sums[i]! += table[from + i]!
}

/** NaN where it would be divided by nothing. */
function valueOf(measure: Measure, sums: Float64Array, side: 0 | 1): number {
  const at = (column: Column): number => sums[side * columns.length + columns.indexOf(column)]!
  const { top, per } = made[measure]
  return per === undefined ? at(top) : at(top) / at(per)
}
