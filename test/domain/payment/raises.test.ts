/** Whatever is added after the click, what was there before keeps its worth, and giving it all up again gives back what it cost. */
import fc from 'fast-check'
import { moneyOfChange, raiseOf, withRaise } from '../../../domain/payment/raises'
import { shareBreakdown, shareMinor, worthMinor, type PricedLine, type Tender, type Units, type Priced } from '../../../domain/payment/shares'
import { holds } from '../../support/property'

const line = fc
  .record({ quantity: fc.integer({ min: 1, max: 9 }), unitPriceMinor: fc.nat(50_000), taxMinor: fc.nat(9_999), discounted: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ discounted, ...l }): PricedLine => ({ ...l, lineId: '1', discountMinor: Math.floor(l.unitPriceMinor * l.quantity * discounted) }))
const raised = fc.record({ line, by: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }), taxIncluded: fc.boolean(), shipping: fc.record({ priceMinor: fc.nat(2_000), taxMinor: fc.nat(400) }) }).map(({ line: l, by, ...rest }) => ({
  before: { ...rest, lines: [l] },
  after: { ...rest, lines: [by.reduce((grown, quantity) => withRaise(grown, raiseOf(grown, quantity)), l)] },
  by,
}))
const units = (quantity: number): Units[] => [{ lineId: '1', quantity }]
const sum = (amounts: readonly number[]): number => amounts.reduce((a, b) => a + b, 0)

it('leaves every unit that was there what it was worth, so that nothing taken or given back has to be corrected', () => {
  holds(
    fc.property(raised, ({ before, after }) => {
      for (let n = 0; n <= before.lines[0]!.quantity; n += 1) expect(worthMinor(after, units(n))).toBe(worthMinor(before, units(n)))
    }),
  )
})

it('adds each unit at the price of its line and taxes all of them at its rate, rounded once, however many raises they came in', () => {
  holds(
    fc.property(raised, ({ before, after, by }) => {
      const [was, is] = [before.lines[0]!, after.lines[0]!]
      const paidMinor = was.unitPriceMinor * was.quantity - was.discountMinor
      const taxMinor = is.taxMinor - was.taxMinor
      expect(is.quantity - was.quantity).toBe(sum(by))
      if (paidMinor > 0) expect(Math.abs(taxMinor - (was.taxMinor * was.unitPriceMinor * sum(by)) / paidMinor)).toBeLessThanOrEqual(0.5 + 1e-6)
      expect(withRaise(was, raiseOf(was, sum(by))).taxMinor).toBe(is.taxMinor)
      expect(worthMinor(after, units(is.quantity)) - worthMinor(before, units(was.quantity))).toBe(was.unitPriceMinor * sum(by) + (before.taxIncluded ? 0 : taxMinor))
    }),
  )
})

it('shares a grown order like any other: parts add up to it, each within what is left, and so do the parts of the parts', () => {
  holds(
    fc.property(raised, fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 40, maxLength: 40 }), ({ after }, cuts) => {
      const parts: Units[][] = []
      for (let left = after.lines[0]!.quantity, i = 0; left > 0; i += 1) {
        parts.push(units(Math.min(left, cuts[i % cuts.length]!)))
        left -= parts.at(-1)![0]!.quantity
      }
      const before = (i: number): Units[] => parts.slice(0, i).flat()
      const shares = parts.map((part, i) => shareMinor(after, before(i), part))
      expect(sum(shares)).toBe(worthMinor(after, parts.flat()))
      parts.forEach((part, i) => {
        const { goodsMinor, discountMinor, taxMinor, shippingMinor } = shareBreakdown(after, before(i), part)
        expect(goodsMinor - discountMinor + taxMinor + shippingMinor).toBe(shares[i])
        expect(shares[i]).toBeGreaterThanOrEqual(0)
      })
    }),
  )
})

it('charges all of a raise where its tender covers it and holds it no more, and nothing of what the order was worth before', () => {
  const order = (quantity: number): Priced => ({ lines: [{ lineId: '1', quantity, unitPriceMinor: 1_000, discountMinor: 0, taxMinor: 0 }], shipping: { priceMinor: 490 }, taxIncluded: true })
  const up = (heldMinor: number, from: number, to: number) =>
    moneyOfChange([{ tenderId: 'a', amountMinor: 3_490, takenElsewhere: false }], { order: order(from), units: units(from) }, { order: order(to), units: units(to) }, heldMinor)
  expect(up(3_490, 2, 3)).toMatchObject({ deltaMinor: 1_000, chargeMinor: 0 })
  expect(up(2_490, 2, 3)).toMatchObject({ deltaMinor: 1_000, chargeMinor: 1_000, closesTenders: true })
  expect(up(2_490, 2, 5)).toMatchObject({ deltaMinor: 3_000, chargeMinor: 3_000, closesTenders: true })
  // What is not held of the order as it was is held again by itself, before it leaves.
  expect(up(1_490, 3, 4)).toMatchObject({ deltaMinor: 1_000, chargeMinor: 1_000 })
  expect(up(1_490, 3, 4).closesTenders).toBeUndefined()
})

it('gives back exactly what a raise cost when all of it is given up, and asks the bank only for what the tenders do not cover', () => {
  holds(
    fc.property(raised, fc.nat(100), fc.boolean(), ({ before, after }, share, elsewhere) => {
      const [was, is] = [{ order: before, units: units(before.lines[0]!.quantity) }, { order: after, units: units(after.lines[0]!.quantity) }]
      const total = worthMinor(was.order, was.units)
      const first = Math.floor((total * share) / 100)
      const tenders: Tender[] = [{ tenderId: 'a', amountMinor: first, takenElsewhere: elsewhere }, { tenderId: 'b', amountMinor: total - first, takenElsewhere: false }]
      const up = moneyOfChange(tenders, was, is)
      expect(up).toEqual({ deltaMinor: up.chargeMinor, chargeMinor: worthMinor(is.order, is.units) - total, letGoMinor: 0, refundMinor: 0 })
      const paid = [...tenders, { tenderId: 'a+1', amountMinor: up.chargeMinor, takenElsewhere: false }]
      const down = moneyOfChange(paid, is, { order: after, units: was.units })
      expect(down).toEqual({ deltaMinor: 0 - up.deltaMinor, chargeMinor: 0, letGoMinor: up.deltaMinor, refundMinor: 0 })
      const again = moneyOfChange(paid, { order: after, units: was.units }, is)
      expect(again).toMatchObject({ deltaMinor: up.deltaMinor, chargeMinor: 0 })
      const nothing = moneyOfChange(paid, is, { order: after, units: [] })
      expect(nothing.letGoMinor + nothing.refundMinor).toBe(sum(paid.map((t) => t.amountMinor)))
    }),
  )
})
