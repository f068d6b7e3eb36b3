/** A seller's account on Amazon and we stay in step: orders that nobody handed on are listed, parcels and cancellations are told, each once, whatever goes wrong in between. */
import { createCallOutside } from '../../adapters/outside/call'
import { tellWhatHappened } from '../../api/tell-channel'
import { parseNetwork } from '../../domain/webhooks/addresses'
import { startAmazonSimulator, type AmazonSimulator, type SellerOrder } from '../../simulators/amazon/server'
import { amazonDoor } from '../adapters/conformance/amazon-door'
import { caller, peopleOf, type Answer, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let amazon: AmazonSimulator
const account = { clientId: 'app-1', clientSecret: 'app-secret', refreshToken: 'Atzr|seller', marketplaceId: 'A1PA6795UKMFR9' }
const settings = (): object => ({
  name: 'Marketplace', currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'later', kind: 'marketplace', apiToken: account.refreshToken, apiSecret: account.clientSecret,
  api: { kind: 'amazon', url: amazon.url, tokenUrl: `${amazon.url}/auth/o2/token`, marketplaceId: account.marketplaceId, clientId: account.clientId },
})
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
  amazon = await startAmazonSimulator(account)
  await people.operations('PUT', '/v1/channels/marketplace', settings())
})
afterEach(() => expectInvariants(system))
afterAll(async () => {
  await system.stop()
  await amazon.close()
})

const deps = { callOutside: createCallOutside({ allowed: [parseNetwork('127.0.0.0/8')!] }) }
const tell = (): Promise<number> => tellWhatHappened({ db: system.db, deps })
const catchUp = (): Promise<Answer<{ listed: number; taken: number; changed: number; quarantined: number; code?: string }>> => people.support('POST', '/v1/channels/marketplace/catch-up', {})
/** An order at Amazon, of which nobody has told us yet. */
function sold(changes: Parameters<typeof amazonDoor.fresh>[0] = {}, more: Partial<SellerOrder> = {}): SellerOrder {
  const order = { ...(amazonDoor.fresh(changes) as { order: SellerOrder }).order, lastUpdatedTime: new Date().toISOString(), ...more }
  amazon.orders.set(order.orderId, order)
  return order
}
const orderIdOf = async (order: SellerOrder): Promise<string | undefined> => ((await system.db('orders').where({ channel: 'marketplace', channel_order_id: order.orderId })) as { order_id: string }[]).map((o) => o.order_id)[0]
const handOn = (order: SellerOrder): Promise<Answer<{ orderId?: string }>> => caller(system.url, 'demo-channel-marketplace')('POST', '/v1/channels/marketplace/amazon/orders', { order })
const operationOf = (orderId: string): Promise<{ status: string; attempts: number; kind: string; last_error: string | null }> => system.db('channel_operations').where({ order_id: orderId }).first() as never
const tryNow = (orderId: string): Promise<unknown> => system.db('channel_operations').where({ order_id: orderId }).update({ next_at: system.db.fn.now() })

it('takes what nobody handed on, page after page, and it stays one order when it is handed on after all', async () => {
  const orders = Array.from({ length: 7 }, () => sold())
  const first = (await handOn(orders[2]!)).body.orderId
  expect((await catchUp()).body).toMatchObject({ listed: 7, taken: 6, quarantined: 0 })
  const ids = await Promise.all(orders.map(orderIdOf))
  expect([new Set(ids).size, ids[2]]).toEqual([7, first])
  for (const order of orders) expect((await handOn(order)).body.orderId).toBe(await orderIdOf(order))
  expect((await catchUp()).body).toMatchObject({ listed: 7, taken: 0, changed: 0, quarantined: 0 })
  expect(await system.db('orders').where({ channel: 'marketplace' })).toHaveLength(7)
})

it('begins again where it began when Amazon breaks off, with one token for all its calls', async () => {
  const order = sold()
  amazon.fail(1, { skip: 2 })
  expect(await catchUp()).toMatchObject({ status: 503, body: { code: 'channel.not_answering' } })
  expect((await catchUp()).body).toMatchObject({ taken: (await orderIdOf(order)) === undefined ? 1 : expect.any(Number) })
  expect(await orderIdOf(order)).toBeDefined()
  expect(amazon.tokens()).toBe(1)
})

it('leaves alone what Amazon has not released or sends itself, and takes it when it has', async () => {
  const pending = sold({ state: 'not paid' })
  const theirs = sold({}, { fulfillment: { fulfillmentStatus: 'UNSHIPPED', fulfilledBy: 'AMAZON' } })
  const broken = sold({ lines: [{ sku: 'NO-SUCH' }] })
  expect((await catchUp()).body).toMatchObject({ taken: 0, quarantined: 1 })
  expect((await catchUp()).body).toMatchObject({ taken: 0, quarantined: 0 })
  expect(await system.db('quarantine').whereIn('channel_order_id', [pending.orderId, theirs.orderId])).toEqual([])
  Object.assign(pending, { lastUpdatedTime: new Date().toISOString(), fulfillment: { ...pending.fulfillment, fulfillmentStatus: 'UNSHIPPED' } })
  Object.assign(broken, { lastUpdatedTime: new Date().toISOString(), orderItems: (amazonDoor.fresh() as { order: SellerOrder }).order.orderItems })
  expect((await catchUp()).body).toMatchObject({ taken: 2 })
  expect(await system.db('quarantine').where({ channel_order_id: broken.orderId })).toMatchObject([{ status: 'ordered' }])
})

it('cancels what Amazon has cancelled while nobody told us', async () => {
  const order = sold()
  await catchUp()
  Object.assign(order, { lastUpdatedTime: new Date().toISOString(), fulfillment: { ...order.fulfillment, fulfillmentStatus: 'CANCELLED' } })
  expect((await catchUp()).body).toMatchObject({ changed: 1 })
  await people.until((await orderIdOf(order))!, (o) => o.status === 'cancelled')
  expect((await catchUp()).body).toMatchObject({ changed: 0, taken: 0 })
  expect(amazon.feeds).toEqual([])
})

it('confirms each parcel once, though it does not hear that it did', async () => {
  const order = sold({ lines: [{ id: '11', quantity: 2 }, { id: '12', quantity: 1, sku: 'SHIRT-RUN-M' }] })
  const orderId = (await handOn(order)).body.orderId!
  const { fulfillments: [work] } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(work!)
  const packages = [[{ lineId: '11', quantity: 1 }], [{ lineId: '11', quantity: 1 }, { lineId: '12', quantity: 1 }]].map((lines) => ({ weightGrams: 900, lines }))
  const packed = await people.store(work!.nodeId)<{ packages: { trackingNumber: string }[] }>('POST', `/v1/fulfillments/${work!.fulfillmentId}/pack`, { packages })
  const numbers = packed.body.packages.map((p) => p.trackingNumber)
  await people.handOver(work!)
  amazon.fail(1, { skip: 1, after: true })
  await tell()
  expect(await operationOf(orderId)).toMatchObject({ status: 'unknown' })
  await tryNow(orderId)
  await tell()
  expect(await operationOf(orderId)).toMatchObject({ status: 'succeeded', kind: 'parcel' })
  const confirmed = [...amazon.confirmations.values()].filter((c) => c.orderId === order.orderId)
  expect(confirmed.map((c) => [c.trackingNumber, c.carrierName, c.orderItems])).toEqual([
    [numbers[0], 'swiftparcel', [{ orderItemId: '11', quantity: 1 }]],
    [numbers[1], 'swiftparcel', [{ orderItemId: '11', quantity: 1 }, { orderItemId: '12', quantity: 1 }]],
  ])
  expect(order.fulfillment.fulfillmentStatus).toBe('SHIPPED')
})

it('cancels an order at Amazon by one feed, and waits until Amazon has done with it', async () => {
  const order = sold()
  const orderId = (await handOn(order)).body.orderId!
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'customer called' })
  await tell()
  await tryNow(orderId)
  await tell()
  expect(await operationOf(orderId)).toMatchObject({ status: 'unknown', kind: 'cancellation' })
  const feeds = amazon.feeds.filter((f) => f.text.includes(order.orderId))
  expect(feeds).toMatchObject([{ feedType: 'POST_ORDER_ACKNOWLEDGEMENT_DATA', text: expect.stringContaining('<AmazonOrderItemCode>1000</AmazonOrderItemCode><CancelReason>GeneralAdjustment</CancelReason>') }])
  amazon.work()
  await tryNow(orderId)
  await tell()
  expect(await operationOf(orderId)).toMatchObject({ status: 'succeeded' })
  expect(order.fulfillment.fulfillmentStatus).toBe('CANCELLED')
})

it('makes a case of what Amazon does not take back: units of an order, or one that was sent', async () => {
  const order = sold({ lines: [{ id: '11', quantity: 2 }] })
  const orderId = (await handOn(order)).body.orderId!
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '11', quantity: 1 }], reason: 'customer called' })
  await tell()
  expect(await operationOf(orderId)).toMatchObject({ status: 'refused', last_error: 'Amazon takes back whole orders by this way, and no units of one' })
  expect(await system.db('exceptions').where({ order_id: orderId, kind: 'channel.not_told' }).whereNull('resolved_at')).toHaveLength(1)
})

it('shows none of its secrets, and says what it is called by', async () => {
  const shown = JSON.stringify((await people.operations('GET', '/v1/channels/marketplace')).body)
  expect([shown.includes('app-secret'), shown.includes('Atzr'), JSON.parse(shown)]).toMatchObject([false, false, { hasApiSecret: true, hasApiToken: true, api: { kind: 'amazon', clientId: 'app-1' } }])
})
