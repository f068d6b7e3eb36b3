/** Who gets what has just come in: orders that wait are told at once, the most urgent first, and nobody who could not have it. */
import { orderWorkflowId } from '../../domain/ids'
import { eventually, peopleOf, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  // So long that nobody would look again by himself.
  system = await startSystem({ policies: { sourcing: { retryEvery: 'PT1H', autoCancelAfter: 'PT10H' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

/** A SKU that nobody has yet. */
async function freshSku(sku: string): Promise<string> {
  expect(await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 100 })).toMatchObject({ status: 201 })
  return sku
}

/** An order that waits for stock. */
async function waiting(sku: string, wish: Partial<OrderWish> & { quantity?: number } = {}): Promise<string> {
  const orderId = await people.place({ claim: 'later', lines: [{ sku, quantity: wish.quantity ?? 1 }], ...wish })
  await people.until(orderId, (o) => o.waitingOn?.what === 'stock', 'the wait for stock')
  return orderId
}

const receive = (sku: string, delta: number): Promise<object> => people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta, reason: 'delivered' })
const sourced = (orderId: string): Promise<object> => people.until(orderId, (o) => o.fulfillments.length === 1, 'a node')
const attempts = async (orderId: string): Promise<number> => (await people.support<{ items: object[] }>('GET', `/v1/orders/${orderId}/sourcing`)).body.items.length
/** Everything that has arrived was looked at, and everybody told. */
const nobodyToTell = (): Promise<unknown> => eventually(() => system.db('stock_arrivals').count({ n: '*' }).first(), (found) => Number(found!.n) === 0, { what: 'no arrival' })

async function toldOfStock(orderId: string): Promise<number> {
  const { channel, channelOrderId } = await people.order(orderId)
  const { events } = await system.client.workflow.getHandle(orderWorkflowId(channel, channelOrderId)).fetchHistory()
  return events!.filter((e) => e.workflowExecutionSignaledEventAttributes?.signalName === 'stockArrived').length
}

it('gives the one unit that came to the more urgent order, although it came later', async () => {
  const sku = await freshSku('RARE-1')
  const [usual, urgent] = [await waiting(sku, { priority: 5 }), await waiting(sku, { priority: 9 })]
  await receive(sku, 1)
  await sourced(urgent)
  await nobodyToTell()
  expect(await people.order(usual)).toMatchObject({ status: 'backordered', waitingOn: { what: 'stock' } })
  expect(await toldOfStock(usual)).toBe(0)
})

it('serves equally urgent orders in the order in which they came, as far as the stock goes', async () => {
  const sku = await freshSku('RARE-2')
  const line = [await waiting(sku), await waiting(sku), await waiting(sku)]
  await receive(sku, 2)
  await sourced(line[0]!)
  await sourced(line[1]!)
  await nobodyToTell()
  expect(await people.order(line[2]!)).toMatchObject({ status: 'backordered' })
  expect(await toldOfStock(line[2]!)).toBe(0)
})

it('passes over an order that needs more than has come, and serves the one behind it', async () => {
  const sku = await freshSku('RARE-3')
  const [large, small] = [await waiting(sku, { priority: 9, quantity: 5 }), await waiting(sku, { priority: 1, quantity: 2 })]
  await receive(sku, 3)
  await sourced(small)
  await nobodyToTell()
  expect([await attempts(large), await toldOfStock(large)]).toEqual([1, 0])
  await receive(sku, 4)
  await sourced(large)
})

it('tells whoever waits when a count finds more than was thought', async () => {
  const sku = await freshSku('RARE-4')
  const orderId = await waiting(sku, { quantity: 2 })
  expect(await people.operations('POST', '/v1/inventory/counts', [{ sku, nodeId: 'store-mitte', onHand: 2, asOf: new Date().toISOString() }])).toMatchObject({ body: { accepted: 1 } })
  await sourced(orderId)
})

it('gives what a cancelled order lets go of to the next in line', async () => {
  const sku = await freshSku('RARE-5')
  await receive(sku, 1)
  const first = await people.place({ lines: [{ sku, quantity: 1 }] })
  const second = await waiting(sku)
  await people.until(first, (o) => o.fulfillments.length === 1)
  await people.support('POST', `/v1/orders/${first}/cancel`, { reason: 'changed her mind' })
  await sourced(second)
})

it('gives what one store rejected for lack of time to another order that waits', async () => {
  const sku = await freshSku('RARE-6')
  await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'store-mitte', delta: 1, reason: 'delivered' })
  const first = await people.place({ lines: [{ sku, quantity: 1 }] })
  const { fulfillments } = await people.until(first, (o) => o.fulfillments.length === 1)
  const second = await waiting(sku)
  await people.store('store-mitte')('POST', `/v1/fulfillments/${fulfillments[0]!.fulfillmentId}/pick`, { lines: [{ lineId: '1', picked: 0, rejected: 1, reason: 'no_time' }] })
  await sourced(second)
  expect(await people.order(first)).toMatchObject({ waitingOn: { what: 'stock' } })
})
