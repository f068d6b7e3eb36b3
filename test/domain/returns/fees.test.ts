/** In whatever pieces and sequence the goods of a return are counted, the same is kept of them, and the same given back, as of one count of all of them. */
import fc from 'fast-check'
import type { Units } from '../../../domain/payment/shares'
import { refundOfUnits, type Sold } from '../../../domain/returns/exchange-money'
import { feeOfUnits, keptOf, type FeeLine } from '../../../domain/returns/fees'
import { refundMinor } from '../../../domain/returns/refund'
import { feesOf } from '../../../domain/returns/terms'
import { holds } from '../../support/property'

const none = { minor: 0, taxMinor: 0 }
type Line = Sold['lines'][number]
const line = (more: Partial<Line>): Line => ({ lineId: '1', sku: 'SHOE', quantity: 1, unitPriceMinor: 100, discountMinor: 0, taxMinor: 0, cancelled: 0, credited: 0, replaces: null, insteadOf: null, less: none, lessGiven: 0, lessTaken: 0, value: none, charged: 0, chargedBack: 0, ...more })
const fee = (feeMinor: number, more: Partial<FeeLine> = {}): FeeLine => ({ lineId: '1', feeMinor, feePer: 'return', given: 0, worthMinor: 0, ...more })

/** Counted one after another. @returns what each count gave, and what was kept of it */
function counts(sold: Sold, fees: readonly FeeLine[], pieces: readonly (readonly Units[])[]): { givenMinor: number; keptMinor: number }[] {
  let [now, back] = [sold, { lines: fees, feeKeptMinor: 0 }]
  return pieces.map((units) => {
    const { feeMinor, worthMinor } = feeOfUnits(now, back, units)
    const { parts } = refundOfUnits(now, units, { feeMinor })
    const of = (lineId: string, amount: (u: Units, i: number) => number): number => units.reduce((sum, u, i) => (u.lineId === lineId ? sum + amount(u, i) : sum), 0)
    now = { ...now, lines: now.lines.map((l) => ({ ...l, credited: l.credited + of(l.lineId, (u) => u.quantity) })) }
    const lines = back.lines.map((l) => ({ ...l, given: l.given + of(l.lineId, (u) => u.quantity), worthMinor: l.worthMinor + of(l.lineId, (_, i) => worthMinor[i]!) }))
    back = { lines, feeKeptMinor: back.feeKeptMinor + feeMinor }
    expect(0 - parts.feeMinor).toBe(feeMinor) // never more than there is
    return { givenMinor: refundMinor(parts), keptMinor: feeMinor }
  })
}
const total = (all: readonly { givenMinor: number; keptMinor: number }[]): { givenMinor: number; keptMinor: number } => ({ givenMinor: all.reduce((sum, c) => sum + c.givenMinor, 0), keptMinor: all.reduce((sum, c) => sum + c.keptMinor, 0) })

it('keeps what the first unit does not cover of the next ones', () => {
  const sold = { lines: [line({ quantity: 3 }), line({ lineId: '2' })], shipping: { priceMinor: 490 }, taxIncluded: true }
  const one = [{ lineId: '1', quantity: 1 }]
  expect(counts(sold, [fee(250)], [[{ lineId: '1', quantity: 3 }]])).toEqual([{ givenMinor: 50, keptMinor: 250 }])
  expect(counts(sold, [fee(250)], [one, one, one])).toEqual([{ givenMinor: 0, keptMinor: 100 }, { givenMinor: 0, keptMinor: 100 }, { givenMinor: 50, keptMinor: 50 }])
})

it('keeps of a line no more than it was paid with, whichever is counted first, and what is left of shipping, which comes last', () => {
  const sold = { lines: [line({}), line({ lineId: '2', unitPriceMinor: 900 })], shipping: { priceMinor: 490 }, taxIncluded: true }
  const [first, second] = [[{ lineId: '1', quantity: 1 }], [{ lineId: '2', quantity: 1 }]]
  const fees = [fee(500), fee(50, { lineId: '2' })]
  expect([[[...first, ...second]], [first, second], [second, first]].map((pieces) => total(counts(sold, fees, pieces)).keptMinor)).toEqual([500, 500, 500])
  const more = { ...sold, lines: [...sold.lines, line({ lineId: '3' })] }
  expect([[[...first, ...second]], [first, second], [second, first]].map((pieces) => total(counts(more, fees, pieces)).keptMinor)).toEqual([150, 150, 150])
})

const returned = fc
  .record({
    lines: fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 4 }), stays: fc.nat(1), unitPriceMinor: fc.nat(600), taxMinor: fc.nat(99), off: fc.double({ min: 0, max: 1, noNaN: true }), feeMinor: fc.nat(900), feePer: fc.constantFrom('return' as const, 'line' as const) }), { minLength: 1, maxLength: 4 }),
    shipping: fc.nat(490),
    taxIncluded: fc.boolean(),
  })
  .chain(({ lines, shipping, taxIncluded }) => {
    const sold: Sold = {
      lines: lines.map(({ unitPriceMinor, taxMinor, off, quantity, stays }, i) => line({ lineId: String(i + 1), quantity: quantity + stays, unitPriceMinor, taxMinor: taxIncluded ? Math.min(taxMinor, unitPriceMinor) : taxMinor, discountMinor: Math.floor(unitPriceMinor * (quantity + stays) * off) })),
      shipping: { priceMinor: shipping }, taxIncluded,
    }
    const fees = lines.map(({ feeMinor, feePer }, i) => fee(feeMinor, { lineId: String(i + 1), feePer }))
    const units = lines.flatMap(({ quantity }, i) => Array.from({ length: quantity }, (): Units => ({ lineId: String(i + 1), quantity: 1 })))
    return fc.record({ sold: fc.constant(sold), fees: fc.constant(fees), all: fc.shuffledSubarray(units, { minLength: units.length }), size: fc.integer({ min: 1, max: units.length }) })
  })

it('gives the same in the end, and keeps the same, whatever the sequence of counts', () => {
  holds(fc.property(returned, ({ sold, fees, all, size }) => {
    const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
    const each = counts(sold, fees, pieces)
    for (const { givenMinor, keptMinor } of each) expect(Math.min(givenMinor, keptMinor)).toBeGreaterThanOrEqual(0)
    expect(total(each)).toEqual(total(counts(sold, fees, [all])))
  }), 1_000)
})

it('keeps the whole fee where each line covers its own', () => {
  holds(fc.property(fc.array(fc.record({ feeMinor: fc.nat(500), feePer: fc.constantFrom('return' as const, 'line' as const), extra: fc.nat(900) }), { minLength: 1 }), (drawn) => {
    const lines = drawn.map(({ extra, ...l }, i) => fee(l.feeMinor, { ...l, lineId: String(i), given: 1, worthMinor: l.feeMinor + extra }))
    expect(keptOf(lines)).toBe(feesOf(lines))
  }))
})
