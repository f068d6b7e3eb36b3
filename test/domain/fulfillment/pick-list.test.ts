/** One walk for several orders: every open unit is on it once, in the order of the bins. */
import fc from 'fast-check'
import { compareBins, pickList, type PickNeed } from '../../../domain/fulfillment/pick-list'
import { holds } from '../../support/property'

const need = (change: Partial<PickNeed>): PickNeed => ({ fulfillmentId: 'f-1', lineId: '1', position: 1, sku: 'SOCKS-3P', name: 'Socks', open: 1, bin: null, ...change })

it('walks the bins as people number them, and asks last for what has none', () => {
  const bins = ['B-1', 'A-10', null, 'a-2', 'A-2-1', 'A']
  expect([...bins].sort(compareBins)).toEqual(['A', 'a-2', 'A-2-1', 'A-10', 'B-1', null])
})

it('takes what several orders want of a SKU in one stop, and says for which order each unit is', () => {
  const walk = pickList([
    need({ fulfillmentId: 'f-2', position: 2, open: 3, bin: 'A-2' }),
    need({ position: 1, open: 2, bin: 'A-2' }),
    need({ lineId: '2', sku: 'CAP', name: 'Cap', bin: 'A-1' }),
    need({ lineId: '3', sku: 'BELT', name: 'Belt', open: 0, bin: 'A-1' }),
  ])
  expect(walk).toEqual([
    { bin: 'A-1', sku: 'CAP', name: 'Cap', quantity: 1, for: [{ fulfillmentId: 'f-1', lineId: '2', position: 1, quantity: 1 }] },
    {
      bin: 'A-2', sku: 'SOCKS-3P', name: 'Socks', quantity: 5,
      for: [{ fulfillmentId: 'f-1', lineId: '1', position: 1, quantity: 2 }, { fulfillmentId: 'f-2', lineId: '1', position: 2, quantity: 3 }],
    },
  ])
})

it('asks for every open unit exactly once, in an order that does not depend on how the lines came', () => {
  const bin = fc.option(fc.stringMatching(/^[A-C]-\d{1,2}$/), { nil: null })
  const bins = fc.record({ X: bin, Y: bin, Z: bin })
  const line = fc.record({ sku: fc.constantFrom('X' as const, 'Y' as const, 'Z' as const), position: fc.integer({ min: 1, max: 4 }), lineId: fc.constantFrom('1', '2'), open: fc.integer({ min: 0, max: 5 }) })
  holds(
    fc.property(bins, fc.uniqueArray(line, { selector: (l) => `${l.sku} ${l.position} ${l.lineId}`, maxLength: 12 }), (where, lines) => {
      const needs = lines.map((l) => need({ ...l, fulfillmentId: `f-${l.position}`, name: l.sku, bin: where[l.sku] }))
      const walk = pickList(needs)
      expect(walk.reduce((sum, stop) => sum + stop.quantity, 0)).toBe(lines.reduce((sum, l) => sum + l.open, 0))
      for (const stop of walk) expect(stop.for.reduce((sum, take) => sum + take.quantity, 0)).toBe(stop.quantity)
      expect(walk.map((stop) => stop.bin)).toEqual(walk.map((stop) => stop.bin).sort(compareBins))
      expect(pickList([...needs].reverse()).map((stop) => [stop.sku, stop.quantity])).toEqual(walk.map((stop) => [stop.sku, stop.quantity]))
    }),
  )
})
