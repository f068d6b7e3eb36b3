/** What came of a bulk action for ten thousand orders: in pages, or all of it in one answer that is read as fast as the caller takes it. */
import http, { type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { insertBulkAction } from '../../db/bulk-actions'
import type { BulkResult } from '../../db/views/bulk-actions'
import { openEdge, type Edge } from './edge'
import { place } from './orders-in-store'

const total = 10_000
let edge: Edge
let bulkActionId: string
beforeAll(async () => {
  edge = await openEdge()
  const orderId = await place(edge.db)
  await edge.db.raw(`INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('order_id', gen_random_uuid(), 'channel_order_id', 'MANY-' || n))).* FROM orders o, generate_series(2, ?) n WHERE order_id = ?`, [total, orderId])
  const orderIds = await edge.db('orders').pluck<string[]>('order_id')
  bulkActionId = await edge.db.transaction((tx) => insertBulkAction(tx, { action: 'cancel', reason: 'a recall', actor: 'support:anna', orderIds, preview: {}, startsAt: new Date().toISOString() }))
  await edge.db('bulk_action_orders').update({ outcome: 'done', at: new Date() })
  // Long answers, more than any buffer between us and the caller takes.
  await edge.db('bulk_action_orders').whereRaw('position % 2 = 0').update({ outcome: 'refused', code: 'order.already_handed_over', data: JSON.stringify({ state: 'x'.repeat(8_000) }) })
}, 30_000)
afterAll(() => edge.close())

const path = (query = ''): string => `/v1/bulk-actions/${bulkActionId}/results${query}`
const asLines = { accept: 'application/x-ndjson' }
const resultsIn = (text: string): BulkResult[] => text.trim().split('\n').map((line) => JSON.parse(line) as BulkResult)
const told = (query = '', headers: Record<string, string> = asLines): ReturnType<Edge['send']> => edge.send('GET', path(query), { headers })

it('gives a line for each, in the order in which they were named', async () => {
  const reply = await told()
  expect([reply.status, reply.headers.get('content-type'), reply.headers.get('vary')]).toEqual([200, expect.stringContaining('application/x-ndjson'), expect.stringContaining('Accept')])
  const results = resultsIn(reply.text)
  expect(results.map((r) => r.position)).toEqual(Array.from({ length: total }, (_, i) => i + 1))
  expect(new Set(results.map((r) => r.orderId)).size).toBe(total)
  expect(results.slice(0, 2)).toMatchObject([{ outcome: 'done', code: null }, { outcome: 'refused', code: 'order.already_handed_over' }])
  const refused = resultsIn((await told('?outcome=refused')).text)
  expect([refused.length, new Set(refused.map((r) => r.outcome))]).toEqual([total / 2, new Set(['refused'])])
  expect((await told('?outcome=failed')).text).toBe('')
})

it('says the same in pages, which is what is given unless lines are asked for', async () => {
  const lines = resultsIn((await told()).text)
  for (const accept of ['application/json', '*/*', 'application/json, application/x-ndjson;q=0.5']) expect((await told('?limit=3', { accept })).body).toMatchObject({ items: lines.slice(0, 3), nextCursor: expect.any(String) })
})

it('reads on only when the caller has taken what was there', async () => {
  const request = http.get(`${edge.url}${path()}`, { headers: { authorization: 'Bearer demo-support', ...asLines } })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  await once(answer, 'readable')
  const changed = await lastOf('at the first line')
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  const results = resultsIn(text)
  expect([results.length, changed, results.at(-1)!.data]).toEqual([total, 1, { state: 'at the first line' }])
})

/** The last of them changes while the first is being read. @returns how many rows that were */
const lastOf = (state: string): Promise<number> => edge.db('bulk_action_orders').where({ position: total }).update({ data: JSON.stringify({ state }) })

it('ends when nobody listens any more, and leaves nothing behind', async () => {
  const request = http.get(`${edge.url}${path()}`, { headers: { authorization: 'Bearer demo-support', ...asLines } })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  await once(answer, 'readable')
  request.destroy()
  expect((await told('?outcome=done')).status).toBe(200)
  expect(edge.logged.filter((line) => line.includes('a request failed'))).toEqual([])
})

it('is refused before the first line: no such action, pages and lines at once, whoever may not', async () => {
  expect(await edge.send('GET', '/v1/bulk-actions/01890000-0000-7000-8000-000000000000/results', { headers: asLines })).toMatchObject({ status: 404, body: { code: 'bulk.unknown' } })
  expect(await told('?limit=5')).toMatchObject({ status: 400, body: { code: 'request.invalid', errors: [{ pointer: '/query/limit' }] } })
  expect(await edge.send('GET', path(), { headers: asLines, key: 'demo-channel-web' })).toMatchObject({ status: 403, body: { code: 'auth.role' } })
})
