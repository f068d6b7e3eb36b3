/** What a draft comes to, whatever is taken off it and taxed. */
import fc from 'fast-check'
import { draftTotals, pricingProblems, type Discount, type DraftLine, type PricedDraft } from '../../../domain/draft/totals'
import { totalsProblems } from '../../../domain/order/totals'
import { holds } from '../../support/property'

const cents = fc.integer({ min: 0, max: 1_000_000 })
const rate = fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: undefined })
const discount: fc.Arbitrary<Discount | undefined> = fc.option(fc.oneof(cents.map((amountMinor) => ({ amountMinor })), fc.integer({ min: 0, max: 10_000 }).map((basisPoints) => ({ basisPoints }))), { nil: undefined })
const line = fc
  .record({ quantity: fc.integer({ min: 1, max: 60 }), unitPriceMinor: cents, override: fc.option(cents, { nil: undefined }), discount, taxBasisPoints: rate })
  .map(({ override, ...l }): Omit<DraftLine, 'lineId'> => ({ ...l, sku: 'S', ...(override !== undefined && { override: { unitPriceMinor: override, reason: 'r' } }) }))
const draft: fc.Arbitrary<PricedDraft> = fc.record({
  lines: fc.array(line, { maxLength: 12 }).map((lines) => lines.map((l, i) => ({ ...l, lineId: String(i) }))),
  discount,
  shipping: fc.option(fc.record({ priceMinor: cents, taxBasisPoints: rate }), { nil: undefined }),
  taxIncluded: fc.boolean(),
})
const sound = draft.filter((d) => pricingProblems(d).length === 0)

it('is an order that adds up, whatever was taken off', () => {
  holds(
    fc.property(sound, (d) => {
      const { lines, shipping, totalMinor } = draftTotals(d)
      expect(totalsProblems({ lines, shipping, totalMinor, taxIncluded: d.taxIncluded, tenders: [{ amountMinor: totalMinor }] })).toEqual([])
    }),
  )
})

it('shares the discount of the whole out to the cent, and takes no line below nothing', () => {
  holds(
    fc.property(sound, (d) => {
      const { lines, goodsMinor, discountMinor } = draftTotals(d)
      const ownMinor = draftTotals({ ...d, discount: undefined }).discountMinor
      const { amountMinor, basisPoints = 0 } = d.discount ?? {}
      const ofAllMinor = amountMinor ?? Number((2n * BigInt(goodsMinor - ownMinor) * BigInt(basisPoints) + 10_000n) / 20_000n)
      if (lines.length) expect(discountMinor).toBe(ownMinor + ofAllMinor)
      for (const l of lines) {
        expect(l.netMinor).toBe(l.unitPriceMinor * l.quantity - l.discountMinor)
        expect(l.netMinor).toBeGreaterThanOrEqual(0)
      }
    }),
  )
})

it('finds the tax in a price so that price without tax and tax are the price again, within half a cent of the rate', () => {
  holds(
    fc.property(sound, (d) => {
      for (const [i, { netMinor, taxMinor }] of draftTotals(d).lines.entries()) {
        const bp = d.lines[i]!.taxBasisPoints ?? 0
        const baseMinor = d.taxIncluded ? netMinor - taxMinor : netMinor
        expect(Math.abs(baseMinor * bp - taxMinor * 10_000)).toBeLessThanOrEqual((10_000 + bp) / 2)
      }
    }),
  )
})

it('reckons as people do on paper', () => {
  const three = { lineId: '1', sku: 'S', quantity: 3, unitPriceMinor: 999, taxBasisPoints: 1900 }
  const totals = draftTotals({ lines: [three, { ...three, lineId: '2', quantity: 1 }], discount: { amountMinor: 1000, reason: 'regular' }, shipping: { priceMinor: 490, taxBasisPoints: 1900 }, taxIncluded: true })
  expect(totals).toMatchObject({ goodsMinor: 3996, discountMinor: 1000, shipping: { priceMinor: 490, taxMinor: 78 }, totalMinor: 3486 })
  expect(totals.lines.map((l) => [l.discountMinor, l.netMinor, l.taxMinor])).toEqual([[750, 2247, 359], [250, 749, 120]])
  expect(draftTotals({ lines: [{ ...three, override: { unitPriceMinor: 500, reason: 'seen cheaper' } }], taxIncluded: false })).toMatchObject({ goodsMinor: 1500, taxMinor: 285, totalMinor: 1785 })
})

it('says which discount is more than what it is taken off, and which amounts nobody can add up', () => {
  const one = { lineId: '1', sku: 'S', quantity: 1, unitPriceMinor: 100 }
  expect(pricingProblems({ lines: [{ ...one, discount: { amountMinor: 101 } }], taxIncluded: true })).toEqual([{ pointer: '/lines/0/discount/amountMinor', message: expect.stringContaining('100') }])
  expect(pricingProblems({ lines: [{ ...one, discount: { basisPoints: 5000 } }], discount: { amountMinor: 51 }, taxIncluded: true })).toEqual([{ pointer: '/discount/amountMinor', message: expect.stringContaining('50') }])
  expect(pricingProblems({ lines: [{ ...one, quantity: 100_000, unitPriceMinor: 99_999_999_999 }], taxIncluded: true })).toEqual([{ pointer: '/lines/0/quantity', message: expect.stringContaining('too large') }])
})
