/** Orders of several channels planned together: what the rules say for each is kept for each, whatever it would save. */
import highsLoader from 'highs'
import type { ChannelFacts } from '../../../domain/policy/channel-facts'
import { sourcingFor, withinOwn } from '../../../domain/policy/channel-rules'
import { defaultPolicies } from '../../../domain/policy/kinds'
import type { SourcingPolicy } from '../../../domain/policy/sourcing'
import { reoptimise, type BatchPlan, type Solver } from '../../../domain/sourcing/batch'
import { batchOrder, type OpenOrder } from '../../../domain/sourcing/batch-options'
import { batchPool } from '../../../domain/sourcing/batch-pool'
import type { Candidate } from '../../../domain/sourcing/decision'
import { highsSolver } from '../../../domain/sourcing/highs-solver'

let solve: Solver
beforeAll(async () => {
  solve = highsSolver(await highsLoader())
})

const channel = (channelId: string, kind: ChannelFacts['kind'], flags: string[] = []): ChannelFacts => ({ channelId, kind, currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required', flags, limits: {}, returnTerms: null })
const [web, market, fragile] = [channel('web', 'web'), channel('market', 'marketplace'), channel('fragile', 'web', ['whole'])]
const rateCard = [{ upToKm: 20, tiers: [{ upToGrams: 30_000, priceMinor: 200 }] }, { upToKm: 900, tiers: [{ upToGrams: 30_000, priceMinor: 900 }] }]
const costs = { rateCard, handlingMinor: 0, pickWarehouseMinor: 0, pickStoreMinor: 0, splitMinor: 50, capacityMinor: 0, stockOutMinor: 0, markdownMinor: 0, markdownAbove: 0, latenessMinor: 0 }
const policy: SourcingPolicy = {
  ...defaultPolicies.sourcing, mode: 'cost', costs, maxShipments: 3,
  channelRules: [
    { name: 'never from stores', channelKinds: ['marketplace'], fences: { excludeTypes: ['store'] } },
    { name: 'never in parts', channelFlags: ['whole'], maxShipments: 1 },
  ],
}
const node = (nodeId: string, type: string, latitude: number): Omit<Candidate, 'available'> => ({ nodeId, type, position: { latitude, longitude: 13.4 }, country: 'DE', active: true, methods: ['delivery'] })
const nodes = [node('far', 'warehouse', 49), node('near', 'store', 52.51), node('next', 'store', 52.52)]
const berlin = { latitude: 52.5, longitude: 13.4 }
const order = (orderId: string, own: SourcingPolicy, skus: string[]): OpenOrder => ({
  orderId,
  ask: { lines: skus.map((sku, i) => ({ lineId: `${i + 1}`, sku, quantity: 1, weightGrams: 500, valueMinor: 100 })), method: 'delivery', destination: berlin, country: 'DE', excluded: [] },
  shipments: [{ nodeId: 'far', lines: skus.map((sku, i) => ({ lineId: `${i + 1}`, sku, quantity: 1 })) }],
  policy: own,
})
function together(orders: readonly OpenOrder[], free: { sku: string; nodeId: string; units: number }[]): BatchPlan {
  const pool = batchPool({ nodes, free, orders })
  return reoptimise({ orders: orders.map((o) => batchOrder(o, pool.candidates, () => true)), free: pool.free, room: {} }, solve)
}
const moves = (plan: BatchPlan): string[] => plan.groups.flat().map((m) => `${m.orderId} ${m.shipments.map((s) => s.nodeId).join('+')}`).sort()

it('gives the near shelf to those that may have it, although the first in line would save as much', () => {
  const free = [{ sku: 'A', nodeId: 'near', units: 1 }, { sku: 'A', nodeId: 'far', units: 0 }]
  const [a, b] = [order('a', sourcingFor(policy, market), ['A']), order('b', sourcingFor(policy, web), ['A'])]
  expect(moves(together([a, b], free))).toEqual(['b near'])
  expect(moves(together([{ ...a, policy: b.policy }, b], free))).toHaveLength(1)
  expect(moves(together([a], free))).toEqual([])
})

it('parts only what may be parted', () => {
  const free = [{ sku: 'A', nodeId: 'near', units: 2 }, { sku: 'B', nodeId: 'next', units: 2 }]
  expect(moves(together([order('a', sourcingFor(policy, web), ['A', 'B']), order('b', sourcingFor(policy, fragile), ['A', 'B'])], free))).toEqual(['a near+next'])
})

it('leaves an order within what it was sold by, whatever its channel and the policy have become', () => {
  const free = [{ sku: 'A', nodeId: 'near', units: 2 }, { sku: 'B', nodeId: 'next', units: 2 }]
  const now = sourcingFor({ ...policy, channelRules: [] }, market)
  const sold = order('sold', withinOwn(now, sourcingFor(policy, market)), ['A'])
  expect(moves(together([sold, order('new', now, ['A'])], free))).toEqual(['new near'])
  const whole = order('whole', withinOwn(now, sourcingFor(policy, fragile)), ['A', 'B'])
  expect(moves(together([whole, order('parted', now, ['A', 'B'])], free))).toEqual(['parted near+next'])
})
