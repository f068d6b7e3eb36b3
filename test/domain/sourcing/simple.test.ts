/** The simple way to choose a node: fences, then ranked rules, and a reason for every node. */
import fc from 'fast-check'
import { distanceMeters } from '../../../domain/delivery/distance'
import { sourcingRules } from '../../../domain/policy/kinds'
import { sourceSimply, type Candidate, type SourcingAsk } from '../../../domain/sourcing/simple'
import { holds } from '../../support/property'

const skus = ['A', 'B', 'C']
const node: fc.Arbitrary<Omit<Candidate, 'nodeId'>> = fc.record({
  type: fc.constantFrom('store', 'warehouse'),
  position: fc.record({ latitude: fc.double({ min: 50, max: 54, noNaN: true }), longitude: fc.double({ min: 10, max: 15, noNaN: true }) }),
  active: fc.boolean(),
  methods: fc.constantFrom<string[]>(['delivery'], ['delivery', 'pickup'], ['pickup']),
  available: fc.dictionary(fc.constantFrom(...skus), fc.nat(4)),
})
const nodes = fc.array(node, { maxLength: 8 }).map((list) => list.map((n, i): Candidate => ({ ...n, nodeId: `n${i}` })))
const ask: fc.Arbitrary<SourcingAsk> = fc.record({
  lines: fc.array(fc.record({ lineId: fc.uuid(), sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 3 }) }), { minLength: 1, maxLength: 4 }),
  method: fc.constant('delivery'),
  destination: fc.option(fc.constant({ latitude: 52.5, longitude: 13.4 }), { nil: undefined }),
  excluded: fc.subarray(['n0', 'n1', 'n2']),
})
const rules = fc.shuffledSubarray([...sourcingRules], { minLength: 1 })

const wanted = (a: SourcingAsk, sku: string): number => a.lines.filter((l) => l.sku === sku).reduce((sum, l) => sum + l.quantity, 0)
const fits = (a: SourcingAsk, n: Candidate): boolean =>
  n.active && !a.excluded.includes(n.nodeId) && n.methods.includes(a.method) && skus.every((sku) => (n.available[sku] ?? 0) >= wanted(a, sku))

it('chooses a node that passes every fence and has the sum of all lines, whenever there is one', () => {
  holds(
    fc.property(ask, nodes, rules, (a, all, r) => {
      const { chosen } = sourceSimply(a, all, { rules: r })
      const able = all.filter((n) => fits(a, n)).map((n) => n.nodeId)
      if (chosen) expect(able).toContain(chosen.nodeId)
      else expect(able).toEqual([])
    }),
  )
})

it('chooses the same node in whatever order the nodes come', () => {
  holds(
    fc.property(
      ask,
      nodes.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      rules,
      (a, [all, shuffled], r) => expect(sourceSimply(a, shuffled, { rules: r })).toEqual(sourceSimply(a, all, { rules: r })),
    ),
  )
})

it('says of every node why it was chosen or lost, and what is short when none was', () => {
  holds(
    fc.property(ask, nodes, rules, (a, all, r) => {
      const decision = sourceSimply(a, all, { rules: r })
      expect(decision.candidates.map((c) => c.nodeId)).toEqual(all.map((n) => n.nodeId).sort())
      expect(decision.candidates.filter((c) => c.verdict === 'chosen')).toHaveLength(decision.chosen ? 1 : 0)
      expect(decision.candidates.every((c) => c.verdict.length > 0)).toBe(true)
      expect(decision.short.length > 0).toBe(decision.chosen === undefined)
    }),
  )
})

it('takes the nearest by the rule of that name', () => {
  holds(
    fc.property(ask, nodes, (a, all) => {
      if (!a.destination) return
      const { chosen } = sourceSimply(a, all, { rules: ['nearest'] })
      const distances = all.filter((n) => fits(a, n)).map((n) => distanceMeters(a.destination!, n.position))
      if (chosen) expect(distanceMeters(a.destination, all.find((n) => n.nodeId === chosen.nodeId)!.position)).toBe(Math.min(...distances))
    }),
  )
})

const place = (nodeId: string, latitude: number, available: Record<string, number>, type = 'store'): Candidate => ({ nodeId, type, position: { latitude, longitude: 13.4 }, active: true, methods: ['delivery'], available })
const plain: SourcingAsk = { lines: [{ lineId: '1', sku: 'A', quantity: 2 }], method: 'delivery', destination: { latitude: 52.5, longitude: 13.4 }, excluded: [] }

it('lets the next rule decide only when the first one ties', () => {
  const all = [place('far', 53, { A: 9 }), place('near-poor', 52.6, { A: 2 }), place('near-rich', 52.6, { A: 5 })]
  expect(sourceSimply(plain, all, { rules: ['nearest', 'most_stock'] }).chosen).toEqual({ nodeId: 'near-rich', reason: 'has 5 units, the next best near-poor has 2 units' })
  expect(sourceSimply(plain, all, { rules: ['most_stock'] }).chosen?.nodeId).toBe('far')
  expect(sourceSimply(plain, [place('a', 52.6, { A: 2 }), place('w', 52.6, { A: 2 }, 'warehouse')], { rules: ['warehouses_first'] }).chosen?.nodeId).toBe('w')
})

it('names what is short even when every SKU can be had, but nowhere together', () => {
  const both = { ...plain, lines: [{ lineId: '1', sku: 'A', quantity: 1 }, { lineId: '2', sku: 'B', quantity: 1 }] }
  expect(sourceSimply(both, [place('x', 52.6, { A: 1 }), place('y', 52.6, { B: 1 })], { rules: ['nearest'] }).short).toEqual([
    { sku: 'A', wanted: 1, available: 1 },
    { sku: 'B', wanted: 1, available: 1 },
  ])
})
