/** What Prometheus can ask the api: how requests fare by route, and how long the queues are. On its own port, so that it is never public by accident. */
import express, { type Express } from 'express'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Db } from '../db/connection'
import { quarantined } from '../db/quarantine'
import { oldestDelivery, queueDepths } from '../db/views/queues'

export interface Metrics {
  registry: Registry
  observe(request: { method: string; route: string; status: number; seconds: number }): void
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'How long requests took, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  return { registry, observe: ({ seconds, ...labels }) => duration.observe(labels, seconds) }
}

/** GET /metrics. The depth of the queues is read when asked, once per scrape. */
export function createMetricsApp(deps: { db: Db; metrics: Metrics }): Express {
  const { registry } = deps.metrics
  collectDefaultMetrics({ register: registry })
  const depth = new Gauge({
    name: 'throughline_queue_depth',
    help: 'Rows waiting: accepted orders whose workflow is not started, facts from outside not forwarded, commands not answered, webhooks not delivered',
    labelNames: ['queue'],
    registers: [registry],
    collect: async () => {
      const depths: Record<string, number> = { ...(await queueDepths(deps.db)) }
      for (const [queue, waiting] of Object.entries(depths)) depth.set({ queue }, waiting)
    },
  })
  new Gauge({
    name: 'throughline_webhook_oldest_seconds',
    help: 'How long the oldest webhook has waited for an endpoint that is enabled',
    registers: [registry],
    async collect() {
      this.set(await oldestDelivery(deps.db))
    },
  })
  watchQuarantine(deps.db, registry)
  const app = express()
  app.disable('x-powered-by')
  app.get('/metrics', async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics())
  })
  return app
}

function watchQuarantine(db: Db, registry: Registry): void {
  const gauge = (name: string, help: string, of: (waiting: { open: number; oldestSeconds: number }) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['channel'],
      registers: [registry],
      async collect() {
        for (const waiting of await quarantined(db)) this.set({ channel: waiting.channel }, of(waiting))
      },
    })
  gauge('throughline_quarantine_open', 'Messages of a channel that wait in quarantine', (waiting) => waiting.open)
  gauge('throughline_quarantine_oldest_seconds', 'How long the oldest message of a channel has waited in quarantine', (waiting) => waiting.oldestSeconds)
}
