/** A kit becomes its components, and costs exactly what it cost. */
import fc from 'fast-check'
import { withoutKits, type Kits } from '../../../domain/order/kits'
import type { NewLine } from '../../../domain/order/new-order'
import { expectedTotalMinor, totalsProblems } from '../../../domain/order/totals'
import { holds } from '../../support/property'

const line = (changes: Partial<NewLine> = {}): NewLine => ({ lineId: '1', sku: 'KIT', quantity: 1, unitPriceMinor: 1000, discountMinor: 0, taxMinor: 0, ...changes })
const kits: Kits = { KIT: [{ sku: 'A', quantity: 1 }, { sku: 'B', quantity: 2 }] }

it('names the components after the line, and keeps what was ordered with them', () => {
  const kit = { lineId: '1', sku: 'KIT', quantity: 3 }
  expect(withoutKits([line({ quantity: 3 }), line({ lineId: '2', sku: 'CAP' })], kits)).toEqual([
    { lineId: '1/1', sku: 'A', quantity: 3, unitPriceMinor: 334, discountMinor: 2, taxMinor: 0, kit },
    { lineId: '1/2', sku: 'B', quantity: 6, unitPriceMinor: 334, discountMinor: 4, taxMinor: 0, kit },
    line({ lineId: '2', sku: 'CAP' }),
  ])
})

it('takes no other SKU for a kit, whatever it is called', () => {
  expect(withoutKits([line({ sku: 'constructor' })], kits)).toEqual([line({ sku: 'constructor' })])
})

it('costs the same and owes the same tax as the kit, to the minor unit, with no discount above its line', () => {
  const amount = fc.nat({ max: 1_000_000 })
  const parts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
  const ordered = fc.record({ quantity: fc.integer({ min: 1, max: 50 }), unitPriceMinor: amount, discount: fc.double({ min: 0, max: 1, noNaN: true }), taxMinor: amount })
  holds(
    fc.property(ordered, parts, ({ discount, ...given }, quantities) => {
      const kit = line({ ...given, discountMinor: Math.floor(given.quantity * given.unitPriceMinor * discount) })
      const made = withoutKits([kit], { KIT: quantities.map((quantity, i) => ({ sku: `P${i}`, quantity })) })
      for (const taxIncluded of [true, false]) {
        const order = { lines: [kit], shipping: { priceMinor: 490, taxMinor: 78 }, totalMinor: 0, taxIncluded, tenders: [] }
        const totalMinor = expectedTotalMinor(order)
        expect(totalsProblems({ ...order, lines: made, totalMinor, tenders: [{ amountMinor: totalMinor }] })).toEqual([])
      }
      expect(made.map((l) => l.quantity)).toEqual(quantities.map((q) => q * kit.quantity))
      expect(made.every((l) => l.discountMinor >= 0 && l.unitPriceMinor >= 0 && l.taxMinor >= 0)).toBe(true)
    }),
  )
})
