/** Orders of several channels that are looked at again together: what was sold stays within its rules, and a draft is tried on each channel as it would be. */
import { defaultPolicies } from '../../domain/policy/kinds'
import type { SourcingChannelRule, SourcingPolicy } from '../../domain/policy/sourcing'
import type { BackTestResult } from '../../domain/sourcing/back-test'
import { expectInvariants } from '../support/invariants'
import { eventually, orderOf, peopleOf, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const rateCard = [{ upToKm: 5, tiers: [{ upToGrams: 31_500, priceMinor: 300 }] }, { upToKm: 900, tiers: [{ upToGrams: 31_500, priceMinor: 900 }] }]
const costs = { rateCard, handlingMinor: 50, pickWarehouseMinor: 30, pickStoreMinor: 30, splitMinor: 100, capacityMinor: 0, stockOutMinor: 0, markdownMinor: 0, markdownAbove: 0, latenessMinor: 0 }
const channelRules: SourcingChannelRule[] = [{ name: 'marketplaces from warehouses', channelKinds: ['marketplace'], fences: { excludeTypes: ['store'] } }]
const byCost: SourcingPolicy = { ...defaultPolicies.sourcing, mode: 'cost', costs, retryEvery: 'PT0.3S', autoCancelAfter: 'PT20S' }
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { ...byCost, channelRules } } })
  people = peopleOf(system)
  // Whatever the hour: a store that hands over later than the warehouse keeps no promise of today.
  await system.db.raw(`UPDATE nodes s SET calendar = w.calendar, cutoffs = w.cutoffs, pickups = w.pickups FROM nodes w WHERE s.node_id = 'store-mitte' AND w.node_id = 'dc-01'`)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Plan {
  status: string
  orders: number
  moves: { orderId: string; to: { nodeId: string }[] }[]
}
interface Shown {
  status: string
  result?: BackTestResult
}
const found = (sku: string, nodeId: string, delta: number): Promise<unknown> => people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId, delta, reason: 'found' })
async function buy(channel: 'web' | 'marketplace', sku: string): Promise<string> {
  const placed = await people.operations<{ orderId: string }>('POST', '/v1/orders', { ...orderOf({ channel, lines: [{ sku, quantity: 1 }], paidElsewhere: true, claim: 'required' }), placedAt: new Date().toISOString() })
  expect(placed.status).toBe(201)
  await people.until(placed.body.orderId, (o) => o.fulfillments.length === 1)
  return placed.body.orderId
}
async function planned(channel: string): Promise<Plan> {
  const asked = await people.operations<{ reOptimisationId: string }>('POST', '/v1/sourcing/re-optimisations', { channel })
  expect(asked.status).toBe(201)
  return eventually(async () => (await people.operations<Plan>('GET', `/v1/sourcing/re-optimisations/${asked.body.reOptimisationId}`)).body, (r) => r.status !== 'computing', { what: 'a proposal' })
}
const from = async (orderId: string): Promise<string[]> => (await people.order(orderId)).fulfillments.map((f) => f.nodeId)

it('proposes the nearer store to the web shop, never to what a marketplace sold, not even when the channel is one no more', async () => {
  const sku = await people.stocked({ 'dc-01': 2 })
  const [web, sold] = [await buy('web', sku), await buy('marketplace', sku)]
  await found(sku, 'store-mitte', 3)
  expect(await planned('web')).toMatchObject({ status: 'proposed', orders: 1, moves: [{ orderId: web, to: [{ nodeId: 'store-mitte' }] }] })
  expect(await planned('marketplace')).toMatchObject({ status: 'proposed', orders: 1, moves: [] })
  const settings = (await people.operations('GET', '/v1/channels/marketplace')).body
  expect(await people.operations('PUT', '/v1/channels/marketplace', { ...settings, kind: 'web' })).toMatchObject({ status: 200 })
  try {
    expect(await from(await buy('marketplace', sku))).toEqual(['store-mitte'])
    expect(await planned('marketplace')).toMatchObject({ orders: 2, moves: [] })
  } finally {
    await people.operations('PUT', '/v1/channels/marketplace', settings)
  }
  expect([await from(web), await from(sold)]).toEqual([['dc-01'], ['dc-01']])
})

it('tries a draft on every channel as it would be for it', async () => {
  const sku = await people.stocked({ 'dc-01': 2, 'store-mitte': 2 })
  const since = new Date().toISOString()
  expect([await from(await buy('web', sku)), await from(await buy('marketplace', sku))]).toEqual([['store-mitte'], ['dc-01']])
  const period = { from: since, to: new Date(Date.now() + 1).toISOString() }
  const asked = await people.operations<{ backTestId: string }>('POST', '/v1/sourcing/back-tests', { ...period, draft: byCost })
  expect(asked.status).toBe(201)
  const { result } = await eventually(async () => (await people.operations<Shown>('GET', `/v1/sourcing/back-tests/${asked.body.backTestId}`)).body, (b) => b.status !== 'running', { what: 'the back-test to end' })
  const load = Object.fromEntries(result!.load.map((l) => [l.nodeId, [l.draft.shipments, l.against.shipments]]))
  expect(load).toMatchObject({ 'store-mitte': [2, 1], 'dc-01': [0, 1] })
  expect(result!.measures.costMinor).toMatchObject({ draft: 2 * 380, against: 380 + 980 })
})
