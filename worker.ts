/** Composition root of the worker: config → database → adapters → activities → one worker per task queue. Runs apart from the api; any number of them. */
import { NativeConnection, Runtime, Worker, type NativeConnectionOptions, type WorkerOptions } from '@temporalio/worker'
import type { Connection } from '@temporalio/client'
import type { Logger } from 'pino'
import { createActivities } from './activities'
import { createPromiseDesk } from './activities/promise-desk'
import { ownFleetCarrier } from './adapters/carriers/own-fleet'
import { connectCarriers } from './adapters/carriers/connect'
import { byAir } from './adapters/roads/by-air'
import { osrmDistances } from './adapters/roads/osrm'
import { connectFraud } from './adapters/fraud/json-fraud-check'
import { stripeLinks } from './adapters/stripe/links'
import { stripeProvider } from './adapters/stripe/provider'
import { connectTemporal, registerSearchAttributes, temporalTarget } from './adapters/temporal'
import { scheduleSweep } from './adapters/temporal-schedules'
import { connectMailer } from './adapters/smtp/mailer'
import { createCallOutside } from './adapters/outside/call'
import { connectWebhooks } from './adapters/webhooks/sender'
import { createLog } from './api/log'
import { servicesOf } from './api/carrier-services'
import { createQuotes } from './api/quotes'
import { readConfig, secretsOf, type Config } from './config'
import { connect, type Db } from './db/connection'
import { migrate } from './db/migrate'
import { taskQueues, type TaskQueue } from './domain/ids'
import { startArrivals } from './relay/arrivals'
import { channelFacts } from './relay/channel-facts'
import { startDraftLinks } from './relay/draft-links'
import { startFraud } from './relay/fraud'
import { startCustomerMessages } from './relay/customer-messages'
import { startInbox } from './relay/inbox'
import { startLab } from './relay/lab'
import { startDispatch, startRunReports } from './relay/runs'
import { startShortfalls } from './relay/shortfalls'
import { startStarter } from './relay/starts'
import { createThreads } from './relay/threads'
import { startChannelSync } from './relay/channel-sync'
import { startWatch } from './relay/watch'
import { startWebhooks } from './relay/webhooks'
import { temporalLogger } from './adapters/temporal-log'
import { workflowBundle } from './workflows/support/bundle'

/** The worker also sweeps what an api process left behind: expired leases of starts and facts. */
const sweepEveryMs = 5_000

/** Tasks are small and the server is near: compressing them costs both sides more than it saves on the wire. */
const uncompressed: NativeConnectionOptions = { grpcCompression: { codec: 'none' } }

async function main(config: Config): Promise<void> {
  const log = createLog(config.LOG_LEVEL, 'worker', undefined, secretsOf())
  Runtime.install({ logger: temporalLogger(log), telemetryOptions: metrics(config), shutdownSignals: ['SIGINT', 'SIGTERM'] })
  await migrate(config.DATABASE_URL)
  const db = connect(config.DATABASE_URL, { poolMax: config.DB_POOL_MAX, applicationName: 'throughline worker' })
  const target = temporalTarget()
  const connection = await NativeConnection.connect({ ...(target.connectionOptions as NativeConnectionOptions), ...uncompressed })
  const client = connectTemporal(target)
  await registerSearchAttributes(client.connection as Connection, target.namespace)
  const threads = createThreads({ client, db, queuePrefix: config.TASK_QUEUE_PREFIX })
  const carriers = [ownFleetCarrier(), ...(await connectCarriers(config))]
  const stripe = { apiKey: config.STRIPE_API_KEY, baseUrl: config.STRIPE_BASE_URL, timeoutMs: config.PROVIDER_TIMEOUT_MS }
  const activities = createActivities({
    orders: threads,
    db,
    databaseUrl: config.DATABASE_URL,
    payments: stripeProvider(stripe),
    carriers,
    distances: config.ROADS_URL ? osrmDistances({ baseUrl: config.ROADS_URL, timeoutMs: config.PROVIDER_TIMEOUT_MS, log }) : byAir,
  })
  const bundle = config.TASK_QUEUES.includes('orders') ? await workflowBundle(config.WORKFLOW_BUNDLE) : undefined
  const forQueue: Record<TaskQueue, Partial<WorkerOptions>> = {
    orders: {
      workflowBundle: bundle,
      activities: { ...activities.orders, ...activities.fleet, ...activities.lab },
      maxCachedWorkflows: config.MAX_CACHED_WORKFLOWS,
      maxConcurrentWorkflowTaskExecutions: 40,
      workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 5 },
    },
    payments: { activities: activities.payments, maxConcurrentActivityTaskExecutions: 50, activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 3 } },
    carriers: { activities: activities.carriers, maxConcurrentActivityTaskExecutions: 50, activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 3 } },
  }
  const workers = await Promise.all(
    config.TASK_QUEUES.map((queue) =>
      Worker.create({
        connection,
        namespace: target.namespace,
        taskQueue: config.TASK_QUEUE_PREFIX + taskQueues[queue],
        workerDeploymentOptions: { version: { deploymentName: config.DEPLOYMENT_NAME, buildId: config.BUILD_ID }, useWorkerVersioning: false },
        shutdownGraceTime: '5 seconds',
        ...forQueue[queue],
      }),
    ),
  )
  await scheduleSweep(client, config.TASK_QUEUE_PREFIX)
  const inbox = startInbox({ db, threads, log, channelFacts: channelFacts({ db, threads }), concurrency: 1, idleMs: sweepEveryMs })
  const fraud = connectFraud(config)
  const sweeps = [
    ...(fraud ? [startFraud({ db, service: fraud, log, wake: inbox.wake })] : []),
    startStarter({ db, threads, log, concurrency: 1, idleMs: sweepEveryMs, leftoversOnly: true }),
    inbox,
    startArrivals({ db, threads, log }),
    startShortfalls({ db, log }),
    startWatch({ db, log }),
    startChannelSync({ db, log, deps: { config, services: servicesOf(carriers), wake: () => undefined, callOutside: createCallOutside({ allowed: config.WEBHOOK_ALLOWED_NETWORKS ?? [] }) } }),
    startDraftLinks({ db, links: stripeLinks(stripe), log, deps: { config, services: servicesOf(carriers), quotes: createQuotes(config.QUOTE_SECRET), promises: createPromiseDesk({ db, carriers, log }), wake: () => undefined } }),
    startLab({ db, client, log, queuePrefix: config.TASK_QUEUE_PREFIX }),
    startDispatch({ db, client, log, queuePrefix: config.TASK_QUEUE_PREFIX }),
    startRunReports({ db, client, log, queuePrefix: config.TASK_QUEUE_PREFIX }),
    ...tellOthers(config, db, log),
  ]
  // Said at any log level: whoever started the worker waits for this line, as it listens on no port.
  createLog('info', 'worker').info({ queues: config.TASK_QUEUES, buildId: config.BUILD_ID }, 'worker ready')
  await Promise.all(workers.map((worker) => worker.run()))
  await Promise.all(sweeps.map((sweep) => sweep.stop()))
  await connection.close()
  await client.connection.close()
  await db.destroy()
}

/** Webhooks, unless the api sends them, and messages to customers where there is a mail server. */
function tellOthers(config: Config, db: Db, log: Logger): { stop(): Promise<void> }[] {
  const { WEBHOOK_RELAY, WEBHOOK_TIMEOUT_MS: timeoutMs, SMTP_URL: url, MESSAGES_FROM: from, CUSTOMER_REF_SECRET: contactSecret } = config
  const told: { stop(): Promise<void> }[] = []
  if (WEBHOOK_RELAY === 'worker' || WEBHOOK_RELAY === 'both') {
    const { send, close } = connectWebhooks(config)
    const relay = startWebhooks({ db, send, log, timeoutMs })
    told.push({ stop: () => relay.stop().then(close) })
  }
  if (url !== undefined) {
    const { send, close } = connectMailer({ url, from, timeoutMs: config.PROVIDER_TIMEOUT_MS })
    const relay = startCustomerMessages({ db, send, log, contactSecret })
    told.push({ stop: () => relay.stop().then(close) })
  }
  return told
}

/** Temporal's own metrics next to the api's, when a port is given. */
const metrics = ({ METRICS_PORT }: Config): { metrics?: { prometheus: { bindAddress: string } } } =>
  METRICS_PORT ? { metrics: { prometheus: { bindAddress: `0.0.0.0:${METRICS_PORT}` } } } : {}

main(readConfig()).catch((error: unknown) => {
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error)
  process.exitCode = 1
})
