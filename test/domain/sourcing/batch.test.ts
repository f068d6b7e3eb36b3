/** Open orders planned together: never more than a shelf has, never dearer than before, and as cheap as trying everything finds. */
import fc from 'fast-check'
import highsLoader from 'highs'
import { reoptimise, type Batch, type BatchOrder, type Solver } from '../../../domain/sourcing/batch'
import { connected } from '../../../domain/sourcing/connected'
import { highsSolver } from '../../../domain/sourcing/highs-solver'
import { holds } from '../../support/property'

let solve: Solver
beforeAll(async () => {
  solve = highsSolver(await highsLoader())
})

const nodes = ['a', 'b', 'c']
const skus = ['S', 'T']

/** A few orders on few shelves, where most shelves are scarce; what an order holds is held. */
const batches = fc
  .record({
    orders: fc.array(fc.record({ sku: fc.constantFrom(...skus), at: fc.integer({ min: 0, max: 2 }), costs: fc.tuple(...nodes.map(() => fc.integer({ min: 100, max: 900 }))) }), { minLength: 1, maxLength: 5 }),
    free: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 6, maxLength: 6 }),
    room: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  })
  .map(({ orders, free, room }): Batch => ({
    orders: orders.map(({ sku, at, costs }, i): BatchOrder => ({
      orderId: `o${i}`,
      costMinor: costs[at]!,
      holds: [{ sku, nodeId: nodes[at]!, units: 1 }],
      options: nodes.flatMap((nodeId, n) => (n === at ? [] : [{ shipments: [{ nodeId, lines: [] }], costMinor: costs[n]!, takes: [{ sku, nodeId, units: 1 }] }])),
    })),
    free: skus.flatMap((sku, s) => nodes.map((nodeId, n) => ({ sku, nodeId, units: free[s * 3 + n]! }))),
    room: room === undefined ? {} : { a: room },
  }))

/** Where every order would be, by trying all there is. */
function* everything({ orders }: Batch): Generator<{ nodeId: string; costMinor: number }[]> {
  const choices = orders.map((o) => [{ nodeId: o.holds[0]!.nodeId, costMinor: o.costMinor }, ...o.options.map(({ shipments, costMinor }) => ({ nodeId: shipments[0]!.nodeId, costMinor }))])
  const total = choices.reduce((product, c) => product * c.length, 1)
  for (let code = 0; code < total; code += 1) {
    let rest = code
    yield choices.map((c) => {
      const pick = c[rest % c.length]!
      rest = Math.floor(rest / c.length)
      return pick
    })
  }
}
function isPossible({ orders, free, room }: Batch, places: readonly { nodeId: string }[]): boolean {
  const used = new Map<string, number>()
  const here = new Map<string, number>()
  places.forEach(({ nodeId }, i) => {
    const key = `${orders[i]!.holds[0]!.sku} ${nodeId}`
    used.set(key, (used.get(key) ?? 0) + 1)
    here.set(nodeId, (here.get(nodeId) ?? 0) + 1)
  })
  const held = (sku: string, nodeId: string): number => orders.filter((o) => o.holds[0]!.sku === sku && o.holds[0]!.nodeId === nodeId).length
  const have = (nodeId: string): number => orders.filter((o) => o.holds[0]!.nodeId === nodeId).length
  return (
    free.every(({ sku, nodeId, units }) => (used.get(`${sku} ${nodeId}`) ?? 0) <= units + held(sku, nodeId)) &&
    Object.entries(room).every(([nodeId, left]) => (here.get(nodeId) ?? 0) <= left + have(nodeId))
  )
}

it('finds what trying everything finds, and keeps every shelf and every day', () => {
  holds(fc.property(batches, (batch) => {
    const { groups, beforeMinor, afterMinor } = reoptimise(batch, solve)
    const moves = new Map(groups.flat().map((m) => [m.orderId, m.shipments[0]!.nodeId]))
    const places = batch.orders.map((o) => ({ nodeId: moves.get(o.orderId) ?? o.holds[0]!.nodeId }))
    const least = Math.min(...[...everything(batch)].filter((p) => isPossible(batch, p)).map((p) => p.reduce((sum, { costMinor }) => sum + costMinor, 0)))
    expect(isPossible(batch, places)).toBe(true)
    expect(afterMinor).toBe(beforeMinor - groups.flat().reduce((sum, m) => sum + m.savesMinor, 0))
    // The solver stops within half a thousandth of the best.
    expect(afterMinor).toBeLessThanOrEqual(least * 1.0005 + 1)
  }))
})

it('moves a group as a whole: without one of it, the others would take what is not there', () => {
  holds(fc.property(batches, (batch) => {
    for (const group of reoptimise(batch, solve).groups) {
      const alone = new Map(group.map((m) => [m.orderId, m.shipments[0]!.nodeId]))
      expect(isPossible(batch, batch.orders.map((o) => ({ nodeId: alone.get(o.orderId) ?? o.holds[0]!.nodeId })))).toBe(true)
      expect(group.reduce((sum, m) => sum + m.savesMinor, 0)).toBeGreaterThan(0)
    }
  }))
})

it('leaves everything where it is when the solver finds nothing', () => {
  const held: Batch = { orders: [{ orderId: 'o', costMinor: 5, holds: [{ sku: 'S', nodeId: 'a', units: 1 }], options: [{ shipments: [{ nodeId: 'b', lines: [] }], costMinor: 1, takes: [{ sku: 'S', nodeId: 'b', units: 1 }] }] }], free: [{ sku: 'S', nodeId: 'b', units: 0 }], room: {} }
  expect(reoptimise(held, () => undefined)).toEqual({ groups: [], beforeMinor: 5, afterMinor: 5 })
})

it('ties together what meets', () => {
  expect(connected(5, [[0, 1], [3, 4], [1, 3]])).toEqual([[0, 1, 3, 4], [2]])
})
