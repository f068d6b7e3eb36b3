/** Composition root of the api: config → database → Temporal client → relay → app → port. Takes orders while Temporal is away; any number of these processes may run. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { ownFleetCarrier } from '../adapters/carriers/own-fleet'
import { connectCarriers } from '../adapters/carriers/connect'
import { connectFraud } from '../adapters/fraud/json-fraud-check'
import { stripeWebhook } from '../adapters/stripe/webhook'
import { connectTemporal, temporalTarget, type TemporalTarget } from '../adapters/temporal'
import { connectWebhooks } from '../adapters/webhooks/sender'
import { readConfig, secretsOf, type Config } from '../config'
import { connect, type Db } from '../db/connection'
import { migrate } from '../db/migrate'
import { createIntakeGauge } from '../relay/busy'
import { channelFacts } from '../relay/channel-facts'
import { startBulk } from '../relay/bulk'
import { startInbox } from '../relay/inbox'
import { startStarter } from '../relay/starts'
import { createThreads } from '../relay/threads'
import { startWebhooks } from '../relay/webhooks'
import { createApp } from './app'
import { startCommandSweep } from './command-sweep'
import type { DemoAddresses } from './deps'
import { createEventFeed } from './event-feed'
import { createLog } from './log'
import { createMetrics, createMetricsApp } from './metrics'
import { readRateLimits } from './rate-limit'
import { routes } from './routes'
import { outsideRoutes } from './routes/outside'

export interface RunningApi {
  url: string
  /** Takes no more requests, finishes those under way, ends the streams, then lets go of everything it holds. */
  stop(): Promise<void>
}

export async function startApi(config: Config, log: Logger, target: TemporalTarget = temporalTarget()): Promise<RunningApi> {
  await migrate(config.DATABASE_URL)
  const db = connect(config.DATABASE_URL, { poolMax: config.DB_POOL_MAX, applicationName: 'throughline api' })
  const client = connectTemporal(target)
  const threads = createThreads({ client, db, queuePrefix: config.TASK_QUEUE_PREFIX })
  const carriers = [ownFleetCarrier(), ...(await connectCarriers(config))]
  const gauge = createIntakeGauge()
  const starter = startStarter({ db, threads, log, pauseMs: gauge.pauseMs })
  const inbox = startInbox({ db, threads, log, channelFacts: channelFacts({ db, threads }) })
  const fraud = connectFraud(config)
  const bulk = startBulk({ db, threads, log, pauseMs: gauge.pauseMs })
  const sweep = startCommandSweep({ db, threads, log, config }, routes)
  const webhooks = sendWebhooks(config, db, log)
  const feed = createEventFeed(db, log)
  const metrics = createMetrics()
  const outside = outsideRoutes({ webhook: stripeWebhook({ secret: config.STRIPE_WEBHOOK_SECRET }), carriers, fraud, wake: inbox.wake })
  const app = createApp({
    db,
    threads,
    log,
    config,
    feed,
    metrics,
    carriers,
    wake: starter.wake,
    observeIntake: gauge.observe,
    rateLimits: readRateLimits(config.RATE_LIMITS),
    trustedProxies: config.TRUSTED_PROXIES,
    demo: demoAddresses(config, target),
    destinations: { allowed: config.WEBHOOK_ALLOWED_NETWORKS ?? [] },
    ready: () => client.withDeadline(Date.now() + 1_000, () => client.workflowService.getSystemInfo({})).then(() => true),
    routes: outside,
  })
  const letGo = async (): Promise<void> => {
    await Promise.all([starter.stop(), inbox.stop(), sweep.stop(), bulk.stop(), webhooks?.stop()])
    await client.connection.close()
    await db.destroy()
  }
  const servers: Server[] = []
  try {
    servers.push(await listen(app, config.PORT, config.HOST, 'PORT'))
    if (config.METRICS_PORT) servers.push(await listen(createMetricsApp({ db, metrics }), config.METRICS_PORT, config.HOST, 'METRICS_PORT'))
  } catch (error) {
    await Promise.all(servers.map(close))
    await letGo()
    throw error
  }
  return {
    url: urlOf(servers[0]!, config.HOST),
    async stop() {
      const closing = Promise.all(servers.map(close))
      await feed.close()
      await closing
      await letGo()
    },
  }
}

/** Where the settings want it here and not, or not only, in the workers. */
function sendWebhooks(config: Config, db: Db, log: Logger): { stop(): Promise<void> } | undefined {
  if (config.WEBHOOK_RELAY !== 'api' && config.WEBHOOK_RELAY !== 'both') return undefined
  const { send, close } = connectWebhooks(config)
  const relay = startWebhooks({ db, send, log, timeoutMs: config.WEBHOOK_TIMEOUT_MS })
  return { stop: () => relay.stop().then(close) }
}

/** Longer than the idle time of the usual load balancers, so that it is they who hang up. */
const keepAliveMs = 65_000
const headersMs = 30_000

function listen(app: RequestListener, port: number, host: string, variable: string): Promise<Server> {
  // A file of counts may come for as long as it comes: bodies that must end have their own patience where they are read.
  const server = createServer({ keepAliveTimeout: keepAliveMs, headersTimeout: headersMs, requestTimeout: 0 }, app)
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(taken ? new StartError(`port ${port} on ${host} is in use: stop what listens there, or set ${variable} to another one`) : error)
    })
    server.listen(port, host, () => resolve(server))
  })
}

/** How long requests under way may take once the process was asked to stop. */
const graceMs = 15_000

/** A kept-alive connection becomes idle after its last answer, and would then be waited for: those are closed as they fall idle. */
function close(server: Server): Promise<void> {
  const force = setTimeout(() => server.closeAllConnections(), graceMs)
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  return new Promise((resolve) =>
    server.close(() => {
      clearTimeout(force)
      clearInterval(idle)
      resolve()
    }),
  )
}

class StartError extends Error {
  override name = 'StartError'
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function demoAddresses(config: Config, target: TemporalTarget): DemoAddresses | undefined {
  const { DEMO, DEMO_PAYMENTS_URL: payments, DEMO_TEMPORAL_UI: temporalUi, CARRIER_BASE_URL: carriers } = config
  if (!DEMO) return undefined
  const temporalAddress = target.connectionOptions.address ?? 'localhost:7233'
  return { temporalAddress, temporalUi: temporalUi ?? '', namespace: target.namespace, simulators: { payments: payments ?? '', carriers } }
}

async function main(): Promise<void> {
  const config = readConfig()
  const log = createLog(config.LOG_LEVEL, 'api', undefined, secretsOf())
  const api = await startApi(config, log)
  log.info({ url: api.url }, 'api ready')
  const signal = await Promise.race((['SIGINT', 'SIGTERM'] as const).map((name) => new Promise<string>((resolve) => process.once(name, () => resolve(name)))))
  log.info({ signal }, 'api stopping')
  await api.stop()
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? `${error.name}: ${error.message}` : error)
    process.exitCode = 1
  })
}
