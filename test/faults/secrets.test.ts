/** Secrets are canaries here: in headers, addresses, bodies and the environment, through good requests and every kind of bad one, with everything logged. None may be found in what api and worker say. */
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { createLog } from '../../api/log'
import { startApi, type RunningApi } from '../../api/server'
import { readConfig, secretsOf } from '../../config'
import { putApiKey } from '../../db/api-keys'
import { temporalTarget } from '../../adapters/temporal'
import { steer } from '../support/outside'
import { orderOf, peopleOf, type People } from '../support/people'
import { startSystem, type System } from '../support/system'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process'

const own = 'kanarienvogel-0001-eigener-schluessel'
const token = 'kanarien-token-42-x7'
let logged = ''
const heard = new Writable({ write: (chunk: Buffer, _encoding, done) => ((logged += chunk.toString()), done()) })

let system: System
let people: People
let worker: WorkerProcess
let api: RunningApi
let env: Record<string, string>
let secrets: string[]
beforeAll(async () => {
  system = await startSystem({ worker: false })
  const address = new URL(system.databaseUrl)
  address.password = 'kanarien-datenbank-p4ss'
  env = {
    ...system.workerEnv, DATABASE_URL: address.href, LOG_LEVEL: 'trace', PORT: '0', DEMO: 'true',
    CUSTOMER_REF_SECRET: 'kanarien-kundenzahl', QUOTE_SECRET: 'kanarien-angebote-sig', STRIPE_WEBHOOK_SECRET: 'whsec_kanarienwebhook1', EASYPOST_WEBHOOK_SECRET: 'kanarien-easypost-x',
  }
  secrets = [own, token, 'kanarien', env.STRIPE_API_KEY!, env.CARRIER_WEBHOOK_SECRET!]
  await putApiKey(system.db, { key: own, name: 'canary', role: 'operations' })
  worker = await startWorkerProcess(env)
  const { CARRIERS, ...rest } = env
  api = await startApi(readConfig({ ...rest, CARRIERS }), createLog('trace', 'api', heard, secretsOf(env)), { ...temporalTarget(), connectionOptions: { address: env.TEMPORAL_ADDRESS } })
  people = peopleOf({ url: api.url, carriers: system.carriers })
}, 60_000)
afterAll(async () => {
  await worker?.kill()
  await api?.stop()
  await system?.stop()
})

const send = async (method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<number> => (await fetch(api.url + path, { method, headers, body })).status
const bearer = { authorization: `Bearer ${own}` }

it('says no secret, whatever is asked and whatever breaks', async () => {
  const made = await people.operations('GET', '/v1/nodes')
  expect(made.status).toBe(200)
  const admin = { authorization: 'Bearer demo-admin', 'idempotency-key': 'made', 'content-type': 'application/json' }
  const { apiKey } = (await (await fetch(`${api.url}/v1/api-keys`, { method: 'POST', headers: admin, body: JSON.stringify({ name: 'made', role: 'support' }) })).json()) as { apiKey: string }
  secrets.push(apiKey)
  expect(await send('GET', '/v1/orders', { authorization: `Bearer ${apiKey}` })).toBe(200)
  expect(await send('GET', '/v1/nodes', bearer)).toBe(200)
  const odd: [string, string, Record<string, string>, string?][] = [
    ['GET', `/v1/orders?apiKey=${own}`, bearer],
    ['GET', `/v1/orders/${own}`, bearer],
    ['GET', `/v1/nothing/${own}`, { authorization: `Basic ${own}` }],
    ['GET', `/t/${token}`, {}],
    ['GET', `/t/${token}%00`, {}],
    ['GET', `/%E0%A4%A/${own}`, bearer],
    ['POST', '/v1/orders', { ...bearer, 'content-type': 'application/json', 'idempotency-key': own }, `{"password": "${own}", "broken`],
    ['POST', '/v1/orders', { ...bearer, 'content-type': 'application/json', 'idempotency-key': own }, JSON.stringify({ [own]: own })],
    ['POST', '/v1/payments/stripe/webhook', { 'stripe-signature': `t=1,v1=${own}` }, JSON.stringify({ id: own })],
    ['POST', '/v1/carriers/swiftparcel/events', { 'carrier-signature': own }, own],
    ['POST', '/v1/channels/web/shopify/webhooks', { 'x-shopify-hmac-sha256': own }, own],
    ['PUT', '/v1/channels/web', { ...bearer, 'content-type': 'application/json' }, JSON.stringify({ name: 'Web shop', currency: 'EUR', timeZone: 'Europe/Berlin', shopifySecret: own, wrong: own })],
  ]
  for (const [method, path, headers, body] of odd) expect(await send(method, path, headers, body)).toBeGreaterThanOrEqual(400)

  await steer(system.payments.url, '/control/outage', { ms: 1_500 })
  const orderId = await people.place({ lines: [{ sku: 'SOCKS-3P', quantity: 1 }] })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await system.db.raw('ALTER TABLE skus RENAME TO skus_away') // what then breaks is ours: a 500 with its cause
  expect(await send('GET', '/v1/skus', bearer)).toBe(500)
  expect((await people.shop('POST', '/v1/orders', orderOf({ lines: [{ sku: 'SOCKS-3P', quantity: 1 }] }))).status).toBe(500)
  await system.db.raw('ALTER TABLE skus_away RENAME TO skus')

  const said = worker.said()
  expect(logged).toContain('/v1/orders/{orderId}')
  expect(logged).toContain('a request failed')
  expect(said).toContain('activityType')
  for (const secret of secrets) {
    expect(logged).not.toContain(secret)
    expect(said).not.toContain(secret)
  }
}, 60_000)

it('says no password when a process cannot start', async () => {
  const away = { ...env, DATABASE_URL: 'postgres://somebody:kanarien-datenbank-p4ss@127.0.0.1:1/nowhere' }
  const why = await startWorkerProcess(away).then(() => 'it started', (error: Error) => error.message)
  expect(why).toContain('the worker ended')
  expect(why).not.toContain('kanarien')
}, 30_000)

describe('the last net', () => {
  const lineOf = async (log: (to: ReturnType<typeof createLog>) => void, known: readonly string[] = []): Promise<string> => {
    let line = ''
    const to = new Writable({ write: (chunk: Buffer, _encoding, done) => ((line += chunk.toString()), done()) })
    log(createLog('trace', 'test', to, known))
    to.end()
    await once(to, 'finish')
    return line
  }
  const quotes: [string, string][] = [
    ['a key of ours', 'tl_live_0123456789abcdefghijklmnopqrstuv012345'],
    ['a key of the payment provider', 'sk_live_kanarienvogel'],
    ['a signing secret', 'whsec_kanarien/vogel+='],
    ['what stands behind Bearer', 'Bearer kanarienvogel'],
    ['a password in an address', 'postgres://throughline:kanarienvogel@db/x'],
    ['a customer’s link', 'GET /t/kanarienvogel-99'],
  ]
  it.each(quotes)('cuts out %s', async (_, text) => {
    const line = await lineOf((log) => log.error({ err: new Error(`could not: ${text}`), nested: { url: text } }, text))
    expect(line).toContain('[hidden]')
    expect(line).not.toMatch(/kanarien|0123456789abc/)
    expect(() => JSON.parse(line) as unknown).not.toThrow()
  })

  it('cuts out what the environment calls a secret, however it is written, and leaves the rest', async () => {
    const secret = 'p4ss/w"ord &+'
    const known = secretsOf({ QUOTE_SECRET: secret, TEMPORAL_API_KEY: 'kanarien-temporal', DATABASE_URL: 'postgres://throughline:throughline@db/throughline', PORT: '3000' })
    const line = await lineOf((log) => log.warn({ a: secret, b: encodeURIComponent(secret), c: 'kanarien-temporal', headers: { authorization: secret } }, 'throughline on 3000'), known)
    expect(JSON.parse(line)).toMatchObject({ a: '[hidden]', b: '[hidden]', c: '[hidden]', headers: '[hidden]', msg: 'throughline on 3000' })
    expect(secretsOf({})).toEqual(expect.arrayContaining(['demo-quote-secret', 'demo-carrier-secret', 'sk_test_throughline']))
  })
})
