/** A promise is guarded after the sale: who is late loses the work, and what is packed late travels faster. */
import { peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { store_work: { acceptWithin: 'PT1S' }, promise: { whenLate: { pick: 're_source', handOver: 'faster_carrier' } } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Told {
  items: { type: string; data: Record<string, unknown> }[]
}
const timeline = async (orderId: string): Promise<Told['items']> => (await people.support<Told>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items

it('gives work that a store has not begun to the next best place, and says so', async () => {
  const sku = await people.stocked({ 'store-mitte': 1, 'dc-01': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const moved = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(moved.fulfillments.map((f) => [f.nodeId, f.status])).toEqual([['store-mitte', 'rejected'], ['dc-01', 'released']])
  expect(await timeline(orderId)).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'promise.at_risk', data: expect.objectContaining({ milestone: 'pick', action: 're_source', nodes: ['dc-01'] }) as object })]))
  const [shelf] = (await people.operations<{ items: { available: number; trust: number }[] }>('GET', `/v1/inventory?sku=${sku}&nodeId=store-mitte`)).body.items
  expect(shelf).toMatchObject({ available: 1, trust: 1 }) // being late says nothing about the shelf
  const work = moved.fulfillments[1]!
  await people.pickAll(work)
  const packed = await people.packAll(work)
  await people.handOver(work)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed' })
})

it('leaves work where it is when nobody else has it, and tells operations', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const late = async (): Promise<boolean> => (await people.operations<{ items: { orderId: string }[] }>('GET', '/v1/exceptions?kind=fulfillment.late')).body.items.some((e) => e.orderId === orderId)
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  let told = false
  await people.until(orderId, () => (void late().then((l) => (told = l)), told), 'operations to be told')
  expect((await people.order(orderId)).fulfillments).toMatchObject([{ nodeId: 'store-mitte', status: 'released' }])
})

it('sends by the fastest service what is packed too late for its promise, and shows what that costs', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await system.db.raw(`UPDATE orders SET promise = jsonb_set(promise, '{promisedBy}', '"2026-01-01T19:00:00.000Z"') WHERE order_id = ?`, [orderId])
  await people.pickAll(work!)
  const packed = await people.packAll(work!)
  expect(packed.body.packages[0]).toMatchObject({ service: 'express' })
  const risk = (await timeline(orderId)).find((e) => e.type === 'promise.at_risk')
  expect(risk!.data).toMatchObject({ action: 'faster_carrier', service: 'express', insteadOf: 'standard', costMinor: 790 - 389 })
})
