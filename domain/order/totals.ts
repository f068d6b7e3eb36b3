/** Does an order add up? The arithmetic of a submitted order, checked before anything is written. */
import type { RefusalDetail } from '../refusals'

export interface PricedOrder {
  lines: readonly { lineId: string; quantity: number; unitPriceMinor: number; discountMinor: number; taxMinor: number }[]
  shipping: { priceMinor: number; taxMinor: number }
  totalMinor: number
  taxIncluded: boolean
  tenders: readonly { amountMinor: number }[]
}

/** Σ(unit price × quantity − discount) + shipping, plus every tax when prices are given without it. Minor units. */
export function expectedTotalMinor(order: PricedOrder): number {
  const goods = order.lines.reduce((sum, l) => sum + l.unitPriceMinor * l.quantity - l.discountMinor, 0)
  const tax = order.lines.reduce((sum, l) => sum + l.taxMinor, 0) + order.shipping.taxMinor
  return goods + order.shipping.priceMinor + (order.taxIncluded ? 0 : tax)
}

/** Every way in which the amounts do not add up, with the place in the document; none when they do. */
export function totalsProblems(order: PricedOrder): RefusalDetail[] {
  const problems: RefusalDetail[] = []
  order.lines.forEach((line, i) => {
    if (line.discountMinor > line.unitPriceMinor * line.quantity)
      problems.push({ pointer: `/lines/${i}/discountMinor`, message: `is more than the line costs (${line.unitPriceMinor * line.quantity})` })
  })
  const expected = expectedTotalMinor(order)
  if (!Number.isSafeInteger(expected)) problems.push({ pointer: '/totalMinor', message: 'the amounts are too large to add up' })
  else if (expected !== order.totalMinor) problems.push({ pointer: '/totalMinor', message: `should be ${expected}: lines plus shipping, and taxes unless taxIncluded` })
  const tendered = order.tenders.reduce((sum, t) => sum + t.amountMinor, 0)
  if (tendered !== order.totalMinor) problems.push({ pointer: '/tenders', message: `sum to ${tendered}, the total is ${order.totalMinor}` })
  return problems
}
