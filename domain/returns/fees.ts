/**
 * What is kept of a return whose units are counted one after another. It is reckoned of all that is counted so far, less what was kept before; so a fee that the first
 * unit does not cover is kept of the next ones, and whatever the sequence, in the end the same is kept as of one count of all of it.
 */
import type { Units } from '../payment/shares'
import type { FeePer } from '../policy/returns'
import { refundOfUnits, worthOfEach, type Sold } from './exchange-money'
import { refundMinor } from './refund'
import { feesOf } from './terms'

/** A line of a return that money is given for. */
export interface FeeLine {
  lineId: string
  feeMinor: number
  feePer: FeePer
  /** Of how many units it was given so far, and what they were paid with, shipping left out. */
  given: number
  worthMinor: number
}

/** A return, and what was kept of it so far. */
export interface FeesSoFar {
  lines: readonly FeeLine[]
  feeKeptMinor: number
}

/** What is kept of units that money is given for now, and what they were paid with, in the same sequence. */
export function feeOfUnits(sold: Sold, { lines, feeKeptMinor }: FeesSoFar, units: readonly Units[]): { feeMinor: number; worthMinor: number[] } {
  const worthMinor = worthOfEach(sold, units)
  const wholeMinor = refundMinor(refundOfUnits(sold, units, {}).parts)
  const shippingMinor = wholeMinor - worthMinor.reduce((sum, minor) => sum + minor, 0)
  const now = lines.map((line) => units.reduce((sum, u, i) => (u.lineId === line.lineId ? { ...sum, given: sum.given + u.quantity, worthMinor: sum.worthMinor + worthMinor[i]! } : sum), line))
  return { feeMinor: Math.min(wholeMinor, Math.max(0, keptOf(now, shippingMinor) - feeKeptMinor)), worthMinor }
}

/**
 * The fees of lines, as far as they are covered: a fee per line by what the line was paid with; the one per return, which is the highest of those that fit, by all lines
 * together, where a line adds no more than it was paid with to what the others ask. Shipping, which goes back with the last unit, covers what is left.
 */
export function keptOf(lines: readonly FeeLine[], shippingMinor = 0): number {
  const counted = lines.filter((l) => l.given > 0).map((l) => ({ ...l, worthMinor: Math.max(0, l.worthMinor) }))
  const perLine = counted.filter((l) => l.feePer === 'line').reduce((sum, l) => sum + Math.min(l.feeMinor, l.worthMinor), 0)
  const perReturn = counted.filter((l) => l.feePer === 'return')
  const reached = [0, ...perReturn.map((l) => l.feeMinor)].map((upTo) => upTo + perReturn.filter((l) => l.feeMinor > upTo).reduce((sum, l) => sum + l.worthMinor, 0))
  return Math.min(feesOf(counted), perLine + Math.min(...reached) + Math.max(0, shippingMinor))
}
