/** A period replayed: stock that moves, orders that are filled or lost, and two policies compared with how sure the difference is. */
import fc from 'fast-check'
import { defaultPolicies } from '../../../domain/policy/kinds'
import type { SourcingCosts } from '../../../domain/policy/sourcing'
import { backTest } from '../../../domain/sourcing/back-test'
import { seeded } from '../../../domain/seeded'
import { compare, measures } from '../../../domain/sourcing/bootstrap'
import { learnDeliveryDays } from '../../../domain/sourcing/delivery-days'
import { replay, type Outcome, type Period, type ReplayedNode, type ReplayedOrder, type RuledSourcing } from '../../../domain/sourcing/replay'
import type { SourcingRules } from '../../../domain/sourcing/source'
import { holds } from '../../support/property'

const costs: SourcingCosts = {
  rateCard: [{ upToKm: 50, tiers: [{ upToGrams: 10_000, priceMinor: 400 }] }, { upToKm: 800, tiers: [{ upToGrams: 10_000, priceMinor: 700 }] }],
  handlingMinor: 50, pickWarehouseMinor: 40, pickStoreMinor: 90, splitMinor: 100, capacityMinor: 0, stockOutMinor: 0, markdownMinor: 0, markdownAbove: 0, latenessMinor: 0,
}
const rules = (more: Partial<SourcingRules> = {}): SourcingRules => ({ ...defaultPolicies.sourcing, ...more })
const byCost = rules({ mode: 'cost', costs, maxShipments: 3, splitLines: true })
const berlin = { latitude: 52.5, longitude: 13.4 }
const hour = 3_600_000
const monday = Date.UTC(2026, 10, 23)

const web: Period['channels'][string] = { channelId: 'web', kind: 'web', currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required', flags: [], limits: {}, returnTerms: null, stockBuffer: 0, stockThreshold: 0 }
const node = (nodeId: string, latitude: number, more: Partial<ReplayedNode> = {}): ReplayedNode => ({
  nodeId, type: 'store', position: { latitude, longitude: 13.4 }, country: 'DE', active: true, methods: ['delivery'], timeZone: 'Europe/Berlin', ...more,
})
const order = (number: number, atHour: number, wanted: Record<string, number>, more: Partial<ReplayedOrder> = {}): ReplayedOrder => ({
  orderId: `o${number}`, channel: 'web', placedAt: monday + atHour * hour, method: 'delivery', destination: berlin, country: 'DE',
  lines: Object.entries(wanted).map(([sku, quantity], i) => ({ lineId: String(i + 1), sku, quantity, weightGrams: 800, valueMinor: 3_000 })), ...more,
})
const period = (more: Partial<Period>): Period => ({
  nodes: [node('a', 52.51), node('b', 54)], channels: { web }, opening: [], changes: [], orders: [], deliveryDays: () => undefined, ...more,
})
const tell = (p: Period, policy: RuledSourcing = rules()): string[] => {
  const told: string[] = []
  replay(p, { policy, watch: (o, shipments) => told.push(`${o.orderId} ${shipments.map((s) => s.nodeId).join('+') || 'lost'}`) })
  return told
}

it('takes what orders are given, so that the next one finds less, and receipts bring more', () => {
  const p = period({
    opening: [{ sku: 'A', nodeId: 'a', units: 1 }, { sku: 'A', nodeId: 'b', units: 1 }],
    changes: [{ at: monday + 4 * hour, sku: 'A', nodeId: 'a', units: 1 }],
    orders: [order(1, 1, { A: 1 }), order(2, 2, { A: 1 }), order(3, 3, { A: 1 }), order(4, 5, { A: 1 })],
  })
  expect(tell(p)).toEqual(['o1 a', 'o2 b', 'o3 lost', 'o4 a'])
  const { filled, lostMinor, shipments, load } = replay(p, { policy: rules() })
  expect([[...filled], [...lostMinor], [...shipments]]).toEqual([[1, 1, 0, 1], [0, 0, 3_000, 0], [1, 1, 0, 1]])
  expect(load).toEqual([{ nodeId: 'a', shipments: 2, units: 2, busiestDay: 2 }, { nodeId: 'b', shipments: 1, units: 1, busiestDay: 1 }])
})

it('gives back what an order held that was called off, and counts it in nothing', () => {
  const p = period({
    opening: [{ sku: 'A', nodeId: 'a', units: 1 }],
    orders: [order(1, 1, { A: 1 }, { calledOffAt: monday + 3 * hour }), order(2, 2, { A: 1 }), order(3, 4, { A: 1 })],
  })
  expect(tell(p)).toEqual(['o1 a', 'o2 lost', 'o3 a'])
  expect([...replay(p, { policy: rules() }).filled]).toEqual([0, 1])
})

it('keeps what a channel leaves on the shelf, what a node can work in a day, and where an order is collected', () => {
  const opening = [{ sku: 'A', nodeId: 'a', units: 9 }, { sku: 'A', nodeId: 'b', units: 9 }]
  expect(tell(period({ opening, channels: { web: { ...web, stockBuffer: 8 } }, orders: [order(1, 1, { A: 2 }), order(2, 2, { A: 1 })] }))).toEqual(['o1 lost', 'o2 a'])
  const small = [node('a', 52.51, { ordersPerDay: 1 }), node('b', 54)]
  // Berlin is an hour ahead of UTC: at 23:00 a new day has begun there.
  expect(tell(period({ opening, nodes: small, orders: [order(1, 1, { A: 1 }), order(2, 2, { A: 1 }), order(3, 23, { A: 1 })] }))).toEqual(['o1 a', 'o2 b', 'o3 a'])
  expect(tell(period({ opening, orders: [order(1, 1, { A: 1 }, { nodeId: 'b' })] }))).toEqual(['o1 b'])
})

it('asks for every order what the policy says for its channel', () => {
  const channels = { web, outlet: { ...web, channelId: 'outlet', kind: 'marketplace' as const } }
  const nodes = [node('a', 52.51), node('w', 54, { type: 'warehouse' })]
  const opening = [{ sku: 'A', nodeId: 'a', units: 2 }, { sku: 'A', nodeId: 'w', units: 1 }]
  const p = period({ opening, channels, nodes, orders: [order(1, 1, { A: 1 }, { channel: 'outlet' }), order(2, 2, { A: 1 }), order(3, 3, { A: 1 }, { channel: 'outlet' }), order(4, 4, { A: 1 })] })
  const channelRules = [{ name: 'from warehouses', channelKinds: ['marketplace' as const], fences: { excludeTypes: ['store' as const] } }]
  expect(tell(p, { ...rules(), channelRules })).toEqual(['o1 w', 'o2 a', 'o3 lost', 'o4 a'])
  expect(tell(p)).toEqual(['o1 a', 'o2 a', 'o3 w', 'o4 lost'])
})

it('prices ranked rules by the costs of the other policy', () => {
  const p = period({ opening: [{ sku: 'A', nodeId: 'a', units: 9 }, { sku: 'A', nodeId: 'b', units: 99 }], orders: [order(1, 1, { A: 1 }), order(2, 2, { A: 1 })] })
  const result = backTest(p, { draft: byCost, against: rules({ rules: ['most_stock'] }), random: seeded(1) })
  expect(result.costsOf).toBe('draft')
  expect(result.measures.costMinor).toEqual({ draft: 2 * (400 + 50 + 90), against: 2 * (700 + 50 + 90), difference: -600, low: -600, high: -600 })
  expect(result.load).toEqual([
    { nodeId: 'a', draft: { shipments: 2, units: 2, busiestDay: 2 }, against: { shipments: 0, units: 0, busiestDay: 0 } },
    { nodeId: 'b', draft: { shipments: 0, units: 0, busiestDay: 0 }, against: { shipments: 2, units: 2, busiestDay: 2 } },
  ])
  const unpriced = backTest(p, { draft: rules(), against: rules(), random: seeded(1) })
  expect([unpriced.costsOf, unpriced.measures.costMinor, unpriced.measures.costPerOrderMinor]).toEqual([null, null, null])
})

it('calls a plan late when the goods are expected after what was promised, and says nothing where nothing is known', () => {
  const deliveryDays = learnDeliveryDays([
    ...Array.from({ length: 30 }, () => ({ nodeId: 'a', distanceMeters: 1_000, tookMs: 24 * hour })),
    ...Array.from({ length: 30 }, () => ({ nodeId: 'b', distanceMeters: 170_000, tookMs: 72 * hour })),
  ])
  expect([deliveryDays('a', 2_000), deliveryDays('b', 200_000), deliveryDays('new', 2_000), deliveryDays('new', 900_000)]).toEqual([1, 3, 1, undefined])
  const opening = [{ sku: 'A', nodeId: 'a', units: 1 }, { sku: 'A', nodeId: 'b', units: 9 }]
  const inTwoDays = { promisedBy: monday + 48 * hour }
  const orders = [order(1, 1, { A: 1 }, inTwoDays), order(2, 2, { A: 1 }, inTwoDays), order(3, 2, { A: 1 })]
  const outcome = replay(period({ opening, orders, deliveryDays }), { policy: rules() })
  expect([[...outcome.dated], [...outcome.late]]).toEqual([[1, 1, 0], [0, 1, 0]])
  expect(backTest(period({ opening, orders }), { draft: rules(), against: rules(), random: seeded(1) }).measures.lateShare).toBeNull()
})

const some = fc.record({
  nodes: fc.array(fc.record({ latitude: fc.double({ min: 51, max: 55, noNaN: true }), A: fc.integer({ min: -2, max: 6 }), B: fc.nat(6), perDay: fc.option(fc.nat(3), { nil: undefined }) }), { minLength: 1, maxLength: 5 }),
  changes: fc.array(fc.record({ at: fc.nat(48), sku: fc.constantFrom('A', 'B'), node: fc.nat(4), units: fc.integer({ min: -3, max: 5 }) }), { maxLength: 12 }),
  orders: fc.array(fc.record({ at: fc.nat(48), A: fc.nat(3), B: fc.nat(3), calledOffAfter: fc.option(fc.nat(20), { nil: undefined }) }), { maxLength: 25 }),
})
type Some = typeof some extends fc.Arbitrary<infer T> ? T : never

function asPeriod({ nodes, changes, orders }: Some): Period {
  const wanted = ({ A, B }: Some['orders'][number]): Record<string, number> => Object.fromEntries([['A', A], ['B', B]].filter(([, q]) => q !== 0)) as Record<string, number>
  const inOrder = orders.filter((o) => o.A + o.B > 0).sort((a, b) => a.at - b.at)
  return period({
    nodes: nodes.map((n, i) => node(`n${i}`, n.latitude, { ordersPerDay: n.perDay })),
    opening: nodes.flatMap((n, i) => [{ sku: 'A', nodeId: `n${i}`, units: n.A }, { sku: 'B', nodeId: `n${i}`, units: n.B }]),
    changes: changes.filter((c) => c.node < nodes.length).map((c) => ({ at: monday + c.at * hour, sku: c.sku, nodeId: `n${c.node}`, units: c.units })),
    orders: inOrder.map((o, i) => order(i, o.at, wanted(o), o.calledOffAfter === undefined ? {} : { calledOffAt: monday + (o.at + o.calledOffAfter) * hour })),
  })
}

it('never sells more than there was at that moment', () => {
  holds(
    fc.property(some, fc.constantFrom(byCost, rules(), rules({ maxShipments: 2, rules: ['most_stock'] })), (world, policy) => {
      const p = asPeriod(world)
      const given: { orderId: string; backAt: number; sku: string; nodeId: string; quantity: number }[] = []
      replay(p, {
        policy,
        watch: ({ orderId, placedAt, calledOffAt }, shipments) => {
          for (const { nodeId, lines } of shipments)
            for (const { sku, quantity } of lines) {
              given.push({ orderId, backAt: calledOffAt ?? Number.POSITIVE_INFINITY, sku, nodeId, quantity })
              const here = (s: { sku: string; nodeId: string }): boolean => s.sku === sku && s.nodeId === nodeId
              const held = given.filter((g) => here(g) && (g.backAt > placedAt || g.orderId === orderId)).reduce((sum, g) => sum + g.quantity, 0)
              const opened = p.opening.find(here)!.units
              const came = p.changes.filter((c) => here(c) && c.at <= placedAt).reduce((sum, c) => sum + c.units, 0)
              expect(held).toBeLessThanOrEqual(opened + came)
            }
        },
      })
    }),
  )
})

it('finds no difference at all between a policy and itself', () => {
  holds(
    fc.property(some, fc.constantFrom(byCost, rules()), fc.integer(), (world, policy, seed) => {
      const result = backTest(asPeriod(world), { draft: policy, against: policy, random: seeded(seed) })
      for (const measure of measures) {
        const found = result.measures[measure]
        if (found) expect([found.difference, found.low, found.high, found.draft - found.against]).toEqual([0, 0, 0, 0])
      }
      for (const { draft, against } of result.load) expect(draft).toEqual(against)
    }),
    60,
  )
})

it('is as sure of a difference as the orders allow: the interval holds the true one about as often as it says', () => {
  const random = seeded(42)
  let held = 0
  const worlds = 300
  for (let i = 0; i < worlds; i += 1) {
    const outcome = (share: number): Outcome => {
      const column = (): Float64Array => Float64Array.from({ length: 80 }, () => 1)
      const late = Float64Array.from({ length: 80 }, () => (random() < share ? 1 : 0))
      return { orders: 80, filled: column(), lostMinor: column(), costMinor: column(), shipments: column(), dated: column(), late, load: [] }
    }
    const { low, high } = compare(outcome(0.5), outcome(0.3), random, { resamples: 300, confidence: 0.95 }).lateShare!
    if (low <= 0.2 && high >= 0.2) held += 1
  }
  expect(held / worlds).toBeGreaterThan(0.9)
  expect(held / worlds).toBeLessThan(0.99)
})
