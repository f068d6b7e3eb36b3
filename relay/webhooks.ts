/**
 * Tells the outside what happens: reads the event log on behalf of each endpoint, and sends what it may hear, in order per order and as fast as it takes it.
 * Any number of processes share the work. Each endpoint has places of its own, so one that is slow or dead takes none from the others.
 */
import type { Logger } from 'pino'
import type { Db } from '../db/connection'
import { dueEndpoints, forgetDeliveries, takeDeliveries, takeWebhookProbe, type DueEndpoint, type TakenDelivery } from '../db/webhook-deliveries'
import { endpointsBehind, feedEndpoint } from '../db/webhook-feed'
import { recordResults, type Result } from '../db/webhook-results'
import { admission } from '../domain/delivery/breaker'
import type { SendWebhook } from '../domain/webhooks/attempt'
import { payloadOf } from '../domain/webhooks/message'
import { startPump, type Pump } from './pump'

export interface WebhookRelayOptions {
  db: Db
  send: SendWebhook
  log: Logger
  /** How long one attempt may take; a lease lasts longer than that by what it takes to write down how it went. */
  timeoutMs: number
  idleMs?: number
  /** Attempts under way at one endpoint. */
  perEndpoint?: number
}

/** More than any number of endpoints needs at once; what bounds the work is `perEndpoint`. */
const mostUnderWay = 512
const writingMs = 5_000
/** How long the log keeps what is settled. */
const keepDays = 30
const sweepEveryMs = 600_000
const sweptAtOnce = 5_000

interface Sent {
  endpoint: DueEndpoint
  delivery: TakenDelivery
}

export function startWebhooks({ db, send, log, timeoutMs, idleMs = 250, perEndpoint = 32 }: WebhookRelayOptions): Pick<Pump, 'stop'> {
  const underWay = new Map<string, number>()
  const count = (endpointId: string, by: number): void => void underWay.set(endpointId, (underWay.get(endpointId) ?? 0) + by)
  const results = createRecorder(db, () => deliver.wake())

  const takeFor = async (endpoint: DueEndpoint): Promise<Sent[]> => {
    const { endpointId, health } = endpoint
    const free = perEndpoint - (underWay.get(endpointId) ?? 0)
    if (free <= 0) return []
    const now = Date.now()
    const admitted = admission(health, now)
    if (admitted === 'fenced') return []
    if (admitted === 'probe' && !(await takeWebhookProbe(db, endpointId, health, now))) return []
    const isProbe = admitted === 'probe'
    const taken = await takeDeliveries(db, endpointId, { limit: isProbe ? 1 : free, leaseMs: timeoutMs + writingMs, byHandFirst: isProbe })
    count(endpointId, taken.length)
    return taken.map((delivery) => ({ endpoint, delivery }))
  }

  const deliver = startPump<Sent>({
    name: 'webhooks',
    concurrency: mostUnderWay,
    idleMs,
    log,
    take: async () => (await Promise.all((await dueEndpoints(db)).map(takeFor))).flat(),
    handle: async ({ endpoint, delivery }) => {
      const at = Date.now()
      try {
        const heard = await send({ url: endpoint.url, id: delivery.webhookId, body: bodyOf(delivery), secrets: endpoint.secrets })
        await results.add({ endpointId: endpoint.endpointId, url: endpoint.url, delivery, heard, at })
      } finally {
        count(endpoint.endpointId, -1)
      }
    },
  })

  const feeding = new Set<string>()
  const feed = startPump<{ endpointId: string }>({
    name: 'webhook feed',
    concurrency: 2,
    idleMs,
    log,
    take: async (limit) => (await endpointsBehind(db, limit + feeding.size)).filter(({ endpointId }) => !feeding.has(endpointId)).slice(0, limit),
    handle: async ({ endpointId }) => {
      feeding.add(endpointId)
      try {
        if ((await feedEndpoint(db, endpointId)) > 0) deliver.wake()
      } finally {
        feeding.delete(endpointId)
        feed.wake()
      }
    },
  })

  const sweep = startPump<never>({
    name: 'webhook log',
    concurrency: 1,
    idleMs: sweepEveryMs,
    log,
    take: async () => {
      while ((await forgetDeliveries(db, keepDays, sweptAtOnce)) === sweptAtOnce) continue
      return []
    },
    handle: () => Promise.resolve(),
  })

  return { stop: () => Promise.all([feed.stop(), deliver.stop(), sweep.stop()]).then(() => undefined) }
}

function bodyOf({ type, at, seq, orderId, channel, channelOrderId, data, apiVersion }: TakenDelivery): string {
  const order = seq === null || orderId === null ? null : { orderId, channel: channel!, channelOrderId: channelOrderId!, seq }
  return JSON.stringify(payloadOf({ type, at, order, data }, apiVersion))
}

/** Results are written together: while some are being written, others gather. */
function createRecorder(db: Db, written: () => void): { add(result: Result): Promise<void> } {
  let gathered: { result: Result; done: () => void; failed: (error: Error) => void }[] = []
  let writing = false
  const write = async (): Promise<void> => {
    writing = true
    while (gathered.length > 0) {
      const batch = gathered
      gathered = []
      try {
        await recordResults(db, batch.map(({ result }) => result), { now: Date.now(), random: Math.random })
        batch.forEach(({ done }) => done())
      } catch (error) {
        // Its leases end, and it is sent again.
        batch.forEach(({ failed }) => failed(error as Error))
      }
      setImmediate(written)
    }
    writing = false
  }
  return {
    add: (result) =>
      new Promise((done, failed) => {
        gathered.push({ result, done, failed })
        if (!writing) void write()
      }),
  }
}
