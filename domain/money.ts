/** Money is a whole number of minor units next to a currency; it is added and shared out here, never as a fraction. */
import { invariant } from './invariant'

/** ISO 4217 codes with the number of digits of their minor unit, for the currencies a channel may be set up with. */
export const currencyDigits = {
  AED: 2, AUD: 2, BGN: 2, BHD: 3, BRL: 2, CAD: 2, CHF: 2, CLP: 0, CNY: 2, COP: 2, CZK: 2, DKK: 2, EUR: 2, GBP: 2, HKD: 2, HUF: 2, IDR: 2, ILS: 2,
  INR: 2, ISK: 0, JOD: 3, JPY: 0, KRW: 0, KWD: 3, MXN: 2, MYR: 2, NOK: 2, NZD: 2, OMR: 3, PHP: 2, PLN: 2, RON: 2, SAR: 2, SEK: 2, SGD: 2, THB: 2,
  TND: 3, TRY: 2, TWD: 2, UAH: 2, USD: 2, VND: 0, ZAR: 2,
} as const
export type Currency = keyof typeof currencyDigits

export const isCurrency = (code: string): code is Currency => Object.hasOwn(currencyDigits, code)

/** `41.20 EUR`, for summaries and messages; not for arithmetic. */
export function formatMinor(minor: number, currency: string): string {
  const digits = isCurrency(currency) ? currencyDigits[currency] : 2
  const sign = minor < 0 ? '-' : ''
  const whole = String(Math.abs(minor)).padStart(digits + 1, '0')
  const text = digits === 0 ? whole : `${whole.slice(0, -digits)}.${whole.slice(-digits)}`
  return `${sign}${text} ${currency}`
}

/**
 * Reads a decimal amount as written by another system (`"398.00"`) into minor units.
 * @returns undefined when it is not a plain decimal or is finer than the currency's minor unit.
 */
export function parseMinor(text: string, currency: Currency): number | undefined {
  const match = /^(-?)(\d{1,13})(?:\.(\d+))?$/.exec(text)
  if (!match) return undefined
  const digits = currencyDigits[currency]
  const fraction = (match[3] ?? '').padEnd(digits, '0')
  if (/[^0]/.test(fraction.slice(digits))) return undefined
  const minor = Number(match[2] + fraction.slice(0, digits))
  return match[1] && minor !== 0 ? -minor : minor
}

/**
 * Shares `totalMinor` over `weights` so that the parts are whole and sum to the total exactly (largest remainder method, Hamilton 1792).
 * Ties go to the earlier part. All weights zero: everything goes to the first part.
 */
export function shareOut(totalMinor: number, weights: readonly number[]): number[] {
  invariant(weights.length > 0 && weights.every((w) => Number.isSafeInteger(w) && w >= 0), 'shares need whole, non-negative weights')
  const sum = weights.reduce((a, b) => a + b, 0)
  if (sum === 0) return weights.map((_, i) => (i === 0 ? totalMinor : 0))
  const total = BigInt(Math.abs(totalMinor))
  const exact = weights.map((w) => ({ part: (total * BigInt(w)) / BigInt(sum), rest: (total * BigInt(w)) % BigInt(sum) }))
  let left = Number(total - exact.reduce((a, e) => a + e.part, 0n))
  const order = exact.map((_, i) => i).sort((a, b) => (exact[a]!.rest === exact[b]!.rest ? a - b : exact[a]!.rest > exact[b]!.rest ? -1 : 1))
  const parts = exact.map((e) => Number(e.part))
  for (const i of order) {
    if (left === 0) break
    parts[i]! += 1
    left -= 1
  }
  return totalMinor < 0 ? parts.map((p) => (p === 0 ? 0 : -p)) : parts
}
