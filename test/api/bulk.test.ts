/** Files of many orders: a result for each, in the sequence of the file; cut short anywhere, the same file goes on where it broke off. */
import http from 'node:http'
import { randomUUID } from 'node:crypto'
import { bulkColumns } from '../../api/bulk-csv'
import type { BulkResult } from '../../db/bulk'
import { nextOrderNumber, orderOf } from '../support/people'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

const ndjson = (documents: readonly unknown[]): string => documents.map((d) => (typeof d === 'string' ? d : JSON.stringify(d))).join('\n')
const bulk = (raw: string, more: { key?: string; type?: string; idempotencyKey?: string | null } = {}): Promise<Reply> =>
  edge.send('POST', '/v1/orders/bulk', { key: more.key ?? 'demo-channel-web', raw, headers: { 'content-type': more.type ?? 'application/x-ndjson' }, idempotencyKey: more.idempotencyKey === undefined ? randomUUID() : more.idempotencyKey })
const resultsOf = (text: string): BulkResult[] => text.trim().split('\n').map((line) => JSON.parse(line) as BulkResult)
const later = (): ReturnType<typeof orderOf> => orderOf({ claim: 'later', paidElsewhere: true })
const ordersIn = async (numbers: readonly string[]): Promise<number> => Number((await edge.db('orders').whereIn('channel_order_id', [...numbers]).count({ n: '*' }))[0]!.n)

it('says of each order what became of it, in the sequence of the file', async () => {
  const before = later()
  const { body: first } = await edge.post('/v1/orders', before, { key: 'demo-channel-web' })
  const [good, unknownSku, elsewhere] = [orderOf(), orderOf({ lines: [{ sku: 'NO-SUCH', quantity: 1 }] }), orderOf({ channel: 'marketplace' })]
  const reply = await bulk(ndjson([good, before, { ...before, priority: 9 }, unknownSku, '{"channel": "web"', elsewhere, { ...orderOf(), totalMinor: 1, colour: 'red' }, '', good]))
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
  expect(resultsOf(reply.text)).toMatchObject([
    { index: 0, channelOrderId: good.channelOrderId, outcome: 'created' },
    { index: 1, channelOrderId: before.channelOrderId, outcome: 'existing', orderId: first.orderId },
    { index: 2, outcome: 'refused', code: 'order.duplicate', orderId: first.orderId },
    { index: 3, outcome: 'refused', code: 'sku.unknown', errors: [{ pointer: '/lines/0/sku' }] },
    { index: 4, channelOrderId: null, outcome: 'refused', code: 'request.not_json' },
    { index: 5, outcome: 'refused', code: 'auth.scope', errors: [{ pointer: '/channel' }] },
    { index: 6, outcome: 'refused', code: 'request.invalid', errors: [{ pointer: '/colour' }] },
    { index: 7, outcome: 'existing' },
  ])
  expect(await ordersIn([good.channelOrderId])).toBe(1)
})

it('claims stock for each order as if it came by itself, until there is none', async () => {
  const sku = `BULK-${randomUUID().slice(0, 8)}`
  await edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 100 })
  await edge.post('/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta: 5, reason: 'opening' })
  const results = resultsOf((await bulk(ndjson(Array.from({ length: 9 }, () => orderOf({ lines: [{ sku, quantity: 1 }] }))))).text)
  expect(results.filter((r) => r.outcome === 'created')).toHaveLength(5)
  expect(results.filter((r) => r.code === 'stock.short')).toHaveLength(4)
  expect(await edge.db('stock_levels').where({ sku, node_id: 'dc-01' }).first()).toMatchObject({ allocated: 5 })
})

it('claims exactly what there is when two files want the same shelves in opposite order', async () => {
  const skus = [1, 2, 3].map((n) => `CROSS-${n}-${randomUUID().slice(0, 8)}`)
  for (const sku of skus) await edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 100 })
  for (const sku of skus) for (const nodeId of ['dc-01', 'store-mitte']) await edge.post('/v1/inventory/adjustments', { sku, nodeId, delta: 6, reason: 'opening' })
  const file = (inOrder: readonly string[]): string => ndjson(Array.from({ length: 8 }, () => inOrder.map((sku) => orderOf({ lines: [{ sku, quantity: 1 }] }))).flat())
  const replies = await Promise.all([bulk(file(skus)), bulk(file([...skus].reverse()))])
  const results = replies.flatMap((reply) => resultsOf(reply.text))
  expect(results.filter((r) => r.outcome === 'created')).toHaveLength(36)
  expect(results.filter((r) => r.code === 'stock.short')).toHaveLength(12)
  expect(await edge.db('stock_levels').whereIn('sku', skus).sum({ allocated: 'allocated' }).first()).toEqual({ allocated: 36 })
})

it('answers the same file under the same key the same, and takes nothing twice', async () => {
  const orders = [orderOf(), orderOf({ lines: [{ sku: 'NO-SUCH', quantity: 1 }] }), later()]
  const idempotencyKey = randomUUID()
  const [first, again] = [await bulk(ndjson(orders), { idempotencyKey }), await bulk(ndjson(orders), { idempotencyKey })]
  expect(again.text).toBe(first.text)
  expect([first.headers.get('idempotent-replayed'), again.headers.get('idempotent-replayed')]).toEqual([null, 'true'])
  expect(await bulk(ndjson(orders.slice(1)), { idempotencyKey })).toMatchObject({ status: 422, body: { code: 'request.idempotency_key_reused' } })
  const otherKey = resultsOf((await bulk(ndjson(orders))).text)
  expect(otherKey.map((r) => r.outcome)).toEqual(['existing', 'refused', 'existing'])
  expect(await ordersIn(orders.map((o) => o.channelOrderId))).toBe(2)
})

it('goes on where it broke off when the caller hung up, as often as that happens', async () => {
  const orders = Array.from({ length: 400 }, later)
  const idempotencyKey = randomUUID()
  const heard: string[] = []
  for (const lines of [1, 100]) heard.push(await hangUpAfter(lines, ndjson(orders), idempotencyKey))
  const whole = await untilFree(() => bulk(ndjson(orders), { idempotencyKey }))
  const results = resultsOf(whole.text)
  expect(results.map((r) => [r.index, r.outcome])).toEqual(orders.map((_, i) => [i, 'created']))
  for (const part of heard) expect(whole.text.startsWith(part.slice(0, part.lastIndexOf('\n')))).toBe(true)
  expect(await ordersIn(orders.map((o) => o.channelOrderId))).toBe(400)
})

it('is taken over from a process that died, and refuses two at once', async () => {
  const orders = [later(), later()]
  const idempotencyKey = randomUUID()
  const first = await bulk(ndjson(orders), { idempotencyKey })
  const mine = edge.db('bulk_submits').where({ idempotency_key: idempotencyKey })
  // As it was when the process died: the first order taken, the second not, and the lease still running.
  await edge.db.raw('DELETE FROM bulk_results WHERE index = 1 AND bulk_id = (SELECT bulk_id FROM bulk_submits WHERE idempotency_key = ?)', [idempotencyKey])
  await mine.clone().update({ done_at: null, lease_until: edge.db.raw(`now() + interval '20 seconds'`) })
  const refused = await bulk(ndjson(orders), { idempotencyKey })
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([409, 'request.in_progress', '1'])
  await mine.clone().update({ lease_until: edge.db.raw(`now() - interval '1 second'`) })
  const [one, two] = resultsOf((await bulk(ndjson(orders), { idempotencyKey })).text)
  expect([one, two]).toMatchObject([resultsOf(first.text)[0]!, { outcome: 'existing', orderId: resultsOf(first.text)[1]!.orderId }])
})

const row = (values: Record<string, unknown>, columns: readonly string[]): string => columns.map((c) => (values[c] === undefined ? '' : /[",\n]/.test(String(values[c])) ? `"${String(values[c]).replaceAll('"', '""')}"` : String(values[c]))).join(',')
const csvRow = (channelOrderId: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  channel: 'web', channelOrderId, placedAt: '2026-11-23T09:00:00Z', currency: 'EUR', claim: 'later', customerName: 'A, "B"', shipToName: 'A', shipToLine1: 'Street 1', shipToCity: 'Berlin', shipToPostalCode: '10115',
  shipToCountry: 'DE', deliveryMethod: 'delivery', shippingPriceMinor: 490, totalMinor: 2490, taxIncluded: true, tenderProvider: 'paid_elsewhere', lineId: '1', sku: 'SOCKS-3P', quantity: 2, unitPriceMinor: 1000, ...more,
})
const csv = (rows: readonly (Record<string, unknown> | string)[], columns = bulkColumns): string => [columns.join(','), ...rows.map((r) => (typeof r === 'string' ? r : row(r, columns)))].join('\r\n')

it('takes a spreadsheet: a row per line, the rows of an order beneath each other', async () => {
  const [one, two, three, four, five] = Array.from({ length: 5 }, nextOrderNumber) as [string, string, string, string, string]
  const reply = await bulk(
    csv([
      csvRow(one),
      csvRow(two, { totalMinor: 3490 }),
      { channelOrderId: two, lineId: '2', sku: 'SHIRT-RUN-M', quantity: 1, unitPriceMinor: 1000 },
      csvRow(three, { quantity: '2 pairs' }),
      `web,${four}`,
      csvRow(five),
      csvRow(five, { lineId: '2', currency: 'USD' }),
    ]),
    { type: 'text/csv; charset=utf-8' },
  )
  expect(resultsOf(reply.text)).toMatchObject([
    { index: 0, channelOrderId: one, outcome: 'created' },
    { index: 1, channelOrderId: two, outcome: 'created' },
    { index: 2, channelOrderId: three, outcome: 'refused', code: 'request.invalid', errors: [{ pointer: '/lines/0/quantity' }] },
    { index: 3, channelOrderId: four, outcome: 'refused', detail: `Row 6 has 2 cells, the first one ${bulkColumns.length}` },
    { index: 4, channelOrderId: five, outcome: 'refused', detail: 'Row 8 says currency otherwise than the first row of its order' },
  ])
  const view = (await edge.get(`/v1/orders/${resultsOf(reply.text)[1]!.orderId}`)).body
  expect(view).toMatchObject({ totalMinor: 3490, customer: { name: 'A, "B"' }, lines: [{ lineId: '1', sku: 'SOCKS-3P', quantity: 2 }, { lineId: '2', sku: 'SHIRT-RUN-M', quantity: 1 }] })
})

it.each([
  ['no file at all', '', 'text/csv', 'bulk.invalid', 'it is empty'],
  ['only a first line', 'NAMES', 'text/csv', 'bulk.invalid', 'The file has no orders'],
  ['no lines', '\n\n', 'application/x-ndjson', 'bulk.invalid', 'The file has no orders'],
  ['a column nobody knows', 'channel,colour', 'text/csv', 'bulk.invalid', 'there is no column "colour"'],
  ['a column twice', 'channel,channel', 'text/csv', 'bulk.invalid', 'the column channel is there twice'],
  ['columns that are missing', 'channel,sku', 'text/csv', 'bulk.invalid', 'columns are missing: channelOrderId'],
  ['a quote that is never closed', 'NAMES\n"web', 'text/csv', 'bulk.invalid', 'the file ends within a quoted cell'],
  ['a spreadsheet of its own kind', 'x', 'application/vnd.ms-excel', 'request.unsupported_media_type', 'Send application/x-ndjson or text/csv'],
])('refuses %s as a whole', async (_what, text, type, code, detail) => {
  const reply = await bulk(text.replace('NAMES', bulkColumns.join(',')), { type })
  expect([reply.body.code, String(reply.body.detail)]).toEqual([code, expect.stringContaining(detail)])
})

it('refuses one order too many before it takes the first', async () => {
  const first = later()
  const reply = await bulk(`${JSON.stringify(first)}\n${'{}\n'.repeat(10_000)}`)
  expect([reply.status, reply.body.code, reply.body.most]).toEqual([400, 'bulk.invalid', 10_000])
  expect(await ordersIn([first.channelOrderId])).toBe(0)
})

it('needs a key, and lets a store send what its till sold', async () => {
  expect(await bulk('{}', { idempotencyKey: null })).toMatchObject({ status: 400, body: { code: 'request.idempotency_key_missing' } })
  expect((await bulk('{}', { key: 'demo-finance' })).status).toBe(403)
  const sold = orderOf({ channel: 'pos', claim: 'later', paidElsewhere: true })
  expect(resultsOf((await bulk(ndjson([sold]), { key: 'demo-store-store-mitte' })).text)).toMatchObject([{ outcome: 'created' }])
})

/** @returns the text that was heard when `lines` lines had come. */
const hangUpAfter = (lines: number, raw: string, idempotencyKey: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer demo-channel-web', 'content-type': 'application/x-ndjson', 'idempotency-key': idempotencyKey }
    const send = (): void => {
      const request = http.request(`${edge.url}/v1/orders/bulk`, { method: 'POST', headers }, (response) => {
        if (response.statusCode === 409) return void response.resume().on('end', () => setTimeout(send, 20))
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
          if (text.split('\n').length > lines) response.destroy()
        })
        response.on('close', () => resolve(text))
      })
      request.on('error', reject)
      request.end(raw)
    }
    send()
  })

async function untilFree(send: () => Promise<Reply>): Promise<Reply> {
  for (;;) {
    const reply = await send()
    if (reply.status !== 409) return reply
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
