/**
 * What more costs than was ordered: more units of a line at its price and its rate of tax, lines that are added, another price of shipping. The units from before
 * keep what they were worth, so nothing that was taken or given back has to be corrected; and the difference is that of two running totals, to the cent.
 */
import { payersOf, worthMinor, type Priced, type PricedLine, type Raise, type Tender, type Units } from './shares'

/** @returns the batch that `quantity` more units of a line are: whatever the number of raises, their taxes add up to the rate's share of all of them, rounded once. */
export function raiseOf(line: PricedLine, quantity: number): Raise {
  const { raised = [] } = line
  const [units, taxMinor] = [raised.reduce((n, r) => n + r.quantity, 0), raised.reduce((n, r) => n + r.taxMinor, 0)]
  const first = { quantity: line.quantity - units, taxMinor: line.taxMinor - taxMinor }
  const paidMinor = line.unitPriceMinor * first.quantity - line.discountMinor
  const taxOf = (more: number): number => (paidMinor > 0 ? shareOf(first.taxMinor, line.unitPriceMinor * more, paidMinor) : 0)
  return { quantity, taxMinor: taxOf(units + quantity) - taxOf(units) }
}

/** `tax × price ÷ paid`, rounded once; exact where the product leaves the safe integers. */
const shareOf = (taxMinor: number, priceMinor: number, paidMinor: number): number => Number((BigInt(taxMinor) * BigInt(priceMinor) * 2n + BigInt(paidMinor)) / (BigInt(paidMinor) * 2n))

export const withRaise = <Line extends PricedLine>(line: Line, raise: Raise): Line => ({
  ...line, quantity: line.quantity + raise.quantity, taxMinor: line.taxMinor + raise.taxMinor, raised: [...(line.raised ?? []), raise],
})

/** What a change moves. Exactly one of the last three may be above zero where the order becomes cheaper or dearer; none where it costs the same. */
export interface MoneyOfChange {
  /** By how much the order becomes dearer; below zero: cheaper. */
  deltaMinor: number
  /** What has to be held for it first: what its tenders do not cover; or all by which the order becomes dearer, where what they cover is not held any more. */
  chargeMinor: number
  /** What the tenders pay of the order as it is is all they pay from then on. */
  closesTenders?: true
  /** Held, or would be, and not taken. */
  letGoMinor: number
  /** Taken already, by others or at once: it is given back by whoever has it. */
  refundMinor: number
}

/**
 * @param before the order and the units of it that are wanted, or gone, without the change; `after` with it
 * @param heldMinor what the tenders have taken and hold: a card that can be charged once has let go of what the first part did not take. What the order was worth already is held again by itself before it leaves.
 */
export function moneyOfChange(tenders: readonly Tender[], before: { order: Priced; units: readonly Units[] }, after: { order: Priced; units: readonly Units[] }, heldMinor = Number.POSITIVE_INFINITY): MoneyOfChange {
  const [was, is] = [worthMinor(before.order, before.units), worthMinor(after.order, after.units)]
  const elsewhere = new Set(tenders.filter((t) => t.takenElsewhere).map((t) => t.tenderId))
  const coveredMinor = tenders.reduce((sum, t) => sum + t.amountMinor, 0)
  const refundMinor = payersOf(tenders, is, Math.max(0, was - is)).reduce((sum, p) => sum + (elsewhere.has(p.tenderId) ? p.amountMinor : 0), 0)
  const uncoveredMinor = Math.max(0, is - coveredMinor)
  const closes = is - Math.max(was, heldMinor) > uncoveredMinor
  return { deltaMinor: is - was, chargeMinor: closes ? is - was : uncoveredMinor, ...(closes && { closesTenders: true }), letGoMinor: Math.max(0, was - is) - refundMinor, refundMinor }
}
