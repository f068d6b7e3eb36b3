/** How the simulated carriers reckon a price and the day they collect on, by their own books. */
import type { Card } from './cards'
import type { PostalAddress } from './parcels'

export interface Measured {
  weightGrams: number
  lengthMm?: number
  widthMm?: number
  heightMm?: number
}
export interface Price {
  zone: string
  chargedGrams: number
  /** Item by item; they sum to the price. */
  items: { code: string; cents: number }[]
  cents: number
}

/** @returns the reason for which the parcel is not taken, as a code. */
export function reckon(card: Card, service: string, parcel: Measured, from: PostalAddress, to: PostalAddress): Price | string {
  const table = card.cents[service]
  if (!table) return 'unknown_service'
  const sides = [parcel.lengthMm ?? 0, parcel.widthMm ?? 0, parcel.heightMm ?? 0].sort((a, b) => a - b) as [number, number, number]
  if (sides[2] > card.maxLengthMm || sides[2] + 2 * (sides[0] + sides[1]) > card.maxLengthAndGirthMm) return 'too_large'
  const zone = card.zones.find(([, source, country, destination]) => country === to.country && fits(from.postcode, source) && fits(to.postcode, destination))?.[0]
  const row = zone === undefined ? undefined : table[zone]
  if (zone === undefined || !row) return 'not_served'
  const isMeasured = parcel.lengthMm !== undefined && parcel.widthMm !== undefined && parcel.heightMm !== undefined
  const bySize = card.divisor > 0 && isMeasured ? Math.ceil((sides[0] * sides[1] * sides[2]) / card.divisor) : 0
  const chargedGrams = Math.max(parcel.weightGrams, bySize)
  const step = card.steps.findIndex((ceiling) => chargedGrams <= ceiling)
  if (step < 0 || parcel.weightGrams > card.maxGrams) return 'too_heavy'
  const items = [{ code: 'freight', cents: row[step]! }, ...extras(card, row[step]!, parcel, sides[2], to)]
  return { zone, chargedGrams, items, cents: items.reduce((sum, item) => sum + item.cents, 0) }
}

function extras(card: Card, freight: number, parcel: Measured, longestMm: number, to: PostalAddress): Price['items'] {
  const items: Price['items'] = []
  if (card.fuelPercent > 0) items.push({ code: 'fuel', cents: Math.round((freight * Math.round(card.fuelPercent * 100)) / 10_000) })
  if (card.bulky && longestMm > card.bulky.overMm) items.push({ code: 'bulky', cents: card.bulky.cents })
  if (card.heavy && parcel.weightGrams > card.heavy.overGrams) items.push({ code: 'heavy', cents: card.heavy.cents })
  if (card.remote && to.country === card.remote.country && fits(to.postcode, card.remote.postcodes)) items.push({ code: 'remote', cents: card.remote.cents })
  return items
}

const fits = (postcode: string | undefined, beginnings: string): boolean =>
  beginnings === '*' || beginnings.split(' ').some((beginning) => (postcode ?? '').replaceAll(' ', '').startsWith(beginning))

/** The local date on which a parcel given at `atMs` is collected: the same day until the cut-off, else the next day of collection. */
export function collectedOn({ collects }: Card, atMs: number): string {
  const dayMs = 86_400_000
  for (let ahead = 0; ahead <= 7; ahead += 1) {
    const { date, time } = localTime(atMs + ahead * dayMs, collects.timeZone)
    const isCollected = collects.days.includes(new Date(`${date}T12:00:00Z`).getUTCDay())
    if (isCollected && (ahead > 0 || time <= collects.until)) return date
  }
  throw new Error('a carrier collects on some day of the week')
}

function localTime(atMs: number, timeZone: string): { date: string; time: string } {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(atMs)
  const [date, time] = parts.split(' ') as [string, string]
  return { date, time }
}
