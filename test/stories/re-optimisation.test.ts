/** Open orders planned again together: what is cheaper is proposed, moved when somebody says so, and left alone where it has gone on meanwhile. */
import { defaultPolicies } from '../../domain/policy/kinds'
import { rows } from '../../db/connection'
import { eventually, nearMitte, peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  const rateCard = [{ upToKm: 3, tiers: [{ upToGrams: 31_500, priceMinor: 300 }] }, { upToKm: 900, tiers: [{ upToGrams: 31_500, priceMinor: 900 }] }]
  const costs = { rateCard, handlingMinor: 50, pickWarehouseMinor: 30, pickStoreMinor: 30, splitMinor: 100, capacityMinor: 0, stockOutMinor: 0, markdownMinor: 0, markdownAbove: 0, latenessMinor: 0 }
  system = await startSystem({ policies: { sourcing: { ...defaultPolicies.sourcing, mode: 'cost', costs, retryEvery: 'PT0.3S', autoCancelAfter: 'PT20S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Shown {
  reOptimisationId: string
  status: string
  orders: number
  beforeMinor: number
  afterMinor: number
  moves: { group: number; orderId: string; from: { nodeId: string }[]; to: { nodeId: string }[]; savesMinor: number; outcome: string; reason: string | null }[]
}
const nearKreuzberg = { ...nearMitte, latitude: 52.499, longitude: 13.419 }
const look = async (id: string): Promise<Shown> => (await people.operations<Shown>('GET', `/v1/sourcing/re-optimisations/${id}`)).body
async function proposed(): Promise<Shown> {
  const asked = await people.operations<Shown>('POST', '/v1/sourcing/re-optimisations', { channel: 'web' })
  expect(asked).toMatchObject({ status: 201, body: { status: 'computing' } })
  return eventually(() => look(asked.body.reOptimisationId), (r) => r.status === 'proposed' || r.status === 'failed', { what: 'a proposal' })
}
const apply = (r: Shown): Promise<{ status: number; body: object }> => people.operations('POST', `/v1/sourcing/re-optimisations/${r.reOptimisationId}/apply`, {})

/** Two orders that came in an unlucky sequence: each sits where the other should. */
async function crossed(): Promise<{ sku: string; a: string; b: string }> {
  const sku = await people.stocked({ 'store-kreuzberg': 1 })
  const a = await people.place({ lines: [{ sku, quantity: 1 }], shipTo: nearMitte })
  await people.until(a, (o) => o.fulfillments.length === 1)
  await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'store-mitte', delta: 1, reason: 'found' })
  const b = await people.place({ lines: [{ sku, quantity: 1 }], shipTo: nearKreuzberg })
  await people.until(b, (o) => o.fulfillments.length === 1)
  return { sku, a, b }
}

it('lets two orders change places, each through its own thread, and tells why', async () => {
  const { sku, a, b } = await crossed()
  const plan = await proposed()
  expect(plan).toMatchObject({ status: 'proposed', orders: 2 })
  expect(plan.moves.map((m) => [m.orderId, m.from[0]!.nodeId, m.to[0]!.nodeId, m.savesMinor, m.group])).toEqual([[a, 'store-kreuzberg', 'store-mitte', 600, 1], [b, 'store-mitte', 'store-kreuzberg', 600, 1]])
  expect(plan.beforeMinor - plan.afterMinor).toBe(1_200)
  expect((await people.order(a)).fulfillments).toHaveLength(1)
  expect(await apply(plan)).toMatchObject({ status: 200, body: { status: 'applying' } })
  const done = await eventually(() => look(plan.reOptimisationId), (r) => r.status === 'applied')
  expect(done.moves.map((m) => m.outcome)).toEqual(['moved', 'moved'])
  expect(await apply(plan)).toMatchObject({ status: 409, body: { code: 're_optimisation.state', state: 'applied' } })
  for (const [orderId, node] of [[a, 'store-mitte'], [b, 'store-kreuzberg']] as const) {
    const moved = await people.order(orderId)
    expect(moved.fulfillments.map((f) => [f.nodeId === node, f.status])).toEqual([[false, 'cancelled'], [true, 'released']])
    expect(await people.told(orderId)).toContain('order.re_sourced')
    const work = moved.fulfillments[1]!
    await people.pickAll(work)
    const packed = await people.packAll(work)
    expect(await people.handOver(work)).toMatchObject({ status: 200 })
    await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed' })
  }
  expect(await rows(system.db, 'SELECT sum(on_hand)::int AS "onHand", sum(allocated)::int AS allocated FROM stock_levels WHERE sku = ?', [sku])).toEqual([{ onHand: 0, allocated: 0 }])
})

it('leaves both where they are when one of them is being picked by the time it is applied', async () => {
  const { a, b } = await crossed()
  const plan = await proposed()
  expect(plan.moves).toHaveLength(2)
  const [work] = (await people.order(b)).fulfillments
  await people.pickAll(work!)
  await apply(plan)
  const done = await eventually(() => look(plan.reOptimisationId), (r) => r.status === 'applied')
  expect(done.moves.map((m) => [m.outcome, m.reason])).toEqual([['skipped', 'an order has gone on or changed since'], ['skipped', 'an order has gone on or changed since']])
  for (const orderId of [a, b]) {
    expect((await people.order(orderId)).fulfillments).toHaveLength(1)
    await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'end of the story' })
    await people.until(orderId, (o) => !o.workflowOpen)
  }
})

it('refuses a policy that knows no costs, and shows nothing of what is not there', async () => {
  const { body } = await people.operations<{ version: number }>('POST', '/v1/policies/sourcing', { ...defaultPolicies.sourcing })
  expect(await people.operations('POST', '/v1/sourcing/re-optimisations', { channel: 'web', version: body.version })).toMatchObject({ status: 409, body: { code: 're_optimisation.no_costs' } })
  expect(await people.operations('GET', '/v1/sourcing/re-optimisations/01a20902-5e47-7186-a716-0e418df55dc0')).toMatchObject({ status: 404, body: { code: 're_optimisation.unknown' } })
  expect(await people.support('POST', '/v1/sourcing/re-optimisations', { channel: 'web' })).toMatchObject({ status: 403 })
})
