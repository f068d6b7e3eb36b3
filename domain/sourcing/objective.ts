/** What is preferred, as numbers the search can add up and words a merchant can read. One kind for money, one for ranked rules. */
import type { LineToSource, Parts } from './decision'
import type { Judged } from './judged'
import type { Tariff } from './tariff'

export interface Objective {
  /** What a shipment from a node costs whatever is in it, and each unit of a line; whole numbers. */
  fixed(node: Judged): number
  unit(node: Judged, line: LineToSource): number
  tariff(node: Judged): Tariff
  splitPenalty: number
  /** The parts of what a shipment costs. */
  partsOf(node: Judged, load: readonly Loaded[]): Parts
  /** The part of every shipment after the first. */
  splitParts: Parts
  /** Why a plan was preferred to `other`, and why `other` lost to it. */
  whyChosen(chosen: Parts, other: Rival): string
  whyLost(other: Parts, chosen: Rival): string
}
export interface Loaded {
  line: LineToSource
  units: number
}
export interface Rival {
  /** Its nodes, for people. */
  name: string
  parts: Parts
}

/** Adds up the parts of several shipments. */
export function addParts(all: readonly Parts[]): Parts {
  const sum: Record<string, number> = {}
  for (const parts of all) for (const [name, amount] of Object.entries(parts)) sum[name] = (sum[name] ?? 0) + amount
  return sum
}
