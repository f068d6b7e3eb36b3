/** The fraud simulator over its own wire format: what may be asked, when it answers, how it signs, what it repeats, and what its own books say. */
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jsonFraudCheck } from '../../adapters/fraud/json-fraud-check'
import { startFraudSimulator, type FraudSimulator, type FraudSimulatorOptions } from '../../simulators/fraud/server'
import { control, eventually, startReceiver, type Attempt, type Receiver } from './receiver'

const apiKey = 'fraud-key'
const webhookSecret = 'fraud-secret'

interface Report {
  event_id: string
  key: string
  reference: string
  verdict: string
  at: string
}
interface Said {
  key: string
  reference: string
  verdict: string
  error: { code: string; message: string }
}
interface Booked {
  key: string
  orderRef: string
  amountMinor: number
  currency: string
  reference: string
  verdict: string
  asked: number
}

let simulator: FraudSimulator
let receiver: Receiver
let folder: string

const start = (more: Partial<FraudSimulatorOptions> = {}): Promise<FraudSimulator> =>
  startFraudSimulator({ port: 0, apiKey, webhookSecret, webhookUrl: receiver.url, statePath: join(folder, 'books.jsonl'), answerMs: 0, ...more })
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'throughline-fraud-'))
  receiver = await startReceiver()
  simulator = await start()
})
afterEach(async () => {
  await simulator.close()
  await receiver.close()
  rmSync(folder, { recursive: true, force: true })
})

const emailFor = (opinion: string): string => `customer+${opinion}@example.com`
const asksAbout = (key: unknown, opinion: string): object => ({ key, order_ref: 'o-1', channel: 'web', currency: 'EUR', amount_cents: 1_490, customer: { email: emailFor(opinion) }, lines: [{ sku: 'SOCKS-3P', quantity: 1, unit_price_cents: 1_000 }], tenders: [] })
async function ask(key: unknown, opinion = 'accept', headers: Record<string, string> = {}, more: object = {}): Promise<{ status: number; body: Said }> {
  const answer = await fetch(`${simulator.url}/v1/checks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}`, ...headers },
    body: JSON.stringify({ ...asksAbout(key, opinion), ...more }),
  })
  return { status: answer.status, body: (await answer.json()) as Said }
}
const booked = async (): Promise<Booked[]> => (await control<{ checks: Booked[] }>(simulator.url, 'GET', '/books')).json.checks
const reports = (key: string): Report[] => receiver.bodies<Report>().filter((report) => report.key === key)
const reported = (key: string, count = 1): Promise<Report[]> => eventually(`${count} reports of ${key}`, () => reports(key).length >= count && reports(key))
const faults = (body: object): Promise<unknown> => control(simulator.url, 'POST', '/faults', body)
const pace = (answerMs: number): Promise<unknown> => control(simulator.url, 'POST', '/pace', { answerMs })

describe('asked', () => {
  it('says what it thinks at once where it takes no time, and reports nothing beside', async () => {
    for (const opinion of ['accept', 'review', 'reject'])
      expect(await ask(`k-${opinion}`, opinion)).toEqual({ status: 200, body: { key: `k-${opinion}`, reference: expect.stringMatching(/^fc_[0-9a-f]{8}$/), verdict: opinion } })
    expect(await booked()).toMatchObject([{ key: 'k-accept', verdict: 'accept', asked: 1 }, { key: 'k-review', verdict: 'review', asked: 1 }, { key: 'k-reject', verdict: 'reject', asked: 1 }])
    await control(simulator.url, 'POST', '/checks/k-accept', { verdict: 'review' })
    await reported('k-accept')
    expect(receiver.attempts).toHaveLength(1)
  })

  it('takes the same key for the same question, whatever is asked under it', async () => {
    const first = await ask('once', 'reject')
    expect((await ask('once', 'accept')).body).toEqual(first.body)
    expect(await booked()).toMatchObject([{ key: 'once', verdict: 'reject', asked: 2 }])
  })

  it('knows its customers by their key, and says what is wrong with a question', async () => {
    expect(await ask('k', 'accept', { authorization: 'Bearer other' })).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } })
    for (const key of [undefined, '', 7, 'x'.repeat(101)]) expect(await ask(key)).toMatchObject({ status: 400, body: { error: { code: 'invalid_request', message: expect.stringContaining('key') } } })
    for (const body of ['{"key": ', '[]', 'null', '7']) {
      const answer = await fetch(`${simulator.url}/v1/checks`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` }, body })
      expect([body, answer.status, await answer.json()]).toEqual([body, 400, { error: { code: 'invalid_request', message: expect.any(String) } }])
    }
    const wrong = { order_ref: [undefined, 7, ''], amount_cents: [undefined, '1490', 14.9, -1], currency: ['eur', 'EURO', undefined], lines: [undefined, [], {}] }
    for (const [field, values] of Object.entries(wrong))
      for (const value of values) expect(await ask('k', 'accept', {}, { [field]: value })).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining(`${field}: `) } } })
    expect(await booked()).toEqual([])
  })

  it('is asked by our adapter in its own words, and understood', async () => {
    const ours = jsonFraudCheck({ baseUrl: simulator.url, apiKey, webhookSecret, timeoutMs: 1_000 })
    const question = { key: 'ours', orderRef: 'o-1', channel: 'web', currency: 'EUR', amountMinor: 100, customer: { email: emailFor('review') }, lines: [{ sku: 'S', quantity: 1, unitPriceMinor: 100 }], tenders: [{ provider: 'stripe', amountMinor: 100 }] }
    const answer = await ours.ask(question)
    expect(await booked()).toEqual([{ key: 'ours', orderRef: 'o-1', amountMinor: 100, currency: 'EUR', reference: answer.reference, verdict: 'review', asked: 1 }])
    expect(answer.verdict).toBe('review')
    await pace(60_000)
    expect((await ours.ask({ ...question, key: 'later' })).verdict).toBeUndefined()
  })
})

describe('answers later', () => {
  it('is pending until it has made up its mind, then says so in one signed message that our adapter reads', async () => {
    await pace(100)
    const { body } = await ask('later', 'reject')
    expect(body.verdict).toBe('pending')
    const [report] = await reported('later')
    expect(report).toEqual({ event_id: expect.stringMatching(/^fe_/), key: 'later', reference: body.reference, verdict: 'reject', at: expect.any(String) })
    expect((await ask('later')).body.verdict).toBe('reject')
    const { body: rawBody, headers } = receiver.attempts[0]!
    const read = jsonFraudCheck({ baseUrl: simulator.url, apiKey, webhookSecret, timeoutMs: 1_000 }).readEvent
    expect(read(rawBody, (name) => headers[name] as string)).toEqual({ eventId: report!.event_id, key: 'later', reference: body.reference, verdict: 'reject' })
    expect(() => read(Buffer.from(rawBody.toString().replace('reject', 'accept')), (name) => headers[name] as string)).toThrow('does not match')
  })

  it('signs every attempt anew, over what it sends, and repeats until it is taken, under one id', async () => {
    receiver.failNext(2)
    await pace(20)
    await ask('repeated')
    const all = await reported('repeated', 3)
    expect(new Set(all.map((r) => r.event_id)).size).toBe(1)
    for (const attempt of receiver.attempts) expect(isSigned(attempt)).toBe(true)
    expect(receiver.attempts.at(-1)!.atMs - receiver.attempts[0]!.atMs).toBeGreaterThanOrEqual(200)
  })

  it('sends twice, late or in another order when it is told to', async () => {
    await control(simulator.url, 'POST', '/webhooks', { duplicate: true, shuffle: true })
    await pace(20)
    for (const key of ['a', 'b', 'c']) await ask(key)
    for (const key of ['a', 'b', 'c']) expect(new Set((await reported(key, 2)).map((r) => r.event_id)).size).toBe(1)
    await control(simulator.url, 'POST', '/webhooks', {})
    const before = Date.now()
    await control(simulator.url, 'POST', '/checks/a', { verdict: 'review', delayMs: 300 })
    await reported('a', 3)
    expect(Date.now() - before).toBeGreaterThanOrEqual(300)
  })

  it('may change its mind, and says so in a message of its own', async () => {
    await pace(20)
    await ask('changing')
    await reported('changing')
    await control(simulator.url, 'POST', '/checks/changing', { verdict: 'reject' })
    const [first, second] = await reported('changing', 2)
    expect([first!.verdict, second!.verdict, first!.event_id === second!.event_id]).toEqual(['accept', 'reject', false])
    expect(await booked()).toMatchObject([{ key: 'changing', verdict: 'reject' }])
    expect(await control(simulator.url, 'POST', '/checks/nobody', { verdict: 'accept' })).toMatchObject({ status: 404 })
    expect(await control(simulator.url, 'POST', '/checks/changing', { verdict: 'perhaps' })).toMatchObject({ status: 400 })
  })
})

describe('goes wrong', () => {
  it('fails without having heard the question', async () => {
    await faults({ next: 1, kind: 'error_500' })
    expect((await ask('failing')).status).toBe(500)
    expect(await booked()).toEqual([])
    expect((await ask('failing')).status).toBe(200)
  })

  it('has heard the question although its answer is lost', async () => {
    await faults({ next: 1, kind: 'timeout_after_effect', delayMs: 20 })
    await expect(ask('lost', 'review')).rejects.toThrow()
    expect(await booked()).toMatchObject([{ key: 'lost', verdict: 'review', asked: 1 }])
    expect((await ask('lost')).body.verdict).toBe('review')
  })

  it('reports before its answer is there, once', async () => {
    await faults({ next: 1, kind: 'answers_first', delayMs: 400 })
    const answered = ask('early', 'reject')
    const [report] = await reported('early')
    expect((await answered).body).toMatchObject({ verdict: 'pending', reference: report!.reference })
    expect((await ask('early')).body.verdict).toBe('reject')
    expect(reports('early')).toHaveLength(1)
  })

  it('takes a question and is not heard of again, also when it is asked again', async () => {
    await pace(10)
    await faults({ next: 1, kind: 'never_answers' })
    for (let times = 0; times < 2; times += 1) expect((await ask('silent')).body.verdict).toBe('pending')
    await ask('heard')
    await reported('heard')
    expect([reports('silent'), (await booked()).find((c) => c.key === 'silent')]).toMatchObject([[], { key: 'silent', verdict: 'pending', asked: 2 }])
  })

  it('answers one question that is asked twice at once with one opinion, reported once', async () => {
    await pace(50)
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('at once', 'review')))
    expect(new Set(answers.map((a) => a.body.reference)).size).toBe(1)
    await reported('at once')
    await ask('after it')
    await reported('after it')
    expect([reports('at once').length, (await booked())[0]]).toMatchObject([1, { asked: 5, verdict: 'review' }])
  })
})

it('keeps its books over a restart: what it thinks, what it has yet to think, and what it has yet to report', async () => {
  receiver.failNext(1_000)
  await pace(20)
  await ask('thought', 'review')
  await reported('thought')
  await pace(1_500)
  await ask('thinking', 'reject')
  const before = await booked()
  await simulator.close()
  receiver.failNext(0)
  receiver.attempts.length = 0
  simulator = await start()
  expect(await booked()).toEqual(before)
  expect((await reported('thought'))[0]!.verdict).toBe('review')
  expect((await reported('thinking'))[0]!.verdict).toBe('reject')
})

function isSigned({ body, headers }: Attempt): boolean {
  const [, at, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['fraud-signature'] as string) ?? []
  return given === createHmac('sha256', webhookSecret).update(`${at}.${body.toString()}`).digest('hex') && Math.abs(Date.now() / 1000 - Number(at)) < 60
}
