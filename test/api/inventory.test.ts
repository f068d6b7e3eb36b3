/** Stock from outside: counts with the moment they were taken, adjustments, and levels that always equal the replay of their movements. */
import { orderOf } from '../support/people'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())
afterEach(async () => {
  expect(await levelsThatAreNotTheirMovements()).toEqual([])
})

const at = (minutesAgo: number): string => new Date(Date.now() - minutesAgo * 60_000).toISOString()
const count = (rows: object[], key = 'demo-operations'): Promise<Reply> => edge.post('/v1/inventory/counts', rows, { key })
const level = async (sku: string, nodeId: string): Promise<Record<string, unknown>> =>
  ((await edge.get(`/v1/inventory?sku=${sku}&nodeId=${nodeId}`)).body.items as Record<string, unknown>[])[0]!
/** A movement that happened `minutesAgo`, with its effect on the level. */
const moved = async ({ sku, nodeId }: { sku: string; nodeId: string }, type: string, delta: number, minutesAgo: number): Promise<void> => {
  await edge.db('stock_levels').where({ sku, node_id: nodeId }).increment('on_hand', delta)
  await edge.db('stock_movements').insert({ sku, node_id: nodeId, type, on_hand_delta: delta, actor: 'test', at: at(minutesAgo) })
}
const levelsThatAreNotTheirMovements = async (): Promise<unknown[]> =>
  (
    await edge.db.raw(`SELECT l.sku, l.node_id FROM stock_levels l LEFT JOIN stock_movements m USING (sku, node_id) GROUP BY l.sku, l.node_id
      HAVING on_hand <> coalesce(sum(on_hand_delta), 0) OR allocated <> coalesce(sum(allocated_delta), 0)`)
  ).rows

let caps = 0
/** A SKU that was never anywhere, at a node: its shelf has no past but the one the test gives it. */
const newShelf = async (nodeId = 'store-mitte'): Promise<{ sku: string; nodeId: string }> => {
  const sku = `CAP-NEW-${++caps}`
  await edge.put(`/v1/skus/${sku}`, { name: 'Cap', weightGrams: 90 })
  return { sku, nodeId }
}

it('takes a count as the truth about the shelf', async () => {
  const shelf = await newShelf()
  expect((await count([{ ...shelf, onHand: 3, asOf: at(2) }])).body).toEqual({ accepted: 1, ignored: 0, rejected: [] })
  expect((await count([{ ...shelf, onHand: 7, asOf: at(1) }])).body).toEqual({ accepted: 1, ignored: 0, rejected: [] })
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 7, available: 7, channels: { web: 7, marketplace: 7, pos: 7 } })
  const [newest] = (await edge.get(`/v1/inventory/${shelf.sku}/movements?nodeId=store-mitte`)).body.items as Record<string, unknown>[]
  expect(newest).toMatchObject({ type: 'count', onHandDelta: 4, actor: 'operations:demo-operations' })
})

it('adds what was shipped and received after the shelf was counted, however late the count comes', async () => {
  const shelf = await newShelf()
  await count([{ ...shelf, onHand: 1, asOf: at(40) }])
  await moved(shelf, 'receipt', 10, 30)
  await moved(shelf, 'receipt', 5, 10)
  await moved(shelf, 'ship', -2, 10)
  await count([{ ...shelf, onHand: 20, asOf: at(20) }])
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 23 })
})

it('does not take the correction an earlier count made for goods that moved', async () => {
  const shelf = await newShelf()
  await count([{ ...shelf, onHand: 5, asOf: at(40) }])
  await count([{ ...shelf, onHand: 9, asOf: at(20) }])
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 9 })
})

it('ignores a count that is older than one it has, and the same count sent again', async () => {
  const shelf = await newShelf()
  const asOf = at(5)
  await count([{ ...shelf, onHand: 50, asOf }])
  expect((await count([{ ...shelf, onHand: 1, asOf: at(60) }])).body).toMatchObject({ accepted: 0, ignored: 1 })
  expect((await count([{ ...shelf, onHand: 50, asOf }])).body).toMatchObject({ accepted: 0, ignored: 1 })
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 50 })
})

it('takes the newest of several counts of one shelf in a feed, whatever their order', async () => {
  const shelf = await newShelf()
  const reply = await count([{ ...shelf, onHand: 8, asOf: at(2) }, { ...shelf, onHand: 3, asOf: at(3) }])
  expect(reply.body).toMatchObject({ accepted: 1, ignored: 1 })
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 8 })
})

it('believes a count below what is promised: nothing is available then', async () => {
  const shelf = await newShelf()
  await count([{ ...shelf, onHand: 9, asOf: at(9) }])
  await edge.db('stock_levels').where({ sku: shelf.sku, node_id: shelf.nodeId }).update({ allocated: 5 })
  await edge.db('stock_movements').insert({ sku: shelf.sku, node_id: shelf.nodeId, type: 'allocate', allocated_delta: 5, actor: 'test' })
  expect((await count([{ ...shelf, onHand: 2, asOf: at(0) }])).body).toMatchObject({ accepted: 1 })
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 2, allocated: 5, available: 0 })
})

it('rejects what it cannot take row by row and takes the rest', async () => {
  const good = { sku: 'SOCKS-3P', nodeId: 'dc-01', onHand: 11, asOf: at(1) }
  const lines = [good, { ...good, sku: 'NONE' }, { ...good, nodeId: 'nowhere' }, { ...good, onHand: -1 }, { ...good, color: 1 }, { ...good, asOf: at(-30) }].map((r) => JSON.stringify(r))
  const reply = await edge.send('POST', '/v1/inventory/counts', { raw: [...lines, '{"sku":'].join('\n'), headers: { 'content-type': 'application/x-ndjson' } })
  expect(reply.status).toBe(200)
  expect(reply.body).toMatchObject({ accepted: 1, ignored: 0 })
  expect((reply.body.rejected as { index: number; code: string }[]).map((r) => [r.index, r.code])).toEqual([
    [1, 'sku.unknown'],
    [2, 'node.unknown'],
    [3, 'request.invalid'],
    [4, 'request.invalid'],
    [5, 'count.from_future'],
    [6, 'request.not_json'],
  ])
})

it('answers 400 and writes nothing when no row can be taken', async () => {
  const reply = await count([{ sku: 'NONE', nodeId: 'dc-01', onHand: 1, asOf: at(1) }])
  expect(reply.body).toMatchObject({ status: 400, code: 'request.invalid', errors: [{ pointer: '/0', code: 'sku.unknown' }] })
})

it('takes five thousand rows at once', async () => {
  const skus = ((await edge.get('/v1/skus?limit=200')).body.items as { sku: string }[]).map((s) => s.sku)
  const nodes = ['dc-01', 'store-mitte', 'store-kreuzberg', 'store-charlottenburg']
  const asOf = Date.now() - 1_000
  const rows = Array.from({ length: 5_000 }, (_, i) => ({
    sku: skus[i % skus.length],
    nodeId: nodes[i % nodes.length],
    onHand: 1_000 + (i % 97),
    asOf: new Date(asOf + Math.floor(i / 500)).toISOString(),
  }))
  const { body } = await count(rows)
  expect(Number(body.accepted) + Number(body.ignored)).toBe(5_000)
  expect(body.rejected).toEqual([])
})

it('lets a store count its own shelves and no others', async () => {
  const own = { sku: 'SOCKS-3P', nodeId: 'store-mitte', onHand: 12, asOf: at(0) }
  expect((await count([own], 'demo-store-store-mitte')).status).toBe(200)
  const foreign = await count([own, { ...own, nodeId: 'dc-01' }], 'demo-store-store-mitte')
  expect(foreign.body).toMatchObject({ status: 403, code: 'auth.scope', errors: [{ pointer: '/1/nodeId' }] })
})

it('adjusts by a guarded statement: many takers at once never take more than there is', async () => {
  const shelf = await newShelf('dc-01')
  await edge.post('/v1/inventory/adjustments', { ...shelf, delta: 10, reason: 'delivered' })
  const replies = await Promise.all(Array.from({ length: 20 }, () => edge.post('/v1/inventory/adjustments', { ...shelf, delta: -1, reason: 'broken' })))
  expect(replies.filter((r) => r.status === 200)).toHaveLength(10)
  expect(replies.filter((r) => r.body.code === 'stock.negative')).toHaveLength(10)
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 0 })
  const audited = await edge.db('audit').where({ action: 'stock.adjust', subject: `${shelf.sku}@dc-01` })
  expect(audited).toHaveLength(11)
})

it('pages through levels and movements without a gap or a repeat', async () => {
  const all = (await edge.get('/v1/inventory?limit=200')).body.items as { sku: string; nodeId: string }[]
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Reply = await edge.get(`/v1/inventory?limit=37${cursor ? `&cursor=${cursor}` : ''}`)
    seen.push(...(page.body.items as typeof all).map((l) => `${l.sku}@${l.nodeId}`))
    cursor = page.body.nextCursor as string | null
  }
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen.slice(0, all.length)).toEqual(all.map((l) => `${l.sku}@${l.nodeId}`))
  expect((await edge.get('/v1/inventory/NONE/movements')).body.code).toBe('sku.not_found')
})

describe('a file of counts', () => {
  const send = async (lines: readonly string[], headers: Record<string, string> = { 'content-type': 'application/x-ndjson' }): Promise<{ status: number; lines: Record<string, unknown>[] }> => {
    const reply = await edge.send('POST', '/v1/inventory/count-files', { raw: lines.join('\n'), headers })
    return { status: reply.status, lines: reply.text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) }
  }

  it('says for each row it could not take why, how far it is, and in the end that it is done', async () => {
    const shelf = await newShelf()
    const asOf = at(1)
    const row = (more: object): string => JSON.stringify({ ...shelf, onHand: 4, asOf, ...more })
    const { status, lines } = await send([row({}), '{"sku":', row({ sku: 'NOBODY-KNOWS' }), '', row({ onHand: -1 }), row({ asOf: at(-60) }), row({ nodeId: 'nowhere' }), row({ asOf: at(9) }), `{"sku":"${'x'.repeat(200_000)}"}`])
    expect(status).toBe(200)
    expect(lines.slice(0, -2).map((l) => [l.index, l.code])).toEqual([
      [1, 'request.not_json'], [2, 'sku.unknown'], [3, 'request.invalid'], [4, 'count.from_future'], [5, 'node.unknown'], [7, 'request.not_json'],
    ])
    expect(lines.slice(-2)).toEqual([false, true].map((done) => ({ rows: 8, accepted: 1, ignored: 1, rejected: 6, done })))
    expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 4 })
  })

  it('takes more rows than one request may have, batch by batch, and ignores them all when the file is sent again', async () => {
    const shelves = await Promise.all(['dc-01', 'store-mitte'].map(newShelf))
    const start = Date.now() - 3_600_000
    const file = Array.from({ length: 12_000 }, (_, i) => JSON.stringify({ ...shelves[i % 2], onHand: i, asOf: new Date(start + i).toISOString() }))
    const first = await send(file)
    expect(first.lines.map((l) => [l.rows, l.done])).toEqual([[5_000, false], [10_000, false], [12_000, false], [12_000, true]])
    expect(first.lines.at(-1)).toMatchObject({ accepted: 6, ignored: 11_994, rejected: 0 })
    for (const [i, shelf] of shelves.entries()) expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 11_998 + i })
    expect((await send(file)).lines.at(-1)).toMatchObject({ accepted: 0, ignored: 12_000, done: true })
  })

  it('refuses what is not NDJSON, a file without rows, and rejects rows of nodes the key does not reach', async () => {
    expect(await send(['{}'], { 'content-type': 'application/json' })).toMatchObject({ status: 415, lines: [{ code: 'request.unsupported_media_type' }] })
    expect(await send(['', ' '])).toMatchObject({ status: 400, lines: [{ code: 'request.invalid' }] })
    const shelf = await newShelf('dc-01')
    const reply = await edge.send('POST', '/v1/inventory/count-files', { raw: JSON.stringify({ ...shelf, onHand: 4, asOf: at(1) }), headers: { 'content-type': 'application/x-ndjson' }, key: 'demo-store-store-mitte' })
    expect(JSON.parse(reply.text.split('\n')[0]!)).toMatchObject({ index: 0, code: 'auth.scope' })
  })
})

describe('what a channel may sell', () => {
  const rules = async (channel: string, stockBuffer: number, stockThreshold: number): Promise<void> => {
    const { body } = await edge.get(`/v1/channels/${channel}`)
    expect((await edge.put(`/v1/channels/${channel}`, { ...body, stockBuffer, stockThreshold })).body).toMatchObject({ stockBuffer, stockThreshold })
  }
  const buy = (sku: string, channel: 'web' | 'marketplace', quantity = 1): Promise<Reply> =>
    edge.post('/v1/orders', orderOf({ channel, claim: 'required', lines: [{ sku, quantity }] }), { key: `demo-channel-${channel}` })
  const statuses = (replies: readonly Reply[]): Record<number, number> =>
    replies.reduce<Record<number, number>>((all, { status }) => ({ ...all, [status]: (all[status] ?? 0) + 1 }), {})
  afterEach(() => rules('marketplace', 0, 0))

  it('keeps a buffer of every shelf from one channel, to the unit and whoever comes first, and sells it on another', async () => {
    const shelf = await newShelf()
    await count([{ ...shelf, onHand: 10, asOf: at(2) }])
    await rules('marketplace', 4, 0)
    expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ available: 10, channels: { web: 10, marketplace: 6, pos: 10 } })
    expect(statuses(await Promise.all(Array.from({ length: 20 }, () => buy(shelf.sku, 'marketplace'))))).toEqual({ 201: 6, 409: 14 })
    expect(statuses(await Promise.all(Array.from({ length: 10 }, () => buy(shelf.sku, 'web'))))).toEqual({ 201: 4, 409: 6 })
    expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ allocated: 10, available: 0 })
  })

  it('sells nothing on a channel from a shelf below its threshold', async () => {
    const shelf = await newShelf()
    await count([{ ...shelf, onHand: 4, asOf: at(2) }])
    await rules('marketplace', 0, 3)
    expect((await buy(shelf.sku, 'marketplace', 2)).status).toBe(201)
    const refused = await buy(shelf.sku, 'marketplace')
    expect(refused).toMatchObject({ status: 409, body: { code: 'stock.short', short: [{ sku: shelf.sku, wanted: 1, available: 0 }] } })
    expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ available: 2, channels: { web: 2, marketplace: 0 } })
  })

  it('sells nobody the safety stock of a shelf', async () => {
    const shelf = await newShelf()
    await count([{ ...shelf, onHand: 3, asOf: at(2) }])
    const put = (path: string, body: object, key?: string): Promise<Reply> => edge.put(`/v1/inventory/${path}`, body, { key })
    expect((await put(`${shelf.sku}/${shelf.nodeId}`, { safetyStock: 2 })).body).toMatchObject({ onHand: 3, safetyStock: 2, available: 1 })
    expect(statuses([await buy(shelf.sku, 'web'), await buy(shelf.sku, 'web')])).toEqual({ 201: 1, 409: 1 })
    expect((await put(`NOPE/${shelf.nodeId}`, { safetyStock: 2 })).body).toMatchObject({ code: 'sku.not_found' })
    expect((await put(`${shelf.sku}/nowhere`, { safetyStock: 2 })).body).toMatchObject({ code: 'node.not_found' })
    expect((await put(`${shelf.sku}/${shelf.nodeId}`, { safetyStock: -1 })).body).toMatchObject({ code: 'request.invalid' })
    expect((await put(`${shelf.sku}/${shelf.nodeId}`, { safetyStock: 1 }, 'demo-store-store-mitte')).body).toMatchObject({ code: 'auth.role' })
  })
})
