/** Webhook endpoints over HTTP: who may make and see which, where they may lead, and what is refused. */
import { eventTypes } from '../../domain/events'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

/** A public address that is written out, so that nobody is asked for a name. */
const url = 'https://8.8.8.8/hooks'
const add = (body: object, key = 'demo-operations'): Promise<Reply> => edge.post('/v1/webhook-endpoints', body, { key })
const listed = async (key: string): Promise<string[]> => ((await edge.get('/v1/webhook-endpoints?limit=200', key)).body.items as { endpointId: string }[]).map((e) => e.endpointId)

it('makes an endpoint with a secret that is shown once', async () => {
  const made = await add({ url, eventTypes: ['order.placed'], description: 'the shop' })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ url, eventTypes: ['order.placed'], channels: null, description: 'the shop', apiVersion: '1', status: 'enabled', pending: 0, secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) })
  const path = `/v1/webhook-endpoints/${String(made.body.endpointId)}`
  expect(made.headers.get('location')).toBe(path)
  const read = await edge.get(path)
  expect([read.status, read.body.secret]).toEqual([200, undefined])
})

it.each([
  ['http://8.8.8.8/hooks', 'must begin with https://'],
  ['https://127.0.0.1/hooks', 'leads to 127.0.0.1, which is loopback'],
  ['https://[fd00::1]/hooks', 'leads to fd00::1, which is private'],
  ['https://169.254.169.254/latest', 'leads to 169.254.169.254, which is link-local'],
  ['https://me:secret@8.8.8.8/', 'must not hold a name or a password'],
  ['no address', 'is not a URL'],
])('refuses %s: %s', async (to, reason) => {
  const { status, body } = await add({ url: to })
  expect([status, body.code, body.reason, body.errors]).toEqual([400, 'webhook_endpoint.destination', reason, [{ pointer: '/url', message: reason }]])
  expect(await edge.db('webhook_endpoints').where({ url: to })).toEqual([])
})

it('refuses event types nobody sends, versions nobody knows, and fields nobody reads', async () => {
  const { status, body } = await add({ url, eventTypes: ['order.exploded'], apiVersion: '7', more: true })
  expect([status, (body.errors as { pointer: string }[]).map(({ pointer }) => pointer).sort()]).toEqual([400, ['/apiVersion', '/eventTypes/0', '/more']])
})

it('lets a channel’s key make and see endpoints of its own channels only', async () => {
  const own = await add({ url }, 'demo-channel-web')
  expect(own.body.channels).toEqual(['web'])
  expect((await add({ url, channels: ['marketplace'] }, 'demo-channel-web')).body).toMatchObject({ code: 'auth.scope', errors: [{ pointer: '/channels/0' }] })
  const ofAll = await add({ url })
  const ofOther = await add({ url, channels: ['web', 'marketplace'] })
  const seen = await listed('demo-channel-web')
  expect(seen).toContain(own.body.endpointId)
  for (const hidden of [ofAll, ofOther]) {
    const path = `/v1/webhook-endpoints/${String(hidden.body.endpointId)}`
    expect(seen).not.toContain(hidden.body.endpointId)
    expect((await edge.get(path, 'demo-channel-web')).body.code).toBe('webhook_endpoint.unknown')
    for (const action of ['enable', 'test', 'rotate-secret']) expect((await edge.post(`${path}/${action}`, {}, { key: 'demo-channel-web' })).body.code).toBe('webhook_endpoint.unknown')
    expect((await edge.send('DELETE', path, { key: 'demo-channel-web' })).body.code).toBe('webhook_endpoint.unknown')
  }
  expect(await listed('demo-admin')).toEqual(expect.arrayContaining([own, ofAll, ofOther].map(({ body }) => body.endpointId)))
  expect((await add({ url }, 'demo-support')).body.code).toBe('auth.role')
})

it('shows a delivery to nobody who may not see its endpoint', async () => {
  const { body: ofAll } = await add({ url })
  const { body: test } = await edge.post(`/v1/webhook-endpoints/${String(ofAll.endpointId)}/test`, {})
  const path = `/v1/webhook-deliveries/${String(test.deliveryId)}`
  expect((await edge.get(path)).body).toMatchObject({ type: 'webhook.test', status: 'pending', attempts: [] })
  expect((await edge.get(path, 'demo-channel-web')).body.code).toBe('webhook_delivery.unknown')
  expect((await edge.post(`${path}/redeliver`, {}, { key: 'demo-channel-web' })).body.code).toBe('webhook_delivery.unknown')
  expect((await edge.get(`/v1/webhook-deliveries?endpointId=${String(ofAll.endpointId)}`, 'demo-channel-web')).body.items).toEqual([])
})

it('lists deliveries in pages, newest first', async () => {
  const { body: endpoint } = await add({ url })
  for (let i = 0; i < 5; i += 1) await edge.post(`/v1/webhook-endpoints/${String(endpoint.endpointId)}/test`, {})
  const ids: string[] = []
  for (let cursor = ''; cursor !== 'null'; ) {
    const { body } = await edge.get(`/v1/webhook-deliveries?limit=2&endpointId=${String(endpoint.endpointId)}${cursor && `&cursor=${cursor}`}`)
    ids.push(...(body.items as { deliveryId: string }[]).map((d) => d.deliveryId))
    cursor = String(body.nextCursor)
  }
  expect(ids).toHaveLength(5)
  expect(ids).toEqual([...ids].sort().reverse())
})

it('gives up what waits for an endpoint that is deleted, and says so', async () => {
  const { body: endpoint } = await add({ url })
  const path = `/v1/webhook-endpoints/${String(endpoint.endpointId)}`
  const { body: test } = await edge.post(`${path}/test`, {})
  expect((await edge.send('DELETE', path)).body).toEqual({ endpointId: endpoint.endpointId, status: 'deleted' })
  expect((await edge.get(path)).body.code).toBe('webhook_endpoint.unknown')
  expect(await edge.db('webhook_deliveries').where({ delivery_id: test.deliveryId as string }).first()).toMatchObject({ status: 'dead', reason: 'the endpoint was deleted' })
})

it('disables and enables by hand, with a reason and on record', async () => {
  const { body: endpoint } = await add({ url })
  const path = `/v1/webhook-endpoints/${String(endpoint.endpointId)}`
  expect((await edge.post(`${path}/disable`, { reason: 'being moved' })).body).toMatchObject({ status: 'disabled', disabledReason: 'being moved' })
  expect((await edge.post(`${path}/enable`, {})).body).toMatchObject({ status: 'enabled', disabledReason: null })
  const actions = await edge.db('audit').where({ subject: endpoint.endpointId as string }).orderBy('audit_id').pluck('action')
  expect(actions).toEqual(['webhook_endpoint.add', 'webhook_endpoint.disable', 'webhook_endpoint.enable'])
})

describe('an endpoint that is edited', () => {
  const edit = (endpointId: unknown, body: object, key = 'demo-operations'): Promise<Reply> => edge.send('PATCH', `/v1/webhook-endpoints/${String(endpointId)}`, { body, key })

  it('becomes what is named, stays what it was beside, and says on record who wanted what', async () => {
    const { body: endpoint } = await add({ url, eventTypes: ['order.placed'], channels: ['web'], description: 'the shop' })
    const { endpointId, secret, ...before } = endpoint
    expect(await edit(endpointId, { url: 'https://8.8.4.4/new' })).toMatchObject({ status: 200, body: { ...before, url: 'https://8.8.4.4/new' } })
    expect((await edit(endpointId, { eventTypes: ['order.placed', 'order.cancelled'], channels: null, description: 'all shops' })).body).toMatchObject({ url: 'https://8.8.4.4/new', eventTypes: ['order.placed', 'order.cancelled'], channels: null, description: 'all shops' })
    expect((await edit(endpointId, { eventTypes: null })).body).toMatchObject({ eventTypes: null, description: 'all shops' })
    const audit = await edge.db('audit').where({ subject: endpointId as string, action: 'webhook_endpoint.edit' }).orderBy('audit_id').select<{ actor: string; cause: string }[]>('actor', 'cause')
    expect(audit).toEqual(['url: https://8.8.4.4/new', 'eventTypes: order.placed,order.cancelled; description; channels: all', 'eventTypes: all'].map((cause) => ({ actor: 'operations:demo-operations', cause })))
    expect(await edge.db('webhook_endpoints').where({ endpoint_id: endpointId as string }).first('secret')).toEqual({ secret })
  })

  it.each([
    ['an address that a new one could not have', { url: 'https://127.0.0.1/hooks' }, 'webhook_endpoint.destination', '/url'],
    ['no https', { url: 'http://8.8.8.8/' }, 'webhook_endpoint.destination', '/url'],
    ['no types at all', { eventTypes: [] }, 'request.invalid', '/eventTypes'],
    ['a type nobody sends', { eventTypes: ['order.exploded'] }, 'request.invalid', '/eventTypes/0'],
    ['the shape of its payloads', { apiVersion: '1' }, 'request.invalid', '/apiVersion'],
    ['its secret', { secret: 'whsec_mine' }, 'request.invalid', '/secret'],
    ['nothing', {}, 'request.invalid', ''],
  ])('is not given %s', async (_what, body, code, pointer) => {
    const { endpointId } = (await add({ url })).body
    const refused = await edit(endpointId, { ...body, ...(Object.keys(body).length && { description: 'changed' }) })
    expect([refused.status, refused.body.code, (refused.body.errors as { pointer: string }[])[0]!.pointer]).toEqual([400, code, pointer])
    expect(await edge.db('webhook_endpoints').where({ endpoint_id: endpointId as string }).first('url', 'description')).toEqual({ url, description: '' })
    expect(await edge.db('audit').where({ subject: endpointId as string, action: 'webhook_endpoint.edit' })).toEqual([])
  })

  it('is edited only by who may see it, and hears of no channel that they do not reach', async () => {
    const [own, ofAll] = [(await add({ url }, 'demo-channel-web')).body, (await add({ url })).body]
    expect((await edit(own.endpointId, { channels: ['marketplace'] }, 'demo-channel-web')).body).toMatchObject({ code: 'auth.scope', errors: [{ pointer: '/channels/0' }] })
    expect((await edit(own.endpointId, { channels: null }, 'demo-channel-web')).body.channels).toEqual(['web'])
    expect((await edit(ofAll.endpointId, { description: 'mine now' }, 'demo-channel-web')).body.code).toBe('webhook_endpoint.unknown')
    expect((await edit(own.endpointId, { description: 'x' }, 'demo-support')).body.code).toBe('auth.role')
    await edge.send('DELETE', `/v1/webhook-endpoints/${String(own.endpointId)}`)
    expect((await edit(own.endpointId, { description: 'x' })).body.code).toBe('webhook_endpoint.unknown')
  })
})

it('publishes the JSON Schema of every event, by itself and in the API’s documentation', async () => {
  const { status, body } = await edge.get('/v1/event-schemas/shipment.delivered', 'demo-channel-web')
  expect([status, body.$schema, body.title]).toEqual([200, 'https://json-schema.org/draft/2020-12/schema', 'shipment.delivered, version 1'])
  expect(body).toMatchObject({ type: 'object', required: ['type', 'timestamp', 'data'], additionalProperties: false, properties: { type: { const: 'shipment.delivered' } } })
  expect((await edge.get('/v1/event-schemas/order.exploded')).body.code).toBe('event_type.unknown')
  const { webhooks } = (await edge.get('/openapi.json')).body as { webhooks: Record<string, { post: { requestBody: object } }> }
  expect(Object.keys(webhooks)).toEqual(Object.keys(eventTypes))
  expect(webhooks['shipment.delivered']!.post.requestBody).toMatchObject({ required: true })
})
