/** The money of goods that come back or are sent in place of others, over all the lines of an order: what giving units back comes to, and what others in their place cost more or less. */
import type { Priced, Units } from '../payment/shares'
import { differenceOf, givingBack, givingBackOwn, hasPrice, keptUnits, shareBetween, type Difference, type ExchangedLine, type GivenBack } from './exchange'
import { refundMinor, refundOf, type RefundParts } from './refund'

/** What an order was sold for, and what was sent in place of what. */
export interface Sold extends Priced {
  lines: (ExchangedLine & { sku: string })[]
}

export interface RefundTerms {
  feeMinor?: number
  withShipping?: boolean
  /** What is with the units themselves: they are credited with it; or cancelled already, after they were paid for (`alone`: what they were sent in place of stays paid for) or before. */
  own?: 'credited' | 'lost' | 'lost, alone' | 'unsent'
}

/** What giving units back comes to, and what their lines say from then on. */
export function refundOfUnits(sold: Sold, units: readonly Units[], { own, ...terms }: RefundTerms): { parts: RefundParts; back: GivenBack } {
  const back = own === 'lost, alone' ? givingBackOwn(sold.lines, units) : givingBack(sold.lines, units, own)
  const priced = back.credits.filter((c) => hasPrice(sold.lines.find((l) => l.lineId === c.lineId)!))
  return { back, parts: refundOf(sold, [...keptUnits(sold.lines), ...back.lost], [...back.lost, ...priced], { ...terms, given: back.given }) }
}

/** One line of what is wanted in place of what the customer has. */
export interface WishedLine extends Units {
  /** Of one new unit, as on the order; absent: what the old one was paid with. */
  unitPriceMinor?: number
}

export interface PricedWish extends Units, Difference {
  /** What was paid for the old units, shipping left out, and the tax in it. */
  paidMinor: number
  paidTaxMinor: number
  unitPriceMinor?: number
}

/** What units were paid with, shipping left out, one after the other: those before are counted as gone, so the sum is that of all of them. */
export const worthOfEach = (sold: Sold, units: readonly Units[]): number[] => oneByOne(sold, units).map(refundMinor)

function oneByOne(sold: Sold, units: readonly Units[]): RefundParts[] {
  let { lines } = sold
  return units.map(({ lineId, quantity }) => {
    const { parts, back } = refundOfUnits({ ...sold, lines }, [{ lineId, quantity }], { withShipping: false })
    lines = lines.map((l) => ({ ...l, credited: l.credited + sumOf(back.credits, l.lineId), lessTaken: l.lessTaken + sumOf(back.takes, l.lineId) }))
    return parts
  })
}

/** What each line costs more or less than what it replaces; those before are counted as gone, so the sum is that of all of them. */
export function differencesOf(sold: Sold, wished: readonly WishedLine[]): PricedWish[] {
  const all = oneByOne({ ...sold, lines: sold.lines.map(asIfBack) }, wished)
  return wished.map(({ lineId, quantity, unitPriceMinor }, i) => {
    const parts = all[i]!
    const paidMinor = refundMinor(parts)
    const paidTaxMinor = Math.min(Math.max(0, parts.taxMinor), paidMinor)
    const paid = { lineId, quantity, paidMinor, paidTaxMinor }
    if (unitPriceMinor === undefined) return { ...paid, deltaMinor: 0 }
    return { ...paid, unitPriceMinor, ...differenceOf({ minor: paidMinor, taxMinor: paidTaxMinor }, { unitPriceMinor, quantity, taxIncluded: sold.taxIncluded }) }
  })
}

/** What it cost less than what it replaces is given back sooner or later, so it was not paid for it. */
const asIfBack = (line: Sold['lines'][number]): Sold['lines'][number] => (line.less.minor > 0 ? { ...line, lessGiven: line.quantity } : line)

const sumOf = (units: readonly Units[], lineId: string): number => units.reduce((sum, u) => (u.lineId === lineId ? sum + u.quantity : sum), 0)

/** Of what was wanted in place of some units, what it comes to for fewer of them: by running totals, so that all of them come to the whole. */
export function partOfWish<Wish extends Units & Partial<PricedWish>>(wish: Wish, quantity: number, taxIncluded: boolean): Wish {
  if (quantity === wish.quantity) return wish
  const share = (minor: number): number => Math.round((minor * quantity) / wish.quantity)
  const paid = wish.paidMinor === undefined ? {} : { paidMinor: share(wish.paidMinor), paidTaxMinor: share(wish.paidTaxMinor ?? 0) }
  if (wish.more) {
    const more = { unitPriceMinor: wish.more.unitPriceMinor, discountMinor: share(wish.more.discountMinor), taxMinor: share(wish.more.taxMinor) }
    return { ...wish, ...paid, quantity, more, deltaMinor: more.unitPriceMinor * quantity - more.discountMinor + (taxIncluded ? 0 : more.taxMinor) }
  }
  const less = wish.less && shareBetween(wish.less, wish.quantity, 0, quantity)
  return { ...wish, ...paid, quantity, ...(less && { less, deltaMinor: 0 - less.minor }) }
}

export interface MoneyOfExchange {
  chargeMinor: number
  refundMinor: number
  charge: { goodsMinor: number; taxMinor: number }
  refund: { goodsMinor: number; taxMinor: number }
}

/** What is charged when the new goods leave, and what is given back when the old ones are there. */
export function moneyOfExchange(wished: readonly PricedWish[]): MoneyOfExchange {
  const sum = (of: (w: PricedWish) => number): number => wished.reduce((total, w) => total + of(w), 0)
  const [chargeMinor, chargeTaxMinor] = [sum((w) => Math.max(0, w.deltaMinor)), sum((w) => w.more?.taxMinor ?? 0)]
  const [refund, refundTaxMinor] = [sum((w) => w.less?.minor ?? 0), sum((w) => w.less?.taxMinor ?? 0)]
  return {
    chargeMinor, refundMinor: refund,
    charge: { goodsMinor: chargeMinor - chargeTaxMinor, taxMinor: chargeTaxMinor },
    refund: { goodsMinor: refund - refundTaxMinor, taxMinor: refundTaxMinor },
  }
}
