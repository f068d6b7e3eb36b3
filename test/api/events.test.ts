/** Server-sent events: resumable, in the order of commits, and never skipping what commits late. */
import { waitUntil } from '../../dev/wait'
import { connect, type Db } from '../../db/connection'
import { beginning, readFeed, readPast } from '../../db/views/events'
import { openEdge, type Edge } from './edge'
import { place } from './orders-in-store'

let edge: Edge
let orderId: string
beforeAll(async () => {
  edge = await openEdge()
  orderId = await place(edge.db)
})
afterAll(() => edge.close())

interface Heard {
  id: number
  type: string
  orderId: string
  data: Record<string, unknown>
}
interface Ear {
  status: number
  heard: Heard[]
  text: string
  over: boolean
  close(): void
}

async function listen(path: string, headers: Record<string, string> = {}, key = 'demo-operations'): Promise<Ear> {
  const stop = new AbortController()
  const response = await fetch(edge.url + path, { headers: { authorization: `Bearer ${key}`, ...headers }, signal: stop.signal })
  const ear: Ear = { status: response.status, heard: [], text: '', over: false, close: () => stop.abort() }
  void (async () => {
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        ear.text += chunk
        ear.heard = ear.text.split('\n\n').filter((block) => block.startsWith('id: ')).map(read)
      }
    } catch {
      // closed by the test
    }
    ear.over = true
  })()
  return ear
}

function read(block: string): Heard {
  const [id, data] = block.split('\n')
  const event = JSON.parse(data!.slice('data: '.length)) as Omit<Heard, 'id'>
  return { ...event, id: Number(id!.slice('id: '.length)) }
}

const tell = (db: Db, type: string, of = orderId, channel = 'web'): Promise<{ seq: number }[]> =>
  db('order_events').insert({ order_id: of, channel, type, actor: 'test', data: JSON.stringify({ n: 1 }) }).returning('seq')
const hears = (ear: Ear, ...types: string[]): Promise<boolean> => waitUntil(() => types.every((type) => ear.heard.some((h) => h.type === type)), 5_000)

it('tells the timeline of an order from its beginning, and on as it happens', async () => {
  const ear = await listen(`/v1/orders/${orderId}/events`)
  expect(await hears(ear, 'order.placed')).toBe(true)
  await tell(edge.db, 'payment.authorized')
  expect(await hears(ear, 'payment.authorized')).toBe(true)
  expect(ear.heard[0]).toMatchObject({ orderId, type: 'order.placed', data: { currency: 'EUR' } })
  ear.close()
})

it('goes on after the last event a caller has seen, and sends none twice', async () => {
  const [{ seq }] = (await tell(edge.db, 'test.seen')) as [{ seq: number }]
  await tell(edge.db, 'test.missed')
  const ear = await listen(`/v1/orders/${orderId}/events`, { 'last-event-id': String(seq) })
  await tell(edge.db, 'test.live')
  expect(await hears(ear, 'test.missed', 'test.live')).toBe(true)
  expect(ear.heard.map((h) => h.type)).toEqual(['test.missed', 'test.live'])
  ear.close()
})

it('holds back what was committed while an earlier transaction is still open, so that what commits late is not skipped', async () => {
  const other = connect(edge.databaseUrl, { poolMax: 1 })
  const ear = await listen('/v1/events')
  const slow = await other.transaction()
  await slow('order_events').insert({ order_id: orderId, channel: 'web', type: 'late.one', actor: 'test' })
  await tell(edge.db, 'early.one')
  // The feed is read several times between two signs of life.
  const signs = (): number => ear.text.split(': still here').length
  const before = signs()
  expect(await waitUntil(() => signs() >= before + 2, 5_000)).toBe(true)
  expect(ear.heard).toEqual([])
  await slow.commit()
  expect(await hears(ear, 'late.one', 'early.one')).toBe(true)
  expect(ear.heard.map((h) => h.type)).toEqual(['late.one', 'early.one'])
  ear.close()
  await other.destroy()
})

it('gives everything exactly once to a caller who hangs up and resumes while many transactions commit out of order', async () => {
  const busy = await place(edge.db)
  const writers = connect(edge.databaseUrl, { poolMax: 8 })
  const total = 200
  const writing = Promise.all(
    Array.from({ length: 8 }, (_, w) =>
      (async () => {
        for (let i = w; i < total; i += 8)
          await writers.transaction(async (tx) => {
            await tx('order_events').insert({ order_id: busy, channel: 'web', type: `busy.${i}`, actor: 'test' })
            if (i % 5 === 0) await tx.raw('SELECT pg_sleep(0.02)')
          })
      })(),
    ),
  )
  const seen: Heard[] = []
  const complete = await waitUntil(async () => {
    const last = seen.at(-1)
    const ear = await listen(`/v1/orders/${busy}/events`, last ? { 'last-event-id': String(last.id) } : {})
    await waitUntil(() => ear.heard.length >= 23, 300)
    const heard = [...ear.heard]
    ear.close()
    seen.push(...heard)
    return seen.length >= total + 1
  }, 15_000)
  await writing
  await writers.destroy()
  expect(complete).toBe(true)
  expect(new Set(seen.map((h) => h.id)).size).toBe(seen.length)
  expect(seen).toHaveLength(total + 1)
})

it('tells transactions in the order of their numbers, also when these grow a digit', async () => {
  const other = '0198c5a2-0000-7000-8000-00000000abcd'
  for (const xid of ['101', '9', '99', '100', '10']) await edge.db('order_events').insert({ order_id: other, channel: 'web', type: `xid.${xid}`, actor: 'test', xid })
  const told = await readPast(edge.db, { orderId: other, channels: null }, beginning, { xid: '1000', seq: 0 }, 10)
  expect(told.map((e) => e.xid)).toEqual(['9', '10', '99', '100', '101'])
  const live = await readFeed(edge.db, { xid: '9', seq: Number.MAX_SAFE_INTEGER }, 4)
  expect(live.map((e) => e.xid)).toEqual(['10', '99', '100', '101'])
})

it('lets a channel hear its own orders only', async () => {
  const foreign = await place(edge.db, { channel: 'marketplace' })
  const ear = await listen('/v1/events', { 'last-event-id': '0' }, 'demo-channel-web')
  await tell(edge.db, 'test.foreign', foreign, 'marketplace')
  await tell(edge.db, 'test.own')
  expect(await hears(ear, 'test.own')).toBe(true)
  expect(ear.heard.filter((h) => h.orderId === foreign)).toEqual([])
  ear.close()
  expect((await listen(`/v1/orders/${foreign}/events`, {}, 'demo-channel-web')).status).toBe(404)
  expect((await listen('/v1/events', { 'last-event-id': 'x' })).status).toBe(400)
})

it('stays audible while nothing happens', async () => {
  const ear = await listen('/v1/events')
  expect(await waitUntil(() => ear.text.includes(': still here'), 5_000)).toBe(true)
  ear.close()
})

it('lets every listener go when the process stops', async () => {
  const own = await openEdge()
  const response = await fetch(`${own.url}/v1/events`, { headers: { authorization: 'Bearer demo-operations' } })
  const reading = response.text()
  await own.close()
  expect(await reading).toContain('retry:')
})
