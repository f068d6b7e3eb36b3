/**
 * The whole of Throughline in one test process: api, relay and worker on a database of its own, the simulators outside over HTTP,
 * a real Temporal server. Business durations are short and come as policy; nothing sleeps.
 */
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import { createActivities } from '../../activities'
import { createPromiseDesk } from '../../activities/promise-desk'
import { byAir } from '../../adapters/roads/by-air'
import { ownFleetCarrier } from '../../adapters/carriers/own-fleet'
import { connectCarriers, type CarrierAccounts } from '../../adapters/carriers/connect'
import { jsonFraudCheck } from '../../adapters/fraud/json-fraud-check'
import { stripeLinks } from '../../adapters/stripe/links'
import { stripeProvider } from '../../adapters/stripe/provider'
import { stripeWebhook } from '../../adapters/stripe/webhook'
import { createApp } from '../../api/app'
import { startCommandSweep } from '../../api/command-sweep'
import { createWebhookSender } from '../../adapters/webhooks/sender'
import { servicesOf } from '../../api/carrier-services'
import { createQuotes } from '../../api/quotes'
import { routes } from '../../api/routes'
import { outsideRoutes } from '../../api/routes/outside'
import type { Db } from '../../db/connection'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { taskQueues } from '../../domain/ids'
import { startArrivals } from '../../relay/arrivals'
import { channelFacts } from '../../relay/channel-facts'
import { startDraftLinks } from '../../relay/draft-links'
import { startFraud } from '../../relay/fraud'
import { startBulk } from '../../relay/bulk'
import { startInbox } from '../../relay/inbox'
import { startLab } from '../../relay/lab'
import { startDispatch, startRunReports } from '../../relay/runs'
import { startShortfalls } from '../../relay/shortfalls'
import { startStarter } from '../../relay/starts'
import { parseNetwork } from '../../domain/webhooks/addresses'
import { startWatch } from '../../relay/watch'
import { startWebhooks } from '../../relay/webhooks'
import { createThreads, type Threads } from '../../relay/threads'
import { startCarrierSimulator } from '../../simulators/carriers/server'
import { startFraudSimulator } from '../../simulators/fraud/server'
import { startPaymentSimulator } from '../../simulators/payments/server'
import { freshDatabase } from './database'
import { activate, type PolicyChanges } from './policies'
import { quietRuntime } from './quiet'

export interface SystemOptions {
  policies?: PolicyChanges
  /** false: the test starts workers by itself (as processes to be killed). */
  worker?: boolean
  /** false: bulk actions are carried out by api processes that the test starts by itself. */
  bulk?: false
  maxCachedWorkflows?: number
  /** With whom there are accounts; Swiftparcel alone unless told otherwise. */
  carriers?: CarrierAccounts['CARRIERS']
  /** Somebody looks all the time whether things are stuck or about to run out. */
  watch?: true
  /** Webhooks are sent; only to this machine. */
  webhooks?: true
  /** How long the bank holds money; seven days unless told otherwise. */
  authorizationDays?: number
  /** There is a fraud service; it thinks this long before it answers. */
  fraud?: { answerMs: number }
  /** Whether one hold may be captured several times; not unless told otherwise. */
  multicapture?: true
  /** Another Temporal server than the one all suites share. */
  temporalAddress?: string
  /** Where the api's log goes; nowhere by default. */
  log?: pino.DestinationStream
}

export interface System {
  url: string
  db: Db
  databaseUrl: string
  client: Client
  threads: Threads
  queuePrefix: string
  payments: { url: string }
  carriers: { url: string }
  /** Only where the test asked for one. */
  fraud?: { url: string }
  /** What a worker process needs in its environment to serve this system. */
  workerEnv: Record<string, string>
  stopWorker(): Promise<void>
  startWorker(): Promise<void>
  stop(): Promise<void>
}

/** Business time in tests: short enough to wait for, long enough not to be reached by accident. */
export const quickPolicies: PolicyChanges = {
  payment: { deadline: 'PT20S' },
  sourcing: { retryEvery: 'PT0.3S', autoCancelAfter: 'PT20S' },
  returns: { window: 'PT0.2S' },
  care: { retryEvery: 'PT0.5S' },
}

const secrets = { fraud: 'fraud-secret-system',  stripeKey: 'sk_test_system', stripeWebhook: 'whsec_system', carrier: 'carrier-secret-system' }
const providerTimeoutMs = 1_500
const webhookTimeoutMs = 1_000

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const log = options.log ? pino({ level: 'trace' }, options.log) : pino({ level: 'silent' })
  quietRuntime()
  const database = await freshDatabase()
  const { db } = database
  await seedDemoNetwork(db)
  await activate(db, { ...quickPolicies, ...options.policies })
  const address = options.temporalAddress ?? process.env.TEST_TEMPORAL_ADDRESS!
  const queuePrefix = `t${randomBytes(4).toString('hex')}-`
  const client = new Client({ connection: await Connection.connect({ address }) })
  const native = await NativeConnection.connect({ address })
  const payments = await startPaymentSimulator({ port: 0, webhookSecret: secrets.stripeWebhook, apiKey: secrets.stripeKey, multicapture: options.multicapture ?? false, ...(options.authorizationDays !== undefined && { authorizationDays: options.authorizationDays }) })
  const carriers = await startCarrierSimulator({ port: 0, webhookSecret: secrets.carrier, inTransitMs: 0, deliveredMs: 0 })
  const fraud = options.fraud && (await startFraudSimulator({ port: 0, apiKey: 'fraud-key', webhookSecret: secrets.fraud, ...options.fraud }))
  const judge = fraud && jsonFraudCheck({ baseUrl: fraud.url, apiKey: 'fraud-key', webhookSecret: secrets.fraud, timeoutMs: providerTimeoutMs })
  const accounts = { CARRIERS: options.carriers ?? (['swiftparcel'] as const), CARRIER_BASE_URL: carriers.url, CARRIER_WEBHOOK_SECRET: secrets.carrier, PROVIDER_TIMEOUT_MS: providerTimeoutMs }
  const connected = [ownFleetCarrier(), ...(await connectCarriers(accounts))]
  const stripe = { apiKey: secrets.stripeKey, baseUrl: payments.url, timeoutMs: providerTimeoutMs }
  const provider = stripeProvider(stripe)
  const threads = createThreads({ client, db, queuePrefix })
  const starter = startStarter({ db, threads, log, idleMs: 200 })
  const inbox = startInbox({ db, threads, log, channelFacts: channelFacts({ db, threads }), idleMs: 200 })
  const asking = judge && startFraud({ db, service: judge, log, wake: inbox.wake, idleMs: 50, patience: { leaseMs: 5_000, retryMs: 200, longestRetryMs: 500, askAgainMs: 1_500 } })
  const bulk = options.bulk === false ? undefined : startBulk({ db, threads, log, idleMs: 100 })
  const arrivals = startArrivals({ db, threads, log, idleMs: 100 })
  const shortfalls = startShortfalls({ db, log, idleMs: 100 })
  const watch = options.watch ? startWatch({ db, log, everyMs: 500 }) : undefined
  const lab = startLab({ db, client, log, queuePrefix, idleMs: 200 })
  const dispatch = startDispatch({ db, client, log, queuePrefix, idleMs: 100 })
  const runReports = startRunReports({ db, client, log, queuePrefix, idleMs: 100 })
  const destinations = { allowed: [parseNetwork('127.0.0.0/8')!] }
  const sender = createWebhookSender({ ...destinations, timeoutMs: webhookTimeoutMs })
  const webhooks = options.webhooks ? startWebhooks({ db, send: sender.send, log, timeoutMs: webhookTimeoutMs, idleMs: 50 }) : undefined
  const config = { DEMO: true, COMMAND_DEADLINE_MS: 8_000, CUSTOMER_REF_SECRET: 'customer-ref-system', QUOTE_SECRET: 'quote-secret-system' }
  const outside = outsideRoutes({ webhook: stripeWebhook({ secret: secrets.stripeWebhook }), carriers: connected, fraud: judge, wake: inbox.wake })
  const app = createApp({ db, threads, log, config, carriers: connected, wake: starter.wake, destinations, routes: outside })
  const linksDeps = { config, services: servicesOf(connected), quotes: createQuotes(config.QUOTE_SECRET), promises: createPromiseDesk({ db, carriers: connected, log }), wake: starter.wake }
  // As other parts that call the provider it belongs to the workers: where a test starts these by itself, theirs do it.
  const draftLinks = options.worker === false ? undefined : startDraftLinks({ db, links: stripeLinks(stripe), log, deps: linksDeps, idleMs: 50, patience: { leaseMs: 4_000, retryMs: 100, longestRetryMs: 500, askAgainMs: 1_500 } })
  const sweep = startCommandSweep({ db, threads, log, config }, routes)
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  payments.setWebhookUrl(`${url}/v1/payments/stripe/webhook`)
  fraud?.setWebhookUrl(`${url}/v1/fraud/events`)
  carriers.setWebhookUrl(`${url}/v1/carriers/{carrier}/events`)

  const activities = createActivities({ db, databaseUrl: database.url, payments: provider, carriers: connected, distances: byAir, orders: threads })
  let running: { workers: Worker[]; done: Promise<unknown> } | undefined
  const startWorker = async (): Promise<void> => {
    const common = { connection: native, shutdownGraceTime: '2 seconds' as const }
    const workers = await Promise.all([
      Worker.create({
        ...common,
        taskQueue: queuePrefix + taskQueues.orders,
        activities: { ...activities.orders, ...activities.fleet, ...activities.lab },
        workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! },
        maxCachedWorkflows: options.maxCachedWorkflows ?? 200,
      }),
      Worker.create({ ...common, taskQueue: queuePrefix + taskQueues.payments, activities: activities.payments }),
      Worker.create({ ...common, taskQueue: queuePrefix + taskQueues.carriers, activities: activities.carriers }),
    ])
    running = { workers, done: Promise.all(workers.map((w) => w.run())) }
  }
  const stopWorker = async (): Promise<void> => {
    running?.workers.forEach((w) => w.shutdown())
    await running?.done
    running = undefined
  }
  if (options.worker !== false) await startWorker()

  const stop = async (): Promise<void> => {
    await stopWorker()
    await Promise.all([starter.stop(), inbox.stop(), arrivals.stop(), sweep.stop(), lab.stop(), dispatch.stop(), runReports.stop(), shortfalls.stop(), watch?.stop(), asking?.stop(), bulk?.stop(), draftLinks?.stop(), webhooks?.stop()])
    sender.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await Promise.all([payments.close(), carriers.close(), fraud?.close()])
    await native.close()
    await client.connection.close()
    await database.drop()
  }
  const workerEnv = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: address,
    TASK_QUEUE_PREFIX: queuePrefix,
    STRIPE_API_KEY: secrets.stripeKey,
    CUSTOMER_REF_SECRET: config.CUSTOMER_REF_SECRET,
    QUOTE_SECRET: config.QUOTE_SECRET,
    STRIPE_BASE_URL: payments.url,
    CARRIERS: accounts.CARRIERS.join(','),
    CARRIER_BASE_URL: carriers.url,
    CARRIER_WEBHOOK_SECRET: secrets.carrier,
    PROVIDER_TIMEOUT_MS: String(providerTimeoutMs),
    WORKFLOW_BUNDLE: process.env.TEST_WORKFLOW_BUNDLE!,
    LOG_LEVEL: 'info',
  }
  return { url, db, databaseUrl: database.url, client, threads, queuePrefix, payments, carriers, fraud, workerEnv, stopWorker, startWorker, stop }
}
