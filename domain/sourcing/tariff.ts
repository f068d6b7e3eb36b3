/** What sending a weight costs by a rate card: the cheapest parcels that together carry it. */

/** One step of a rate card: a parcel of at most `upToGrams` costs `priceMinor`. */
export interface Tier {
  upToGrams: number
  priceMinor: number
}
/** Steps of one zone, in any order. */
export type Tariff = readonly Tier[]

/**
 * A price function over grams. Taking the cheapest set of parcels makes it subadditive, price(a + b) ≤ price(a) + price(b): sending together is
 * never dearer than sending apart, which the search for the best plan relies on.
 * @returns minor units; Infinity for a tariff without steps.
 */
export function priceOf(tariff: Tariff): (grams: number) => number {
  const price = known.get(tariff) ?? priceFunction(tariff)
  known.set(tariff, price)
  return price
}

/** The same rate card prices many orders, and is worked out once. */
const known = new WeakMap<Tariff, (grams: number) => number>()

function priceFunction(tariff: Tariff): (grams: number) => number {
  const tiers = usefulTiers(tariff)
  const largest = tiers.at(-1)
  if (largest === undefined) return () => Number.POSITIVE_INFINITY
  const sets: ParcelSet[] = []
  const priceUpTo = (grams: number): number => {
    while ((sets.at(-1)?.grams ?? 0) < grams) sets.push(nextSet(sets, tiers))
    return sets[firstThatCarries(sets, grams)]!.priceMinor
  }
  const many = 100 * largest.upToGrams
  const bulk = tiers.reduce((a, b) => (a.priceMinor / a.upToGrams <= b.priceMinor / b.upToGrams ? a : b))
  return (grams) => {
    // Beyond a hundred of the largest parcels the best price per gram is used up first, so that the list stays short whatever is ordered.
    const extra = grams > many ? Math.ceil((grams - many) / bulk.upToGrams) : 0
    return extra * bulk.priceMinor + priceUpTo(Math.max(1, grams - extra * bulk.upToGrams))
  }
}

/** Parcels that together carry `grams`, of which none cheaper carry more. */
interface ParcelSet {
  grams: number
  priceMinor: number
}

/** The cheapest set that carries more than all before: one parcel more than one of them. */
function nextSet(sets: readonly ParcelSet[], tiers: readonly Tier[]): ParcelSet {
  const most = sets.at(-1)?.grams ?? 0
  let next: ParcelSet | undefined
  for (const set of [{ grams: 0, priceMinor: 0 }, ...sets])
    for (const tier of tiers) {
      const grams = set.grams + tier.upToGrams
      const priceMinor = set.priceMinor + tier.priceMinor
      if (grams > most && (!next || priceMinor < next.priceMinor || (priceMinor === next.priceMinor && grams > next.grams))) next = { grams, priceMinor }
    }
  return next!
}

function firstThatCarries(sets: readonly ParcelSet[], grams: number): number {
  let low = 0
  let high = sets.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sets[middle]!.grams >= grams) high = middle
    else low = middle + 1
  }
  return low
}

/** Steps that are the cheapest for some weight: a heavier one that costs no more makes a lighter one useless. */
function usefulTiers(tariff: Tariff): Tier[] {
  const ascending = [...tariff].sort((a, b) => a.upToGrams - b.upToGrams || a.priceMinor - b.priceMinor)
  return ascending.filter((tier, i) => ascending.slice(i + 1).every((heavier) => heavier.priceMinor > tier.priceMinor))
}
