/** What a set of packages must be: exactly what was picked, and no lighter than what is in it. */
import { refuse } from '../refusals'
import type { WorkLine } from './pick'

export interface PackedPackage {
  weightGrams: number
  lines: readonly { lineId: string; quantity: number }[]
}

/** @throws `fulfillment.packages_differ` unless the packages hold exactly what was picked. */
export function checkPackages(lines: readonly WorkLine[], packages: readonly Pick<PackedPackage, 'lines'>[]): void {
  const packed = new Map<string, number>()
  for (const content of packages.flatMap((p) => p.lines)) packed.set(content.lineId, (packed.get(content.lineId) ?? 0) + content.quantity)
  const picked = new Map(lines.map((l) => [l.lineId, l.picked]))
  for (const lineId of new Set([...picked.keys(), ...packed.keys()])) {
    const [inBoxes, inHand] = [packed.get(lineId) ?? 0, picked.get(lineId) ?? 0]
    if (inBoxes !== inHand) throw refuse('fulfillment.packages_differ', { lineId, picked: inHand, packed: inBoxes })
  }
}

/**
 * A box cannot weigh less than its goods: who says so has mistyped, weighed another box, or left something out.
 * @param unitGrams weight of one unit, by line
 * @param tolerance share (0–1) by which goods may be lighter than their SKU says
 * @throws `fulfillment.weight_implausible` for the first package that is too light
 */
export function checkWeights(packages: readonly PackedPackage[], unitGrams: ReadonlyMap<string, number>, tolerance: number): void {
  for (const [i, { weightGrams, lines }] of packages.entries()) {
    const goodsGrams = lines.reduce((sum, l) => sum + l.quantity * (unitGrams.get(l.lineId) ?? 0), 0)
    const leastGrams = Math.floor(goodsGrams * (1 - tolerance))
    if (weightGrams < leastGrams)
      throw refuse('fulfillment.weight_implausible', { package: i + 1, weightGrams, goodsGrams, leastGrams }, `Package ${i + 1} weighs ${weightGrams} g, its goods ${goodsGrams} g`, [
        { pointer: `/packages/${i}/weightGrams`, message: `Must be at least ${leastGrams}` },
      ])
  }
}
