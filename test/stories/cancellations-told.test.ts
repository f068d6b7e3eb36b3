/** What is cancelled here is told to the shop that sold it, once, and the shop gives the money back; what the shop cancelled itself it is not told. */
import { createCallOutside } from '../../adapters/outside/call'
import { tellWhatHappened } from '../../api/tell-channel'
import { parseNetwork } from '../../domain/webhooks/addresses'
import { startShopSimulator, type ShopOrder, type ShopSimulator } from '../../simulators/shopify/server'
import { eventually, peopleOf, type People } from '../support/people'
import { freshShopifyOrder, sendShopify } from '../support/shopify'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let shop: ShopSimulator
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
  shop = await startShopSimulator({ token: 'shop-token', skus: [] })
  await people.operations('PUT', '/v1/channels/web', { name: 'Web shop', currency: 'EUR', timeZone: 'Europe/Berlin', claim: 'required', apiToken: 'shop-token', api: { kind: 'shopify', url: shop.url } })
})
afterEach(() => expectInvariants(system))
afterAll(async () => {
  await system.stop()
  await shop.close()
})

const [shirt, socks] = ['866550311766439020', '866550311766439021']
const deps = { callOutside: createCallOutside({ allowed: [parseNetwork('127.0.0.0/8')!] }) }
const tell = (): Promise<number> => tellWhatHappened({ db: system.db, deps })
interface Row {
  operation_id: string
  status: string
  attempts: number
  last_error: string | null
}
const operationsOf = (orderId: string): Promise<Row[]> => system.db('channel_operations').where({ order_id: orderId, kind: 'cancellation' }).orderBy('created_at')
const tryNow = (orderId: string): Promise<unknown> => system.db('channel_operations').where({ order_id: orderId }).update({ next_at: system.db.fn.now() })
const openCases = async (orderId: string): Promise<string[]> => ((await system.db('exceptions').where({ order_id: orderId }).whereNull('resolved_at')) as { kind: string }[]).map((c) => c.kind)

async function sold(): Promise<{ order: ShopOrder; orderId: string }> {
  const order = { ...freshShopifyOrder(), updated_at: new Date().toISOString() } as unknown as ShopOrder
  shop.orders.set(order.admin_graphql_api_id, order)
  const { body } = await sendShopify(system.url, order)
  await people.until(body.orderId!, (o) => o.fulfillments.length === 1)
  return { order, orderId: body.orderId! }
}
const cancel = (orderId: string, lines?: object[]): Promise<unknown> => people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'customer called', ...(lines && { lines }) })
const refundsOf = (order: ShopOrder): ShopSimulator['refunds'] => shop.refunds.filter((r) => r.order === order.admin_graphql_api_id)

it('cancels the order at the shop, and waits until the shop has done it', async () => {
  const { order, orderId } = await sold()
  await cancel(orderId)
  await tell()
  expect(await operationsOf(orderId)).toMatchObject([{ status: 'unknown', attempts: 1 }])
  await tryNow(orderId)
  await tell()
  expect(shop.jobs.filter((job) => job.order === order.admin_graphql_api_id)).toHaveLength(1)
  shop.finishJobs()
  await tryNow(orderId)
  await tell()
  expect(await operationsOf(orderId)).toMatchObject([{ status: 'succeeded' }])
  expect((await people.told(orderId)).filter((type) => type === 'channel.cancellation_told')).toHaveLength(1)
  expect(await openCases(orderId)).toEqual([])
})

it('gives units back at the shop once, though it does not hear that it was done', async () => {
  const { order, orderId } = await sold()
  await cancel(orderId, [{ lineId: socks, quantity: 3 }])
  expect(await openCases(orderId)).toEqual(['order.refund_elsewhere'])
  shop.fail(1, { skip: 2, after: true }) // what the shop knows and what it suggests is answered; the refund is made, and its answer lost
  await tell()
  expect(await operationsOf(orderId)).toMatchObject([{ status: 'unknown' }])
  await tryNow(orderId)
  await tell()
  expect(await operationsOf(orderId)).toMatchObject([{ status: 'succeeded' }])
  expect(refundsOf(order)).toMatchObject([{ lines: [{ quantity: 3, restockType: 'CANCEL' }], amount: '33.00' }])
  expect(await openCases(orderId)).toEqual([])
})

it('knows the shop’s message about that refund for its own doing', async () => {
  const { order, orderId } = await sold()
  await cancel(orderId, [{ lineId: shirt, quantity: 1 }])
  await tell()
  const [refund] = refundsOf(order)
  const message = {
    admin_graphql_api_id: refund!.id, order_id: order.admin_graphql_api_id.split('/').pop(), note: refund!.note,
    refund_line_items: [{ quantity: 1, restock_type: 'no_restock', line_item: { admin_graphql_api_id: `gid://shopify/LineItem/${shirt}` } }], transactions: [{ kind: 'refund', status: 'success', amount: '49.00', currency: 'EUR' }],
  }
  await sendShopify(system.url, message, { topic: 'refunds/create' })
  await eventually(() => people.told(orderId), (types) => types.includes('channel.refunded'))
  const view = await people.order(orderId)
  expect([view.returns, view.lines.find((l) => l.lineId === shirt)]).toMatchObject([[], { cancelled: 1 }])
  expect(await openCases(orderId)).toEqual([])
})

it('tells each cancellation by itself, and none that the shop asked for', async () => {
  const { order, orderId } = await sold()
  await cancel(orderId, [{ lineId: socks, quantity: 1 }])
  await cancel(orderId, [{ lineId: socks, quantity: 2 }])
  await sendShopify(system.url, { ...order, updated_at: new Date(Date.now() + 1_000).toISOString(), line_items: order.line_items.map((l, i) => ({ ...l, current_quantity: i === 0 ? 1 : l.quantity })) }, { topic: 'orders/updated' })
  await people.until(orderId, (o) => o.lines.find((l) => l.lineId === shirt)!.cancelled === 1)
  await tell()
  expect(refundsOf(order).map((r) => r.lines.map((l) => l.quantity))).toEqual(expect.arrayContaining([[1], [2]]))
  expect(await operationsOf(orderId)).toHaveLength(2)
  const other = await sold()
  await sendShopify(system.url, { admin_graphql_api_id: other.order.admin_graphql_api_id, cancel_reason: 'customer' }, { topic: 'orders/cancelled' })
  await people.until(other.orderId, (o) => o.status === 'cancelled')
  await tell()
  expect(await operationsOf(other.orderId)).toEqual([])
})

it('has nothing to give back where the shop has done so already', async () => {
  const { order, orderId } = await sold()
  shop.refunds.push({ id: 'gid://shopify/Refund/1', order: order.admin_graphql_api_id, note: 'by hand', key: 'by hand', amount: '110.00', lines: [{ lineItemId: `gid://shopify/LineItem/${socks}`, quantity: 10, restockType: 'CANCEL' }] })
  await cancel(orderId, [{ lineId: socks, quantity: 2 }])
  await tell()
  expect(await operationsOf(orderId)).toMatchObject([{ status: 'succeeded' }])
  expect(refundsOf(order)).toHaveLength(1)
})

it('makes a case of a cancellation that the shop does not take', async () => {
  const { order, orderId } = await sold()
  shop.fulfillments.push({ id: 'f', order: order.admin_graphql_api_id, numbers: ['elsewhere'], company: 'x', lines: [] })
  await cancel(orderId)
  await tell()
  expect(await operationsOf(orderId)).toMatchObject([{ status: 'refused', last_error: expect.stringContaining('Cannot cancel') }])
  expect(await openCases(orderId)).toEqual(expect.arrayContaining(['channel.not_told', 'order.refund_elsewhere']))
})
