/**
 * A payment provider one can run at home: it speaks the wire format of Stripe, so the real client drives it, keeps books of its own,
 * and goes wrong on demand. Nothing of the order system is known here, so what it believes can be held against what the order system believes.
 */
import express from 'express'
import { setMaxListeners } from 'node:events'
import { openBooks, type Books } from '../books'
import { controlRoutes } from '../control'
import { startDeliveries, type Deliveries } from '../deliveries'
import { faultQueue, outageSwitch } from '../faults'
import { listen } from '../listen'
import { timestampedSignature } from '../signature'
import { aboutOf } from './about'
import { startClock } from './clock'
import { paymentControl } from './control'
import { faultKinds, operations } from './execute'
import { keyLifetimeMs } from './idempotency'
import { expireHold } from './holds'
import { settleIntent } from './intents'
import { newId, type PaymentRecords, type Provider, type ProviderEventRecord } from './records'
import { apiRoutes } from './routes'
import { payRoutes } from './session-routes'

export interface PaymentSimulatorOptions {
  /** 0 takes any free port. */
  port: number
  /** Where events go; until it is known they are only listed. */
  webhookUrl?: string
  webhookSecret: string
  apiKey: string
  /** File the books are kept in; without it they end with the process. */
  statePath?: string
  /** How long a hold is good. Default 7. */
  authorizationDays?: number
  /** Whether one hold may be captured several times. Default false. */
  multicapture?: boolean
  /** How long a slow payment method takes to decide, 0 = never by itself. Default 2000. */
  settleMs?: number
}

export interface PaymentSimulator {
  url: string
  port: number
  setWebhookUrl(url: string): void
  close(): Promise<void>
}

const dayMs = 24 * 3_600_000
/** The provider lists events for 30 days. */
const eventLifetimeMs = 30 * dayMs

export async function startPaymentSimulator(options: PaymentSimulatorOptions): Promise<PaymentSimulator> {
  let webhookUrl = options.webhookUrl
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const books = openBooks<PaymentRecords>({ path: options.statePath, keep: stillCounts })
  const deliveries = startDeliveries({
    target: () => webhookUrl,
    sign: (body, atSeconds) => ({ 'Stripe-Signature': timestampedSignature(options.webhookSecret, body, atSeconds) }),
    done: (id) => {
      books.drop('pending', id)
      books.commit()
    },
  })
  const clock = startClock({ books, expire: (intent) => void expireHold(provider, intent), settle: (intent) => void settleIntent(provider, intent) })
  const provider: Provider = {
    books,
    faults: faultQueue(),
    announce: (type, object: { description?: unknown; client_reference_id?: unknown }) => announce(books, deliveries, type, object, webhookUrl === undefined ? 0 : (provider.copiesOf.get(String(object.description ?? object.client_reference_id)) ?? 'usual')),
    watch: clock.watch,
    breaks: { of: new Map(), waiting: [] },
    copiesOf: new Map(),
    authorizationMs: (options.authorizationDays ?? 7) * dayMs,
    multicapture: options.multicapture ?? false,
    settleMs: options.settleMs ?? 2_000,
    stop: stop.signal,
  }
  const shutDesk = async (): Promise<void> => {
    stop.abort()
    clock.stop()
    await deliveries.close()
  }
  const listening = await listen(application(provider, deliveries, options.apiKey), options.port).catch(async (cause: unknown) => {
    await shutDesk()
    books.close()
    throw cause
  })
  const close = async (): Promise<void> => {
    await Promise.all([shutDesk(), listening.close()])
    books.close()
  }
  for (const { id } of books.all('pending')) {
    const event = books.get('event', id)
    if (event) deliveries.post(messageOf(event))
  }
  return { url: listening.url, port: listening.port, setWebhookUrl: (url) => void (webhookUrl = url), close }
}

function application(provider: Provider, deliveries: Deliveries, apiKey: string): express.Express {
  const outage = outageSwitch()
  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'extended')
  const control = controlRoutes({ faults: provider.faults, outage, deliveries, kinds: faultKinds, operations, onlyFor: { decline: 'authorize' } })
  app.use('/pay', payRoutes(provider))
  app.use('/control', paymentControl(control, provider))
  app.use('/v1', express.urlencoded({ extended: true, limit: '1mb' }), outage.guard((request) => aboutOf(provider, request)), apiRoutes(provider, apiKey))
  return app
}

/** Events that are listed but not sent: opening a payment moves nothing, so no shop subscribes to it. */
const listedOnly: readonly string[] = ['payment_intent.created']

/** Writes an event and, where somebody listens, has it delivered. It goes out after the commit of the effect, as delivery never starts at once. */
function announce(books: Books<PaymentRecords>, deliveries: Deliveries, type: string, object: object, copies: number | 'usual'): void {
  const createdMs = Date.now()
  const id = newId('evt')
  const body = JSON.stringify({
    id,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: Math.floor(createdMs / 1000),
    data: { object },
    livemode: false,
    pending_webhooks: copies === 0 ? 0 : 1,
    request: { id: null, idempotency_key: null },
    type,
  })
  const event: ProviderEventRecord = { id, type, createdMs, body }
  books.put('event', event)
  if (copies === 0 || listedOnly.includes(type)) return
  books.put('pending', { id })
  deliveries.post(messageOf(event), copies === 'usual' ? {} : { duplicate: copies > 1 })
}

const messageOf = ({ id, body, createdMs }: ProviderEventRecord): { id: string; body: string; createdMs: number } => ({ id, body, createdMs })

function stillCounts(kind: string, record: { id: string; createdMs?: number }): boolean {
  const ageMs = Date.now() - (record.createdMs ?? Date.now())
  if (kind === 'key') return ageMs < keyLifetimeMs
  return kind === 'event' ? ageMs < eventLifetimeMs : true
}
