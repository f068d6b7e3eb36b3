/** Shopify's webhooks at the edge: every signed message is answered 200 and kept once, whatever is in it; what is repaired becomes an order. */
import { createHmac, randomUUID } from 'node:crypto'
import { mergePatch } from '../../api/routes/quarantine'
import { freshShopifyOrder, readFixture, sendShopify, type ShopifyBody } from '../support/shopify'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

interface Kept {
  quarantine_id: string
  reasons: { code: string; pointer: string; message: string }[]
  body: Record<string, unknown>
  status: string
  order_id: string | null
  retried_at: string | null
}
const kept = async (quarantineId: string | undefined): Promise<Kept> => (await edge.db<Kept>('quarantine').where({ quarantine_id: quarantineId }).first())!
const reasonsOf = async (quarantineId: string | undefined): Promise<string[]> => (await kept(quarantineId)).reasons.map((r) => `${r.code} ${r.pointer}`)
const numberOf = (order: { admin_graphql_api_id: string }): string => order.admin_graphql_api_id.split('/').pop()!
const ordersOf = (order: { admin_graphql_api_id: string }): Promise<{ order_id: string }[]> => edge.db('orders').where({ channel_order_id: numberOf(order) })
const countOf = async (table: string): Promise<number> => Number((await edge.db(table).count({ n: '*' }).first())!.n)
const retry = (quarantineId: string | undefined, body: object = {}, key = 'demo-support'): Promise<Reply> => edge.post(`/v1/quarantine/${quarantineId}/retry`, body, { key })

/** An order of one line without shipping or discount, so that its arithmetic is plain. */
const plain = (line: object, totalPrice: string, more: object = {}): ShopifyBody & { admin_graphql_api_id: string } => {
  const order = freshShopifyOrder()
  return { ...order, total_discounts: '0.00', shipping_lines: [], total_price: totalPrice, line_items: [{ ...order.line_items[1], ...line }], ...more }
}

it('takes ids beyond what a double can hold digit by digit', async () => {
  const order = { ...freshShopifyOrder(), admin_graphql_api_id: 'gid://shopify/Order/9007199254740993' }
  const { body } = await sendShopify(edge.url, order)
  const { body: view } = await edge.get(`/v1/orders/${body.orderId}`)
  expect(view).toMatchObject({ channel: 'web', channelOrderId: '9007199254740993', paymentStatus: 'captured', totalMinor: 20289 })
  expect((view.lines as { lineId: string }[]).map((l) => l.lineId)).toEqual(['866550311766439020', '866550311766439021'])
})

it('makes one order of ten messages at once, whether one is repeated or each has an id of its own', async () => {
  const order = freshShopifyOrder()
  const repeated = randomUUID()
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => sendShopify(edge.url, order, { webhookId: i % 2 ? repeated : randomUUID() })))
  expect(answers.map((a) => a.status)).toEqual(Array(10).fill(200))
  const [one, ...others] = await ordersOf(order)
  expect(others).toEqual([])
  expect(new Set(answers.map((a) => a.body.orderId))).toEqual(new Set([one!.order_id]))
  expect(await edge.db('inbound_events').where({ source: 'shopify:web', event_id: repeated })).toHaveLength(1)
  expect(await edge.db('workflow_starts').where({ order_id: one!.order_id })).toHaveLength(1)
})

it('quarantines one body once, however often its message comes, and answers the same', async () => {
  const order = { ...freshShopifyOrder(), financial_status: 'authorized' }
  const webhookId = randomUUID()
  const answers = await Promise.all(Array.from({ length: 10 }, () => sendShopify(edge.url, order, { webhookId })))
  expect(new Set(answers.map((a) => JSON.stringify(a))).size).toBe(1)
  expect(await edge.db('quarantine').where({ event_id: webhookId })).toHaveLength(1)
})

it('lets the first body stand, and writes each other one on the timeline once', async () => {
  const order = freshShopifyOrder()
  const { body } = await sendShopify(edge.url, order)
  const again = { webhookId: randomUUID() }
  for (let i = 0; i < 2; i += 1) expect(await sendShopify(edge.url, { ...order, phone: '+49 1' }, again)).toEqual({ status: 200, body: { orderId: body.orderId } })
  expect(await edge.db('order_events').where({ order_id: body.orderId, type: 'order.resubmitted' })).toHaveLength(1)
  const stored = (await edge.db('orders').where({ order_id: body.orderId }).first()) as { customer: object }
  expect(stored.customer).not.toHaveProperty('phone')
})

it('names every reason at once: what the shop says, what the network does not know, what does not add up', async () => {
  const order = freshShopifyOrder()
  const [shirt, socks] = order.line_items
  const broken = {
    ...order,
    cancelled_at: '2026-11-20T11:00:00Z',
    financial_status: 'voided',
    currency: 'USD',
    shipping_address: null,
    total_price: '1.00',
    line_items: [{ ...shirt, sku: 'NO-SUCH-SKU' }, { ...socks, sku: null }, { ...socks, admin_graphql_api_id: 'gid://shopify/LineItem/3', gift_card: true }],
  }
  const { body } = await sendShopify(edge.url, broken)
  expect(await reasonsOf(body.quarantineId)).toEqual([
    'channel.order_cancelled /cancelled_at',
    'channel.not_paid /financial_status',
    'channel.line_not_goods /line_items/2/gift_card',
    'channel.address_missing /shipping_address',
    'currency.not_accepted /currency',
    'sku.unknown /line_items/0/sku',
    'sku.unknown /line_items/1/sku',
    'order.totals /total_price',
  ])
  expect((await kept(body.quarantineId)).body).toEqual(broken)
  expect(await ordersOf(order)).toEqual([])
})

it('names an unknown SKU also where the currency is none', async () => {
  const { body } = await sendShopify(edge.url, plain({ sku: 'NO-SUCH-SKU', quantity: 1 }, '11.00', { currency: 'XXQ' }))
  expect(await reasonsOf(body.quarantineId)).toEqual(['currency.unknown /currency', 'sku.unknown /line_items/0/sku'])
})

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

it.each<[string, unknown, string]>([
  ['text that is not JSON', 'hello', 'request.invalid '],
  ['a body cut off half way', JSON.stringify(readFixture()).slice(0, 700), 'request.invalid '],
  ['nothing at all', '', 'request.invalid '],
  ['null', 'null', 'request.invalid '],
  ['a list', '[]', 'request.invalid '],
  ['brackets nested deeper than a database follows', nested(200_000), 'request.invalid '],
  ['an order with a field nested that deep', JSON.stringify(readFixture()).replace('"note"', '"n"').replace('{', `{"note":${nested(20_000)},`), 'request.invalid '],
  ['half a character as the currency', { ...readFixture(), currency: '\ud800' }, 'currency.unknown /currency'],
  ['a zero byte as the payment status', { ...readFixture(), financial_status: 'paid\u0000ish' }, 'channel.not_paid /financial_status'],
  ['a zero byte in a SKU', plain({ quantity: 1, sku: 'A\u0000B' }, '11.00'), 'sku.unknown /line_items/0/sku'],
  ['one line twice', plain({}, '110.00', { line_items: [readFixture().line_items[1], readFixture().line_items[1]], total_price: '220.00' }), 'order.lines_repeated /line_items/1/admin_graphql_api_id'],
  ['a total that is a cent off', plain({ quantity: 1 }, '11.01'), 'order.totals /total_price'],
  ['more units than an integer counts', plain({ quantity: 3_000_000_000, price: '0.00' }, '0.00'), 'request.invalid /line_items/0/quantity'],
  ['a tax finer than a cent', plain({ quantity: 1, tax_lines: [{ price: '0.005' }] }, '11.00'), 'order.totals /line_items/0/tax_lines/0/price'],
  ['a tax beyond counting', plain({ quantity: 1, tax_lines: [{ price: '99999999999999999999' }] }, '11.00'), 'order.totals /line_items/0/tax_lines/0/price'],
  ['shipping below zero', plain({ quantity: 1 }, '10.00', { shipping_lines: [{ price: '-1.00' }] }), 'order.totals /shipping_lines/0/price'],
  ['more than 500 lines', plain({}, '0.00', { line_items: Array.from({ length: 501 }, () => ({ ...readFixture().line_items[1] })) }), 'request.invalid /line_items'],
])('keeps %s in quarantine, and it can be read there', async (_what, message, reason) => {
  const { status, body } = await sendShopify(edge.url, message)
  expect({ status, reasons: await reasonsOf(body.quarantineId) }).toEqual({ status: 200, reasons: [reason] })
  const { body: listed } = await edge.get('/v1/quarantine?limit=1')
  expect(listed).toMatchObject({ items: [{ quarantineId: body.quarantineId, status: 'open' }] })
})

it.each<[string, () => ShopifyBody]>([
  ['that costs nothing', () => plain({ quantity: 1, price: '0.00' }, '0.00')],
  ['of 500 lines', () => plain({}, '5500.00', { line_items: Array.from({ length: 500 }, (_, i) => ({ ...readFixture().line_items[1], quantity: 1, admin_graphql_api_id: `gid://shopify/LineItem/${9007199254740993n + BigInt(i)}` })) })],
  ['with halves of characters in what people wrote', () => ({ ...freshShopifyOrder(), note: '\ud800\u0000', shipping_address: { ...readFixture().shipping_address, name: 'A\udfffB' }, customer: { admin_graphql_api_id: 'x\u0000' } })],
  ['whose address is nowhere on the map', () => ({ ...freshShopifyOrder(), shipping_address: { ...readFixture().shipping_address, latitude: 1e300, longitude: 1e300 } })],
])('takes an order %s', async (_what, make) => {
  const { status, body } = await sendShopify(edge.url, make())
  expect({ status, quarantineId: body.quarantineId }).toEqual({ status: 200, quarantineId: undefined })
  expect((await edge.get(`/v1/orders/${body.orderId}`)).status).toBe(200)
})

it('writes nothing for a message it cannot trust, does not know or is not told the id of', async () => {
  const before = await Promise.all(['inbound_events', 'orders', 'quarantine'].map(countOf))
  const order = freshShopifyOrder()
  const text = JSON.stringify(order)
  expect(await sendShopify(edge.url, order, { secret: 'guess' })).toMatchObject({ status: 401, body: { code: 'signature.invalid' } })
  expect(await sendShopify(edge.url, order, { changedBody: text.replace('202.89', '002.89') })).toMatchObject({ status: 401 })
  expect(await sendShopify(edge.url, order, { changedBody: `${text} ` })).toMatchObject({ status: 401 })
  expect(await sendShopify(edge.url, order, { channel: 'nowhere' })).toMatchObject({ status: 404, body: { code: 'channel.not_found' } })
  await edge.put('/v1/channels/unsigned', { name: 'No secret', currency: 'EUR', timeZone: 'Europe/Berlin' })
  expect(await sendShopify(edge.url, order, { channel: 'unsigned' })).toMatchObject({ status: 404, body: { code: 'channel.not_found' } })
  expect(await sendShopify(edge.url, order, { topic: 'orders/paid' })).toEqual({ status: 200, body: {} })
  const signature = createHmac('sha256', 'demo-shopify-secret').update(text).digest('base64')
  const nameless = await edge.send('POST', '/v1/channels/web/shopify/webhooks', { key: null, raw: text, headers: { 'x-shopify-topic': 'orders/create', 'x-shopify-hmac-sha256': signature } })
  expect(nameless).toMatchObject({ status: 400, body: { errors: [{ pointer: '/headers/X-Shopify-Webhook-Id' }] } })
  expect(await Promise.all(['inbound_events', 'orders', 'quarantine'].map(countOf))).toEqual(before)
})

it('keeps of a cancellation the number and Shopify’s own word for the reason, and nothing of the person', async () => {
  const order = freshShopifyOrder()
  const placed = await sendShopify(edge.url, order)
  const cancel = (reason: unknown, webhookId: string) => sendShopify(edge.url, { ...order, cancelled_at: '2026-11-20T11:00:00Z', cancel_reason: reason }, { topic: 'orders/cancelled', webhookId })
  for (const [reason, said] of [['fraud', 'fraud'], ['Mrs Customer called', 'other'], ['\u0000\ud800', 'other'], [null, 'other']] as const) {
    const webhookId = randomUUID()
    const [first, repeat] = [await cancel(reason, webhookId), await cancel(reason, webhookId)]
    expect([first, repeat]).toEqual(Array(2).fill({ status: 200, body: { orderId: placed.body.orderId } }))
    const facts = (await edge.db('inbound_events').where({ event_id: webhookId })) as object[]
    expect(facts).toMatchObject([{ source: 'shopify:web', kind: 'shopify.orders/cancelled', subject: numberOf(order), status: 'queued', payload: { channel: 'web', reason: said } }])
  }
})

it('keeps a cancellation that names no order in quarantine', async () => {
  const { status, body } = await sendShopify(edge.url, { id: 1 }, { topic: 'orders/cancelled' })
  expect({ status, reasons: await reasonsOf(body.quarantineId) }).toEqual({ status: 200, reasons: ['request.invalid /admin_graphql_api_id'] })
})

it('looks again at a cancellation that was kept for its order, once the repaired order is there', async () => {
  const order = { ...freshShopifyOrder(), financial_status: 'pending' }
  const webhookId = randomUUID()
  await sendShopify(edge.url, order, { topic: 'orders/cancelled', webhookId })
  await edge.db('inbound_events').where({ event_id: webhookId }).update({ status: 'kept' })
  const { body } = await sendShopify(edge.url, order)
  expect((await retry(body.quarantineId, { patch: { financial_status: 'paid' } })).status).toBe(200)
  expect(await edge.db('inbound_events').where({ event_id: webhookId })).toMatchObject([{ status: 'queued' }])
})

it('finds new reasons when a message is tried again, and keeps those of the body as it is kept', async () => {
  const order = plain({ quantity: 1, sku: 'SOON-KNOWN' }, '11.00', { financial_status: 'pending' })
  const { quarantineId } = (await sendShopify(edge.url, order)).body
  const patched = await retry(quarantineId, { patch: { financial_status: 'paid' } })
  expect(patched).toMatchObject({ status: 409, body: { code: 'quarantine.still_invalid', reasons: [{ code: 'sku.unknown', pointer: '/line_items/0/sku' }], errors: [{ code: 'sku.unknown' }] } })
  expect(patched.headers.get('content-type')).toContain('application/problem+json')
  expect(await kept(quarantineId)).toMatchObject({ status: 'open', body: order, reasons: [{ code: 'channel.not_paid' }, { code: 'sku.unknown' }], retried_at: expect.any(String) as string })

  expect((await edge.put('/v1/skus/SOON-KNOWN', { name: 'Soon known', weightGrams: 100 })).status).toBe(201)
  expect(await retry(quarantineId)).toMatchObject({ status: 409, body: { reasons: [{ code: 'channel.not_paid' }] } })
  expect(await reasonsOf(quarantineId)).toEqual(['channel.not_paid /financial_status'])

  const repaired = await retry(quarantineId, { patch: { financial_status: 'paid', note: null } })
  expect(repaired).toMatchObject({ status: 200, body: { quarantineId } })
  expect(await kept(quarantineId)).toMatchObject({ status: 'ordered', order_id: repaired.body.orderId, body: { financial_status: 'paid' } })
  expect(await retry(quarantineId)).toMatchObject({ status: 409, body: { code: 'quarantine.ended', orderId: repaired.body.orderId } })
})

it('answers the same retry the same, and lets only one of two people repair a message', async () => {
  const { quarantineId } = (await sendShopify(edge.url, { ...freshShopifyOrder(), financial_status: 'pending' })).body
  const again = { key: 'demo-support', idempotencyKey: randomUUID() }
  const path = `/v1/quarantine/${quarantineId}/retry`
  const [first, repeat] = [await edge.post(path, {}, again), await edge.post(path, {}, again)]
  expect(repeat).toMatchObject({ status: 409, body: first.body })
  expect(repeat.headers.get('idempotent-replayed')).toBe('true')
  const both = await Promise.all([retry(quarantineId, { patch: { financial_status: 'paid' } }), retry(quarantineId, { patch: { financial_status: 'paid' } })])
  expect(both.map((r) => r.status).sort()).toEqual([200, 409])
  expect(both.find((r) => r.status === 409)!.body.code).toBe('quarantine.ended')
})

it('becomes the order that the shop has sent correctly in the meantime', async () => {
  const order = freshShopifyOrder()
  const { quarantineId } = (await sendShopify(edge.url, { ...order, financial_status: 'pending' })).body
  const { orderId } = (await sendShopify(edge.url, order)).body
  expect(await retry(quarantineId, { patch: { financial_status: 'paid' } })).toMatchObject({ status: 200, body: { orderId } })
  expect(await ordersOf(order)).toHaveLength(1)
})

it('lets only support, operations and admin repair, and knows no message by a wrong id', async () => {
  const { quarantineId } = (await sendShopify(edge.url, 'hello')).body
  for (const key of ['demo-channel-web', 'demo-store-store-mitte', 'demo-courier-driver-mark', 'demo-finance']) expect((await retry(quarantineId, {}, key)).status).toBe(403)
  expect(await retry('01890000-0000-7000-8000-0000000000ff')).toMatchObject({ status: 404, body: { code: 'quarantine.unknown' } })
  expect(await retry('not-an-id')).toMatchObject({ status: 404, body: { code: 'quarantine.unknown' } })
  expect(await retry(quarantineId, { patch: 'all of it' })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/patch' }] } })
})

it('says nothing of a customer in the log, whatever becomes of the message', async () => {
  const canary = 'canary5e1d'
  const person = { email: `${canary}@example.com`, shipping_address: { ...readFixture().shipping_address, name: canary }, customer: { first_name: canary, last_name: '\u0000' } }
  const { quarantineId } = (await sendShopify(edge.url, { ...freshShopifyOrder(), ...person, financial_status: 'pending' })).body
  await sendShopify(edge.url, { ...freshShopifyOrder(), ...person })
  await sendShopify(edge.url, { ...freshShopifyOrder(), ...person }, { secret: 'guess' })
  await retry(quarantineId, { patch: { email: `other-${canary}@example.com` } })
  expect(edge.logged.join('')).toContain('/shopify/webhooks')
  expect(edge.logged.join('')).not.toContain(canary)
})

describe('merge patch', () => {
  // The examples of RFC 7396, appendix A.
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [['a', 'b'], ['c', 'd'], ['c', 'd']],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j with %j is %j', (target, patch, result) => expect(mergePatch(target, patch)).toEqual(result))

  it('takes a field named __proto__ for a field', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"financial_status":"paid"}}')) as Record<string, unknown>
    expect(merged.financial_status).toBeUndefined()
    expect(Object.keys(merged)).toEqual(['__proto__'])
  })
})
