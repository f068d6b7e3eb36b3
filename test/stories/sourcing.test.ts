/** Where the goods come from: the nearest place that has it all, the next best when a store says no, and a patient wait when nobody has it. */
import { orderOf, peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { retryEvery: 'PT0.3S', autoCancelAfter: 'PT4S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

it('keeps why every place won or lost', async () => {
  const orderId = await people.place()
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  const { body } = await people.support<{ items: { chosen: { reason: string }; candidates: { nodeId: string; verdict: string }[] }[] }>('GET', `/v1/orders/${orderId}/sourcing`)
  expect(body.items).toHaveLength(1)
  expect(body.items[0]).toMatchObject({ chosen: { shipments: [{ nodeId: 'store-mitte' }], reason: 'the only node that has it all' } })
  expect(body.items[0]!.candidates.map((c) => c.nodeId)).toEqual(['dc-01', 'store-charlottenburg', 'store-kreuzberg', 'store-mitte'])
  expect(body.items[0]!.candidates.find((c) => c.nodeId === 'dc-01')).toMatchObject({ verdict: 'short of SHOE-LB-42 (0 of 1)' })
})

it('sends an order to the next best place when a store finds the shelf empty, and corrects the shelf', async () => {
  const orderId = await people.place({ lines: [{ sku: 'SOCKS-3P', quantity: 1 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  const [first] = fulfillments
  const rejected = await people.store(first!.nodeId)('POST', `/v1/fulfillments/${first!.fulfillmentId}/pick`, { lines: [{ lineId: '1', picked: 0, rejected: 1, reason: 'not_in_stock' }] })
  expect(rejected).toMatchObject({ status: 200, body: { status: 'rejected' } })
  const moved = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const second = moved.fulfillments.find((f) => f.status === 'released')!
  expect(second.nodeId).not.toBe(first!.nodeId)
  const shelf = await people.operations<{ items: { available: number; trust: number }[] }>('GET', `/v1/inventory?sku=SOCKS-3P&nodeId=${first!.nodeId}`)
  expect(shelf.body.items[0]).toMatchObject({ available: 0, trust: 0.5, safetyStock: 2 })
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['fulfillment.rejected']))
  await people.pickAll(second)
  await people.packAll(second)
  expect(await people.handOver(second)).toMatchObject({ status: 200 })
  expect(await people.until(orderId, (o) => o.paymentStatus === 'captured')).toMatchObject({ status: 'shipped' })
})

it('refuses a web order that no single place can fill, and says what is short', async () => {
  const { status, body } = await people.shop('POST', '/v1/orders', orderOf({ lines: [{ sku: 'SHOE-LB-42', quantity: 50 }] }))
  expect(status).toBe(409)
  expect(body).toMatchObject({ code: 'stock.short', short: [{ sku: 'SHOE-LB-42', wanted: 50, available: expect.any(Number) }] })
})

it('lets a marketplace order wait for stock, and ships it when a count brings some', async () => {
  const orderId = await people.place({ channel: 'marketplace', paidElsewhere: true, lines: [{ sku: 'SHOE-LB-41', quantity: 13 }] })
  const short = await people.until(orderId, (o) => o.status === 'backordered')
  expect(short).toMatchObject({ waitingOn: { what: 'stock' }, lines: [{ backordered: 13 }], paymentStatus: 'captured' })
  const exceptions = await people.operations<{ items: { orderId: string; kind: string }[] }>('GET', '/v1/exceptions?kind=sourcing.short')
  expect(exceptions.body.items.map((e) => e.orderId)).toContain(orderId)
  await people.operations('POST', '/v1/inventory/adjustments', { sku: 'SHOE-LB-41', nodeId: 'dc-01', delta: 5, reason: 'found' })
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 1)
  expect(sourced).toMatchObject({ status: 'in_fulfillment', fulfillments: [{ nodeId: 'dc-01' }], lines: [{ backordered: 0, allocated: 13 }] })
  const settled = await people.operations<{ items: { orderId: string }[] }>('GET', '/v1/exceptions?kind=sourcing.short')
  expect(settled.body.items.map((e) => e.orderId)).not.toContain(orderId)
})

it('cancels an order that nobody could fill by its deadline', async () => {
  const orderId = await people.place({ claim: 'later', lines: [{ sku: 'SHOE-LB-42', quantity: 40 }] })
  await people.until(orderId, (o) => o.status === 'backordered')
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' })
})
