/**
 * What a draft comes to, to the cent: prices and overrides, discounts of a line and of the whole, and the tax in or on each line. The result is what the
 * order is submitted with, so it adds up by the same arithmetic (domain/order/totals.ts).
 */
import { shareOut } from '../money'
import { expectedTotalMinor } from '../order/totals'
import type { RefusalDetail } from '../refusals'

/** An amount, or a share of what it is taken off, in hundredths of a per cent: 1050 is 10.5 %. */
export type Discount = ({ amountMinor: number; basisPoints?: undefined } | { basisPoints: number; amountMinor?: undefined }) & { reason?: string }

export interface DraftLine {
  lineId: string
  sku: string
  quantity: number
  unitPriceMinor: number
  /** Another price than the usual one, and why. */
  override?: { unitPriceMinor: number; reason: string }
  discount?: Discount
  /** The rate of tax that applies, as it was given: 1900 is 19 %. */
  taxBasisPoints?: number
}

export interface PricedDraft {
  lines: readonly DraftLine[]
  /** Off the goods as a whole, after what their lines have off already. */
  discount?: Discount
  /** Without a price it costs what the quote says, and nothing while there is none. */
  shipping?: { priceMinor?: number; taxBasisPoints?: number }
  /** Prices are given with their tax in them. */
  taxIncluded: boolean
}

export interface PricedLine {
  lineId: string
  sku: string
  quantity: number
  /** The price that counts. */
  unitPriceMinor: number
  /** Of all units, the line's own and its share of the order's. */
  discountMinor: number
  taxMinor: number
  /** Of all units, after discounts. */
  netMinor: number
}

export interface DraftTotals {
  lines: readonly PricedLine[]
  goodsMinor: number
  discountMinor: number
  shipping: { priceMinor: number; taxMinor: number }
  taxMinor: number
  totalMinor: number
}

/** The order's discount goes over the lines by the largest remainder. Only for what `pricingProblems` finds nothing against. */
export function draftTotals(draft: PricedDraft): DraftTotals {
  const own = draft.lines.map((line) => ({ line, grossMinor: grossOf(line), offMinor: offOf(line.discount, grossOf(line)) }))
  const afterOwn = own.map((l) => l.grossMinor - l.offMinor)
  const shares = own.length ? shareOut(offOf(draft.discount, sum(afterOwn)), afterOwn) : []
  const lines = own.map(({ line: { lineId, sku, quantity, taxBasisPoints = 0, ...price }, grossMinor, offMinor }, i): PricedLine => {
    const discountMinor = offMinor + shares[i]!
    const netMinor = grossMinor - discountMinor
    return { lineId, sku, quantity, unitPriceMinor: priceOf(price), discountMinor, taxMinor: taxOf(netMinor, taxBasisPoints, draft.taxIncluded), netMinor }
  })
  const { priceMinor = 0, taxBasisPoints = 0 } = draft.shipping ?? {}
  const shipping = { priceMinor, taxMinor: taxOf(priceMinor, taxBasisPoints, draft.taxIncluded) }
  const totalMinor = expectedTotalMinor({ lines, shipping, taxIncluded: draft.taxIncluded, totalMinor: 0, tenders: [] })
  return { lines, goodsMinor: sum(own.map((l) => l.grossMinor)), discountMinor: sum(lines.map((l) => l.discountMinor)), shipping, taxMinor: sum(lines.map((l) => l.taxMinor)) + shipping.taxMinor, totalMinor }
}

/** What keeps the amounts from being worked out, by its place in the draft. */
export function pricingProblems(draft: PricedDraft): RefusalDetail[] {
  const large = draft.lines.flatMap((line, i) => (grossOf(line) > mostMinor ? [{ pointer: `/lines/${i}/quantity`, message: 'the amounts are too large to add up' }] : []))
  const gross = draft.lines.map(grossOf)
  if (large.length || sum(gross) + (draft.shipping?.priceMinor ?? 0) > mostMinor) return large.length ? large : [{ pointer: '/lines', message: 'the amounts are too large to add up' }]
  const lines = draft.lines.flatMap(({ discount }, i) => tooMuch(discount, gross[i]!, `/lines/${i}/discount`))
  if (lines.length) return lines
  return tooMuch(draft.discount, sum(draft.lines.map((line, i) => gross[i]! - offOf(line.discount, gross[i]!))), '/discount')
}

/** Far enough below what a number holds that tax and shipping never reach it. */
const mostMinor = 1_000_000_000_000

const tooMuch = (discount: Discount | undefined, ofMinor: number, pointer: string): RefusalDetail[] =>
  offOf(discount, ofMinor) > ofMinor ? [{ pointer: `${pointer}/amountMinor`, message: `is more than what it is taken off (${ofMinor})` }] : []

const priceOf = ({ unitPriceMinor, override }: Pick<DraftLine, 'unitPriceMinor' | 'override'>): number => override?.unitPriceMinor ?? unitPriceMinor
const grossOf = (line: DraftLine): number => priceOf(line) * line.quantity

function offOf(discount: Discount | undefined, ofMinor: number): number {
  if (discount === undefined) return 0
  return discount.amountMinor ?? rounded(BigInt(ofMinor) * BigInt(discount.basisPoints), 10_000n)
}

/** In a price with tax it is what is over the price without; half a cent is rounded up. */
const taxOf = (amountMinor: number, basisPoints: number, included: boolean): number =>
  rounded(BigInt(amountMinor) * BigInt(basisPoints), 10_000n + (included ? BigInt(basisPoints) : 0n))

const rounded = (of: bigint, by: bigint): number => Number((2n * of + by) / (2n * by))

const sum = (amounts: readonly number[]): number => amounts.reduce((a, b) => a + b, 0)
