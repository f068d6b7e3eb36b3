/**
 * What each part of an order is worth, and which tender pays for it. Parts leave in any sequence and size; every share is the difference of two
 * running totals, so that whatever the sequence, the shares add up to the order's total and none is below zero.
 */
export interface Priced {
  lines: readonly PricedLine[]
  shipping: { priceMinor: number; taxMinor?: number }
  /** Are the taxes part of the prices, or to be added? */
  taxIncluded: boolean
}
export interface PricedLine {
  lineId: string
  quantity: number
  unitPriceMinor: number
  discountMinor: number
  taxMinor: number
  /** What was added to it after the click, first to last: contained in its quantity and tax, at its price and without a discount. The units from before keep their worth. */
  raised?: readonly Raise[]
}
export interface Raise {
  quantity: number
  taxMinor: number
}
/** A quantity of a line. */
export interface Units {
  lineId: string
  quantity: number
}

/** The share in minor units of `part`, after `before` has left. Shipping goes with the first part that leaves. */
export const shareMinor = (order: Priced, before: readonly Units[], part: readonly Units[]): number =>
  worthMinor(order, [...before, ...part]) - worthMinor(order, before)

/** What `units` of an order are worth when nothing else has left: a running total that reaches the order's total with its last unit. */
export function worthMinor(order: Priced, units: readonly Units[]): number {
  const quantities = quantitiesOf(units)
  const goodsMinor = order.lines.reduce((sum, line) => sum + unitsMinor(order, line, quantities.get(line.lineId) ?? 0), 0)
  return goodsMinor + (hasUnits(quantities) ? shippingMinor(order) : 0)
}

function quantitiesOf(units: readonly Units[]): ReadonlyMap<string, number> {
  const quantities = new Map<string, number>()
  for (const { lineId, quantity } of units) quantities.set(lineId, (quantities.get(lineId) ?? 0) + quantity)
  return quantities
}

const hasUnits = (quantities: ReadonlyMap<string, number>): boolean => [...quantities.values()].some((quantity) => quantity > 0)

/** What a worth is made of: goods − discount + tax + shipping is the worth itself. */
export interface Breakdown {
  /** At their prices, without the taxes in them and before the discount. */
  goodsMinor: number
  discountMinor: number
  /** Of the goods and of shipping. */
  taxMinor: number
  /** Without its tax. */
  shippingMinor: number
}

/** The share of `part`, after `before` has left, in its parts: differences of running totals, so whatever the sequence, each adds up to the order's own. */
export function shareBreakdown(order: Priced, before: readonly Units[], part: readonly Units[]): Breakdown {
  const [from, to] = [worthBreakdown(order, before), worthBreakdown(order, [...before, ...part])]
  return {
    goodsMinor: to.goodsMinor - from.goodsMinor,
    discountMinor: to.discountMinor - from.discountMinor,
    taxMinor: to.taxMinor - from.taxMinor,
    shippingMinor: to.shippingMinor - from.shippingMinor,
  }
}

/** What `worthMinor` of the same units is made of. Prices are exact, tax is shared like the worth, and what rounding leaves is in the discount: a line without one has none. */
export function worthBreakdown(order: Priced, units: readonly Units[]): Breakdown {
  const quantities = quantitiesOf(units)
  const parts = { goodsMinor: 0, discountMinor: 0, taxMinor: 0, shippingMinor: 0 }
  for (const line of order.lines) {
    const quantity = quantities.get(line.lineId) ?? 0
    const taxMinor = sharedOver(line, quantity, (t) => t.taxMinor)
    const goodsMinor = line.unitPriceMinor * quantity - (order.taxIncluded ? taxMinor : 0)
    parts.taxMinor += taxMinor
    parts.goodsMinor += goodsMinor
    parts.discountMinor += goodsMinor + taxMinor - unitsMinor(order, line, quantity)
  }
  if (!hasUnits(quantities)) return parts
  const shippingTaxMinor = order.shipping.taxMinor ?? 0
  return { ...parts, taxMinor: parts.taxMinor + shippingTaxMinor, shippingMinor: shippingMinor(order) - shippingTaxMinor }
}

export interface Tender {
  tenderId: string
  amountMinor: number
  /** Taken already, by somebody else or at once. */
  takenElsewhere: boolean
}

/** Who pays a share that follows `beforeMinor` of the order: each tender, in the sequence given, as far as it goes, so none pays more than its amount. Tenders that pay nothing are left out. */
export function payersOf(tenders: readonly Pick<Tender, 'tenderId' | 'amountMinor'>[], beforeMinor: number, share: number): { tenderId: string; amountMinor: number }[] {
  let start = 0
  return tenders.flatMap(({ tenderId, amountMinor }) => {
    const [from, to] = [Math.max(start, beforeMinor), Math.min(start + amountMinor, beforeMinor + share)]
    start += amountMinor
    return to > from ? [{ tenderId, amountMinor: to - from }] : []
  })
}

/** The first `units` of a line, with their part of its discount and, where it is not in the price, of its tax. */
const unitsMinor = ({ taxIncluded }: Priced, line: PricedLine, units: number): number =>
  sharedOver(line, units, (t) => line.unitPriceMinor * t.quantity - t.discountMinor + (taxIncluded ? 0 : t.taxMinor))

/** Units of a line that were bought at once. */
type Batch = Pick<PricedLine, 'quantity' | 'discountMinor' | 'taxMinor'>

/** The part of the first `units` in an amount that every batch has of its own, batch after batch. */
function sharedOver(line: PricedLine, units: number, amountOf: (batch: Batch) => number): number {
  const { raised = [] } = line
  if (raised.length === 0) return partOf(amountOf(line), units, line.quantity)
  const first = { ...line, quantity: line.quantity - sum(raised, (r) => r.quantity), taxMinor: line.taxMinor - sum(raised, (r) => r.taxMinor) }
  let left = units
  return sum([first, ...raised.map((r) => ({ ...r, discountMinor: 0 }))], (batch) => {
    const mine = Math.min(left, batch.quantity)
    left -= mine
    return partOf(amountOf(batch), mine, batch.quantity)
  })
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0)

/** `total × part ÷ whole`, rounded to whole units. Whole and remainder apart, so that no product leaves the safe integers. */
const partOf = (total: number, part: number, whole: number): number => Math.floor(total / whole) * part + Math.round(((total % whole) * part) / whole)

const shippingMinor = ({ shipping, taxIncluded }: Priced): number => shipping.priceMinor + (taxIncluded ? 0 : (shipping.taxMinor ?? 0))
