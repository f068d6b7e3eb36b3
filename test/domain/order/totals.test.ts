/** Does an order add up? */
import fc from 'fast-check'
import { expectedTotalMinor, totalsProblems, type PricedOrder } from '../../../domain/order/totals'
import { holds } from '../../support/property'

const cents = fc.integer({ min: 0, max: 100_000 })
const line = fc
  .record({ lineId: fc.string(), quantity: fc.integer({ min: 1, max: 50 }), unitPriceMinor: cents, discount: fc.double({ min: 0, max: 1, noNaN: true }), taxMinor: cents })
  .map(({ discount, ...l }) => ({ ...l, discountMinor: Math.floor(discount * l.unitPriceMinor * l.quantity) }))
const order = fc
  .record({ lines: fc.array(line, { minLength: 1, maxLength: 10 }), shipping: fc.record({ priceMinor: cents, taxMinor: cents }), taxIncluded: fc.boolean() })
  .map((o): PricedOrder => {
    const totalMinor = expectedTotalMinor({ ...o, totalMinor: 0, tenders: [] })
    return { ...o, totalMinor, tenders: [{ amountMinor: totalMinor }] }
  })

it('finds nothing wrong with an order that adds up', () => {
  holds(fc.property(order, (o) => expect(totalsProblems(o)).toEqual([])))
})

it('notices a total that is off by any amount, and says what it should be', () => {
  holds(
    fc.property(order, fc.integer({ min: 1, max: 1_000_000 }), (o, off) => {
      const wrong = { ...o, totalMinor: o.totalMinor + off, tenders: [{ amountMinor: o.totalMinor + off }] }
      expect(totalsProblems(wrong)).toEqual([{ pointer: '/totalMinor', message: expect.stringContaining(`should be ${o.totalMinor}`) }])
    }),
  )
})

it('notices tenders that do not cover the total, and a discount larger than its line', () => {
  const base: PricedOrder = {
    lines: [{ lineId: '1', quantity: 2, unitPriceMinor: 500, discountMinor: 0, taxMinor: 160 }],
    shipping: { priceMinor: 490, taxMinor: 78 },
    totalMinor: 1490,
    taxIncluded: true,
    tenders: [{ amountMinor: 1490 }],
  }
  expect(totalsProblems(base)).toEqual([])
  expect(totalsProblems({ ...base, tenders: [{ amountMinor: 1000 }, { amountMinor: 100 }] })).toEqual([{ pointer: '/tenders', message: 'sum to 1100, the total is 1490' }])
  expect(totalsProblems({ ...base, taxIncluded: false, totalMinor: 1728, tenders: [{ amountMinor: 1728 }] })).toEqual([])
  const over = { ...base, lines: [{ ...base.lines[0]!, discountMinor: 1001 }], totalMinor: 489, tenders: [{ amountMinor: 489 }] }
  expect(totalsProblems(over)).toEqual([{ pointer: '/lines/0/discountMinor', message: expect.stringContaining('1000') }])
})
