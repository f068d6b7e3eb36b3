/**
 * What a parcel costs by a carrier's contract: a zone by postcodes, a price by weight step, the weight it is charged by (its own, or that of its size),
 * and surcharges on top. Whole minor units throughout; pure, so that the same parcel has the same price wherever it is asked for.
 */
import { obstacle, type Obstacle } from '../promise/obstacle'

export interface RateCard {
  currency: string
  /** Where a parcel goes decides its price; the first that fits counts. */
  zones: readonly Zone[]
  /** Cubic millimetres that count as one gram: 5,000 cm³ a kilogram is 5,000. None: size does not matter. */
  volumeMm3PerGram?: number
  /** Prices by zone, ascending by weight. */
  rates: Readonly<Record<string, readonly WeightStep[]>>
  limits: ParcelLimits
  surcharges: readonly Surcharge[]
}
export interface WeightStep {
  upToGrams: number
  priceMinor: number
}
export interface Zone {
  zone: string
  /** Beginnings of postcodes it is sent from; none: any. */
  from?: readonly string[]
  country: string
  /** Beginnings of postcodes it is sent to; none: all of the country. */
  to?: readonly string[]
}
export interface ParcelLimits {
  grams: number
  /** Longest side. */
  lengthMm: number
  /** Longest side and twice the two others. */
  lengthAndGirthMm: number
}
export interface Surcharge {
  code: string
  /** What it is for; without it every parcel pays it. */
  when?: SurchargeReason
  /** Minor units a parcel. */
  amountMinor?: number
  /** Hundredths of a percent of the weight step's price, rounded half up: fuel, mostly. */
  basisPoints?: number
}
export type SurchargeReason =
  | { kind: 'longer_than'; lengthMm: number }
  | { kind: 'heavier_than'; grams: number }
  /** Islands and other places that are far for a van. */
  | { kind: 'remote'; country: string; to: readonly string[] }

export interface Parcel {
  weightGrams: number
  lengthMm?: number
  widthMm?: number
  heightMm?: number
}
export interface Lane {
  from: Place
  to: Place
}
export interface Place {
  country: string
  postalCode?: string
}

export interface ParcelPrice {
  zone: string
  /** The weight it is charged by. */
  chargedGrams: number
  /** By the weight step, before surcharges. */
  stepMinor: number
  surcharges: readonly { code: string; amountMinor: number }[]
  priceMinor: number
}

/** @returns why the carrier does not take the parcel, where it does not: `carrier.does_not_serve`, `parcel.too_heavy`, `parcel.too_large`. */
export function priceParcel(card: RateCard, parcel: Parcel, lane: Lane): ParcelPrice | Obstacle {
  const zone = zoneOfLane(card, lane)
  const steps = zone === undefined ? undefined : card.rates[zone]
  if (zone === undefined || !steps) return obstacle('carrier.does_not_serve', [lane.to.country, lane.to.postalCode].filter(Boolean).join('-'))
  const tooLarge = whatIsTooLarge(parcel, card.limits)
  if (tooLarge) return obstacle('parcel.too_large', tooLarge)
  const chargedGrams = Math.max(parcel.weightGrams, dimensionalGrams(parcel, card.volumeMm3PerGram))
  const step = steps.find((s) => chargedGrams <= s.upToGrams)
  if (parcel.weightGrams > card.limits.grams || !step) return obstacle('parcel.too_heavy', `${chargedGrams} g`)
  const surcharges = card.surcharges
    .filter((s) => applies(s, parcel, lane))
    .map((s) => ({ code: s.code, amountMinor: (s.amountMinor ?? 0) + shareOf(step.priceMinor, s.basisPoints ?? 0) }))
  const priceMinor = surcharges.reduce((sum, s) => sum + s.amountMinor, step.priceMinor)
  return { zone, chargedGrams, stepMinor: step.priceMinor, surcharges, priceMinor }
}

export const zoneOfLane = (card: Pick<RateCard, 'zones'>, { from, to }: Lane): string | undefined =>
  card.zones.find((z) => z.country === to.country && startsWithAny(to.postalCode, z.to) && startsWithAny(from.postalCode, z.from))?.zone

/** What its size weighs, rounded up; nothing where the size is not known or does not count. */
export function dimensionalGrams({ lengthMm, widthMm, heightMm }: Parcel, volumeMm3PerGram: number | undefined): number {
  if (volumeMm3PerGram === undefined || lengthMm === undefined || widthMm === undefined || heightMm === undefined) return 0
  return Math.ceil((lengthMm * widthMm * heightMm) / volumeMm3PerGram)
}

/** Longest side first; what is not known is nothing. */
const sides = ({ lengthMm = 0, widthMm = 0, heightMm = 0 }: Parcel): [number, number, number] => [lengthMm, widthMm, heightMm].sort((a, b) => b - a) as [number, number, number]

function whatIsTooLarge(parcel: Parcel, limits: ParcelLimits): string | undefined {
  const [longest, middle, shortest] = sides(parcel)
  if (longest > limits.lengthMm) return `${longest} mm long`
  const lengthAndGirthMm = longest + 2 * (middle + shortest)
  return lengthAndGirthMm > limits.lengthAndGirthMm ? `${lengthAndGirthMm} mm of length and girth` : undefined
}

function applies({ when }: Surcharge, parcel: Parcel, { to }: Lane): boolean {
  switch (when?.kind) {
    case undefined:
      return true
    case 'longer_than':
      return sides(parcel)[0] > when.lengthMm
    case 'heavier_than':
      return parcel.weightGrams > when.grams
    case 'remote':
      return to.country === when.country && startsWithAny(to.postalCode, when.to)
  }
}

const startsWithAny = (postalCode: string | undefined, beginnings: readonly string[] | undefined): boolean =>
  beginnings === undefined || beginnings.some((b) => (postalCode ?? '').replace(/\s/g, '').startsWith(b))

/** Rounded half up. */
const shareOf = (amountMinor: number, basisPoints: number): number => Math.floor((amountMinor * basisPoints + 5_000) / 10_000)
