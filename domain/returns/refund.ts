/**
 * What is given back for units that come back or never came: the difference of what the order is worth with and without them, so that any sequence of
 * returns adds up to what was paid and undoing everything gives back exactly that. Never from a price of today.
 */
import { shareBreakdown, type Priced, type Units } from '../payment/shares'
import type { Amount } from './exchange'

/** What a refund is made of, in minor units; they add up to its amount. Goods after their discount, goods and shipping without their tax. The fee is negative. */
export interface RefundParts {
  goodsMinor: number
  taxMinor: number
  shippingMinor: number
  feeMinor: number
  /** Paid, and no goods had left for it; alone in its refund. */
  unsoldMinor?: number
  /** The payment it was paid with, where another gives it back. */
  unsoldOf?: string
  /** Owed since a refund by another payment came back; alone in its refund. */
  againMinor?: number
  /** Beyond what any goods are worth, by whose wish and whose yes; alone in its refund. */
  goodwill?: { minor: number; askedBy: string; approvedBy?: string }
}

/**
 * @param kept what the customer has or is owed before: every line with what was neither cancelled nor credited
 * @param back the units given back, at most `kept`
 * @param feeMinor what the policy keeps of it; never more than there is
 * @param given what of it was given back before
 */
export function refundOf(order: Priced, kept: readonly Units[], back: readonly Units[], { feeMinor = 0, withShipping = true, given = { minor: 0, taxMinor: 0 } }: RefundTerms = {}): RefundParts {
  const gone = shareBreakdown(order, without(kept, back), back)
  const shippingTaxMinor = gone.shippingMinor > 0 ? (order.shipping.taxMinor ?? 0) : 0
  const goodsMinor = gone.goodsMinor - gone.discountMinor
  const whole = withShipping ? { goodsMinor, taxMinor: gone.taxMinor, shippingMinor: gone.shippingMinor } : { goodsMinor, taxMinor: gone.taxMinor - shippingTaxMinor, shippingMinor: 0 }
  const parts = { ...whole, goodsMinor: whole.goodsMinor - (given.minor - given.taxMinor), taxMinor: whole.taxMinor - given.taxMinor }
  return { ...parts, feeMinor: 0 - Math.min(feeMinor, parts.goodsMinor + parts.taxMinor + parts.shippingMinor) }
}

interface RefundTerms {
  feeMinor?: number
  withShipping?: boolean
  given?: Amount
}

export const refundMinor = ({ goodsMinor, taxMinor: tax, shippingMinor, feeMinor, unsoldMinor = 0, againMinor = 0, goodwill }: RefundParts): number => goodsMinor + tax + shippingMinor + feeMinor + unsoldMinor + againMinor + (goodwill?.minor ?? 0)

/** A payment that money can be given back to, and how much of what it took is still there. */
export interface Refundable {
  paymentId: string
  leftMinor: number
}

/** Which payments give it back, in the sequence given, each as far as it goes; `missingMinor` is what none of them has. */
export function spread(payments: readonly Refundable[], amountMinor: number): { shares: { paymentId: string; amountMinor: number }[]; missingMinor: number } {
  let missingMinor = amountMinor
  const shares = payments.flatMap(({ paymentId, leftMinor }) => {
    const share = Math.min(Math.max(0, leftMinor), missingMinor)
    missingMinor -= share
    return share > 0 ? [{ paymentId, amountMinor: share }] : []
  })
  return { shares, missingMinor }
}

const nothing = { goodsMinor: 0, taxMinor: 0, shippingMinor: 0, feeMinor: 0 }

/** The parts of a refund over the shares of several payments: by running totals, so that each share adds up to its amount and all of them to the parts. */
export function partsOf(parts: RefundParts, shares: readonly number[]): RefundParts[] {
  const wholeMinor = refundMinor(parts)
  let before = 0
  return shares.map((share) => {
    const [from, to] = [before, (before += share)]
    const slice = (minor: number): number => (wholeMinor === 0 ? 0 : Math.round((minor * to) / wholeMinor) - Math.round((minor * from) / wholeMinor))
    if (parts.goodwill) return { ...nothing, goodwill: { ...parts.goodwill, minor: share } }
    if (parts.againMinor) return { ...nothing, againMinor: share }
    const [tax, shipping, fee, unsold] = [slice(parts.taxMinor), slice(parts.shippingMinor), slice(parts.feeMinor), slice(parts.unsoldMinor ?? 0)]
    return { goodsMinor: share - tax - shipping - fee - unsold, taxMinor: tax, shippingMinor: shipping, feeMinor: fee, ...(unsold !== 0 && { unsoldMinor: unsold }), ...(parts.unsoldOf !== undefined && { unsoldOf: parts.unsoldOf }) }
  })
}

/**
 * A refund that payments have not all of: what they give of it, and what is counted of money given ahead by hand. The fee is kept of what they give, where they give anything;
 * what the customer is owed still is of the goods, or of what was never sold.
 */
export function counting(parts: RefundParts, { givenMinor, countedMinor }: { givenMinor: number; countedMinor: number }): { given: RefundParts; counted: RefundParts } {
  const owedMinor = refundMinor(parts) - givenMinor - countedMinor
  const settled = parts.unsoldMinor ? { ...parts, unsoldMinor: parts.unsoldMinor - owedMinor } : { ...parts, goodsMinor: parts.goodsMinor - owedMinor }
  if (countedMinor === 0) return { given: settled, counted: nothing }
  if (givenMinor === 0) return { given: nothing, counted: settled }
  const { feeMinor } = parts
  const [given, counted] = partsOf({ ...settled, feeMinor: 0 }, [givenMinor - feeMinor, countedMinor]) as [RefundParts, RefundParts]
  return { given: { ...given, feeMinor }, counted }
}

/**
 * Of refunds given one after another, the parts of what was given between two running totals.
 * @returns undefined where none of it is theirs; what is given beyond them counts as goods
 */
export function partsBetween(refunds: readonly { amountMinor: number; parts: RefundParts }[], fromMinor: number, toMinor: number): RefundParts | undefined {
  let start = 0
  const slices = refunds.flatMap(({ amountMinor, parts }) => {
    const [from, to] = [Math.max(start, fromMinor) - start, Math.min(start + amountMinor, toMinor) - start]
    start += amountMinor
    return to > from ? [partsOf(parts, [from, to - from, amountMinor - to])[1]!] : []
  })
  if (slices.length === 0) return undefined
  const sum = (of: (p: RefundParts) => number): number => slices.reduce((total, p) => total + of(p), 0)
  const beyondMinor = toMinor - fromMinor - sum(refundMinor)
  const unsoldMinor = sum((p) => p.unsoldMinor ?? 0)
  const againMinor = sum((p) => p.againMinor ?? 0)
  const named = slices.find((p) => p.goodwill)?.goodwill
  const goodwill = named && { ...named, minor: sum((p) => p.goodwill?.minor ?? 0) }
  return { goodsMinor: sum((p) => p.goodsMinor) + beyondMinor, taxMinor: sum((p) => p.taxMinor), shippingMinor: sum((p) => p.shippingMinor), feeMinor: sum((p) => p.feeMinor), ...(unsoldMinor !== 0 && { unsoldMinor }), ...(againMinor !== 0 && { againMinor }), ...(goodwill && { goodwill }) }
}

/** What is left of `kept` once `back` is gone; a line may be named more than once. */
function without(kept: readonly Units[], back: readonly Units[]): Units[] {
  const left = new Map<string, number>()
  for (const { lineId, quantity } of kept) left.set(lineId, (left.get(lineId) ?? 0) + quantity)
  for (const { lineId, quantity } of back) left.set(lineId, (left.get(lineId) ?? 0) - quantity)
  return [...left].map(([lineId, quantity]) => ({ lineId, quantity }))
}
