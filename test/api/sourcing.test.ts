/** Asking where an order would come from, by any version of the policy; and policies that contradict themselves. */
import { defaultPolicies } from '../../domain/policy/kinds'
import type { SourcingCosts, SourcingPolicy } from '../../domain/policy/sourcing'
import type { SourcingDecision } from '../../domain/sourcing/decision'
import { routes } from '../../api/routes'
import { openEdge, type Edge, type Reply } from './edge'
import { place } from './orders-in-store'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

const costs: SourcingCosts = {
  rateCard: [{ upToKm: 30, tiers: [{ upToGrams: 31_500, priceMinor: 400 }] }, { upToKm: 900, tiers: [{ upToGrams: 31_500, priceMinor: 650 }] }],
  handlingMinor: 50, pickWarehouseMinor: 30, pickStoreMinor: 90, splitMinor: 100, capacityMinor: 0, stockOutMinor: 200, markdownMinor: 0, markdownAbove: 0, latenessMinor: 0,
}
const policyOf = (more: Partial<SourcingPolicy> = {}): SourcingPolicy => ({ ...defaultPolicies.sourcing, ...more })
const draft = async (more: Partial<SourcingPolicy>): Promise<number> => Number((await edge.post('/v1/policies/sourcing', policyOf(more))).body.version)
const tryIt = (body: object, key?: string): Promise<Reply> => edge.post('/v1/sourcing/dry-run', body, { key })
const decisionOf = (reply: Reply): SourcingDecision => reply.body as unknown as SourcingDecision
const socks = { channel: 'web', shipTo: { country: 'DE', latitude: 52.5285, longitude: 13.3975 }, lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }

it('tells what the policy in force and a draft would do with the same order', async () => {
  const now = await tryIt({ order: socks })
  expect(routes.find((r) => r.path === '/v1/sourcing/dry-run')!.answers[200]!.safeParse(now.body).error).toBeUndefined()
  expect(decisionOf(now)).toMatchObject({ mode: 'simple', policyVersion: 1, chosen: { shipments: [{ nodeId: 'store-mitte' }] } })
  const version = await draft({ mode: 'cost', costs: { ...costs, pickStoreMinor: 900 } })
  const then = decisionOf(await tryIt({ order: socks, version }))
  expect(then).toMatchObject({ mode: 'cost', policyVersion: version, chosen: { shipments: [{ nodeId: 'dc-01' }], costMinor: 481 } })
  expect(then.candidates.find((c) => c.nodeId === 'store-mitte')!.verdict).toMatch(/^lost by \d+\.\d\d: \d+\.\d\d picking/)
})

it('looks at a real order as if its own claim were free, and changes nothing', async () => {
  const orderId = await place(edge.db, { claim: 'required', lines: [{ lineId: '1', sku: 'SHOE-LB-42', quantity: 3, unitPriceMinor: 8900, discountMinor: 0, taxMinor: 0 }], totalMinor: 27_190, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 27_190 }] })
  const levels = (): Promise<unknown> => edge.db('stock_levels').orderBy(['sku', 'node_id'])
  const before = await levels()
  expect(decisionOf(await tryIt({ orderId }))).toMatchObject({ chosen: { shipments: [{ nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 3 }] }] } })
  expect(decisionOf(await tryIt({ order: { ...socks, lines: [{ sku: 'SHOE-LB-42', quantity: 3 }] } })).chosen).toBeUndefined()
  expect(await levels()).toEqual(before)
  expect(await edge.db('sourcing_decisions').where({ order_id: orderId })).toHaveLength(1)
})

it('refuses what it cannot look at', async () => {
  expect((await tryIt({})).body).toMatchObject({ code: 'request.invalid', errors: [{ pointer: '/orderId' }] })
  expect((await tryIt({ order: { ...socks, lines: [{ sku: 'NOPE', quantity: 1 }] } })).body).toMatchObject({ status: 400, code: 'sku.unknown', errors: [{ pointer: '/order/lines/0/sku' }] })
  expect((await tryIt({ order: { ...socks, channel: 'nowhere' } })).body).toMatchObject({ status: 400, code: 'channel.unknown' })
  expect((await tryIt({ order: socks, version: 99 })).body).toMatchObject({ status: 404, code: 'policy.unknown' })
  expect((await tryIt({ orderId: '0198c5a2-0000-7000-8000-000000000000' })).body).toMatchObject({ status: 404, code: 'order.unknown' })
  expect((await tryIt({ order: socks }, 'demo-channel-web')).body).toMatchObject({ status: 403 })
})

const wrong: [string, object, string][] = [
  ['two rules that contradict each other', { rules: ['stores_first', 'warehouses_first'] }, '/rules'],
  ['a rule named twice', { rules: ['nearest', 'nearest'] }, '/rules/1'],
  ['money without a price', { mode: 'cost' }, '/costs'],
  ['lines split into one shipment', { maxShipments: 1, splitLines: true }, '/splitLines'],
  ['a guard of splits that cannot be', { maxShipments: 1, splitGuardMinor: 500 }, '/splitGuardMinor'],
  ['a fence farther out than the rate card', { mode: 'cost', costs, fences: { maxDistanceKm: 1_000 } }, '/fences/maxDistanceKm'],
  ['two zones that end at the same place', { mode: 'cost', costs: { ...costs, rateCard: [costs.rateCard[0], costs.rateCard[0]] } }, '/costs/rateCard/1'],
  ['an unknown field', { fences: { maxDistanceMiles: 3 } }, '/fences/maxDistanceMiles'],
]
it.each(wrong)('refuses a policy with %s', async (_, more, pointer) => {
  expect((await edge.post('/v1/policies/sourcing', { ...policyOf(), ...more })).body).toMatchObject({ status: 400, code: 'request.invalid', errors: [{ pointer }] })
})

it('refuses a policy that names a node that is gone', async () => {
  const reply = await edge.post('/v1/policies/sourcing', policyOf({ fences: { ...defaultPolicies.sourcing.fences, excludeNodes: ['dc-01', 'gone'] } }))
  expect(reply.body).toMatchObject({ status: 400, code: 'node.unknown', nodeId: 'gone', errors: [{ pointer: '/fences/excludeNodes/1' }] })
})

it('gives a node no more orders a day than it can work', async () => {
  const mitte = (await edge.get('/v1/nodes/store-mitte')).body
  expect((await edge.put('/v1/nodes/store-mitte', { ...mitte, capacity: { ordersPerDay: 0 } })).status).toBe(200)
  const decision = decisionOf(await tryIt({ order: socks }))
  expect(decision.chosen!.shipments[0]!.nodeId).not.toBe('store-mitte')
  expect(decision.candidates.find((c) => c.nodeId === 'store-mitte')!.verdict).toBe('full: 0 of 0 orders today')
})
