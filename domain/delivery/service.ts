/** Which carrier service carries a package: the one that was asked for, else the cheapest. */
export interface OfferedService {
  carrier: string
  service: string
  rates: readonly { upToGrams: number; priceMinor: number }[]
  transitDays: number
}

/** Price of a package by weight step; the last step also prices what is heavier. Minor units of the carrier's currency. */
export function ratePackageMinor(offered: OfferedService, weightGrams: number): number {
  const step = offered.rates.find((r) => weightGrams <= r.upToGrams) ?? offered.rates.at(-1)
  return step?.priceMinor ?? Number.POSITIVE_INFINITY
}

/**
 * @param wanted a service by name, or none: then the cheapest over all packages wins, the faster one on a tie.
 * @returns undefined when nobody offers it.
 */
export function chooseService(offers: readonly OfferedService[], weightsGrams: readonly number[], wanted?: string): OfferedService | undefined {
  const candidates = wanted === undefined ? offers : offers.filter((o) => o.service === wanted)
  return [...candidates].sort((a, b) => priceMinor(a, weightsGrams) - priceMinor(b, weightsGrams) || a.transitDays - b.transitDays || a.carrier.localeCompare(b.carrier))[0]
}

/** The fewest days, the cheaper one on a tie. */
export const fastestService = <Offer extends OfferedService>(offers: readonly Offer[], weightsGrams: readonly number[]): Offer | undefined =>
  [...offers].sort((a, b) => a.transitDays - b.transitDays || priceMinor(a, weightsGrams) - priceMinor(b, weightsGrams) || a.carrier.localeCompare(b.carrier))[0]

/** Of all packages together. */
export const priceMinor = (offered: OfferedService, weightsGrams: readonly number[]): number => weightsGrams.reduce((sum, w) => sum + ratePackageMinor(offered, w), 0)
