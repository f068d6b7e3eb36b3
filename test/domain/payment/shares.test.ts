/** Whatever parts an order leaves in, the shares are its total to the cent. */
import fc from 'fast-check'
import { expectedTotalMinor } from '../../../domain/order/totals'
import { payersOf, shareBreakdown, shareMinor, worthBreakdown, worthMinor, type Priced, type Tender, type Units } from '../../../domain/payment/shares'
import { holds } from '../../support/property'

const line = fc
  .record({ quantity: fc.integer({ min: 1, max: 12 }), unitPriceMinor: fc.nat(50_000), taxMinor: fc.nat(9_999), discounted: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ discounted, ...l }) => ({ ...l, discountMinor: Math.floor(l.unitPriceMinor * l.quantity * discounted) }))
const order: fc.Arbitrary<Priced & { shipping: { taxMinor: number } }> = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 5 }).map((lines) => lines.map((l, i) => ({ ...l, lineId: String(i + 1) }))),
  shipping: fc.record({ priceMinor: fc.nat(2_000), taxMinor: fc.nat(400) }),
  taxIncluded: fc.boolean(),
})

/** An order and its units dealt out to parts, in any order; parts may be empty. */
const parted = order.chain((o) => {
  const units = o.lines.flatMap((l) => Array.from({ length: l.quantity }, (): Units => ({ lineId: l.lineId, quantity: 1 })))
  const shuffled = fc.shuffledSubarray(units, { minLength: units.length })
  return fc.tuple(fc.constant(o), shuffled, fc.array(fc.nat(3), { minLength: units.length, maxLength: units.length })).map(([o_, all, part]) => ({
    order: o_,
    parts: [0, 1, 2, 3].map((n) => all.filter((_, i) => part[i] === n)),
  }))
})

const totalOf = (o: Priced & { shipping: { taxMinor: number } }): number => expectedTotalMinor({ ...o, totalMinor: 0, tenders: [] })

const sharesOf = (o: Priced, parts: readonly (readonly Units[])[]): number[] => parts.map((part, i) => shareMinor(o, parts.slice(0, i).flat(), part))

const sum = (amounts: readonly number[]): number => amounts.reduce((a, b) => a + b, 0)

it('shares any partition of an order so that the parts add up to its total, each within what is left of it', () => {
  holds(
    fc.property(parted, ({ order: o, parts }) => {
      const total = totalOf(o)
      const shares = sharesOf(o, parts)
      expect(sum(shares)).toBe(total)
      shares.forEach((share, i) => {
        expect(share).toBeGreaterThanOrEqual(0)
        expect(share).toBeLessThanOrEqual(total - sum(shares.slice(0, i)))
      })
    }),
  )
})

it('gives every unit of a line its even part, a cent up or down', () => {
  holds(
    fc.property(parted, ({ order: o, parts }) => {
      for (const l of o.lines) {
        const all = l.unitPriceMinor * l.quantity - l.discountMinor + (o.taxIncluded ? 0 : l.taxMinor)
        const alone = { ...o, lines: [l], shipping: { priceMinor: 0, taxMinor: 0 } }
        const mine = parts.map((part) => part.filter((u) => u.lineId === l.lineId))
        sharesOf(alone, mine).forEach((share, i) => expect(Math.abs(share - (all * mine[i]!.length) / l.quantity)).toBeLessThanOrEqual(1))
      }
    }),
  )
})

it('says what each share is made of: the parts of the parts are the shares, and in all those of the order', () => {
  holds(
    fc.property(parted, ({ order: o, parts }) => {
      const broken = parts.map((part, i) => shareBreakdown(o, parts.slice(0, i).flat(), part))
      expect(broken.map((b) => b.goodsMinor - b.discountMinor + b.taxMinor + b.shippingMinor)).toEqual(sharesOf(o, parts))
      const taxMinor = sum(o.lines.map((l) => l.taxMinor))
      expect({
        goodsMinor: sum(broken.map((b) => b.goodsMinor)),
        discountMinor: sum(broken.map((b) => b.discountMinor)),
        taxMinor: sum(broken.map((b) => b.taxMinor)),
        shippingMinor: sum(broken.map((b) => b.shippingMinor)),
      }).toEqual({
        goodsMinor: sum(o.lines.map((l) => l.unitPriceMinor * l.quantity)) - (o.taxIncluded ? taxMinor : 0),
        discountMinor: sum(o.lines.map((l) => l.discountMinor)),
        taxMinor: taxMinor + o.shipping.taxMinor,
        shippingMinor: o.shipping.priceMinor - (o.taxIncluded ? o.shipping.taxMinor : 0),
      })
    }),
  )
})

it('shares tax and discount of a line evenly to the cent, and gives no discount to a line without one', () => {
  holds(
    fc.property(order, fc.nat(), (o, pick) => {
      const l = o.lines[pick % o.lines.length]!
      const units = pick % (l.quantity + 1)
      const part = worthBreakdown({ ...o, shipping: { priceMinor: 0, taxMinor: 0 } }, [{ lineId: l.lineId, quantity: units }])
      expect(Math.abs(part.taxMinor - (l.taxMinor * units) / l.quantity)).toBeLessThanOrEqual(0.5)
      expect(Math.abs(part.discountMinor - (l.discountMinor * units) / l.quantity)).toBeLessThanOrEqual(1)
      if (l.discountMinor === 0) expect(part.discountMinor).toBe(0)
    }),
  )
})

it('adds shipping once, to the first part that leaves', () => {
  holds(
    fc.property(parted, ({ order: o, parts }) => {
      const without = { ...o, shipping: { priceMinor: 0, taxMinor: 0 } }
      const added = sharesOf(o, parts).map((share, i) => share - sharesOf(without, parts)[i]!)
      const first = parts.findIndex((part) => part.length > 0)
      const shipping = o.shipping.priceMinor + (o.taxIncluded ? 0 : o.shipping.taxMinor)
      expect(added).toEqual(parts.map((_, i) => (i === first ? shipping : 0)))
    }),
  )
})

it('takes each share from tenders in their order, none above its amount', () => {
  const cuts = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { minLength: 1, maxLength: 4 })
  holds(
    fc.property(parted, cuts, ({ order: o, parts }, portions) => {
      const tenders = tendersOf(totalOf(o), portions)
      const shares = sharesOf(o, parts)
      const paid = new Map(tenders.map((t) => [t.tenderId, 0]))
      shares.forEach((share, i) => {
        const payers = payersOf(tenders, sum(shares.slice(0, i)), share)
        expect(sum(payers.map((p) => p.amountMinor))).toBe(share)
        for (const p of payers) {
          const before = tenders.slice(0, tenders.findIndex((t) => t.tenderId === p.tenderId))
          paid.set(p.tenderId, paid.get(p.tenderId)! + p.amountMinor)
          for (const earlier of before) expect(paid.get(earlier.tenderId)).toBe(earlier.amountMinor)
        }
      })
      for (const t of tenders) expect(paid.get(t.tenderId)).toBe(t.amountMinor)
    }),
  )
})

it('works an example: three of a discounted line of three, one by one, and a card for what the voucher does not cover', () => {
  const o: Priced = { lines: [{ lineId: '1', quantity: 3, unitPriceMinor: 1000, discountMinor: 100, taxMinor: 551 }], shipping: { priceMinor: 490, taxMinor: 93 }, taxIncluded: false }
  const one = { lineId: '1', quantity: 1 }
  expect(worthMinor(o, [{ lineId: '1', quantity: 3 }])).toBe(4034)
  expect(sharesOf(o, [[one], [one], [one]])).toEqual([1733, 1151, 1150])
  const tenders: Tender[] = [
    { tenderId: 'voucher', amountMinor: 2000, takenElsewhere: true },
    { tenderId: 'card', amountMinor: 2034, takenElsewhere: false },
  ]
  expect(payersOf(tenders, 0, 1733)).toEqual([{ tenderId: 'voucher', amountMinor: 1733 }])
  expect(payersOf(tenders, 1733, 1151)).toEqual([{ tenderId: 'voucher', amountMinor: 267 }, { tenderId: 'card', amountMinor: 884 }])
})

function tendersOf(totalMinor: number, portions: readonly (readonly [number, boolean])[]): Tender[] {
  let left = totalMinor
  return portions.map(([portion, takenElsewhere], i) => {
    const amountMinor = i === portions.length - 1 ? left : Math.floor(left * portion)
    left -= amountMinor
    return { tenderId: String(i), amountMinor, takenElsewhere }
  })
}
