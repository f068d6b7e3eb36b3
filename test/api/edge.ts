/** The whole HTTP edge on a port of its own, over a database of its own with the demo network in it; only the order workflows are played by the test. */
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:http'
import { Writable } from 'node:stream'
import { uuidv7 } from 'uuidv7'
import { createApp } from '../../api/app'
import { contracts } from '../../adapters/carriers/contracts'
import { ownFleetCarrier } from '../../adapters/carriers/own-fleet'
import { parcelCarrier } from '../../adapters/carriers/parcel-carrier'
import type { DestinationSettings } from '../../adapters/outside/destination'
import { createEventFeed } from '../../api/event-feed'
import { createLog } from '../../api/log'
import type { RateLimits } from '../../api/rate-limit'
import type { Route } from '../../api/route'
import type { OrderAsk, OrderThreads } from '../../api/threads'
import type { Db } from '../../db/connection'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { freshDatabase } from '../support/database'

export interface Reply {
  status: number
  body: Record<string, unknown>
  text: string
  headers: Headers
}
export interface Sending {
  key?: string | null
  body?: unknown
  /** Sent as it is, instead of `body`. */
  raw?: string | Buffer
  headers?: Record<string, string>
  idempotencyKey?: string | null
}

/** Order workflows as the test plays them. */
export interface PlayedThreads extends OrderThreads {
  asks: OrderAsk[]
  retries: { orderId: string; exceptionId: string }[]
  answer: (ask: OrderAsk) => Promise<unknown>
  onRetry: () => Promise<void>
}

export interface Edge {
  db: Db
  url: string
  databaseUrl: string
  threads: PlayedThreads
  logged: string[]
  send(method: string, path: string, sending?: Sending): Promise<Reply>
  get(path: string, key?: string | null): Promise<Reply>
  post(path: string, body: unknown, sending?: Sending): Promise<Reply>
  put(path: string, body: unknown, sending?: Sending): Promise<Reply>
  close(): Promise<void>
}

export async function openEdge(options: { destinations?: DestinationSettings; routes?: readonly Route[]; demo?: boolean; commandDeadlineMs?: number; rateLimits?: RateLimits } = {}): Promise<Edge> {
  const database = await freshDatabase()
  await seedDemoNetwork(database.db)
  const threads = playThreads()
  const logged: string[] = []
  const log = createLog('debug', 'test', new Writable({ write: (line: Buffer, _encoding, done) => (logged.push(line.toString()), done()) }))
  const feed = createEventFeed(database.db, log, { everyMs: 20, heartbeatMs: 100 })
  const app = createApp({
    db: database.db,
    threads,
    log,
    feed,
    config: { DEMO: options.demo ?? true, COMMAND_DEADLINE_MS: options.commandDeadlineMs ?? 1_000, CUSTOMER_REF_SECRET: 'test-secret', QUOTE_SECRET: 'test-quote-secret' },
    carriers: [ownFleetCarrier(), parcelCarrier({ contract: contracts.swiftparcel, baseUrl: 'http://127.0.0.1:1', webhookSecret: 'test-secret', timeoutMs: 100 })],
    wake: () => undefined,
    demo: { temporalAddress: '127.0.0.1:7233', temporalUi: 'http://127.0.0.1:8233', namespace: 'default', simulators: { payments: 'http://127.0.0.1:3010', carriers: 'http://127.0.0.1:3020' } },
    routes: options.routes,
    rateLimits: options.rateLimits,
    ...(options.destinations && { destinations: options.destinations }),
  })
  const server = await listen(createServer(app))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = sender(url)
  return {
    db: database.db,
    url,
    databaseUrl: database.url,
    threads,
    logged,
    send,
    get: (path, key = 'demo-operations') => send('GET', path, { key }),
    post: (path, body, sending = {}) => send('POST', path, { body, ...sending }),
    put: (path, body, sending = {}) => send('PUT', path, { body, ...sending }),
    close: async () => {
      await feed.close()
      const idle = setInterval(() => server.closeIdleConnections(), 10)
      await new Promise((resolve) => server.close(resolve))
      clearInterval(idle)
      await database.drop()
    },
  }
}

const listen = (server: Server): Promise<Server> => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))

function playThreads(): PlayedThreads {
  const threads: PlayedThreads = {
    asks: [],
    retries: [],
    answer: () => Promise.resolve({}),
    onRetry: () => Promise.resolve(),
    ask(ask) {
      threads.asks.push(ask)
      return threads.answer(ask)
    },
    async retryException(orderId, exceptionId) {
      await threads.onRetry()
      threads.retries.push({ orderId, exceptionId })
    },
  }
  return threads
}

/** Commands get a fresh Idempotency-Key unless the test says which; null leaves it out. */
const sender =
  (url: string) =>
  async (method: string, path: string, { key = 'demo-operations', body, raw, headers = {}, idempotencyKey = uuidv7() }: Sending = {}): Promise<Reply> => {
    const hasBody = method !== 'GET' && (raw !== undefined || body !== undefined)
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(method === 'POST' && idempotencyKey !== null ? { 'idempotency-key': idempotencyKey } : {}),
        ...(hasBody ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(hasBody ? { body: raw ?? JSON.stringify(body) } : {}),
    })
    const text = await response.text()
    return { status: response.status, text, headers: response.headers, body: parsed(text) }
  }

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
