/**
 * A fraud service one can run at home: it is asked about orders, answers at once or later in a signed message, keeps books of its own and goes wrong on
 * demand. What it thinks follows from the e-mail address of the customer: `…+review@…`, `…+reject@…`; everybody else is trusted.
 */
import express, { type ErrorRequestHandler, type Response } from 'express'
import { setMaxListeners } from 'node:events'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { openBooks, type Books } from '../books'
import { closeControl, controlRoutes, longestDelayMs } from '../control'
import { checkBody, ControlRefusal, oneOf, required, wholeNumber, yesOrNo } from '../control-body'
import { startDeliveries, type Deliveries, type Message } from '../deliveries'
import { faultQueue, outageSwitch, type FaultQueue } from '../faults'
import { listen, type Listening } from '../listen'
import { timestampedSignature } from '../signature'

export interface FraudSimulatorOptions {
  /** 0 takes any free port. */
  port: number
  apiKey: string
  webhookUrl?: string
  webhookSecret: string
  /** File the books are kept in; without it they end with the process. */
  statePath?: string
  /** How long it thinks before it reports, 0 = it answers at once. Default 1000. */
  answerMs?: number
}
export interface FraudSimulator extends Listening {
  setWebhookUrl(url: string): void
}

const verdicts = ['accept', 'review', 'reject'] as const
type Verdict = (typeof verdicts)[number]

/** What it has to be told of an order. */
interface Question {
  orderRef: string
  amountMinor: number
  currency: string
  email: string
}
interface Check {
  /** The key it was asked under. */
  id: string
  /** Whose order, and about how much money; as it was asked first. */
  orderRef: string
  amountMinor: number
  currency: string
  reference: string
  wanted: Verdict
  /** When it has made up its mind; never for some. */
  decidesMs: number | null
  decided?: Verdict
  asked: number
}
interface Report {
  id: string
  key: string
  reference: string
  verdict: Verdict
  atMs: number
}
interface Desk {
  books: Books<{ check: Check; report: Report }>
  faults: FaultQueue
  deliveries: Deliveries
  answerMs: number
  stop: AbortSignal
}

/** `answers_first`: the message overtakes the answer to the call. `never_answers`: it takes the question and is not heard of again. */
const faultKinds = ['slow', 'timeout_after_effect', 'error_500', 'answers_first', 'never_answers'] as const
const slowMs = 3_000
const lostAnswerMs = 30_000
const tickMs = 25

export async function startFraudSimulator(options: FraudSimulatorOptions): Promise<FraudSimulator> {
  let webhookUrl = options.webhookUrl
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const books: Desk['books'] = openBooks({ path: options.statePath })
  const deliveries = startDeliveries({
    target: () => webhookUrl,
    sign: (body, atSeconds) => ({ 'Fraud-Signature': timestampedSignature(options.webhookSecret, body, atSeconds) }),
    done: (id) => {
      books.drop('report', id)
      books.commit()
    },
  })
  const desk: Desk = { books, faults: faultQueue(), deliveries, answerMs: options.answerMs ?? 1_000, stop: stop.signal }
  const clock = setInterval(() => decideDue(desk), tickMs)
  for (const report of books.all('report')) deliveries.post(messageOf(report))
  const listening = await listen(application(desk, options.apiKey), options.port)
  const close = async (): Promise<void> => {
    stop.abort()
    clearInterval(clock)
    await Promise.all([deliveries.close(), listening.close()])
    books.close()
  }
  return { ...listening, close, setWebhookUrl: (url) => void (webhookUrl = url) }
}

function application(desk: Desk, apiKey: string): express.Express {
  const outage = outageSwitch()
  const app = express().disable('x-powered-by').disable('etag')
  const control = controlRoutes({ faults: desk.faults, outage, deliveries: desk.deliveries, kinds: faultKinds, operations: ['check'] })
  control.get('/books', (_request, response) => void response.json({ checks: desk.books.all('check').map(({ id, orderRef, amountMinor, currency, reference, decided, asked }) => ({ key: id, orderRef, amountMinor, currency, reference, verdict: decided ?? 'pending', asked })) }))
  control.post('/pace', (request, response) => {
    desk.answerMs = checkBody(request.body, { answerMs: required(wholeNumber(longestDelayMs)) }).answerMs
    response.json({ answerMs: desk.answerMs })
  })
  control.post('/checks/:key', (request, response) => {
    const check = desk.books.get('check', request.params.key)
    if (!check) throw new ControlRefusal(404, `no such check: ${request.params.key}`)
    const { verdict, duplicate, delayMs } = checkBody(request.body, { verdict: required(oneOf(verdicts)), duplicate: yesOrNo, delayMs: wholeNumber(longestDelayMs) })
    decide(desk, check, verdict, { duplicate, delayMs })
    response.json({ key: check.id, verdict })
  })
  app.use('/control', closeControl(control))
  app.use('/v1', outage.guard(), apiRoutes(desk, apiKey))
  return app
}

function apiRoutes(desk: Desk, apiKey: string): express.Router {
  const routes = express.Router()
  routes.use((request, response, next) => (request.get('authorization') === `Bearer ${apiKey}` ? next() : void response.status(401).json({ error: { code: 'unauthorized', message: 'unknown key' } })))
  routes.use(express.json({ limit: '1mb' }))
  routes.post('/checks', async (request, response) => {
    const asked = readQuestion(request.body as Record<string, unknown> | undefined)
    if ('wrong' in asked) return void response.status(400).json({ error: { code: 'invalid_request', message: asked.wrong } })
    await answer(desk, response, asked.key, asked)
  })
  routes.use(answerError)
  return routes
}

function readQuestion(body: Record<string, unknown> = {}): (Question & { key: string }) | { wrong: string } {
  const { key, order_ref: orderRef, amount_cents: amountMinor, currency, customer, lines } = body
  const isText = (value: unknown, most: number): value is string => typeof value === 'string' && value.length > 0 && value.length <= most
  if (!isText(key, 100)) return { wrong: 'key: must be a text of 1 to 100 characters' }
  if (!isText(orderRef, 200)) return { wrong: 'order_ref: must be a text of 1 to 200 characters' }
  if (!Number.isSafeInteger(amountMinor) || (amountMinor as number) < 0) return { wrong: 'amount_cents: must be a whole number' }
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) return { wrong: 'currency: must be three capital letters' }
  if (!Array.isArray(lines) || lines.length === 0) return { wrong: 'lines: must name at least one' }
  const email = (customer as { email?: unknown } | null | undefined)?.email
  return { key, orderRef, amountMinor: amountMinor as number, currency, email: typeof email === 'string' ? email : '' }
}

/** The same key is the same question, whatever came of the first call. */
async function answer(desk: Desk, response: Response, key: string, { email, orderRef, amountMinor, currency }: Question): Promise<void> {
  const fault = desk.faults.take('check')
  if (fault?.kind === 'error_500') return void response.status(500).json({ error: { code: 'internal_error', message: 'something went wrong on our side' } })
  const known = desk.books.get('check', key)
  const decidesMs = fault?.kind === 'never_answers' ? null : Date.now() + desk.answerMs
  const check: Check = { ...(known ?? { id: key, orderRef, amountMinor, currency, reference: `fc_${randomUUID().slice(0, 8)}`, wanted: opinionOf(email), decidesMs }), asked: (known?.asked ?? 0) + 1 }
  desk.books.put('check', check)
  if (!known && desk.answerMs === 0 && decidesMs !== null && fault?.kind !== 'answers_first') desk.books.put('check', { ...check, decided: check.wanted, decidesMs: null })
  desk.books.commit()
  if (fault?.kind === 'answers_first') decide(desk, check, check.wanted, { delayMs: 0 })
  const lost = fault?.kind === 'timeout_after_effect'
  const delayMs = fault?.delayMs ?? (lost ? lostAnswerMs : fault?.kind === 'slow' ? slowMs : fault?.kind === 'answers_first' ? 300 : 0)
  if (delayMs > 0) await pause(delayMs, undefined, { signal: desk.stop }).catch(() => undefined)
  if (lost || desk.stop.aborted) return void response.destroy()
  const { reference, decided } = desk.books.get('check', key)!
  response.json({ key, reference, verdict: fault?.kind === 'answers_first' ? 'pending' : (decided ?? 'pending') })
}

const opinionOf = (email: string): Verdict => (/\+(accept|review|reject)@/.exec(email)?.[1] as Verdict | undefined) ?? 'accept'

function decideDue(desk: Desk): void {
  const now = Date.now()
  for (const check of desk.books.all('check')) if (check.decidesMs !== null && check.decidesMs <= now && !check.decided) decide(desk, check, check.wanted)
}

/** It has made up its mind, perhaps once more: each time it says so in a message of its own. */
function decide(desk: Desk, check: Check, verdict: Verdict, plan: { duplicate?: boolean; delayMs?: number } = {}): void {
  const report: Report = { id: `fe_${randomUUID()}`, key: check.id, reference: check.reference, verdict, atMs: Date.now() }
  desk.books.put('check', { ...check, decided: verdict, decidesMs: null })
  desk.books.put('report', report)
  desk.books.commit()
  desk.deliveries.post(messageOf(report), plan)
}

const messageOf = ({ id, key, reference, verdict, atMs }: Report): Message => ({
  id, createdMs: atMs, body: JSON.stringify({ event_id: id, key, reference, verdict, at: new Date(atMs).toISOString() }),
})

const answerError: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  response.status(error.status ?? 500).json({ error: { code: 'invalid_request', message: error.message } })
}
