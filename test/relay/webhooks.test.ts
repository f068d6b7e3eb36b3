/** Webhooks from the event log to the door of whoever listens: in order, at least once, under one id, whoever is down, killed or in a hurry. */
import pino from 'pino'
import { createWebhookSender } from '../../adapters/webhooks/sender'
import { takeDeliveries } from '../../db/webhook-deliveries'
import { feedEndpoint } from '../../db/webhook-feed'
import { parseNetwork } from '../../domain/webhooks/addresses'
import { startWebhooks } from '../../relay/webhooks'
import { openEdge, type Edge, type Reply } from '../api/edge'
import { notifications } from '../invariants/notifications'
import { eventually, orderOf } from '../support/people'
import { startWebhookReceiver, type HeardWebhook, type WebhookReceiver } from '../support/webhook-receiver'

const destinations = { allowed: [parseNetwork('127.0.0.0/8')!] }
const timeoutMs = 400
let edge: Edge
let receiver: WebhookReceiver
let stops: (() => Promise<void>)[] = []
/** Whatever was heard in this file, by whomever. */
const heard: HeardWebhook[] = []
beforeAll(async () => {
  edge = await openEdge({ destinations })
})
afterAll(() => edge.close())
beforeEach(async () => {
  receiver = await startWebhookReceiver()
})
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()))
  stops = []
  await receiver.close()
  heard.push(...receiver.heard)
  for (const { id, violations } of notifications.filter((i) => i.when === 'always')) expect([id, await violations({ db: edge.db, heard: () => heard })]).toEqual([id, []])
  await edge.db.raw(`UPDATE webhook_endpoints SET status = 'deleted'`)
  await edge.db('exceptions').whereLike('kind', 'webhook.%').delete()
})

function relay(): void {
  const sender = createWebhookSender({ ...destinations, timeoutMs })
  const { stop } = startWebhooks({ db: edge.db, send: sender.send, log: pino({ enabled: false }), timeoutMs, idleMs: 20 })
  stops.push(() => stop().then(sender.close))
}

async function endpoint(more: object = {}, key = 'demo-operations'): Promise<{ endpointId: string; secret: string }> {
  const { status, body } = await edge.post('/v1/webhook-endpoints', { url: receiver.url, ...more }, { key })
  expect([status, body.code]).toEqual([201, undefined])
  return body as { endpointId: string; secret: string }
}
const does = (endpointId: string, action: string, body: unknown = {}): Promise<Reply> => edge.post(`/v1/webhook-endpoints/${endpointId}/${action}`, body)
const place = async (channel = 'web'): Promise<{ orderId: string; channelOrderId: string }> => {
  const order = orderOf({ channel, claim: 'later', ...(channel === 'web' ? {} : { paidElsewhere: true }) })
  const { body } = await edge.post('/v1/orders', order)
  return { orderId: String(body.orderId), channelOrderId: order.channelOrderId }
}
const happens = (orderId: string, ...types: string[]): Promise<unknown> =>
  edge.db.transaction(async (tx) => {
    for (const type of types) await tx('order_events').insert({ order_id: orderId, channel: 'web', type, actor: 'test', data: JSON.stringify({ fulfillmentId: 'f-1' }) })
  })
const typesFor = (orderId: string, among: readonly HeardWebhook[]): string[] => among.filter(({ data }) => data.orderId === orderId).map(({ type }) => type)
const taken = (n: number, from = 0): Promise<HeardWebhook[]> => eventually(() => Promise.resolve(receiver.taken(from)), (all) => all.length >= n, { what: `${n} webhooks`, timeoutMs: 8_000 })
const deliveries = async (query: string): Promise<Record<string, unknown>[]> => (await edge.get(`/v1/webhook-deliveries?${query}`)).body.items as Record<string, unknown>[]
/** Time passes for what waits. */
const dueNow = (endpointId: string): Promise<unknown> =>
  edge.db.raw(`UPDATE webhook_deliveries SET next_attempt_at = now() WHERE endpoint_id = ? AND status = 'pending'`, [endpointId]).then(() => edge.db('webhook_endpoints').where({ endpoint_id: endpointId }).whereNotNull('fenced_until').update({ fenced_until: edge.db.fn.now() }))

it('tells what happens to an order, signed, in order and once', async () => {
  const { secret } = await endpoint()
  relay()
  const { orderId, channelOrderId } = await place()
  await happens(orderId, 'order.sourced', 'fulfillment.released', 'fulfillment.picked')
  const heard = await taken(4)
  expect(typesFor(orderId, heard)).toEqual(['order.placed', 'order.sourced', 'fulfillment.released', 'fulfillment.picked'])
  for (const one of heard) expect(() => receiver.verify(one, secret)).not.toThrow()
  expect(new Set(heard.map(({ id }) => id)).size).toBe(4)
  const first = heard[0]!
  expect(JSON.parse(first.body)).toEqual({
    type: 'order.placed',
    timestamp: expect.stringMatching(/Z$/),
    data: { orderId, channel: 'web', channelOrderId, seq: first.data.seq, details: expect.objectContaining({ channelOrderId, currency: 'EUR' }) },
  })
  expect(first.body).not.toMatch(/Customer|Street|example\.com/)
})

it('tells each endpoint only of the types and channels it asked for', async () => {
  await endpoint({ eventTypes: ['order.placed'], channels: ['marketplace'] })
  relay()
  const { orderId } = await place()
  await happens(orderId, 'order.sourced')
  const { orderId: other } = await place('marketplace')
  await taken(1)
  await eventually(() => edge.db('webhook_endpoints').where({ url: receiver.url }).first(), (row) => Number(row.cursor_seq) > 0)
  expect(receiver.heard.map(({ type, data }) => [type, data.orderId])).toEqual([['order.placed', other]])
})

it('sends what waits to the address it was given since, at once and under the ids it has, and other types from then on', async () => {
  const { endpointId } = await endpoint({ eventTypes: ['order.placed', 'order.sourced'] })
  receiver.answer = 500
  relay()
  const { orderId } = await place()
  for (let tries = 1; tries <= 5; tries += 1) {
    await eventually(async () => receiver.heard.length, (n) => n >= tries, { what: `attempt ${tries}` })
    if (tries < 5) await dueNow(endpointId)
  }
  await eventually(() => edge.db('webhook_endpoints').where({ endpoint_id: endpointId }).first(), (row) => row.fenced_until !== null, { what: 'an endpoint left alone' })
  const moved = await startWebhookReceiver()
  try {
    expect((await edge.send('PATCH', `/v1/webhook-endpoints/${endpointId}`, { body: { url: moved.url, eventTypes: ['order.placed', 'fulfillment.picked'] } })).body).toMatchObject({ url: moved.url, fencedUntil: null })
    await happens(orderId, 'order.sourced', 'fulfillment.picked')
    await eventually(async () => moved.taken().length, (n) => n >= 2, { what: 'what was told at the new address' })
    expect(moved.taken().map(({ type }) => type)).toEqual(['order.placed', 'fulfillment.picked'])
    expect(moved.taken()[0]!.id).toBe(receiver.heard[0]!.id)
  } finally {
    heard.push(...moved.heard)
    await moved.close()
  }
})

it('holds nothing against a new address that the old one answers late: what it would not take is sent to the new one at once', async () => {
  const { endpointId } = await endpoint({ eventTypes: ['order.placed'] })
  const answers: (() => void)[] = []
  receiver.answer = (_heard, response) => void answers.push(() => response.writeHead(410).end())
  relay()
  const { orderId } = await place()
  await eventually(async () => answers.length, (n) => n > 0, { what: 'the attempt that is not answered yet' })
  const moved = await startWebhookReceiver()
  try {
    await edge.send('PATCH', `/v1/webhook-endpoints/${endpointId}`, { body: { url: moved.url } })
    answers.forEach((answer) => answer())
    await eventually(async () => moved.taken().length, (n) => n >= 1, { what: 'what was told at the new address' })
    expect(typesFor(orderId, moved.taken())).toEqual(['order.placed'])
    expect(await edge.db('webhook_endpoints').where({ endpoint_id: endpointId }).first()).toMatchObject({ status: 'enabled', score: 0, fenced_until: null })
  } finally {
    heard.push(...moved.heard)
    await moved.close()
  }
})

it('goes on in order when an endpoint is back, while other orders do not wait for it', async () => {
  const { orderId: stuck } = await place()
  const { orderId: free } = await place()
  // What was placed just before may be told as well, where another transaction was open: it is not asked for.
  const { endpointId } = await endpoint({ eventTypes: ['order.sourced', 'fulfillment.released', 'fulfillment.picked'] })
  receiver.answer = ({ data, type }) => (data.orderId === stuck && type === 'order.sourced' ? 500 : 200)
  relay()
  await happens(stuck, 'order.sourced', 'fulfillment.released', 'fulfillment.picked')
  await happens(free, 'order.sourced', 'fulfillment.released')
  await taken(2)
  expect(typesFor(stuck, receiver.taken())).toEqual([])
  receiver.answer = 200
  await dueNow(endpointId)
  await taken(5)
  expect(typesFor(stuck, receiver.taken())).toEqual(['order.sourced', 'fulfillment.released', 'fulfillment.picked'])
  const retried = receiver.heard.filter(({ data, type }) => data.orderId === stuck && type === 'order.sourced')
  expect(retried.length).toBeGreaterThan(1)
  expect(new Set(retried.map(({ id }) => id)).size).toBe(1)
  const [delivery] = await deliveries(`orderId=${stuck}&type=order.sourced`)
  expect(delivery).toMatchObject({ status: 'delivered', attempts: expect.arrayContaining([expect.objectContaining({ status: 500, answer: 'thank you' })]) })
  expect((delivery!.attempts as { status: number }[]).at(-1)).toMatchObject({ status: 200 })
})

it('misses nothing that commits late', async () => {
  const { orderId } = await place()
  const { endpointId } = await endpoint()
  const late = await edge.db.transaction()
  const others: string[] = []
  try {
    await late('order_events').insert({ order_id: orderId, channel: 'web', type: 'order.sourced', actor: 'test', data: '{}' })
    others.push((await place()).orderId)
    await feedEndpoint(edge.db, endpointId)
    expect(await deliveries(`orderId=${others[0]}`)).toEqual([])
    relay()
  } finally {
    await late.commit() // or whoever else uses this PostgreSQL waits for it too
  }
  const [other] = others
  await eventually(() => Promise.resolve(receiver.taken()), (all) => all.length >= 2)
  expect(typesFor(orderId, receiver.taken()).filter((type) => type !== 'order.placed')).toEqual(['order.sourced'])
  expect(typesFor(other!, receiver.taken())).toEqual(['order.placed'])
})

it('disables an endpoint that says it is gone, opens a case, and goes on where it stopped when it is enabled again', async () => {
  const { endpointId } = await endpoint()
  receiver.answer = 410
  relay()
  const { orderId } = await place()
  const read = async (): Promise<Record<string, unknown>> => (await edge.get(`/v1/webhook-endpoints/${endpointId}`)).body
  expect(await eventually(read, (body) => body.status === 'disabled')).toMatchObject({ disabledReason: 'answered 410: it is gone', pending: 1 })
  const cases = async (): Promise<unknown[]> => (await edge.get('/v1/exceptions?kind=webhook.endpoint_disabled')).body.items as unknown[]
  expect(await cases()).toHaveLength(1)
  await happens(orderId, 'order.sourced')
  expect((await does(endpointId, 'test')).body.code).toBe('webhook_endpoint.disabled')
  expect(receiver.heard).toHaveLength(1)
  receiver.answer = 200
  expect((await does(endpointId, 'enable')).body).toMatchObject({ status: 'enabled', disabledReason: null })
  await taken(2)
  expect(typesFor(orderId, receiver.taken())).toEqual(['order.placed', 'order.sourced'])
  expect(await cases()).toHaveLength(0)
})

it('lets a dead endpoint be after a few failures, tries now and then, and sends everything when it is back', async () => {
  const { endpointId } = await endpoint()
  receiver.answer = 500
  relay()
  const orders = await Promise.all(Array.from({ length: 12 }, () => place()))
  const read = async (): Promise<Record<string, unknown>> => (await edge.get(`/v1/webhook-endpoints/${endpointId}`)).body
  await eventually(read, ({ fencedUntil }) => fencedUntil !== null)
  await place()
  const before = await eventually(() => Promise.resolve(receiver.heard.length), (n) => n >= 5)
  await edge.db('webhook_endpoints').where({ endpoint_id: endpointId }).update({ fenced_until: edge.db.fn.now() })
  await eventually(() => Promise.resolve(receiver.heard.length), (n) => n > before)
  await eventually(read, ({ fencedUntil }) => fencedUntil !== null)
  expect(receiver.heard.length - before).toBeLessThanOrEqual(12) // those under way when it was fenced off, and one try
  receiver.answer = 200
  await dueNow(endpointId)
  await taken(13)
  expect(orders.every(({ orderId }) => typesFor(orderId, receiver.taken()).join() === 'order.placed')).toBe(true)
})

it('tries an endpoint that is left alone at once when somebody asks for a test', async () => {
  const { endpointId } = await endpoint()
  await place()
  await feedEndpoint(edge.db, endpointId)
  await edge.db('webhook_endpoints').where({ endpoint_id: endpointId }).update({ score: 5, fenced_until: new Date(Date.now() + 60_000) })
  relay()
  await does(endpointId, 'test')
  expect((await taken(2)).map(({ type }) => type)).toEqual(['webhook.test', 'order.placed'])
})

it('leaves an endpoint alone for as long as it asks', async () => {
  const { endpointId } = await endpoint()
  receiver.answer = (_heard, response) => void response.writeHead(429, { 'retry-after': '120' }).end()
  relay()
  await place()
  const { fencedUntil } = await eventually(async () => (await edge.get(`/v1/webhook-endpoints/${endpointId}`)).body, (body) => body.fencedUntil !== null)
  expect(Date.parse(String(fencedUntil)) - Date.now()).toBeGreaterThan(110_000)
  const [delivery] = await deliveries(`endpointId=${endpointId}`)
  expect(Date.parse(String(delivery!.nextAttemptAt)) - Date.now()).toBeGreaterThan(110_000)
})

it('gives up after three days: dead with its reason, a case for operations, and the order goes on', async () => {
  const { endpointId } = await endpoint()
  receiver.answer = ({ type }) => (type === 'order.placed' ? 422 : 200)
  relay()
  const { orderId } = await place()
  await happens(orderId, 'order.sourced')
  await eventually(() => deliveries(`orderId=${orderId}&type=order.placed`), ([d]) => (d?.attempts as unknown[] | undefined)?.length === 1)
  await edge.db('webhook_deliveries').where({ endpoint_id: endpointId, type: 'order.placed' }).update({ give_up_at: edge.db.fn.now(), next_attempt_at: edge.db.fn.now() })
  await edge.db('webhook_endpoints').where({ endpoint_id: endpointId }).update({ last_success_at: edge.db.fn.now() }) // others arrive
  await taken(1)
  expect(typesFor(orderId, receiver.taken())).toEqual(['order.sourced'])
  expect((await deliveries('status=dead'))[0]).toMatchObject({ type: 'order.placed', reason: 'answered 422' })
  const { body } = await edge.get('/v1/exceptions?kind=webhook.undelivered')
  expect(body.items).toMatchObject([{ owner: 'operations', subject: endpointId, data: { orderId, reason: 'answered 422' } }])
  expect((await edge.get(`/v1/webhook-endpoints/${endpointId}`)).body.status).toBe('enabled')
})

it('disables an endpoint that took nothing for three days', async () => {
  const { endpointId } = await endpoint()
  receiver.answer = 503
  relay()
  await place()
  await eventually(() => deliveries(`endpointId=${endpointId}`), ([d]) => (d?.attempts as unknown[] | undefined)?.length === 1)
  await edge.db('webhook_deliveries').where({ endpoint_id: endpointId }).update({ give_up_at: edge.db.fn.now(), next_attempt_at: edge.db.fn.now() })
  const read = async (): Promise<Record<string, unknown>> => (await edge.get(`/v1/webhook-endpoints/${endpointId}`)).body
  expect(await eventually(read, ({ status }) => status === 'disabled')).toMatchObject({ disabledReason: 'took nothing for three days' })
})

it('signs with both secrets while they rotate, and shows each only once', async () => {
  const { endpointId, secret: old } = await endpoint()
  const rotated = await edge.post(`/v1/webhook-endpoints/${endpointId}/rotate-secret`, {}, { idempotencyKey: 'rotate-1' })
  const fresh = String(rotated.body.secret)
  expect(fresh).toMatch(/^whsec_/)
  expect((await edge.post(`/v1/webhook-endpoints/${endpointId}/rotate-secret`, {}, { idempotencyKey: 'rotate-1' })).body.secret).toBeUndefined()
  expect((await edge.get(`/v1/webhook-endpoints/${endpointId}`)).text).not.toContain('whsec_')
  expect(JSON.stringify(await edge.db('idempotency_keys').select('answer'))).not.toContain('whsec_')
  relay()
  await place()
  const [both] = await taken(1)
  for (const secret of [old, fresh]) expect(() => receiver.verify(both!, secret)).not.toThrow()
  await edge.db('webhook_endpoints').where({ endpoint_id: endpointId }).update({ previous_until: edge.db.fn.now() })
  await place()
  const alone = (await taken(2))[1]!
  expect(() => receiver.verify(alone, fresh)).not.toThrow()
  expect(() => receiver.verify(alone, old)).toThrow()
})

it('sends one again by hand under the id it had, and a test whenever asked', async () => {
  const { endpointId, secret } = await endpoint()
  relay()
  await place()
  const [first] = await taken(1)
  const [delivery] = await eventually(() => deliveries(`endpointId=${endpointId}`), ([d]) => d?.status === 'delivered')
  const before = receiver.heard.length
  expect((await edge.post(`/v1/webhook-deliveries/${String(delivery!.deliveryId)}/redeliver`, {})).body).toMatchObject({ status: 'pending' })
  const [again] = await taken(1, before)
  expect([again!.id, again!.body]).toEqual([first!.id, first!.body])
  expect((await does(endpointId, 'test')).status).toBe(201)
  const test = (await taken(2, before))[1]!
  expect(test.type).toBe('webhook.test')
  expect(() => receiver.verify(test, secret)).not.toThrow()
  await eventually(() => deliveries(`endpointId=${endpointId}`), (all) => all.length === 2 && all.every(({ status }) => status === 'delivered'))
})

it('replays from a time: what came since, in order, under the ids it had', async () => {
  const { endpointId } = await endpoint()
  relay()
  const { orderId: before } = await place()
  await taken(1)
  const { orderId } = await place()
  const [{ at }] = await edge.db('order_events').where({ order_id: orderId, type: 'order.placed' }).select('at')
  await happens(orderId, 'order.sourced', 'fulfillment.released')
  const first = await taken(4)
  await eventually(() => deliveries('status=pending'), (all) => all.length === 0)
  const heardBefore = receiver.heard.length
  expect((await does(endpointId, 'replay', { from: at })).status).toBe(200)
  const again = await taken(3, heardBefore)
  expect(typesFor(orderId, again)).toEqual(['order.placed', 'order.sourced', 'fulfillment.released'])
  expect(again.map(({ id }) => id)).toEqual(first.slice(1).map(({ id }) => id))
  expect(typesFor(before, again)).toEqual([])
})

it('sends again what a relay was sending when it was killed', async () => {
  const { endpointId } = await endpoint()
  await place()
  const take = async (): ReturnType<typeof takeDeliveries> => {
    await feedEndpoint(edge.db, endpointId) // as far as every transaction on the server has ended
    return takeDeliveries(edge.db, endpointId, { limit: 10, leaseMs: 300 })
  }
  const [lost] = await eventually(take, (found) => found.length === 1) // and nobody ever says what became of it
  relay()
  const [heard] = await taken(1)
  expect(heard!.id).toBe(lost!.webhookId)
})

it('shares the work between relays: each event once, in order per order, and a few at a time', async () => {
  await endpoint()
  receiver.answer = ({ id }, response) => {
    const heard = receiver.heard.find((one) => one.id === id)!
    setTimeout(() => response.writeHead(200).end(), 5).unref()
    heard.answered = 200
  }
  const orders = await Promise.all(Array.from({ length: 10 }, () => place()))
  const types = ['order.sourced', 'fulfillment.released', 'fulfillment.picked', 'fulfillment.packed']
  await Promise.all(orders.map(({ orderId }) => happens(orderId, ...types)))
  relay()
  relay()
  await taken(50)
  await eventually(() => deliveries('status=pending'), (all) => all.length === 0)
  const once = receiver.heard.filter(({ id }, i, all) => all.findIndex((one) => one.id === id) === i)
  expect(once).toHaveLength(50)
  // It is sent again where its answer had not come in time, and only then; on a busy machine that may happen, and the log says so.
  for (const { webhookId, attempts } of (await deliveries('limit=200')) as { webhookId: string; attempts: { status: number | null; error: string | null }[] }[]) {
    const heard = receiver.heard.filter(({ id }) => id === webhookId)
    expect(heard.length).toBeLessThanOrEqual(attempts.length)
    expect(attempts.at(-1)).toMatchObject({ status: 200 })
    for (const { status, error } of attempts.slice(0, -1)) expect([status, error]).toEqual([null, expect.stringContaining('no answer')])
  }
  for (const { orderId } of orders) expect(typesFor(orderId, once)).toEqual(['order.placed', ...types])
  expect(receiver.mostAtOnce()).toBeLessThanOrEqual(64)
})

it('is not held up by another endpoint that never answers', async () => {
  const dead = await startWebhookReceiver()
  dead.answer = () => undefined
  await endpoint({ url: dead.url })
  await endpoint()
  relay()
  await Promise.all(Array.from({ length: 40 }, () => place()))
  await taken(40)
  expect(dead.taken()).toHaveLength(0)
  await dead.close()
})
