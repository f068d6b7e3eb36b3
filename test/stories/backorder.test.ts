/** Sold before it is there: accepted on announced supply or as a pre-order, quiet until its date, and shipped when the goods come. */
import { eventually, orderOf, peopleOf, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { retryEvery: 'PT1H', autoCancelAfter: 'PT10H' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()
const dayMs = 86_400_000

async function freshSku(sku: string, settings: object): Promise<string> {
  expect(await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 100, ...settings })).toMatchObject({ status: 201 })
  return sku
}
const announce = (sku: string, quantity: number, expectedAt: string): Promise<object> => people.operations('POST', '/v1/inventory/supply', { sku, nodeId: 'dc-01', quantity, expectedAt, reference: 'PO-7' })
const receive = (sku: string, delta: number): Promise<object> => people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta, reason: 'delivered', supplyReference: 'PO-7' })
const submit = (wish: OrderWish): Promise<{ status: number; body: Record<string, unknown> }> => people.shop('POST', '/v1/orders', orderOf(wish))
const waits = (orderId: string) => people.until(orderId, (o) => o.waitingOn?.what === 'stock', 'the wait for stock')
const exceptions = async (orderId: string): Promise<{ kind: string }[]> => {
  const { body } = await people.operations<{ items: { orderId: string; kind: string }[] }>('GET', '/v1/exceptions?limit=200')
  return body.items.filter((e) => e.orderId === orderId)
}

it('accepts an order on what is announced, shows its date, and ships it when it has come', async () => {
  const sku = await freshSku('SOON-A', { backorder: true })
  const expectedAt = inMs(20 * dayMs)
  await announce(sku, 3, expectedAt)
  const orderId = await people.place({ lines: [{ sku, quantity: 2 }] })
  const waiting = await waits(orderId)
  expect(waiting).toMatchObject({ status: 'backordered', paymentStatus: 'authorized', lines: [{ backordered: 2, allocated: 0, shipBy: expectedAt }], waitingOn: { what: 'stock', deadline: expectedAt } })
  expect(await exceptions(orderId)).toEqual([])
  expect(await submit({ lines: [{ sku, quantity: 2 }] })).toMatchObject({ status: 409, body: { code: 'stock.short' } })
  await receive(sku, 3)
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 1)
  expect(sourced).toMatchObject({ status: 'in_fulfillment', fulfillments: [{ nodeId: 'dc-01' }], lines: [{ backordered: 0, allocated: 2, shipBy: expectedAt }] })
  expect(await people.told(orderId)).not.toContain('exception.opened')
  expect((await people.operations<{ items: object[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items).toMatchObject([{ onHand: 3, available: 1, expected: [] }])
})

it('accepts pre-orders up to their cap, and gives a cancelled one to the next customer', async () => {
  const shipBy = inMs(60 * dayMs)
  const sku = await freshSku('SOON-B', { preorder: { cap: 2, shipBy } })
  const first = await people.place({ lines: [{ sku, quantity: 2 }] })
  expect(await waits(first)).toMatchObject({ lines: [{ backordered: 2, shipBy }], waitingOn: { deadline: shipBy } })
  expect(await submit({ lines: [{ sku, quantity: 1 }] })).toMatchObject({ status: 409, body: { code: 'stock.short' } })
  expect((await people.operations('GET', `/v1/skus/${sku}`)).body).toMatchObject({ preorder: { cap: 2, shipBy, promised: 2 }, backorder: false })
  await people.support('POST', `/v1/orders/${first}/cancel`, { reason: 'changed her mind' })
  await people.until(first, (o) => !o.workflowOpen)
  const second = await people.place({ lines: [{ sku, quantity: 1 }] })
  expect(await waits(second)).toMatchObject({ status: 'backordered' })
})

it('holds what is there for an order that waits for the rest, and sends both together', async () => {
  const sku = await freshSku('SOON-C', { backorder: true })
  await announce(sku, 1, inMs(dayMs))
  const orderId = await people.place({ lines: [{ sku: 'CAP-BLACK', quantity: 1 }, { sku, quantity: 1 }] })
  expect(await waits(orderId)).toMatchObject({ lines: [{ sku: 'CAP-BLACK', allocated: 1, backordered: 0, shipBy: null }, { sku, allocated: 0, backordered: 1 }] })
  await receive(sku, 1)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  expect(fulfillments).toMatchObject([{ nodeId: 'dc-01', lines: [{ lineId: '1' }, { lineId: '2' }] }])
})

it('puts an order before a person when its date has come and the goods have not', async () => {
  const shipBy = inMs(4_000)
  const sku = await freshSku('SOON-D', { preorder: { cap: 5, shipBy } })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  await waits(orderId)
  expect(await exceptions(orderId)).toEqual([])
  const opened = await eventually(() => exceptions(orderId), (found) => found.length > 0, { what: 'the exception' })
  expect(opened).toMatchObject([{ kind: 'sourcing.short' }])
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(shipBy))
  expect(Date.parse((await people.order(orderId)).waitingOn!.deadline!)).toBeGreaterThan(Date.parse(shipBy))
})
