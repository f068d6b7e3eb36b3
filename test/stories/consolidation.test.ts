/** What would leave from two nodes is gathered at one, packed together, and sent and paid for as one. */
import { defaultPolicies } from '../../domain/policy/kinds'
import type { OrderView } from '../../db/views/orders'
import { peopleOf, type FulfillmentWork, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { maxShipments: 3, consolidateAt: 'dc-01', retryEvery: 'PT0.3S', autoCancelAfter: 'PT20S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const at = (order: OrderView, nodeId: string): FulfillmentWork => order.fulfillments.filter((f) => f.nodeId === nodeId).at(-1)!

it('sends the part of a store to the warehouse first, which packs and sends all of it', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
  const orderId = await people.place({ lines: [{ sku: here, quantity: 1 }, { sku: there, quantity: 1 }] })
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(sourced.fulfillments.map((f) => [f.nodeId, f.method]).sort()).toEqual([['dc-01', 'delivery'], ['store-mitte', 'transfer']])
  expect((await people.support<{ items: { chosen: object }[] }>('GET', `/v1/orders/${orderId}/sourcing`)).body.items[0]!.chosen).toMatchObject({ gatheredAt: 'dc-01' })
  const [hub, part] = [at(sourced, 'dc-01'), at(sourced, 'store-mitte')]
  await people.pickAll(hub)
  expect(await people.packAll(hub)).toMatchObject({ status: 409, body: { code: 'fulfillment.waits_for_others', from: [{ nodeId: 'store-mitte', state: 'released' }] } })
  await people.pickAll(part)
  await people.packAll(part)
  await people.handOver(part)
  expect(await people.work(part, 'receive', {}, 'dc-01')).toMatchObject({ status: 200, body: { status: 'delivered' } })
  const gathered = at(await people.order(orderId), 'dc-01')
  expect(gathered.lines.map((l) => [l.sku, l.picked]).sort()).toEqual([[here, 1], [there, 1]].sort())
  const packed = await people.packPicked(gathered)
  expect(packed.status).toBe(200)
  await people.handOver(gathered)
  await people.until(orderId, (o) => o.paymentStatus === 'captured')
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', lines: [{ delivered: 1 }, { delivered: 1 }], money: { capturedMinor: 2_490 } })
})

it('gathers what two stores send at a node that has nothing of it', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 1 })]
  const orderId = await people.place({ lines: [{ sku: here, quantity: 1 }, { sku: there, quantity: 1 }] })
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(sourced.fulfillments.map((f) => f.method)).toEqual(['transfer', 'transfer'])
  for (const part of sourced.fulfillments) {
    await people.pickAll(part)
    await people.packAll(part)
    await people.handOver(part)
  }
  await people.work(sourced.fulfillments[0]!, 'receive', {}, 'dc-01')
  const first = (await people.until(orderId, (o) => o.fulfillments.length === 3)).fulfillments[2]!
  expect(await people.packPicked(first)).toMatchObject({ status: 409, body: { code: 'fulfillment.waits_for_others' } })
  await people.work(sourced.fulfillments[1]!, 'receive', {}, 'dc-01')
  expect((await people.order(orderId)).fulfillments).toHaveLength(3)
  const packed = await people.packPicked(first)
  await people.handOver(first)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', fulfillmentStatus: 'fulfilled' })
})

it('refuses a policy that gathers what leaves as one, or at a node that takes no orders', async () => {
  const draft = (more: object): Promise<{ status: number; body: object }> => people.operations('POST', '/v1/policies/sourcing', { ...defaultPolicies.sourcing, consolidateAt: 'dc-01', ...more })
  expect(await draft({ maxShipments: 1 })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/consolidateAt' }] } })
  expect(await draft({ maxShipments: 2, fences: { ...defaultPolicies.sourcing.fences, excludeNodes: ['dc-01'] } })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/consolidateAt' }] } })
  expect(await draft({ maxShipments: 2, consolidateAt: 'nowhere' })).toMatchObject({ status: 400, body: { code: 'node.unknown', errors: [{ pointer: '/consolidateAt' }] } })
})
