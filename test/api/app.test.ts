/** The edge itself: health, documentation, keys and roles, and what a bad request hears. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createApp } from '../../api/app'
import { createLog } from '../../api/log'
import { connect } from '../../db/connection'
import { isRefusalCode } from '../../domain/refusals'
import { openEdge, type Edge, type Sending } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

describe('without a key', () => {
  it.each(['/healthz', '/readyz', '/openapi.json', '/docs/'])('answers %s', async (path) => {
    expect((await edge.get(path, null)).status).toBe(200)
  })

  it('serves a documentation page that asks no other host for anything', async () => {
    const page = await edge.get('/docs/', null)
    expect(page.text).toContain('swagger-ui')
    expect(page.text).not.toMatch(/(src|href)="https?:/)
    const script = await edge.get('/docs/swagger-ui-init.js', null)
    expect(script.text).toContain('/openapi.json')
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    expect(page.headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests')
  })

  it('describes every route, its body and its key in OpenAPI 3.1', async () => {
    const { body } = await edge.get('/openapi.json', null)
    expect(body.openapi).toBe('3.1.0')
    const paths = body.paths as Record<string, Record<string, { requestBody?: unknown; parameters?: { name: string }[]; responses: object }>>
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/orders/{orderId}', '/v1/inventory/counts', '/v1/policies/{kind}/{version}/activate']))
    expect(paths['/v1/inventory/adjustments']!.post!.requestBody).toBeDefined()
    expect(paths['/v1/inventory/adjustments']!.post!.parameters!.map((p) => p.name)).toContain('Idempotency-Key')
    expect(Object.keys(paths['/v1/orders/{orderId}']!.get!.responses)).toEqual(expect.arrayContaining(['200', '4XX', '5XX']))
  })

  it('refuses everything under /v1', async () => {
    for (const path of ['/v1/orders', '/v1/nodes', '/v1/demo', '/v1/events']) {
      const { status, body, headers } = await edge.get(path, null)
      expect([path, status, body.code]).toEqual([path, 401, 'auth.missing'])
      expect(headers.get('www-authenticate')).toBe('Bearer')
    }
    expect((await edge.get('/v1/orders', 'nobody-knows-this-key')).body.code).toBe('auth.unknown_key')
  })
})

it('gives every refusal as an RFC 9457 problem with the caller’s own request id', async () => {
  const { status, body, headers } = await edge.send('GET', '/v1/nodes/nowhere', { headers: { 'x-request-id': 'from-the-shop-1' } })
  expect(status).toBe(404)
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(headers.get('x-request-id')).toBe('from-the-shop-1')
  expect(body).toMatchObject({ status: 404, code: 'node.not_found', requestId: 'from-the-shop-1', errors: [], title: expect.any(String), detail: expect.any(String) })
  expect(body.type).toMatch(/^https:.*node\.not_found$/)
})

it('does not repeat a request id that could forge log lines', async () => {
  const { headers } = await edge.send('GET', '/healthz', { headers: { 'x-request-id': 'a b"}' } })
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

describe('bad input', () => {
  const node = { name: 'A', type: 'store', timeZone: 'Europe/Berlin', country: 'DE', latitude: 52, longitude: 13 }
  const adjustment = { sku: 'SOCKS-3P', nodeId: 'dc-01', delta: 1, reason: 'found' }
  const feed = 'application/x-ndjson'
  const rows: [string, string, string, Sending, number, string, string | undefined][] = [
    ['an unknown field', 'PUT', '/v1/nodes/n-1', { body: { ...node, color: 'red' } }, 400, 'request.invalid', '/color'],
    ['an unknown nested field', 'PUT', '/v1/nodes/n-1', { body: { ...node, capacity: { perDay: 3 } } }, 400, 'request.invalid', '/capacity/perDay'],
    ['a wrong type', 'PUT', '/v1/nodes/n-1', { body: { ...node, latitude: '52' } }, 400, 'request.invalid', '/latitude'],
    ['a missing field', 'PUT', '/v1/nodes/n-1', { body: { ...node, name: undefined } }, 400, 'request.invalid', '/name'],
    ['a time zone nobody keeps', 'PUT', '/v1/nodes/n-1', { body: { ...node, timeZone: 'Mars/Olympus' } }, 400, 'request.invalid', '/timeZone'],
    ['a time zone that is only an offset', 'PUT', '/v1/nodes/n-1', { body: { ...node, timeZone: '+01:00' } }, 400, 'request.invalid', '/timeZone'],
    ['another id than in the path', 'PUT', '/v1/nodes/n-1', { body: { ...node, nodeId: 'n-2' } }, 400, 'request.invalid', '/nodeId'],
    ['an id that is none', 'PUT', '/v1/nodes/N%201', { body: node }, 400, 'request.invalid', '/path/nodeId'],
    ['a currency nobody prints', 'PUT', '/v1/channels/c-1', { body: { name: 'C', currency: 'XXZ', timeZone: 'UTC' } }, 400, 'request.invalid', '/currency'],
    ['an unknown home node', 'PUT', '/v1/drivers/d-1', { body: { name: 'D', homeNodes: ['dc-01', 'nowhere'] } }, 400, 'node.unknown', '/homeNodes/1'],
    ['no weight', 'PUT', '/v1/skus/S-1', { body: { name: 'S', weightGrams: 0 } }, 400, 'request.invalid', '/weightGrams'],
    ['a fraction', 'POST', '/v1/inventory/adjustments', { body: { ...adjustment, delta: 1.5 } }, 400, 'request.invalid', '/delta'],
    ['a number beyond all shelves', 'POST', '/v1/inventory/adjustments', { body: { ...adjustment, delta: 1e18 } }, 400, 'request.invalid', '/delta'],
    ['an unknown SKU', 'POST', '/v1/inventory/adjustments', { body: { ...adjustment, sku: 'NONE' } }, 400, 'sku.unknown', '/sku'],
    ['an unknown node', 'POST', '/v1/inventory/adjustments', { body: { ...adjustment, nodeId: 'nowhere' } }, 400, 'node.unknown', '/nodeId'],
    ['U+0000 in a text', 'POST', '/v1/inventory/adjustments', { raw: '{"sku":"SOCKS-3P","nodeId":"dc-01","delta":1,"reason":"a\\u0000b"}' }, 400, 'request.invalid', '/reason'],
    ['half a surrogate pair', 'POST', '/v1/policies/returns', { raw: '{"window":"\\ud83d","restockBy":"P1D"}' }, 400, 'request.invalid', '/window'],
    ['a missing Idempotency-Key', 'POST', '/v1/inventory/adjustments', { body: adjustment, idempotencyKey: null }, 400, 'request.idempotency_key_missing', undefined],
    ['an endless Idempotency-Key', 'POST', '/v1/inventory/adjustments', { body: adjustment, idempotencyKey: 'k'.repeat(300) }, 400, 'request.invalid', '/headers/Idempotency-Key'],
    ['broken JSON', 'PUT', '/v1/nodes/n-1', { raw: '{"name": ' }, 400, 'request.not_json', undefined],
    ['no body', 'PUT', '/v1/nodes/n-1', {}, 400, 'request.invalid', '/name'],
    ['an array for an object', 'PUT', '/v1/nodes/n-1', { body: [] }, 400, 'request.invalid', ''],
    ['bytes that are not UTF-8', 'PUT', '/v1/nodes/n-1', { raw: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'request.not_json', undefined],
    ['another content type', 'PUT', '/v1/nodes/n-1', { raw: 'name=A', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'request.unsupported_media_type', undefined],
    ['a compressed body', 'PUT', '/v1/nodes/n-1', { body: node, headers: { 'content-encoding': 'gzip' } }, 415, 'request.unsupported_media_type', undefined],
    ['five megabytes', 'PUT', '/v1/nodes/n-1', { body: { ...node, name: 'x'.repeat(5_000_000) } }, 413, 'request.too_large', undefined],
    ['an empty feed', 'POST', '/v1/inventory/counts', { raw: '', headers: { 'content-type': feed } }, 400, 'request.invalid', ''],
    ['a feed of more rows than allowed', 'POST', '/v1/inventory/counts', { raw: '{}\n'.repeat(5_001), headers: { 'content-type': feed } }, 400, 'request.invalid', ''],
    ['an unknown query field', 'GET', '/v1/orders?colour=red', {}, 400, 'request.invalid', '/query/colour'],
    ['a page too long', 'GET', '/v1/orders?limit=201', {}, 400, 'request.invalid', '/query/limit'],
    ['a cursor from elsewhere', 'GET', '/v1/orders?cursor=bm9uc2Vuc2U', {}, 400, 'request.invalid', '/query/cursor'],
    ['a date that is none', 'GET', '/v1/orders?placedFrom=yesterday', {}, 400, 'request.invalid', '/query/placedFrom'],
    ['a date before the calendar', 'GET', '/v1/orders?placedFrom=0000-01-01T00:00:00Z', {}, 400, 'request.invalid', '/query/placedFrom'],
    ['a field twice', 'GET', '/v1/orders?channel=web&channel=pos', {}, 400, 'request.invalid', '/query/channel'],
    ['U+0000 in the address', 'GET', '/v1/orders?q=a%00b', {}, 400, 'request.invalid', '/path'],
    ['an address that cannot be decoded', 'GET', '/v1/nodes/%E0%A4%A', {}, 400, 'request.invalid', '/path'],
    ['an order id that is none', 'GET', '/v1/orders/1042', {}, 404, 'order.unknown', undefined],
    ['an order that is not there', 'GET', '/v1/orders/01890000-0000-7000-8000-000000000000', {}, 404, 'order.unknown', undefined],
    ['a policy nobody has', 'GET', '/v1/policies/weather', {}, 404, 'policy.unknown', undefined],
    ['a duration without a length', 'POST', '/v1/policies/returns', { body: { window: 'P1M', restockBy: 'P1D' } }, 400, 'request.invalid', '/window'],
    ['a policy with an unknown rule', 'POST', '/v1/policies/returns', { body: { window: 'P30D', restockBy: 'P1D', mood: 1 } }, 400, 'request.invalid', '/mood'],
    ['a route that is not there', 'POST', '/v1/weather', { body: {} }, 404, 'route.unknown', undefined],
    ['a method that is not there', 'DELETE', '/v1/nodes/dc-01', {}, 404, 'route.unknown', undefined],
  ]

  it.each(rows)('refuses %s by name and writes nothing', async (_what, method, path, sending, status, code, pointer) => {
    const before = await everything()
    const reply = await edge.send(method, path, sending)
    expect({ status: reply.status, code: reply.body.code }).toEqual({ status, code })
    expect(isRefusalCode(reply.body.code)).toBe(true)
    const pointers = (reply.body.errors as { pointer: string }[]).map((e) => e.pointer)
    if (pointer !== undefined) expect(pointers).toContain(pointer)
    expect(await everything()).toEqual(before)
  })

  it('names every wrong field at once', async () => {
    const { body } = await edge.put('/v1/nodes/n-1', { ...node, latitude: 91, colour: 'red', shape: 'round', methods: ['by_air'] })
    expect((body.errors as { pointer: string }[]).map((e) => e.pointer).sort()).toEqual(['/colour', '/latitude', '/methods/0', '/shape'])
  })

  it('logs refusals as information, and none of it looks like a bug of ours', () => {
    const levels = edge.logged.map((line) => (JSON.parse(line) as { level: number }).level)
    expect(Math.max(...levels)).toBe(30)
  })

  it('keeps keys, bodies and search words out of the log', async () => {
    await edge.get('/v1/orders?q=canary%40example.org')
    await edge.put('/v1/nodes/n-1', { ...node, name: 5, note: 'canary-body' })
    const log = edge.logged.join('')
    for (const canary of ['canary', 'demo-operations"', 'Bearer', 'nobody-knows']) expect(log.replaceAll('"actor":"operations:demo-operations"', '')).not.toContain(canary)
  })

  const everything = async (): Promise<unknown> => {
    const tables = ['nodes', 'skus', 'channels', 'drivers', 'policies', 'stock_movements', 'idempotency_keys', 'audit', 'orders']
    return Promise.all(tables.map(async (table) => Number((await edge.db(table).count({ n: '*' }))[0]!.n)))
  }
})

describe('roles', () => {
  const order = '/v1/orders/01890000-0000-7000-8000-000000000000'
  const settings = { name: 'A', type: 'store', timeZone: 'Europe/Berlin', country: 'DE', latitude: 52, longitude: 13 }
  const rows: [string, string, string, Record<string, number>][] = [
    ['reading orders', 'GET', order, { 'channel-web': 404, 'store-store-mitte': 404, 'courier-driver-mark': 403, support: 404, operations: 404, finance: 404, admin: 404 }],
    ['reading fulfillments', 'GET', '/v1/fulfillments', { 'channel-web': 403, 'store-store-mitte': 200, 'courier-driver-mark': 403, support: 200, operations: 200, finance: 403, admin: 200 }],
    ['reading nodes', 'GET', '/v1/nodes', { 'channel-web': 403, 'store-store-mitte': 200, 'courier-driver-mark': 403, support: 200, operations: 200, finance: 200, admin: 200 }],
    ['setting up nodes', 'PUT', '/v1/nodes/n-new', { 'channel-web': 403, 'store-store-mitte': 403, support: 403, finance: 403, operations: 201, admin: 200 }],
    ['reading exceptions', 'GET', '/v1/exceptions', { 'channel-web': 403, support: 200, finance: 200, operations: 200, admin: 200 }],
    ['reading stock', 'GET', '/v1/inventory', { 'channel-web': 403, 'store-store-mitte': 200, support: 200, finance: 200, operations: 200, admin: 200 }],
  ]
  it.each(rows)('%s', async (_what, method, path, expected) => {
    const seen: Record<string, number> = {}
    for (const role of Object.keys(expected)) seen[role] = (await edge.send(method, path, { key: `demo-${role}`, ...(method === 'PUT' ? { body: settings } : {}) })).status
    expect(seen).toEqual(expected)
  })

  it('says which role would have been needed', async () => {
    const { body } = await edge.put('/v1/nodes/n-1', settings, { key: 'demo-support' })
    expect(body).toMatchObject({ code: 'auth.role', role: 'support', needs: ['operations', 'admin'] })
  })

  it('shows a store its own node and stock, and no other', async () => {
    const key = 'demo-store-store-mitte'
    const nodes = (await edge.get('/v1/nodes', key)).body.items as { nodeId: string }[]
    expect(nodes.map((n) => n.nodeId)).toEqual(['store-mitte'])
    expect((await edge.get('/v1/nodes/store-mitte', key)).status).toBe(200)
    expect((await edge.get('/v1/nodes/dc-01', key)).body.code).toBe('node.not_found')
    const levels = (await edge.get('/v1/inventory?sku=SHOE-LB-42', key)).body.items as { nodeId: string }[]
    expect(levels.map((l) => l.nodeId)).toEqual(['store-mitte'])
  })

  it('shows a courier the driver it is, and no other', async () => {
    expect((await edge.get('/v1/drivers/driver-mark', 'demo-courier-driver-mark')).status).toBe(200)
    expect((await edge.get('/v1/drivers/driver-ada', 'demo-courier-driver-mark')).status).toBe(404)
  })
})

it('says 503 and when to come back while the database is away, and is not ready', async () => {
  const away = connect('postgres://nobody@127.0.0.1:1/nowhere')
  const app = createApp({
    db: away,
    threads: edge.threads,
    log: createLog('silent', 'test'),
    config: { DEMO: true, COMMAND_DEADLINE_MS: 100, CUSTOMER_REF_SECRET: 'test-secret', QUOTE_SECRET: 'test-quote-secret' },
    carriers: [],
    wake: () => undefined,
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const reply = await fetch(`${url}/v1/orders`, { headers: { authorization: 'Bearer demo-admin' } })
    expect([reply.status, reply.headers.get('retry-after'), await reply.json()]).toEqual([503, '1', expect.objectContaining({ code: 'service.unavailable' })])
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  } finally {
    server.close()
    await away.destroy()
  }
})

it('finds its documentation without the last slash, too', async () => {
  const page = await fetch(`${edge.url}/docs`)
  expect(page.url).toBe(`${edge.url}/docs/`)
})

it('knows no demo keys, no demo routes and no other difference when it is not the demo', async () => {
  const real = await openEdge({ demo: false })
  try {
    expect((await real.get('/v1/orders', 'demo-admin')).body.code).toBe('auth.unknown_key')
  } finally {
    await real.close()
  }
  expect((await edge.get('/v1/demo', 'demo-support')).body).toMatchObject({ namespace: 'default', simulators: { payments: expect.any(String), carriers: expect.any(String) } })
})
