/** Whatever comes back, in whatever pieces: the refunds are what was paid, to the cent, and each says what it is made of. */
import fc from 'fast-check'
import { worthMinor, type Priced, type Units } from '../../../domain/payment/shares'
import { counting, partsBetween, partsOf, refundMinor, refundOf, spread, type RefundParts } from '../../../domain/returns/refund'
import { holds } from '../../support/property'

const order: fc.Arbitrary<Priced> = fc.record({
  lines: fc
    .array(fc.record({ quantity: fc.integer({ min: 1, max: 6 }), unitPriceMinor: fc.nat(50_000), taxMinor: fc.nat(9_999), off: fc.double({ min: 0, max: 1, noNaN: true }) }), { minLength: 1, maxLength: 5 })
    .map((lines) => lines.map(({ off, ...l }, i) => ({ ...l, lineId: String(i + 1), discountMinor: Math.floor(l.unitPriceMinor * l.quantity * off) }))),
  shipping: fc.nat(400).chain((taxMinor) => fc.record({ priceMinor: fc.integer({ min: taxMinor, max: 2_000 }), taxMinor: fc.constant(taxMinor) })),
  taxIncluded: fc.boolean(),
})
/** An order, and its units in the pieces they come back in. */
const comingBack = order.chain((o) => {
  const units = o.lines.flatMap((l) => Array.from({ length: l.quantity }, (): Units => ({ lineId: l.lineId, quantity: 1 })))
  return fc.tuple(fc.constant(o), fc.shuffledSubarray(units, { minLength: units.length }), fc.integer({ min: 1, max: units.length })).map(([o_, all, size]) => ({
    order: o_,
    pieces: Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size)),
  }))
})

const everything = (o: Priced): Units[] => o.lines.map(({ lineId, quantity }) => ({ lineId, quantity }))
const without = (kept: readonly Units[], back: readonly Units[]): Units[] =>
  kept.map(({ lineId, quantity }) => ({ lineId, quantity: quantity - back.filter((b) => b.lineId === lineId).reduce((n, b) => n + b.quantity, 0) }))
const sum = (amounts: readonly number[]): number => amounts.reduce((a, b) => a + b, 0)

it('gives back exactly what was paid once all of it is back, in whatever pieces, and never more than what is left', () => {
  holds(
    fc.property(comingBack, ({ order: o, pieces }) => {
      let kept = everything(o)
      let leftMinor = worthMinor(o, kept)
      for (const back of pieces) {
        const parts = refundOf(o, kept, back)
        expect(parts.shippingMinor).toBeGreaterThanOrEqual(0)
        expect(refundMinor(parts)).toBeGreaterThanOrEqual(0)
        leftMinor -= refundMinor(parts)
        kept = without(kept, back)
        expect(leftMinor).toBe(worthMinor(o, kept))
      }
      expect(leftMinor).toBe(0)
    }),
  )
})

it('keeps shipping until the last unit is back, and of every refund a fee that is never more than it', () => {
  const o: Priced = { lines: [{ lineId: '1', quantity: 2, unitPriceMinor: 1_190, discountMinor: 0, taxMinor: 380 }], shipping: { priceMinor: 490, taxMinor: 78 }, taxIncluded: true }
  expect(refundOf(o, everything(o), [{ lineId: '1', quantity: 1 }])).toEqual({ goodsMinor: 1_000, taxMinor: 190, shippingMinor: 0, feeMinor: 0 })
  expect(refundOf(o, [{ lineId: '1', quantity: 1 }], [{ lineId: '1', quantity: 1 }], { feeMinor: 300 })).toEqual({ goodsMinor: 1_000, taxMinor: 190 + 78, shippingMinor: 412, feeMinor: -300 })
  expect(refundOf(o, [{ lineId: '1', quantity: 1 }], [{ lineId: '1', quantity: 1 }], { withShipping: false })).toEqual({ goodsMinor: 1_000, taxMinor: 190, shippingMinor: 0, feeMinor: 0 })
  expect(refundMinor(refundOf(o, everything(o), [{ lineId: '1', quantity: 1 }], { feeMinor: 99_999 }))).toBe(0)
})

const parts: fc.Arbitrary<RefundParts> = fc.record({ goodsMinor: fc.nat(90_000), taxMinor: fc.nat(9_000), shippingMinor: fc.nat(900), feeMinor: fc.constant(0) })

it('splits what is given again between payments, and nothing else of it', () => {
  const again: RefundParts = { goodsMinor: 0, taxMinor: 0, shippingMinor: 0, feeMinor: 0, againMinor: 900 }
  expect(partsOf(again, [400, 500])).toEqual([{ ...again, againMinor: 400 }, { ...again, againMinor: 500 }])
  expect(partsBetween([{ amountMinor: 900, parts: again }], 0, 900)).toEqual(again)
})

it('spreads a refund over payments in their sequence, none beyond what it has, and says what nobody has', () => {
  holds(
    fc.property(fc.array(fc.nat(5_000), { maxLength: 5 }), fc.nat(12_000), (lefts, amountMinor) => {
      const payments = lefts.map((leftMinor, i) => ({ paymentId: String(i), leftMinor }))
      const { shares, missingMinor } = spread(payments, amountMinor)
      expect(sum(shares.map((s) => s.amountMinor)) + missingMinor).toBe(amountMinor)
      for (const s of shares) expect(s.amountMinor).toBeLessThanOrEqual(payments.find((p) => p.paymentId === s.paymentId)!.leftMinor)
      if (missingMinor > 0) expect(sum(shares.map((s) => s.amountMinor))).toBe(sum(lefts))
    }),
  )
})

it('divides the parts of a refund over its shares so that every share and every part adds up', () => {
  holds(
    fc.property(parts, fc.array(fc.nat(100), { minLength: 1, maxLength: 5 }), (whole, weights) => {
      const total = refundMinor(whole)
      const heavy = sum(weights) || 1
      const cuts = weights.map((_, i) => Math.floor((total * sum(weights.slice(0, i + 1))) / heavy))
      const shares = cuts.map((cut, i) => cut - (cuts[i - 1] ?? 0))
      if (sum(weights) === 0) shares[0] = total
      const divided = partsOf(whole, shares)
      expect(divided.map(refundMinor)).toEqual(shares)
      for (const part of ['goodsMinor', 'taxMinor', 'shippingMinor', 'feeMinor'] as const) expect(sum(divided.map((p) => p[part]))).toBe(whole[part])
    }),
  )
})

it('divides a refund into what payments give, what was given ahead and what is owed, and keeps the fee whole', () => {
  holds(
    fc.property(parts, fc.nat(500), fc.nat(100), fc.nat(100), ({ ...paid }, fee, given, counted) => {
      const whole = { ...paid, feeMinor: 0 - Math.min(fee, refundMinor(paid)) }
      const amountMinor = refundMinor(whole)
      const givenMinor = Math.floor((amountMinor * given) / 100)
      const countedMinor = Math.floor(((amountMinor - givenMinor) * counted) / 100)
      const both = counting(whole, { givenMinor, countedMinor })
      expect([refundMinor(both.given), refundMinor(both.counted)]).toEqual([givenMinor, countedMinor])
      const oweds = amountMinor - givenMinor - countedMinor
      if (givenMinor + countedMinor > 0) for (const part of ['taxMinor', 'shippingMinor', 'feeMinor'] as const) expect(both.given[part] + both.counted[part]).toBe(whole[part])
      if (givenMinor > 0) expect(both.given.feeMinor).toBe(whole.feeMinor)
      if (givenMinor + countedMinor > 0) expect(both.given.goodsMinor + both.counted.goodsMinor).toBe(whole.goodsMinor - oweds)
    }),
  )
})

it('tells of money that is given back in other steps than the refunds what it is made of, and adds up', () => {
  holds(
    fc.property(fc.array(parts, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(100), { maxLength: 4 }), (all, steps) => {
      const refunds = all.map((p) => ({ amountMinor: refundMinor(p), parts: p }))
      const total = sum(refunds.map((r) => r.amountMinor))
      const cuts = [...new Set([0, ...steps.map((s) => Math.floor((total * s) / 100)), total])].sort((a, b) => a - b)
      const told = cuts.slice(1).map((to, i) => ({ amount: to - cuts[i]!, parts: partsBetween(refunds, cuts[i]!, to)! }))
      for (const { amount, parts: p } of told) expect(refundMinor(p)).toBe(amount)
      for (const part of ['goodsMinor', 'taxMinor', 'shippingMinor'] as const) if (total > 0) expect(sum(told.map((t) => t.parts[part]))).toBe(sum(all.map((p) => p[part])))
      expect(partsBetween(refunds, total, total + 5)).toBeUndefined()
    }),
  )
})
