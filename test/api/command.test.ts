/** Commands that may be sent again: the same key and body give the same answer, whatever dies or races in between. */
import { z } from 'zod'
import { command, orderCommand } from '../../api/command'
import { startCommandSweep } from '../../api/command-sweep'
import { createLog } from '../../api/log'
import { ok } from '../../api/route'
import { uuid } from '../../api/schemas/fields'
import { NoAnswerYet } from '../../api/threads'
import { orderTag, orderView } from '../../db/views/orders'
import { refuse } from '../../domain/refusals'
import { waitUntil } from '../../dev/wait'
import { openEdge, type Edge, type Reply } from './edge'
import { place } from './orders-in-store'

const params = z.object({ orderId: uuid })
const cancel = orderCommand({
  method: 'post',
  path: '/v1/test/orders/{orderId}/cancel',
  tag: 'Test',
  summary: 'Cancels',
  roles: ['support', 'operations'],
  params,
  body: z.strictObject({ reason: z.string() }),
  answers: { 200: z.unknown() },
  ask: async ({ params: { orderId }, body }) => ({ orderId, update: 'cancelOrder', args: { reason: body.reason } }),
  answer: async ({ db, orderId, role }) => {
    const order = await orderView(db, orderId, { role })
    return ok(order, { ETag: orderTag(order!.version) })
  },
})
const submit = command({
  method: 'post',
  path: '/v1/test/submit',
  tag: 'Test',
  summary: 'A command whose refusals are not kept',
  roles: ['operations'],
  body: z.strictObject({ delta: z.int() }),
  answers: { 200: z.unknown() },
  keepRefusals: false,
  async run(ctx, tx) {
    await tx.raw('UPDATE stock_levels SET safety_stock = safety_stock + 1 WHERE sku = ? AND node_id = ?', ['SOCKS-3P', 'dc-01'])
    if (ctx.body.delta < 0) throw refuse('stock.negative', { onHand: 0, delta: ctx.body.delta })
    return ok({ delta: ctx.body.delta })
  },
})

let edge: Edge
beforeAll(async () => {
  edge = await openEdge({ routes: [cancel, submit], commandDeadlineMs: 500 })
})
afterAll(() => edge.close())
beforeEach(() => {
  edge.threads.asks.length = 0
  edge.threads.answer = () => Promise.resolve({ cancelledAt: '2026-11-23T10:00:00Z' })
})

const adjustment = { sku: 'SOCKS-3P', nodeId: 'store-mitte', delta: 3, reason: 'found behind the shelf' }
const adjust = (idempotencyKey: string, body: object = adjustment, key = 'demo-operations'): Promise<Reply> =>
  edge.post('/v1/inventory/adjustments', body, { idempotencyKey, key })
const onHand = async (): Promise<number> => ((await edge.get('/v1/inventory?sku=SOCKS-3P&nodeId=store-mitte')).body.items as { onHand: number }[])[0]!.onHand

describe('a command of one transaction', () => {
  it('is done once, and a repeat gets the same answer to the letter', async () => {
    const before = await onHand()
    const first = await adjust('a-1')
    const again = await adjust('a-1')
    expect(first.status).toBe(200)
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect([again.status, again.text]).toEqual([first.status, first.text])
    expect(await onHand()).toBe(before + 3)
  })

  it('reads a body with its fields in another order as the same body', async () => {
    await adjust('a-2')
    const { reason, delta, nodeId, sku } = adjustment
    expect((await adjust('a-2', { reason, delta, nodeId, sku })).headers.get('idempotent-replayed')).toBe('true')
  })

  it('refuses the same key with another body', async () => {
    await adjust('a-3')
    const other = await adjust('a-3', { ...adjustment, delta: 4 })
    expect([other.status, other.body.code]).toEqual([422, 'request.idempotency_key_reused'])
  })

  it('keeps keys apart by caller and by route', async () => {
    const before = await onHand()
    await adjust('a-4')
    expect((await adjust('a-4', adjustment, 'demo-admin')).headers.get('idempotent-replayed')).toBeNull()
    expect((await edge.post('/v1/policies/care', { retryEvery: 'PT2M' }, { idempotencyKey: 'a-4' })).status).toBe(201)
    expect(await onHand()).toBe(before + 6)
  })

  it('is done once when it comes ten times at the same moment', async () => {
    const before = await onHand()
    const replies = await Promise.all(Array.from({ length: 10 }, () => adjust('a-5')))
    expect(new Set(replies.map((r) => r.text)).size).toBe(1)
    expect(replies.filter((r) => r.headers.get('idempotent-replayed') === 'true')).toHaveLength(9)
    expect(await onHand()).toBe(before + 3)
  })

  it('keeps a refusal of the state as its answer, even when the state would allow it later', async () => {
    const tooMuch = { ...adjustment, delta: -100_000 }
    const first = await adjust('a-6', tooMuch)
    expect([first.status, first.body.code]).toEqual([409, 'stock.negative'])
    await adjust('a-6-refill', { ...adjustment, delta: 200_000 })
    const again = await adjust('a-6', tooMuch)
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([409, first.text, 'true'])
    expect(again.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    await adjust('a-6-back', { ...adjustment, delta: -200_000 })
  })

  it('does not keep a refusal of the request, so the same key may carry the corrected one', async () => {
    expect((await adjust('a-7', { ...adjustment, sku: 'NONE' })).status).toBe(400)
    expect((await adjust('a-7')).status).toBe(200)
  })

  it('leaves nothing behind when it is refused and refusals are not kept', async () => {
    const levels = (): Promise<unknown> => edge.db('stock_levels').where({ sku: 'SOCKS-3P', node_id: 'dc-01' }).first('safety_stock')
    const before = await levels()
    expect((await edge.post('/v1/test/submit', { delta: -1 }, { idempotencyKey: 's-1' })).status).toBe(409)
    expect(await levels()).toEqual(before)
    expect(await edge.db('idempotency_keys').where({ idempotency_key: 's-1' })).toEqual([])
    expect((await edge.post('/v1/test/submit', { delta: 1 }, { idempotencyKey: 's-1' })).status).toBe(200)
  })
})

describe('a command to an order', () => {
  const ask = (orderId: string, idempotencyKey: string, reason = 'changed her mind', headers: Record<string, string> = {}): Promise<Reply> =>
    edge.post(`/v1/test/orders/${orderId}/cancel`, { reason }, { idempotencyKey, headers })
  const rowOf = (idempotencyKey: string): Promise<Record<string, unknown>> => edge.db('idempotency_keys').where({ idempotency_key: idempotencyKey }).first()
  const endLease = (idempotencyKey: string): Promise<unknown> => edge.db('idempotency_keys').where({ idempotency_key: idempotencyKey }).update({ lease_until: '2020-01-01' })

  it('is recorded before the order hears of it, under the id it will always have', async () => {
    const orderId = await place(edge.db)
    let seen: Record<string, unknown> = {}
    edge.threads.answer = async () => {
      seen = await rowOf('o-1')
    }
    const reply = await ask(orderId, 'o-1')
    expect([reply.status, reply.body.orderId]).toEqual([200, orderId])
    expect(reply.headers.get('etag')).toBe('"1"')
    expect(seen).toMatchObject({ order_id: orderId, update_name: 'cancelOrder', answered_at: null })
    expect(edge.threads.asks).toHaveLength(1)
    const { args } = edge.threads.asks[0]!
    expect(args).toEqual({ reason: 'changed her mind', actor: 'operations:demo-operations', commandId: seen.command_id })
    expect(args.commandId).toMatch(/^[0-9a-f]{64}$/)
  })

  it('gives the first answer again without asking the order a second time', async () => {
    const orderId = await place(edge.db)
    const first = await ask(orderId, 'o-2')
    const again = await ask(orderId.toUpperCase(), 'o-2')
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([200, first.text, 'true'])
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
    expect(edge.threads.asks).toHaveLength(1)
    expect((await ask(orderId, 'o-2', 'another reason')).status).toBe(422)
  })

  it('may use the same key for another order', async () => {
    const [one, two] = [await place(edge.db), await place(edge.db)]
    expect((await ask(one, 'o-3')).body.orderId).toBe(one)
    expect((await ask(two, 'o-3')).body.orderId).toBe(two)
  })

  it('tells a repeat to wait while the first is under way', async () => {
    const orderId = await place(edge.db)
    const held = deferred()
    edge.threads.answer = () => held.promise
    const first = ask(orderId, 'o-4')
    expect(await waitUntil(() => edge.threads.asks.length === 1, 2_000)).toBe(true)
    const meanwhile = await ask(orderId, 'o-4')
    expect([meanwhile.status, meanwhile.body.code, meanwhile.headers.get('retry-after')]).toEqual([409, 'request.in_progress', '1'])
    held.resolve({})
    expect((await first).status).toBe(200)
    expect((await ask(orderId, 'o-4')).headers.get('idempotent-replayed')).toBe('true')
    expect(edge.threads.asks).toHaveLength(1)
  })

  it('keeps what the order refused', async () => {
    const orderId = await place(edge.db)
    edge.threads.answer = () => Promise.reject(refuse('order.already_handed_over', { fulfillmentIds: ['f-1'], instead: 'return' }))
    const first = await ask(orderId, 'o-5')
    expect(first.body).toMatchObject({ status: 409, code: 'order.already_handed_over', instead: 'return' })
    edge.threads.answer = () => Promise.resolve({})
    expect((await ask(orderId, 'o-5')).text).toBe(first.text)
  })

  it('says 503 when the order does not answer, and sends the very same command again once its lease has ended', async () => {
    const orderId = await place(edge.db)
    edge.threads.answer = () => Promise.reject(new NoAnswerYet('no answer within 500 ms'))
    const first = await ask(orderId, 'o-6')
    expect([first.status, first.body.code, first.headers.get('retry-after')]).toEqual([503, 'service.unavailable', '1'])
    expect((await ask(orderId, 'o-6')).status).toBe(409)
    await endLease('o-6')
    edge.threads.answer = () => Promise.resolve({})
    expect((await ask(orderId, 'o-6')).status).toBe(200)
    expect(edge.threads.asks).toHaveLength(2)
    expect(edge.threads.asks[1]).toEqual(edge.threads.asks[0])
  })

  it('is carried on by the sweep when the process that sent it died, and one hopeless command stops no other', async () => {
    const [hopeless, orderId] = [await place(edge.db), await place(edge.db)]
    edge.threads.answer = () => Promise.reject(new Error('the process dies here'))
    expect((await ask(hopeless, 'o-7-bad')).status).toBe(500)
    expect((await ask(orderId, 'o-7')).status).toBe(500)
    await endLease('o-7-bad')
    await endLease('o-7')
    edge.threads.asks.length = 0
    edge.threads.answer = (asked) => (asked.orderId === hopeless ? Promise.reject(new Error('still dead')) : Promise.resolve({}))
    const deps = { db: edge.db, threads: edge.threads, log: createLog('silent', 'test'), config: { DEMO: true, COMMAND_DEADLINE_MS: 500, CUSTOMER_REF_SECRET: 'test-secret', QUOTE_SECRET: 'test-quote-secret' } }
    const sweep = startCommandSweep(deps, [cancel], { everyMs: 10 })
    expect(await waitUntil(async () => (await rowOf('o-7')).answered_at !== null, 5_000)).toBe(true)
    await sweep.stop()
    const again = await ask(orderId, 'o-7')
    expect([again.status, again.body.orderId, again.headers.get('idempotent-replayed')]).toEqual([200, orderId, 'true'])
    expect(edge.threads.asks.filter((a) => a.orderId === hopeless)).toHaveLength(1)
    expect((await rowOf('o-7-bad')).answered_at).toBeNull()
  })

  it('is refused when the order has changed since the caller read it', async () => {
    const orderId = await place(edge.db)
    const etag = (await edge.get(`/v1/orders/${orderId}`)).headers.get('etag')!
    await edge.db('orders').where({ order_id: orderId }).update({ version: 2 })
    const refused = await ask(orderId, 'o-8', 'r', { 'if-match': etag })
    expect(refused.body).toMatchObject({ status: 412, code: 'request.version_mismatch', version: 2 })
    expect(edge.threads.asks).toHaveLength(0)
    expect((await ask(orderId, 'o-8', 'r', { 'if-match': etag })).headers.get('idempotent-replayed')).toBe('true')
    expect((await ask(orderId, 'o-9', 'r', { 'if-match': '"2"' })).status).toBe(200)
    expect((await ask(orderId, 'o-10', 'r', { 'if-match': 'two' })).body.code).toBe('request.invalid')
  })
})

interface Deferred {
  promise: Promise<unknown>
  resolve: (value: unknown) => void
}
function deferred(): Deferred {
  let resolve: Deferred['resolve'] = () => undefined
  const promise = new Promise<unknown>((done) => (resolve = done))
  return { promise, resolve }
}
