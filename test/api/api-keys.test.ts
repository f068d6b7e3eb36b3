/** Keys over the API: shown once, kept as a hash, revoked within seconds; and how much each may ask. */
import { makeFirstKey } from '../../api/first-key'
import { mayBeApiKey, newApiKey, prefixOf } from '../../api/key-text'
import { readRateLimits } from '../../api/rate-limit'
import { row, rows } from '../../db/connection'
import { eventually } from '../support/people'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge({ rateLimits: { ...readRateLimits(''), public: 3, webhook: 2 } })
})
afterAll(() => edge?.close())

const make = (body: object, key = 'demo-admin', idempotencyKey?: string): Promise<Reply> => edge.post('/v1/api-keys', body, { key, ...(idempotencyKey && { idempotencyKey }) })
const made = async (body: object): Promise<{ apiKeyId: string; apiKey: string }> => (await make(body)).body as { apiKeyId: string; apiKey: string }
const revoke = (apiKeyId: string, key = 'demo-admin'): Promise<Reply> => edge.post(`/v1/api-keys/${apiKeyId}/revoke`, {}, { key })

it('shows a key once and keeps its hash alone', async () => {
  const body = { name: 'head office', role: 'channel', channels: ['web'] }
  const first = await make(body, 'demo-admin', 'make-once')
  const { apiKey, apiKeyId, prefix } = first.body as { apiKey: string; apiKeyId: string; prefix: string }
  expect(first).toMatchObject({ status: 201, body: { name: 'head office', role: 'channel', channels: ['web'], createdBy: 'admin:demo-admin', lastUsedAt: null, revokedAt: null } })
  expect(apiKey).toMatch(/^tl_live_[0-9A-Za-z]{38}$/)
  expect(apiKey.startsWith(prefix)).toBe(true)
  expect((await make(body, 'demo-admin', 'make-once')).body).toMatchObject({ apiKeyId, apiKey: null })
  const list = await edge.get('/v1/api-keys?limit=200', 'demo-admin')
  expect(list.text).toContain(apiKeyId)
  expect(list.text).not.toContain(apiKey)
  const lines = await rows<{ line: string }>(edge.db, 'SELECT t::text AS line FROM api_keys t UNION ALL SELECT t::text FROM idempotency_keys t UNION ALL SELECT t::text FROM audit t')
  expect(lines.filter(({ line }) => line.includes(apiKey))).toEqual([])
  expect((await edge.get('/v1/orders', apiKey)).status).toBe(200)
  expect((await edge.get('/v1/nodes', apiKey)).status).toBe(403)
  await eventually(() => edge.db('api_keys').where({ api_key_id: apiKeyId }).first('last_used_at'), (key: { last_used_at: string | null }) => key.last_used_at !== null, { what: 'the last use' })
})

const wrong: [string, object, string][] = [
  ['of a channel that names none', { role: 'channel' }, '/channels'],
  ['of a store that names no node', { role: 'store', channels: ['pos'] }, '/nodes'],
  ['of a courier without a driver', { role: 'courier' }, '/driverId'],
  ['of support that names a channel', { role: 'support', channels: ['web'] }, '/channels'],
  ['for a channel that is not there', { role: 'channel', channels: ['web', 'moon'] }, '/channels/1'],
  ['for a node that is not there', { role: 'store', nodes: ['moon'] }, '/nodes/0'],
  ['for a driver who is not there', { role: 'courier', driverId: 'nobody' }, '/driverId'],
  ['whose time is over', { role: 'support', expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
]
it.each(wrong)('makes no key %s', async (_, body, pointer) => {
  const before = await edge.db('api_keys').count()
  expect((await make({ name: 'wrong', ...body })).body).toMatchObject({ status: 400, errors: [{ pointer }] })
  expect(await edge.db('api_keys').count()).toEqual(before)
})

it('lets a revoked key in for five seconds at most, in every process, and an expired one not at all', async () => {
  const { apiKeyId, apiKey } = await made({ name: 'leaver', role: 'support' })
  expect((await edge.get('/v1/orders', apiKey)).status).toBe(200)
  expect(await revoke(apiKeyId)).toMatchObject({ status: 200, body: { revokedBy: 'admin:demo-admin' } })
  await eventually(() => edge.get('/v1/orders', apiKey), ({ status }) => status === 401, { what: 'the key is refused', timeoutMs: 6_000 })
  const short = await made({ name: 'short', role: 'support', expiresAt: new Date(Date.now() + 1_500).toISOString() })
  expect((await edge.get('/v1/orders', short.apiKey)).status).toBe(200)
  await eventually(() => edge.get('/v1/orders', short.apiKey), ({ status }) => status === 401, { what: 'its time is over', timeoutMs: 4_000 })
  expect((await revoke('01a20902-5e47-7186-a716-0e418df55dc0')).body).toMatchObject({ status: 404, code: 'api_key.unknown' })
}, 15_000)

it('ends the streams of a key that is revoked', async () => {
  const { apiKeyId, apiKey } = await made({ name: 'listener', role: 'support' })
  const stream = await fetch(`${edge.url}/v1/events`, { headers: { authorization: `Bearer ${apiKey}` } })
  expect(stream.status).toBe(200)
  const ended = stream.text().then(() => 'ended', () => 'ended')
  await revoke(apiKeyId)
  expect(await ended).toBe('ended')
}, 15_000)

it('does not revoke the last admin, not even when two revoke each other at once', async () => {
  const own = await openEdge()
  const adminsOwn = (id: string, key: string): Promise<Reply> => own.post(`/v1/api-keys/${id}/revoke`, {}, { key })
  try {
    const demo = (await row<{ id: string }>(own.db, `SELECT api_key_id AS id FROM api_keys WHERE name = 'demo-admin'`))!
    expect((await adminsOwn(demo.id, 'demo-admin')).body).toMatchObject({ status: 409, code: 'api_key.last_admin' })
    const other = (await own.post('/v1/api-keys', { name: 'other', role: 'admin' }, { key: 'demo-admin' })).body as { apiKeyId: string; apiKey: string }
    const both = await Promise.all([adminsOwn(demo.id, other.apiKey), adminsOwn(other.apiKeyId, 'demo-admin')])
    expect(both.map((r) => r.status).sort()).toEqual([200, 409])
  } finally {
    await own.close()
  }
})

it('makes the first key of an empty installation, and no second one', async () => {
  const demoless = await openEdge({ demo: false })
  try {
    const keys = await Promise.all([makeFirstKey(demoless.databaseUrl), makeFirstKey(demoless.databaseUrl)])
    const [key, ...more] = keys.filter((k) => k !== undefined)
    expect(more).toEqual([])
    expect((await demoless.get('/v1/api-keys', key)).status).toBe(200)
    expect((await demoless.get('/v1/api-keys', 'demo-admin')).status).toBe(401)
    expect(await makeFirstKey(demoless.databaseUrl)).toBeUndefined()
  } finally {
    await demoless.close()
  }
}, 15_000)

it('knows a mistyped key without looking for it', () => {
  const keys = Array.from({ length: 200 }, newApiKey)
  expect(new Set(keys).size).toBe(200)
  expect(keys.every(mayBeApiKey)).toBe(true)
  for (const key of keys) expect(mayBeApiKey(key.slice(0, 15) + (key[15] === 'x' ? 'y' : 'x') + key.slice(16))).toBe(false)
  expect([mayBeApiKey('tl_live_short'), mayBeApiKey('demo-admin'), prefixOf('tl_live_abcdef')]).toEqual([false, true, 'tl_live_abcd'])
})

describe('how much a caller may ask', () => {
  it('says in every answer what is left, refuses what is over it, and writes nothing then', async () => {
    const { apiKey } = await made({ name: 'slow', role: 'operations', rateLimit: 2 })
    const adjust = (): Promise<Reply> => edge.post('/v1/inventory/adjustments', { sku: 'SOCKS-3P', nodeId: 'dc-01', delta: 1, reason: 'found' }, { key: apiKey, idempotencyKey: 'limited' })
    const first = await edge.get('/v1/nodes', apiKey)
    expect(first.headers.get('ratelimit-policy')).toMatch(/^"10s"; q=2; w=10; pk=:[\w+/=]+:$/)
    expect(first.headers.get('ratelimit')).toMatch(/^"10s"; r=1; t=\d+$/)
    expect((await edge.get('/v1/nodes', apiKey)).headers.get('ratelimit')).toMatch(/^"10s"; r=0; t=\d+$/)
    const moves = await edge.db('stock_movements').count()
    const refused = await adjust()
    expect(refused).toMatchObject({ status: 429, body: { code: 'request.rate_limited', limit: 2 } })
    expect(refused.headers.get('content-type')).toContain('application/problem+json')
    const retryAfter = Number(refused.headers.get('retry-after'))
    expect(retryAfter).toBeGreaterThan(0)
    expect(retryAfter).toBeLessThanOrEqual(10)
    expect(await edge.db('stock_movements').count()).toEqual(moves)
    expect(await edge.db('idempotency_keys').where({ idempotency_key: 'limited' })).toEqual([])
    expect((await edge.get('/v1/nodes', 'demo-operations')).status).toBe(200)
  })

  it('counts by address where no key is needed, and who tries keys', async () => {
    const statuses = async (ask: () => Promise<Reply>, times: number): Promise<number[]> => {
      const answers: number[] = []
      for (let i = 0; i < times; i++) answers.push((await ask()).status)
      return answers
    }
    expect(await statuses(() => edge.post('/v1/channels/web/shopify/webhooks', {}, { key: null }), 3)).toEqual([401, 401, 429])
    const tryKey = (): Promise<Reply> => edge.get('/v1/nodes', 'wrong-key')
    await eventually(tryKey, ({ headers }) => headers.get('ratelimit')?.includes('r=2;') === true, { timeoutMs: 20_000, what: 'ten seconds in which nobody has asked yet' })
    expect(await statuses(tryKey, 3)).toEqual([401, 401, 429])
    expect((await edge.get('/t/no-such-token', null)).status).toBe(429)
    expect((await edge.get('/v1/nodes')).status).toBe(200)
  })

  it('is set by role, the rest as it was', () => {
    expect(readRateLimits('channel=7,public=0')).toMatchObject({ channel: 7, public: 0, store: readRateLimits('').store })
  })
})
