/** A shop on Shopify sells, repeats itself, changes its mind and sends nonsense; every message has one consequence. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, peopleOf, type People } from '../support/people'
import { freshShopifyOrder, sendShopify } from '../support/shopify'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

it('makes a paid order of the shop an order here, and follows it to the door', async () => {
  const { status, body } = await sendShopify(system.url, freshShopifyOrder())
  expect(status).toBe(200)
  const orderId = body.orderId!
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'completed', paymentStatus: 'captured', totalMinor: 20289, money: { owedMinor: 0 } })
})

it('makes one order of ten deliveries of one message at once', async () => {
  const order = freshShopifyOrder()
  const answers = await Promise.all(Array.from({ length: 10 }, () => sendShopify(system.url, order, { webhookId: `w-${order.admin_graphql_api_id}` })))
  expect(new Set(answers.map((a) => a.body.orderId)).size).toBe(1)
  expect(answers.every((a) => a.status === 200 && a.body.orderId !== undefined)).toBe(true)
})

it('answers the same order sent under another delivery id with the same order', async () => {
  const order = freshShopifyOrder()
  const [first, second] = [await sendShopify(system.url, order), await sendShopify(system.url, order)]
  expect(second.body.orderId).toBe(first.body.orderId)
  expect(await people.told(first.body.orderId!)).not.toContain('order.resubmitted')
})

it('lets the first body stand when the shop sends another one, and says so on the timeline', async () => {
  const order = freshShopifyOrder()
  const first = await sendShopify(system.url, order)
  const second = await sendShopify(system.url, { ...order, email: 'other@example.com' })
  expect(second).toMatchObject({ status: 200, body: { orderId: first.body.orderId } })
  expect(await people.told(first.body.orderId!)).toContain('order.resubmitted')
})

it('refuses a wrong signature and a changed body, and writes nothing', async () => {
  const order = freshShopifyOrder()
  expect(await sendShopify(system.url, order, { secret: 'guess' })).toMatchObject({ status: 401, body: { code: 'signature.invalid' } })
  expect(await sendShopify(system.url, order, { changedBody: JSON.stringify({ ...order, total_price: '1.00' }) })).toMatchObject({ status: 401 })
  expect(await sendShopify(system.url, order, { channel: 'nowhere' })).toMatchObject({ status: 404, body: { code: 'channel.not_found' } })
  expect(await sendShopify(system.url, order, { topic: 'products/update' })).toEqual({ status: 200, body: {} })
  const found = await people.support<{ items: unknown[] }>('GET', `/v1/orders?q=${order.admin_graphql_api_id.split('/').pop()}`)
  expect(found.body.items).toEqual([])
})

const quarantined = async (quarantineId: string): Promise<{ reasons: { code: string; pointer: string }[]; status: string; orderId: string | null }> =>
  (await people.support<{ items: { quarantineId: string; reasons: { code: string; pointer: string }[]; status: string; orderId: string | null }[] }>('GET', '/v1/quarantine?limit=200')).body.items.find(
    (m) => m.quarantineId === quarantineId,
  )!

it('keeps what cannot be an order with every reason, and makes it one once it is repaired', async () => {
  const order = freshShopifyOrder()
  const broken = { ...order, financial_status: 'pending', line_items: [{ ...order.line_items[0], sku: 'NO-SUCH-SKU' }, order.line_items[1]] }
  const { body } = await sendShopify(system.url, broken)
  const reasons = (await quarantined(body.quarantineId!)).reasons.map((r) => `${r.code} ${r.pointer}`)
  expect(reasons).toEqual(['channel.not_paid /financial_status', 'sku.unknown /line_items/0/sku'])

  const half = await people.support('POST', `/v1/quarantine/${body.quarantineId}/retry`, { patch: { financial_status: 'paid' } })
  expect(half).toMatchObject({ status: 409, body: { code: 'quarantine.still_invalid', reasons: [{ code: 'sku.unknown' }] } })
  const repaired = await people.support<{ orderId: string }>('POST', `/v1/quarantine/${body.quarantineId}/retry`, { patch: { financial_status: 'paid', line_items: order.line_items } })
  expect(repaired.status).toBe(200)
  expect(await people.until(repaired.body.orderId, (o) => o.fulfillments.length === 1)).toMatchObject({ status: 'in_fulfillment' })
  expect(await quarantined(body.quarantineId!)).toMatchObject({ status: 'ordered', orderId: repaired.body.orderId })
  const again = await people.support('POST', `/v1/quarantine/${body.quarantineId}/retry`, {})
  expect(again).toMatchObject({ status: 409, body: { code: 'quarantine.ended' } })
})

it('keeps a body that is not even JSON', async () => {
  const { status, body } = await sendShopify(system.url, '{"admin_graphql_api_id": "gid://shop')
  expect([status, (await quarantined(body.quarantineId!)).reasons[0]!.code]).toEqual([200, 'request.invalid'])
})

it('cancels here what the shop cancels there, also when the cancellation comes first', async () => {
  const order = freshShopifyOrder()
  const cancellation = { admin_graphql_api_id: order.admin_graphql_api_id, cancel_reason: 'customer' }
  expect(await sendShopify(system.url, cancellation, { topic: 'orders/cancelled' })).toMatchObject({ status: 200 })
  const { body } = await sendShopify(system.url, order)
  expect(await people.until(body.orderId!, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled' })
})

it('says on the timeline that a cancellation of the shop came too late', async () => {
  const order = freshShopifyOrder()
  const { body } = await sendShopify(system.url, order)
  const { fulfillments } = await people.until(body.orderId!, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  await sendShopify(system.url, { admin_graphql_api_id: order.admin_graphql_api_id, cancel_reason: 'customer' }, { topic: 'orders/cancelled' })
  await eventually(() => people.told(body.orderId!), (types) => types.includes('order.cancel_refused'))
})

const published = join(__dirname, '../../../shared/data/payloads/shopify/Order.json')
const ifThere = existsSync(published) ? it : it.skip

ifThere('quarantines the published sample with every reason, and takes it once it is paid and sells demo SKUs (skipped where the sample is not at hand)', async () => {
  const sample = JSON.parse(readFileSync(published, 'utf8')) as Record<string, unknown> & { line_items: object[] }
  const { body } = await sendShopify(system.url, sample)
  expect((await quarantined(body.quarantineId!)).reasons.map((r) => `${r.code} ${r.pointer}`)).toEqual([
    'channel.order_cancelled /cancelled_at',
    'channel.not_paid /financial_status',
    'currency.not_accepted /currency',
    'sku.unknown /line_items/0/sku',
    'sku.unknown /line_items/1/sku',
  ])
  const { admin_graphql_api_id } = freshShopifyOrder()
  const good = { ...sample, admin_graphql_api_id, cancelled_at: null, financial_status: 'paid', currency: 'EUR', line_items: sample.line_items.map((l) => ({ ...l, sku: 'SOCKS-3P' })) }
  const taken = await sendShopify(system.url, good)
  expect(await people.until(taken.body.orderId!, (o) => o.fulfillments.length === 1)).toMatchObject({ status: 'in_fulfillment', totalMinor: 38800 })
})
