/** Whatever is cancelled, in whatever pieces: no unit twice, none that is packed or gone, and the cents add up. */
import fc from 'fast-check'
import { cancellableStates, cancellableUnits, cancelledMinor, leavesNothing, planCancellation, unitStates, wantedUnits, withoutSentAgain, type LineInPlaces, type UnitState } from '../../../domain/order/cancellation'
import { unitsWanted, type ChangeOperation } from '../../../domain/order/change'
import { worthMinor, type Priced } from '../../../domain/payment/shares'
import { Refusal } from '../../../domain/refusals'
import { holds } from '../../support/property'

/** None of the drawn parcels is known to be whole. */
const isFixed = (state: UnitState): boolean => !(cancellableStates as readonly string[]).includes(state)
const state = fc.constantFrom(...unitStates)
const line = fc
  .record({
    places: fc.array(fc.record({ state, quantity: fc.integer({ min: 1, max: 5 }) }), { minLength: 1, maxLength: 6 }),
    unitPriceMinor: fc.nat(50_000),
    taxMinor: fc.nat(9_999),
    discounted: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ places, unitPriceMinor, taxMinor, discounted }) => {
    const quantity = places.reduce((sum, p) => sum + p.quantity, 0)
    return { places, quantity, unitPriceMinor, taxMinor, discountMinor: Math.floor(unitPriceMinor * quantity * discounted), sku: 'SKU', cancelled: 0, kit: null }
  })
const order = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.map((l, i) => ({ ...l, lineId: String(i + 1) }))),
  shipping: fc.record({ priceMinor: fc.nat(2_000), taxMinor: fc.nat(400) }),
  taxIncluded: fc.boolean(),
})
type Order = Omit<Priced, 'lines'> & { lines: (Priced['lines'][number] & LineInPlaces)[] }

/** A piece of a line after the other, until nothing that may be cancelled is left. */
const steps = fc.array(fc.record({ line: fc.nat(), quantity: fc.integer({ min: 1, max: 9 }) }), { maxLength: 40 })

/** The lines once `taken` are cancelled. */
const without = (lines: Order['lines'], taken: ReturnType<typeof planCancellation>): Order['lines'] =>
  lines.map((l) => {
    const mine = taken.filter((t) => t.lineId === l.lineId)
    const left = l.places.map((p) => ({ ...p }))
    for (const t of mine) {
      const place = left.find((p) => p.state === t.state && p.quantity >= t.quantity)!
      place.quantity -= t.quantity
    }
    return { ...l, cancelled: l.cancelled + mine.reduce((sum, t) => sum + t.quantity, 0), places: left.filter((p) => p.quantity > 0) }
  })

const merged = (l: LineInPlaces): LineInPlaces['places'] =>
  unitStates.map((s) => ({ state: s, quantity: l.places.filter((p) => p.state === s).reduce((sum, p) => sum + p.quantity, 0) })).filter((p) => p.quantity > 0)

it('cancels in any pieces so that what is cancelled and what remains are the order’s total, and no piece is below zero', () => {
  holds(
    fc.property(order, steps, (o: Order, asked) => {
      const total = worthMinor(o, o.lines)
      let lines = o.lines.map((l) => ({ ...l, places: merged(l) }))
      let cancelled = 0
      for (const ask of [...asked, ...o.lines.map((_, i) => ({ line: i, quantity: Number.MAX_SAFE_INTEGER }))]) {
        const aim = lines[ask.line % lines.length]!
        const quantity = Math.min(ask.quantity, cancellableUnits(aim))
        if (quantity === 0) continue
        const kept = lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.cancelled }))
        const worth = cancelledMinor(o, kept, [{ lineId: aim.lineId, quantity }])
        expect(worth).toBeGreaterThanOrEqual(0)
        cancelled += worth
        lines = without(lines, planCancellation(lines, [{ lineId: aim.lineId, quantity }]))
        const remaining = worthMinor(o, lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.cancelled })))
        expect(remaining).toBeGreaterThanOrEqual(0)
        expect(cancelled + remaining).toBe(total)
      }
      expect(lines.every((l) => l.places.every((p) => isFixed(p.state)))).toBe(true)
      const fixed = o.lines.every((l) => l.places.every((p) => !isFixed(p.state)))
      if (fixed) expect(cancelled).toBe(total)
    }),
  )
})

it('refuses more than can be cancelled, says how many could, and where the others are', () => {
  holds(
    fc.property(order, (o: Order) => {
      const [l] = o.lines
      const most = cancellableUnits(l!)
      let refused: unknown
      try {
        planCancellation(o.lines, [{ lineId: l!.lineId, quantity: most + 1 }])
      } catch (cause) {
        refused = cause
      }
      expect(refused).toBeInstanceOf(Refusal)
      const [told] = (refused as Refusal).data.lines as { cancellable: number; elsewhere: { quantity: number }[] }[]
      expect(told!.cancellable + told!.elsewhere.reduce((sum, p) => sum + p.quantity, 0)).toBe(l!.quantity)
    }),
  )
})

const plain = (places: LineInPlaces['places'], kit: LineInPlaces['kit'] = null, lineId = '1'): LineInPlaces => ({ lineId, sku: 'SKU', quantity: places.reduce((s, p) => s + p.quantity, 0), cancelled: 0, kit, places })

it('takes what nobody has touched before what is picked', () => {
  const lines = [plain([{ state: 'picked', quantity: 1, fulfillmentId: 'f1' }, { state: 'gone', quantity: 1 }, { state: 'open', quantity: 1 }, { state: 'picking', quantity: 2, fulfillmentId: 'f1' }])]
  expect(planCancellation(lines, [{ lineId: '1', quantity: 3 }]).map((t) => [t.state, t.quantity])).toEqual([['open', 1], ['picking', 2]])
})

it('cancels a kit by its components, and none of them alone', () => {
  const kit = { lineId: '1', sku: 'KIT', quantity: 2 }
  const lines = [plain([{ state: 'open', quantity: 2 }], kit, '1/1'), plain([{ state: 'open', quantity: 6 }], kit, '1/2')]
  expect(wantedUnits(lines, [{ lineId: '1', quantity: 1 }])).toEqual([{ lineId: '1/1', quantity: 1 }, { lineId: '1/2', quantity: 3 }])
  expect(leavesNothing(lines, wantedUnits(lines, [{ lineId: '1', quantity: 1 }, { lineId: '1', quantity: 1 }]))).toBe(true)
  expect(() => wantedUnits(lines, [{ lineId: '1/2', quantity: 1 }])).toThrow(expect.objectContaining({ code: 'order.kit_in_part' }) as Error)
  expect(() => wantedUnits(lines, [{ lineId: '9', quantity: 1 }])).toThrow(expect.objectContaining({ code: 'order.line_unknown' }) as Error)
})

it('a change of quantities gives up exactly the difference, or asks for exactly what is more', () => {
  holds(
    fc.property(order, fc.array(fc.nat(30), { minLength: 4, maxLength: 4 }), (o: Order, to) => {
      const operations = o.lines.map((l, i): ChangeOperation => (to[i] === 0 ? { op: 'removeLine', lineId: l.lineId } : { op: 'setQuantity', lineId: l.lineId, quantity: Math.min(to[i]!, l.quantity) }))
      const { fewer: given, more, added } = unitsWanted(o.lines, operations)
      expect([more, added]).toEqual([[], []])
      for (const [i, l] of o.lines.entries()) expect((given.find((u) => u.lineId === l.lineId)?.quantity ?? 0) + Math.min(to[i]!, l.quantity)).toBe(l.quantity)
      const kept = o.lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - (given.find((u) => u.lineId === l.lineId)?.quantity ?? 0) }))
      expect(cancelledMinor(o, o.lines, given) + worthMinor(o, kept)).toBe(worthMinor(o, o.lines))
      expect(unitsWanted(o.lines, [{ op: 'setQuantity', lineId: '1', quantity: o.lines[0]!.quantity + 2 }])).toEqual({ fewer: [], more: [{ lineId: '1', quantity: 2 }], added: [] })
    }),
  )
})

it('counts no unit that is sent again among those that may be cancelled, and leaves the others', () => {
  const claimed = [{ state: 'released', quantity: 2 }, { state: 'picked', quantity: 1 }, { state: 'packed', quantity: 1 }] as const
  expect(withoutSentAgain(claimed, 0)).toEqual(claimed)
  expect(withoutSentAgain(claimed, 2).map((p) => p.quantity)).toEqual([2, 0, 0])
  expect(withoutSentAgain(claimed, 3).map((p) => p.quantity)).toEqual([1, 0, 0])
  holds(fc.property(fc.array(fc.record({ state, quantity: fc.integer({ min: 1, max: 5 }) }), { maxLength: 6 }), fc.nat(40), (places, again) => {
    const total = (all: readonly { quantity: number }[]): number => all.reduce((sum, p) => sum + p.quantity, 0)
    expect(total(withoutSentAgain(places, again))).toBe(Math.max(0, total(places) - again))
  }))
})

describe('what stands packed', () => {
  const parcel = (fulfillmentId: string, quantity: number, together = quantity, state: 'packed' | 'ready' = 'packed'): LineInPlaces['places'][number] => ({ state, quantity, fulfillmentId, together })
  const taken = (lines: LineInPlaces[], wanted: [string, number][]): unknown => {
    try {
      return planCancellation(lines, wanted.map(([lineId, quantity]) => ({ lineId, quantity }))).map((t) => [t.lineId, t.fulfillmentId, t.quantity])
    } catch (cause) {
      return (cause as Refusal).code
    }
  }

  it('is had back as a whole, and only where the loose units do not suffice', () => {
    const lines = [plain([parcel('f1', 2), { state: 'open', quantity: 1 }])]
    expect(taken(lines, [['1', 1]])).toEqual([['1', undefined, 1]])
    expect(taken(lines, [['1', 2]])).toEqual([['1', 'f1', 2]])
    expect(taken(lines, [['1', 3]])).toEqual([['1', undefined, 1], ['1', 'f1', 2]])
    expect(taken([plain([parcel('f1', 2, 2, 'ready')])], [['1', 2]])).toEqual([['1', 'f1', 2]])
    expect(taken([plain([parcel('f1', 2)])], [['1', 1]])).toBe('order.units_not_cancellable')
  })

  it('stays where it stands with what is not asked for, or with what is sent a second time', () => {
    const lines = [plain([parcel('f1', 2, 3)]), plain([parcel('f1', 1, 3)], null, '2')]
    expect(taken(lines, [['1', 2]])).toBe('order.units_not_cancellable')
    expect(taken(lines, [['1', 2], ['2', 1]])).toEqual([['1', 'f1', 2], ['2', 'f1', 1]])
    expect(taken([plain([parcel('f1', 1, 2), { state: 'sent_again', quantity: 1 }])], [['1', 1]])).toBe('order.units_not_cancellable')
  })

  it('is chosen so that nothing is taken that was not asked for, whenever that is possible', () => {
    const wish = fc.array(fc.record({ line: fc.nat(1), units: fc.integer({ min: 1, max: 3 }), parcel: fc.nat(4), loose: fc.boolean() }), { minLength: 1, maxLength: 9 })
    holds(
      fc.property(wish, fc.tuple(fc.nat(9), fc.nat(9)), (all, asked) => {
        const together = (n: number): number => all.reduce((sum, u) => sum + (!u.loose && u.parcel === n ? u.units : 0), 0)
        const lines = ['1', '2'].map((lineId, line) => {
          const mine = all.filter((u) => u.line === line)
          const perParcel = [0, 1, 2, 3, 4].flatMap((n) => {
            const quantity = mine.reduce((sum, u) => sum + (!u.loose && u.parcel === n ? u.units : 0), 0)
            return quantity > 0 ? [parcel(`f${n}`, quantity, together(n))] : []
          })
          const loose = mine.reduce((sum, u) => sum + (u.loose ? u.units : 0), 0)
          return plain([...perParcel, ...(loose > 0 ? [{ state: 'open' as const, quantity: loose }] : [])], null, lineId)
        })
        const wanted = lines.map((l, i) => ({ lineId: l.lineId, quantity: asked[i]! })).filter((w) => w.quantity > 0)
        const fits = Array.from({ length: 32 }, (_, set) => set).some((set) =>
          lines.every((l, i) => {
            const inSet = l.places.reduce((sum, p) => sum + (p.fulfillmentId && set & (1 << Number(p.fulfillmentId.slice(1))) ? p.quantity : 0), 0)
            return inSet <= asked[i]! && asked[i]! - inSet <= cancellableUnits(l)
          }),
        )
        let plan: ReturnType<typeof planCancellation> | undefined
        try {
          plan = planCancellation(lines, wanted)
        } catch (cause) {
          expect(cause).toBeInstanceOf(Refusal)
        }
        expect(plan !== undefined).toBe(fits)
        for (const { lineId, quantity } of plan ? wanted : []) expect(plan!.reduce((sum, t) => sum + (t.lineId === lineId ? t.quantity : 0), 0)).toBe(quantity)
        for (const id of new Set(plan?.flatMap((t) => t.fulfillmentId ?? []))) expect(plan!.reduce((sum, t) => sum + (t.fulfillmentId === id ? t.quantity : 0), 0)).toBe(together(Number(id.slice(1))))
      }),
    )
  })
})
