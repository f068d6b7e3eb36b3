/** The api as a process: it takes orders while Temporal is away, says which port is taken, and leaves nothing unfinished when it stops. */
import { createServer, type AddressInfo } from 'node:net'
import { readConfig, type Config } from '../../config'
import { createLog } from '../../api/log'
import { startApi, type RunningApi } from '../../api/server'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { freshDatabase, type FreshDatabase } from '../support/database'
import { anOrder } from './orders-in-store'

let database: FreshDatabase
let config: Config
const log = createLog('silent', 'test')
/** Nobody listens there. */
const noTemporal = { connectionOptions: { address: '127.0.0.1:1' }, namespace: 'default' }

beforeAll(async () => {
  database = await freshDatabase()
  await seedDemoNetwork(database.db)
  config = readConfig({ DATABASE_URL: database.url, PORT: '0', DEMO: 'true', DB_POOL_MAX: '8', COMMAND_DEADLINE_MS: '300' })
})
afterAll(() => database.drop())

const send = (api: RunningApi, path: string, options: { body?: object; key?: string } = {}): Promise<Response> =>
  fetch(api.url + path, {
    method: options.body ? 'POST' : 'GET',
    headers: { authorization: 'Bearer demo-admin', 'content-type': 'application/json', 'idempotency-key': options.key ?? String(Math.random()) },
    ...(options.body && { body: JSON.stringify(options.body) }),
  })

it('takes orders while Temporal is away, and says that it is away', async () => {
  const api = await startApi(config, log, noTemporal)
  try {
    const ready = await fetch(`${api.url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', database: true, temporal: false }])
    const order = { ...anOrder({ channelOrderId: 'AWAY-1' }) }
    const replies = await Promise.all(Array.from({ length: 64 }, () => send(api, '/v1/orders', { body: order, key: 'away-1' })))
    expect(new Set(replies.map((r) => r.status))).toEqual(new Set([201]))
    expect(replies.filter((r) => r.headers.get('idempotent-replayed') === 'true')).toHaveLength(63)
    const { orderId } = (await replies[0]!.json()) as { orderId: string }
    expect(await database.db('workflow_starts').where({ order_id: orderId })).toHaveLength(1)
    const cancel = await send(api, `/v1/orders/${orderId}/cancel`, { body: { reason: 'changed her mind' } })
    expect([cancel.status, cancel.headers.get('retry-after')]).toEqual([503, '1'])
  } finally {
    await api.stop()
  }
})

it('names the variable when its port is taken, and holds on to nothing', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as AddressInfo
  await expect(startApi({ ...config, PORT: port }, log, noTemporal)).rejects.toThrow(`port ${port} on 127.0.0.1 is in use: stop what listens there, or set PORT`)
  await expect(startApi({ ...config, METRICS_PORT: port }, log, noTemporal)).rejects.toThrow('METRICS_PORT')
  holder.close()
})

it('finishes requests under way and ends its streams when it is asked to stop', async () => {
  const api = await startApi(config, log, noTemporal)
  const stream = await fetch(`${api.url}/v1/events`, { headers: { authorization: 'Bearer demo-admin' } })
  const told = stream.text()
  const underWay = Array.from({ length: 20 }, (_, i) => send(api, '/v1/orders', { body: anOrder({ channelOrderId: `STOP-${i}` }) }))
  await Promise.race(underWay)
  const startedAt = Date.now()
  await api.stop()
  expect(Date.now() - startedAt).toBeLessThan(10_000)
  expect(await told).toContain('retry:')
  const answered = (await Promise.allSettled(underWay)).filter((r) => r.status === 'fulfilled')
  const accepted = Number((await database.db('orders').whereLike('channel_order_id', 'STOP-%').count({ n: '*' }))[0]!.n)
  expect(answered.every((r) => r.value.status === 201)).toBe(true)
  expect(accepted).toBe(answered.length)
  await expect(fetch(api.url)).rejects.toThrow()
})

it('gives its metrics apart from the api, with queue depths and requests by route', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as AddressInfo
  await new Promise((resolve) => holder.close(resolve))
  const api = await startApi({ ...config, METRICS_PORT: port }, log, noTemporal)
  try {
    await send(api, '/v1/orders/01890000-0000-7000-8000-000000000000')
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(text).toMatch(/throughline_queue_depth\{queue="workflow_starts"\} \d/)
    expect(text).toMatch(/throughline_queue_depth\{queue="webhook_deliveries"\} 0/)
    expect(text).toMatch(/throughline_webhook_oldest_seconds 0/)
    expect(text).toContain('http_request_duration_seconds_count{method="GET",route="/v1/orders/{orderId}",status="404"} 1')
    expect((await fetch(`${api.url}/metrics`)).status).toBe(404)
  } finally {
    await api.stop()
  }
})
