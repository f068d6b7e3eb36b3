/** How a webhook leaves the building: signed as the standard says, only to where it may go, and patient with nobody. */
import type { LookupAddress } from 'node:dns'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { checkDestination, checkedLookup, readDestination } from '../../adapters/outside/destination'
import { createWebhookSender, type WebhookSender } from '../../adapters/webhooks/sender'
import { newSecret, signatureHeaders } from '../../adapters/webhooks/signature'
import { parseNetwork } from '../../domain/webhooks/addresses'

const strict = { allowed: [] }
const loose = { allowed: [parseNetwork('127.0.0.0/8')!] }

describe('the signature', () => {
  const message = { id: 'msg_1', body: '{"type":"order.placed","data":{"name":"é"}}', timestamp: Math.floor(Date.now() / 1000) }
  it('is one that the reference library makes and accepts', () => {
    const secret = newSecret()
    const headers = signatureHeaders({ ...message, secrets: [secret] })
    expect(headers['webhook-signature']).toBe(new Webhook(secret).sign(message.id, new Date(message.timestamp * 1000), message.body))
    expect(new Webhook(secret).verify(message.body, headers)).toEqual(JSON.parse(message.body))
  })
  it('is there once for each secret while they rotate, and for no other', () => {
    const [old, fresh, other] = [newSecret(), newSecret(), newSecret()]
    const headers = signatureHeaders({ ...message, secrets: [fresh, old] })
    for (const secret of [old, fresh]) expect(() => new Webhook(secret).verify(message.body, headers)).not.toThrow()
    expect(() => new Webhook(other).verify(message.body, headers)).toThrow('No matching signature found')
  })
  it('covers id, time and body', () => {
    const secret = newSecret()
    const headers = signatureHeaders({ ...message, secrets: [secret] })
    const verify = (body: string, changed: object): unknown => new Webhook(secret).verify(body, { ...headers, ...changed })
    expect(() => verify(`${message.body} `, {})).toThrow()
    expect(() => verify(message.body, { 'webhook-id': 'msg_2' })).toThrow()
    expect(() => verify(message.body, { 'webhook-timestamp': String(message.timestamp + 1) })).toThrow()
  })
})

describe('the destination', () => {
  it.each([
    ['no url', 'is not a URL'],
    ['http://hooks.example.com/', 'must begin with https://'],
    ['ftp://hooks.example.com/', 'must begin with https://'],
    ['https://user:secret@hooks.example.com/', 'must not hold a name or a password'],
    ['https://hooks.example.com/#here', 'must not hold a fragment'],
    ['https://127.0.0.1/', 'leads to 127.0.0.1, which is loopback'],
    ['https://2130706433/', 'leads to 127.0.0.1, which is loopback'],
    ['https://0x7f.1/', 'leads to 127.0.0.1, which is loopback'],
    ['https://[::1]/', 'leads to ::1, which is loopback'],
    ['https://[::ffff:10.0.0.1]/', 'leads to ::ffff:a00:1, which is private'],
    ['https://169.254.169.254/latest/meta-data/', 'leads to 169.254.169.254, which is link-local'],
    ['https://localhost/', expect.stringMatching(/^leads to (127\.0\.0\.1|::1), which is loopback$/)],
    ['https://nothing.invalid/', 'has a name that has no address'],
  ])('%s is refused: %s', async (url, why) => {
    await expect(checkDestination(url, strict)).rejects.toMatchObject({ name: 'ForbiddenDestination', message: why })
  })
  it('may be http and inside where the settings say so, and nowhere else', async () => {
    await expect(checkDestination('http://127.0.0.1:8080/hooks', loose)).resolves.toBeUndefined()
    await expect(checkDestination('http://10.0.0.1/hooks', loose)).rejects.toMatchObject({ message: 'leads to 10.0.0.1, which is private' })
    await expect(checkDestination('http://8.8.8.8/hooks', loose)).rejects.toMatchObject({ message: 'must begin with https://' })
    await expect(checkDestination('https://8.8.8.8/hooks', loose)).resolves.toBeUndefined()
    expect(readDestination('https://hooks.example.com/a?b=c', strict).href).toBe('https://hooks.example.com/a?b=c')
  })
  it('is refused when only one of the addresses of a name is not public', async () => {
    const found: LookupAddress[] = [{ address: '8.8.8.8', family: 4 }, { address: 'fd00::1', family: 6 }]
    const ask = ((_host: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) => callback(null, found)) as never
    const asked = (all: boolean): Promise<unknown> => new Promise((resolve, reject) => checkedLookup({ ...strict, plain: false }, ask)('hooks.example.com', { all }, (error, address) => (error ? reject(error) : resolve(address))))
    await expect(asked(false)).rejects.toThrow('leads to fd00::1, which is private')
    found.pop()
    await expect(asked(false)).resolves.toBe('8.8.8.8')
    await expect(asked(true)).resolves.toEqual(found)
  })
})

describe('the call', () => {
  let server: Server
  let sender: WebhookSender
  let listener: RequestListener
  let calls = 0
  const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  beforeAll(async () => {
    server = createServer((request, response) => {
      calls += 1
      listener(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    sender = createWebhookSender({ ...loose, timeoutMs: 300 })
  })
  beforeEach(() => {
    calls = 0
  })
  afterAll(async () => {
    sender.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const send = (url = `${base()}/hooks`, by = sender): ReturnType<WebhookSender['send']> => by.send({ url, id: 'msg_1', body: '{}', secrets: [newSecret()] })

  it('says what was answered, the beginning of it, and for how long to wait', async () => {
    listener = (_request, response) => response.writeHead(429, { 'retry-after': '7' }).end('x'.repeat(5_000))
    expect(await send()).toEqual({ status: 429, error: null, durationMs: expect.any(Number), answer: 'x'.repeat(1_000), retryAfterMs: 7_000 })
    listener = (_request, response) => response.writeHead(503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }).end()
    const { retryAfterMs } = await send()
    expect(retryAfterMs).toBeGreaterThan(55_000)
    listener = (_request, response) => response.writeHead(500, { 'retry-after': '7' }).end()
    expect((await send()).retryAfterMs).toBeNull()
  })
  it('follows no redirect', async () => {
    listener = (_request, response) => response.writeHead(307, { location: `${base()}/elsewhere` }).end()
    expect(await send()).toMatchObject({ status: 307 })
    expect(calls).toBe(1)
  })
  it('gives up on who does not answer, or never stops answering', async () => {
    listener = () => undefined
    expect(await send()).toMatchObject({ status: null, error: 'no answer within 300 ms' })
    listener = (_request, response) => {
      response.writeHead(200)
      const more = setInterval(() => response.write('x'), 20)
      response.once('close', () => clearInterval(more))
    }
    expect(await send()).toMatchObject({ status: null, error: 'no answer within 300 ms' })
  })
  it('hangs up on an answer without measure', async () => {
    listener = (_request, response) => {
      response.writeHead(200)
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384))) continue
        if (!response.destroyed) response.once('drain', pour)
      }
      pour()
    }
    expect(await send()).toMatchObject({ status: 200, answer: 'x'.repeat(1_000) })
  })
  it('goes to no address inside, whether named or written out, and says why', async () => {
    const strictSender = createWebhookSender({ allowed: [parseNetwork('10.0.0.0/8')!], timeoutMs: 300 })
    listener = (_request, response) => response.writeHead(200).end()
    const { port } = new URL(base())
    expect(await send(base(), strictSender)).toMatchObject({ status: null, error: 'leads to 127.0.0.1, which is loopback' })
    expect((await send(`http://localhost:${port}/`, strictSender)).error).toMatch(/^leads to .*, which is loopback$/)
    expect(calls).toBe(0)
    strictSender.close()
  })
  it('says that nobody listens', async () => {
    expect((await send('http://127.0.0.1:9/')).error).toContain('ECONNREFUSED')
  })
})
