/** Where an order comes from and why: fences, ranked rules or money, and a reason for every node. */
import fc from 'fast-check'
import { distanceMeters } from '../../../domain/delivery/distance'
import { defaultPolicies } from '../../../domain/policy/kinds'
import { sourcingRules, type SourcingCosts } from '../../../domain/policy/sourcing'
import type { Candidate, SourcingAsk, SourcingDecision } from '../../../domain/sourcing/decision'
import { source, type SourcingRules } from '../../../domain/sourcing/source'
import { holds } from '../../support/property'

const costs: SourcingCosts = {
  rateCard: [
    { upToKm: 50, tiers: [{ upToGrams: 2_000, priceMinor: 390 }, { upToGrams: 10_000, priceMinor: 690 }] },
    { upToKm: 800, tiers: [{ upToGrams: 2_000, priceMinor: 490 }, { upToGrams: 10_000, priceMinor: 990 }] },
  ],
  handlingMinor: 50, pickWarehouseMinor: 40, pickStoreMinor: 90, splitMinor: 100, capacityMinor: 400, stockOutMinor: 300, markdownMinor: 0, markdownAbove: 0, latenessMinor: 500,
}
const policyOf = (more: Partial<SourcingRules> = {}): SourcingRules => ({ ...defaultPolicies.sourcing, ...more })
const byCost = (more: Partial<SourcingRules> = {}): SourcingRules => policyOf({ mode: 'cost', costs, maxShipments: 3, ...more })

const place = (nodeId: string, latitude: number, available: Record<string, number>, more: Partial<Candidate> = {}): Candidate => ({
  nodeId, type: 'store', position: { latitude, longitude: 13.4 }, country: 'DE', active: true, methods: ['delivery'], available, ...more,
})
const askFor = (wanted: Record<string, number>, more: Partial<SourcingAsk> = {}): SourcingAsk => ({
  lines: Object.entries(wanted).map(([sku, quantity], i) => ({ lineId: String(i + 1), sku, quantity, weightGrams: 900, valueMinor: 4_000 })),
  method: 'delivery', destination: { latitude: 52.5, longitude: 13.4 }, country: 'DE', excluded: [], ...more,
})
const nodesOf = (d: SourcingDecision): string[] | undefined => d.chosen?.shipments.map((s) => s.nodeId)
const verdictOf = (d: SourcingDecision, nodeId: string): string => d.candidates.find((c) => c.nodeId === nodeId)!.verdict

describe('ranked rules', () => {
  it('lets the next rule decide only when the first one ties', () => {
    const all = [place('far', 53, { A: 9 }), place('near-poor', 52.6, { A: 2 }), place('near-rich', 52.6, { A: 5 })]
    const nearest = source(askFor({ A: 2 }), all, policyOf({ rules: ['nearest', 'most_stock'] }))
    expect(nearest.chosen).toMatchObject({ shipments: [{ nodeId: 'near-rich' }], reason: 'has 5 units, the next best near-poor has 2 units' })
    expect(verdictOf(nearest, 'far')).toBe('lost by nearest: 55.6 km away, near-rich 11.1 km away')
    expect(nodesOf(source(askFor({ A: 2 }), all, policyOf({ rules: ['most_stock'] })))).toEqual(['far'])
  })

  it('prefers one far shipment to two near ones by the rule of that name, and the other way round without it', () => {
    const all = [place('near-a', 52.51, { A: 1 }), place('near-b', 52.52, { B: 1 }), place('far', 54, { A: 1, B: 1 })]
    expect(nodesOf(source(askFor({ A: 1, B: 1 }), all, policyOf({ rules: ['fewest_shipments', 'nearest'], maxShipments: 2 })))).toEqual(['far'])
    expect(nodesOf(source(askFor({ A: 1, B: 1 }), all, policyOf({ rules: ['nearest'], maxShipments: 2 })))).toEqual(['near-a', 'near-b'])
  })

  it('leaves busy stores alone when asked to', () => {
    const all = [place('busy', 52.51, { A: 1 }, { work: { limit: 10, taken: 8 } }), place('idle', 52.6, { A: 1 }, { work: { limit: 10, taken: 1 } })]
    const decision = source(askFor({ A: 1 }), all, policyOf({ rules: ['most_capacity', 'nearest'] }))
    expect(decision.chosen).toMatchObject({ shipments: [{ nodeId: 'idle' }], reason: 'is 10 % busy, the next best busy is 80 % busy' })
  })

  it('takes the nearest of those that can, whatever the order of the nodes', () => {
    const node = fc.record({ latitude: fc.double({ min: 50, max: 54, noNaN: true }), A: fc.nat(3), active: fc.boolean() })
    holds(
      fc.property(fc.array(node, { maxLength: 9 }), fc.integer({ min: 1, max: 3 }), (list, quantity) => {
        const all = list.map((n, i) => place(`n${i}`, n.latitude, { A: n.A }, { active: n.active }))
        const decision = source(askFor({ A: quantity }), all, policyOf({ rules: ['nearest'] }))
        const able = all.filter((n) => n.active && n.available.A! >= quantity)
        const distance = (n: Candidate): number => Math.round(distanceMeters({ latitude: 52.5, longitude: 13.4 }, n.position) / 100)
        expect(decision.chosen === undefined).toBe(able.length === 0)
        if (decision.chosen) expect(distance(all.find((n) => n.nodeId === nodesOf(decision)![0])!)).toBe(Math.min(...able.map(distance)))
        expect(source(askFor({ A: quantity }), [...all].reverse(), policyOf({ rules: ['nearest'] }))).toEqual(decision)
      }),
    )
  })
})

describe('money', () => {
  it('says by how much, and of what, every other place lost', () => {
    const all = [place('near', 52.51, { A: 10 }), place('far', 54, { A: 10 }), place('full', 52.52, { A: 10 }, { work: { limit: 10, taken: 9 } })]
    const decision = source(askFor({ A: 1 }), all, byCost())
    expect(decision.chosen).toMatchObject({ shipments: [{ nodeId: 'near' }], costMinor: 560, atLeastMinor: 560, reason: 'costs 5.60, the next best with far 6.60' })
    expect(decision.chosen!.parts).toEqual({ shipping: 390, handling: 50, capacity: 0, lateness: 0, picking: 90, stock_out: 30, markdown: 0 })
    expect(verdictOf(decision, 'far')).toBe('lost by 1.00: 1.00 shipping')
    expect(verdictOf(decision, 'full')).toBe('lost by 3.24: 3.24 capacity')
  })

  it('weighs a cheaper picker against a dearer way', () => {
    const decision = source(askFor({ A: 1 }), [place('near', 52.51, { A: 10 }), place('depot', 54, { A: 10 }, { type: 'warehouse' })], byCost())
    expect(verdictOf(decision, 'depot')).toBe('lost by 0.50: 1.00 shipping, but 0.50 less picking')
  })

  it('splits where that is cheaper than sending everything from afar, and not where the penalty eats it up', () => {
    const all = [place('near-a', 52.51, { A: 9 }), place('near-b', 52.52, { B: 9 }), place('far', 54, { A: 9, B: 9 })]
    const heavy = { lines: askFor({ A: 4, B: 4 }).lines.map((l) => ({ ...l, weightGrams: 450 })) }
    expect(nodesOf(source(askFor({}, heavy), all, byCost({ costs: { ...costs, splitMinor: 0 } })))).toEqual(['near-a', 'near-b'])
    expect(nodesOf(source(askFor({}, heavy), all, byCost({ costs: { ...costs, splitMinor: 300 } })))).toEqual(['far'])
  })

  it('divides a line between shelves only if the policy allows it', () => {
    const all = [place('a', 52.51, { A: 2 }), place('b', 52.52, { A: 2 })]
    expect(source(askFor({ A: 3 }), all, byCost()).short).toEqual([{ sku: 'A', wanted: 3, available: 3 }])
    const split = source(askFor({ A: 3 }), all, byCost({ splitLines: true }))
    expect(split.chosen!.shipments.flatMap((s) => s.lines).reduce((sum, l) => sum + l.quantity, 0)).toBe(3)
  })

  it('does not send a cheap sock alone past the split guard', () => {
    const all = [place('a', 52.51, { SHOE: 1 }), place('b', 52.52, { SOCK: 1 })]
    const ask = askFor({ SHOE: 1, SOCK: 1 })
    const cheap = { ...ask, lines: ask.lines.map((l) => ({ ...l, valueMinor: l.sku === 'SOCK' ? 300 : 9_000 })) }
    expect(nodesOf(source(cheap, all, byCost()))).toEqual(['a', 'b'])
    expect(source(cheap, all, byCost({ splitGuardMinor: 1_000 })).chosen).toBeUndefined()
  })

  it('counts shipments that are under way against the most there may be', () => {
    const all = [place('a', 52.51, { A: 1 }), place('b', 52.52, { B: 1 })]
    expect(nodesOf(source(askFor({ A: 1, B: 1 }, { shipmentsBefore: 1 }), all, byCost()))).toEqual(['a', 'b'])
    expect(source(askFor({ A: 1, B: 1 }, { shipmentsBefore: 2 }), all, byCost()).chosen).toBeUndefined()
  })
})

describe('fences', () => {
  const shut: [string, Candidate, Partial<SourcingAsk>, Partial<SourcingRules>][] = [
    ['not active', place('x', 52.6, { A: 1 }, { active: false }), {}, {}],
    ['rejected this order before', place('x', 52.6, { A: 1 }), { excluded: ['x'] }, {}],
    ['does not offer pickup', place('x', 52.6, { A: 1 }), { method: 'pickup' }, {}],
    ['excluded by the policy', place('x', 52.6, { A: 1 }), {}, { fences: { ...defaultPolicies.sourcing.fences, excludeNodes: ['x'] } }],
    ['in PL: goods do not cross a border', place('x', 52.6, { A: 1 }, { country: 'PL' }), {}, { fences: { ...defaultPolicies.sourcing.fences, sameCountry: true } }],
    ['11.1 km away, farther than 5 km', place('x', 52.6, { A: 1 }), {}, { fences: { ...defaultPolicies.sourcing.fences, maxDistanceKm: 5 } }],
    ['full: 4 of 4 orders today', place('x', 52.6, { A: 1 }, { work: { limit: 4, taken: 4 } }), {}, {}],
    ['1167.5 km away, beyond the rate card', place('x', 42, { A: 1 }), {}, byCost()],
    ['short of A (0 of 1)', place('x', 52.6, { A: 5 }, { trust: { A: 0.4 } }), {}, { fences: { ...defaultPolicies.sourcing.fences, leastTrust: 0.5 } }],
  ]
  it.each(shut)('keep a node out: %s', (verdict, node, ask, policy) => {
    const decision = source(askFor({ A: 1 }, ask), [node], policyOf(policy))
    expect([decision.chosen, verdictOf(decision, 'x')]).toEqual([undefined, verdict])
    expect(decision.short).toHaveLength(1)
  })
})

it('says of every node why it was chosen or lost, and what is short when none was', () => {
  const node = fc.record({ latitude: fc.double({ min: 50, max: 54, noNaN: true }), A: fc.nat(3), B: fc.nat(3), active: fc.boolean() })
  const policy = fc.record({ mode: fc.constantFrom('simple' as const, 'cost' as const), rules: fc.shuffledSubarray([...sourcingRules], { minLength: 1 }), maxShipments: fc.integer({ min: 1, max: 3 }), splitLines: fc.boolean() })
  holds(
    fc.property(fc.array(node, { maxLength: 8 }), fc.nat(3), fc.nat(3), policy, (list, a, b, p) => {
      if (a + b === 0) return
      const all = list.map((n, i) => place(`n${i}`, n.latitude, { A: n.A, B: n.B }, { active: n.active }))
      const ask = askFor(Object.fromEntries([['A', a], ['B', b]].filter(([, q]) => q !== 0)) as Record<string, number>)
      const decision = source(ask, all, byCost(p))
      expect(decision.candidates.map((c) => c.nodeId)).toEqual(all.map((n) => n.nodeId))
      expect(decision.candidates.filter((c) => c.verdict === 'chosen').map((c) => c.nodeId)).toEqual([...(nodesOf(decision) ?? [])].sort())
      expect(decision.candidates.every((c) => c.verdict.length > 0)).toBe(true)
      expect(decision.short.length > 0).toBe(decision.chosen === undefined)
      for (const line of ask.lines) {
        const given = (decision.chosen?.shipments ?? []).flatMap((s) => s.lines).filter((l) => l.lineId === line.lineId).reduce((sum, l) => sum + l.quantity, 0)
        if (decision.chosen) expect(given).toBe(line.quantity)
      }
    }),
  )
})

it('names what is short even when every SKU can be had, but nowhere together', () => {
  expect(source(askFor({ A: 1, B: 1 }), [place('x', 52.6, { A: 1 }), place('y', 52.6, { B: 1 })], policyOf()).short).toEqual([
    { sku: 'A', wanted: 1, available: 1 },
    { sku: 'B', wanted: 1, available: 1 },
  ])
})
