/**
 * What is sent in place of other goods stays paid for by those. Where it costs more, its line carries the difference as its own price; where it costs less, the
 * difference is given back, and the line remembers it. So whatever comes back later, in whatever sequence, what is given back adds up to what was paid.
 */
import type { PricedLine, Units } from '../payment/shares'

/** An amount with the tax in it, in minor units. */
export interface Amount {
  minor: number
  /** Contained in it. */
  taxMinor: number
}
export const nothing: Amount = { minor: 0, taxMinor: 0 }

export interface Difference {
  /** With tax; above zero: dearer. */
  deltaMinor: number
  /** What the units cost more than those they replace, as a line carries it. */
  more?: Pick<PricedLine, 'unitPriceMinor' | 'discountMinor' | 'taxMinor'>
  /** What they cost less. */
  less?: Amount
}

/**
 * @param was what was paid for the old units, with tax
 * @param now the price of one of the new units, as on the order: with tax where prices include it; taxed at the rate of what it replaces
 */
export function differenceOf(was: Amount, now: { unitPriceMinor: number; quantity: number; taxIncluded: boolean }): Difference {
  const priceMinor = now.unitPriceMinor * now.quantity
  const taxMinor = shareOf(was.taxMinor, priceMinor, now.taxIncluded ? was.minor : was.minor - was.taxMinor)
  const deltaMinor = priceMinor + (now.taxIncluded ? 0 : taxMinor) - was.minor
  if (deltaMinor === 0) return { deltaMinor }
  if (deltaMinor < 0) return { deltaMinor, less: { minor: -deltaMinor, taxMinor: within(was.taxMinor - taxMinor, -deltaMinor) } }
  const moreTaxMinor = within(taxMinor - was.taxMinor, deltaMinor)
  const goodsMinor = now.taxIncluded ? deltaMinor : deltaMinor - moreTaxMinor
  const unitPriceMinor = Math.ceil(goodsMinor / now.quantity)
  return { deltaMinor, more: { unitPriceMinor, discountMinor: unitPriceMinor * now.quantity - goodsMinor, taxMinor: moreTaxMinor } }
}

/** Rounding must not make a tax larger than its amount, nor negative. */
const within = (taxMinor: number, minor: number): number => Math.min(Math.max(0, taxMinor), minor)

/** `tax × price ÷ of`, rounded once; exact where the product leaves the safe integers. */
const shareOf = (taxMinor: number, priceMinor: number, ofMinor: number): number =>
  ofMinor > 0 ? Number((BigInt(taxMinor) * BigInt(priceMinor) * 2n + BigInt(ofMinor)) / (BigInt(ofMinor) * 2n)) : 0

/** A line as it was sold, or sent in place of another. */
export interface ExchangedLine extends PricedLine {
  cancelled: number
  /** Units that money was given back for; of a line that costs the same as what it replaces those count there. */
  credited: number
  /** The line of the order that it stands for in the end; null where it was bought. */
  replaces: string | null
  /** The line it was sent in place of, where that was sent in place of another itself. */
  insteadOf: string | null
  /** What all its units cost less than those they replace. */
  less: Amount
  /** Of how many units that was given back, and of how many of these the rest was, so that it counts no more. */
  lessGiven: number
  lessTaken: number
  /** What was paid for the units it stands for; how many of those were charged because they did not come back, and of how many of these that was given back. */
  value: Amount
  charged: number
  chargedBack: number
}

const isDearer = (line: ExchangedLine): boolean => line.replaces !== null && line.unitPriceMinor > 0
const isCheaper = (line: ExchangedLine): boolean => line.less.minor > 0

/** Has the line a price of its own, bought or dearer than what it replaces? */
export const hasPrice = (line: ExchangedLine): boolean => line.replaces === null || isDearer(line)

/** What the customer has or is owed of an order, as far as that has a price. */
export const keptUnits = (lines: readonly ExchangedLine[]): Units[] => lines.filter(hasPrice).map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.cancelled - l.credited }))

export interface GivenBack {
  /** Of which lines units are credited: of those they stand for in the end, and of every one on the way that cost something else. */
  credits: Units[]
  /** Units that had a price of their own and are cancelled already: what was taken for them goes back. */
  lost: Units[]
  /** Of which lines units count no more as having had the difference given back. */
  takes: Units[]
  /** That difference. */
  given: Amount
}

/**
 * What it comes to when money is given back for units.
 * @param own `credited` with it; or cancelled already: `lost` after it was paid for, or `unsent`, and nothing was taken for it
 */
export function givingBack(lines: readonly ExchangedLine[], units: readonly Units[], own: 'credited' | 'lost' | 'unsent' = 'credited'): GivenBack {
  const back: GivenBack = { credits: [], lost: [], takes: [], given: { ...nothing } }
  for (const { lineId, quantity } of units) {
    for (const line of chainOf(lines, lineId)) {
      const isOwn = line.lineId === lineId
      if (isOwn && own === 'lost' && hasPrice(line)) back.lost.push({ lineId, quantity })
      if (!(isOwn && own !== 'credited') && (hasPrice(line) || isCheaper(line))) back.credits.push({ lineId: line.lineId, quantity })
      // Where nothing was sent for these, the difference of others that she has, and was charged for, is hers to keep.
      if (isCheaper(line)) takeFrom(line, quantity, isOwn && own === 'unsent' ? Math.min(line.charged - line.chargedBack, line.quantity - line.cancelled - line.credited) : 0)
    }
  }
  return back

  function takeFrom(line: ExchangedLine, quantity: number, others: number): void {
    const before = line.lessTaken + back.takes.reduce((sum, t) => (t.lineId === line.lineId ? sum + t.quantity : sum), 0)
    const now = Math.min(quantity, line.lessGiven - others - before)
    if (now <= 0) return
    back.takes.push({ lineId: line.lineId, quantity: now })
    const share = lessBetween(line, before, before + now)
    back.given = { minor: back.given.minor + share.minor, taxMinor: back.given.taxMinor + share.taxMinor }
  }
}

/** Units that never came, of goods that were sent in place of such that the customer still has: what was taken for them alone. */
export const givingBackOwn = (lines: readonly ExchangedLine[], units: readonly Units[]): GivenBack => ({
  credits: [], lost: units.filter((u) => hasPrice(lines.find((l) => l.lineId === u.lineId)!)), takes: [], given: nothing,
})

/** A line, the one it was sent in place of, and so on to the one that was bought. */
function chainOf(lines: readonly ExchangedLine[], lineId: string): ExchangedLine[] {
  const line = lines.find((l) => l.lineId === lineId)!
  return line.replaces === null ? [line] : [line, ...chainOf(lines, line.insteadOf ?? line.replaces)]
}

/** Of how many units the difference is given back now that so many of the old ones are back in all: not of such that the customer has no more. */
export const lessDue = (line: ExchangedLine, backUnits: number): number =>
  isCheaper(line) ? Math.max(0, Math.min(backUnits - line.lessGiven, line.quantity - line.cancelled - line.credited - (line.lessGiven - line.lessTaken))) : 0

/** The difference of units, as a difference of running totals: whatever the sequence, they add up. */
export const lessBetween = ({ less, quantity }: Pick<ExchangedLine, 'less' | 'quantity'>, from: number, to: number): Amount => shareBetween(less, quantity, from, to)

export const shareBetween = (total: Amount, quantity: number, from: number, to: number): Amount => ({
  minor: partOf(total.minor, to, quantity) - partOf(total.minor, from, quantity),
  taxMinor: partOf(total.taxMinor, to, quantity) - partOf(total.taxMinor, from, quantity),
})

/** What exchanges add to what the customer keeps is worth: what did not come back and was charged, less what was given back because something cost less, and still counts. */
export const exchangedMinor = (lines: readonly ExchangedLine[]): number =>
  lines.reduce((sum, line) => sum + shareBetween(line.value, line.quantity, line.chargedBack, line.charged).minor - lessBetween(line, line.lessTaken, line.lessGiven).minor, 0)

const partOf = (total: number, part: number, whole: number): number => Math.round((total * part) / whole)
