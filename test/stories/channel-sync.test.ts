/** A shop and we lose sight of each other: what never came is fetched, what has left and what can be sold is told, each once, whatever goes wrong in between. */
import { dueForListing } from '../../db/channel-sync'
import { openForStuck } from '../../db/watch'
import { createCallOutside } from '../../adapters/outside/call'
import * as telling from '../../api/tell-channel'
import { parseNetwork } from '../../domain/webhooks/addresses'
import { startShopSimulator, type ShopOrder, type ShopSimulator } from '../../simulators/shopify/server'
import { eventually, peopleOf, type Answer, type People } from '../support/people'
import { freshShopifyOrder, sendShopify } from '../support/shopify'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let shop: ShopSimulator
const settings = (): object => ({
  name: 'Web shop', currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required', apiToken: 'shop-token', silence: 'PT1H',
  api: { kind: 'shopify', url: shop.url, locations: { 'dc-01': '11', 'store-mitte': '12' } },
})
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
  shop = await startShopSimulator({ token: 'shop-token', skus: ['SHIRT-RUN-M', 'SOCKS-3P'] })
  await people.operations('PUT', '/v1/channels/web', settings())
})
afterEach(() => expectInvariants(system))
afterAll(async () => {
  await system.stop()
  await shop.close()
})

const deps = { callOutside: createCallOutside({ allowed: [parseNetwork('127.0.0.0/8')!] }) }
const tellWhatHappened = (): Promise<number> => telling.tellWhatHappened({ db: system.db, deps })
const tellStock = (): Promise<number> => telling.tellStock({ db: system.db, deps })
const numberOf = (order: ShopOrder): string => order.admin_graphql_api_id.split('/').pop()!
/** An order at the shop, of which nobody has told us yet. */
function sold(more: object = {}): ShopOrder {
  const order = { ...freshShopifyOrder(), updated_at: new Date().toISOString(), ...more } as unknown as ShopOrder
  shop.orders.set(order.admin_graphql_api_id, order)
  return order
}
const catchUp = (): Promise<Answer<{ taken: number; changed: number; quarantined: number; code?: string }>> => people.support('POST', '/v1/channels/web/catch-up', {})
const orderIdOf = async (order: ShopOrder): Promise<string | undefined> => ((await system.db('orders').where({ channel: 'web', channel_order_id: numberOf(order) })) as { order_id: string }[]).map((o) => o.order_id)[0]
const health = async (): Promise<{ lastSeenAt: string | null; sequence: { missing: number[] } }> => (await people.support<{ lastSeenAt: string | null; sequence: { missing: number[] } }>('GET', '/v1/channels/web/health')).body

it('takes an order whose message never came, and it stays one when the message comes after all', async () => {
  const order = sold()
  expect((await catchUp()).body).toMatchObject({ taken: 1, changed: 0, quarantined: 0 })
  const orderId = await orderIdOf(order)
  expect((await sendShopify(system.url, order)).body.orderId).toBe(orderId)
  expect((await catchUp()).body).toMatchObject({ taken: 0, changed: 0, quarantined: 0 })
  expect(await people.told(orderId!)).not.toContain('order.resubmitted')
})

it('goes over page after page, and begins again where it began when the shop breaks off', async () => {
  const orders = Array.from({ length: 7 }, () => sold())
  await sendShopify(system.url, orders[2])
  shop.fail(1, { skip: 1 })
  expect(await catchUp()).toMatchObject({ status: 503, body: { code: 'channel.not_answering' } })
  expect((await catchUp()).status).toBe(200)
  const ids = await Promise.all(orders.map(orderIdOf))
  expect(new Set(ids.filter(Boolean)).size).toBe(7)
})

it('makes changes and cancellations of which nobody told us', async () => {
  const [changed, cancelled, gone] = [sold(), sold(), sold({ cancelled_at: '2026-11-20T11:00:00Z' })]
  await catchUp()
  const soon = new Date(Date.now() + 1_000).toISOString()
  sold({ ...changed, updated_at: soon, line_items: changed.line_items.map((l) => ({ ...l, current_quantity: 1 })) })
  sold({ ...cancelled, updated_at: soon, cancelled_at: soon })
  expect((await catchUp()).body).toMatchObject({ taken: 0, changed: 2 })
  await people.until((await orderIdOf(cancelled))!, (o) => o.status === 'cancelled')
  await people.until((await orderIdOf(changed))!, (o) => o.lines.every((l) => l.quantity - l.cancelled === 1))
  expect(await orderIdOf(gone)).toBeUndefined()
})

it('notices a number that the shop has counted past, and fetches it at once', async () => {
  const [first, lost, third] = [sold({ order_number: 7001 }), sold({ order_number: 7002 }), sold({ order_number: 7003 })]
  await sendShopify(system.url, first)
  expect(await dueForListing(system.db, 3_600)).toEqual([])
  await sendShopify(system.url, third)
  expect((await health()).sequence.missing).toEqual([7002])
  expect((await dueForListing(system.db, 3_600)).map((c) => c.channelId)).toEqual(['web'])
  await catchUp()
  expect(await orderIdOf(lost)).toBeDefined()
  expect((await health()).sequence.missing).toEqual([])
})

it('keeps what cannot be an order once, however often it is listed, and takes it when it has been paid', async () => {
  const order = sold({ financial_status: 'pending' })
  expect((await catchUp()).body).toMatchObject({ quarantined: 1 })
  expect((await catchUp()).body).toMatchObject({ quarantined: 0, taken: 0 })
  expect(await system.db('quarantine').where({ channel_order_id: numberOf(order) })).toHaveLength(1)
  sold({ ...order, financial_status: 'paid', updated_at: new Date(Date.now() + 1_000).toISOString() })
  expect((await catchUp()).body).toMatchObject({ taken: 1 })
  expect(await system.db('quarantine').where({ channel_order_id: numberOf(order) }).first()).toMatchObject({ status: 'ordered', order_id: await orderIdOf(order) })
})

async function handedOver(order: ShopOrder): Promise<{ orderId: string; trackingNumber: string }> {
  const orderId = (await sendShopify(system.url, order)).body.orderId!
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  return { orderId, trackingNumber: packed.body.packages[0]!.trackingNumber! }
}
const tryNow = (orderId: string): Promise<unknown> => system.db('channel_operations').where({ order_id: orderId }).update({ next_at: system.db.fn.now() })
const operationOf = (orderId: string): Promise<{ status: string; attempts: number }> => system.db('channel_operations').where({ order_id: orderId }).first() as Promise<{ status: string; attempts: number }>

it('tells the shop of a parcel once, though it does not hear that it was told', async () => {
  const order = sold()
  const { orderId, trackingNumber } = await handedOver(order)
  shop.fail(1, { skip: 1, after: true }) // the question is answered, the telling is done and its answer lost
  await tellWhatHappened()
  expect(await operationOf(orderId)).toMatchObject({ status: 'unknown', attempts: 1 })
  await tellWhatHappened()
  expect(await operationOf(orderId)).toMatchObject({ attempts: 1 }) // not due yet
  await tryNow(orderId)
  await tellWhatHappened()
  expect(await operationOf(orderId)).toMatchObject({ status: 'succeeded' })
  expect(shop.fulfillments.filter((f) => f.order === order.admin_graphql_api_id)).toMatchObject([{ numbers: [trackingNumber], company: 'swiftparcel', lines: [{ quantity: 2 }, { quantity: 10 }] }])
  expect((await people.told(orderId)).filter((type) => type === 'channel.told')).toHaveLength(1)
})

it('makes a case of a parcel that the shop does not take, and tells it when somebody has put that right', async () => {
  const order = freshShopifyOrder() as unknown as ShopOrder // the shop has no such order
  const { orderId } = await handedOver(order)
  await tellWhatHappened()
  expect(await operationOf(orderId)).toMatchObject({ status: 'refused' })
  const open = (): Promise<{ exception_id: string }[]> => system.db('exceptions').where({ order_id: orderId, kind: 'channel.not_told' }).whereNull('resolved_at')
  const [exception] = await open()
  shop.orders.set(order.admin_graphql_api_id, { ...order, updated_at: '2026-01-01T00:00:00Z' })
  await people.operations('POST', `/v1/exceptions/${exception!.exception_id}/retry`, {})
  await tellWhatHappened()
  expect(await operationOf(orderId)).toMatchObject({ status: 'succeeded' })
  expect(await open()).toEqual([])
})

it('tells the shop what it can sell, and again only what has changed', async () => {
  expect(await tellStock()).toBeGreaterThan(0)
  const level = async (): Promise<number> =>
    (await people.operations<{ items: { channels: Record<string, number> }[] }>('GET', '/v1/inventory?sku=SOCKS-3P&nodeId=store-mitte')).body.items[0]!.channels.web!
  expect(shop.stock.get('SOCKS-3P@12')).toBe(await level())
  await eventually(tellStock, (told) => told === 0)
  await people.operations('POST', '/v1/inventory/adjustments', { sku: 'SOCKS-3P', nodeId: 'store-mitte', delta: 3, reason: 'found' })
  shop.fail(1, { after: true })
  await expect(tellStock()).rejects.toThrow()
  expect(await tellStock()).toBe(1)
  expect(shop.stock.get('SOCKS-3P@12')).toBe(await level())
})

it('notices that a channel has fallen silent, and that it speaks again', async () => {
  await sendShopify(system.url, sold())
  const open = async (): Promise<number> => (await system.db('exceptions').where({ kind: 'channel.silent', subject: 'web' }).whereNull('resolved_at')).length
  await openForStuck(system.db)
  expect(await open()).toBe(0)
  await system.db.raw(`UPDATE inbound_events SET received_at = received_at - interval '2 hours' WHERE source = 'shopify:web'`)
  await openForStuck(system.db)
  await openForStuck(system.db)
  expect(await open()).toBe(1)
  await sendShopify(system.url, sold())
  await openForStuck(system.db)
  expect(await open()).toBe(0)
})
