/**
 * The set-up of `npm start`, step by step: what can be refused is refused before anything is started; then PostgreSQL, Temporal, the schema
 * and the demo network, the simulators, the worker and the api, each when the one before is ready.
 */
import { writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { temporalTarget } from '../adapters/temporal'
import { readConfig } from '../config'
import { connect } from '../db/connection'
import { migrate } from '../db/migrate'
import { Complaint } from './complaint'
import { emptyDataFolder, rememberedPorts, rememberPorts, type InnerPorts } from './data-folder'
import type { StartOptions } from './options'
import { choosePort, tryPort } from './ports'
import { answers, ensureDatabase, postgresUrl, preparePostgres } from './postgres'
import { claim } from './run-record'
import type { Screen } from './screen'
import { seedDemoNetwork } from './seed-demo'
import type { Session } from './session'
import { createSupervisor, type ChildPlan, type Supervisor } from './supervise'
import { findTemporal, placesOf } from './temporal-cli'
import { devServerPlan, keepHistories, temporalAddress } from './temporal-server'
import { apiPlan, carrierPlan, fraudPlan, paymentPlan, workerPlan } from './our-processes'

export interface Addresses {
  api: string
  database: string
  temporal: string
  temporalUi?: string
  payments?: string
  carriers?: string
  fraud?: string
  /** The database is ours: there are demo keys, a demo network and a story. */
  demo: boolean
}

const root = join(__dirname, '..')
const dataFolder = join(root, '.data')
const historiesKeptDays = 365
const leastFreeMegabytes = 500

/** @throws Complaint naming what is wrong and what to do. */
export async function bringUp(options: StartOptions, session: Session, screen: Screen, env: NodeJS.ProcessEnv): Promise<Addresses> {
  const demo = !env.DATABASE_URL
  if (demo && env.HOST && !isLoopback(env.HOST)) throw new Complaint(`HOST is ${env.HOST}: with its demo keys npm start answers on loopback only, so leave HOST unset, or set DATABASE_URL.`)
  const config = readConfig({ ...env, DATABASE_URL: env.DATABASE_URL || postgresUrl(1, 'throughline'), DEMO: String(demo) })
  const record = await claim(dataFolder)
  session.hold({ record })
  const apiPort = await refuseTakenPort(config.PORT, config.HOST)
  if (options.fresh) emptyDataFolder(dataFolder)
  await refuseWithoutRoom()
  screen.line('Throughline')
  if (record.leftovers.length) screen.line(`  ${'left over'.padEnd(14)} stopped what a killed run had left: ${record.leftovers.join(', ')}`)
  const ports = await chooseInnerPorts(apiPort)
  const supervisor = createSupervisor({
    logFolder: join(dataFolder, 'logs'),
    record,
    onStopping: (name) => screen.line(`  ${'stopping'.padEnd(14)} ${name}`),
    onRevival: (death) => screen.line(`  ${'died'.padEnd(14)} ${death.name} (${death.how}); starting it again, its log is ${death.logFile}`),
    onDeath: (death) =>
      session.fail(new Complaint(`${death.name} has ended unexpectedly (${death.how}): ${death.lastWords || 'it said nothing'} — its log is ${death.logFile}; stopping everything.`)),
  })
  session.hold({ supervisor })

  const site: Site = { env, supervisor, screen, session, ports }
  const database = demo ? await startPostgres(site) : await reachDatabase(env.DATABASE_URL!, screen)
  const temporal = await startTemporal(site)
  await screen.step('schema', () => migrate(database), (applied) => (applied.length ? `${applied.length} migrations applied` : 'up to date'))
  if (demo) await screen.step('demo network', () => seed(database), () => 'dc-01, store-mitte, store-kreuzberg, store-charlottenburg')
  const own = await startOurs(site, { ...temporal, database, demo, apiPort, config })
  record.answersAt(own.api)
  return { ...own, database, demo, temporal: temporal.address, temporalUi: temporal.ui }
}

interface Site {
  env: NodeJS.ProcessEnv
  supervisor: Supervisor
  screen: Screen
  session: Session
  ports: InnerPorts
}
interface Temporal {
  address: string
  ui?: string
  /** What the worker and api need to reach it. */
  env: NodeJS.ProcessEnv
}

async function startPostgres({ supervisor, screen, ports, session }: Site): Promise<string> {
  await screen.step(
    'PostgreSQL',
    async () => {
      const plan = await preparePostgres({ folder: join(dataFolder, 'postgres'), port: ports.postgres, durable: true, signal: session.leaving })
      await supervisor.start(plan)
      await ensureDatabase(ports.postgres, 'throughline')
    },
    () => `on port ${ports.postgres}, data in .data/postgres`,
  )
  return postgresUrl(ports.postgres, 'throughline')
}

async function reachDatabase(url: string, screen: Screen): Promise<string> {
  await screen.step(
    'PostgreSQL',
    async () => {
      if (!(await answers(url))) throw new Complaint(`No PostgreSQL answers at ${withoutPassword(url)}: correct DATABASE_URL, or unset it to use the embedded one.`)
    },
    () => `yours, at ${withoutPassword(url)}`,
  )
  return url
}

async function startTemporal({ env, supervisor, screen, session, ports }: Site): Promise<Temporal> {
  return screen.step(
    'Temporal',
    async (say) => {
      const source = await findTemporal(placesOf(env, say, session.leaving))
      if (source.kind === 'server') return reachTemporal(source.address, env)
      const server = { executable: source.path, port: ports.temporal, uiPort: ports.temporalUi, dataFile: join(dataFolder, 'temporal.db'), ui: true }
      await supervisor.start(devServerPlan(server))
      const address = temporalAddress(ports.temporal)
      await keepHistories(address, 'default', historiesKeptDays)
      return { address, ui: `http://127.0.0.1:${ports.temporalUi}`, env: onlyThisServer(env, address) }
    },
    ({ address }) => (env.TEMPORAL_ADDRESS ? `yours, at ${address}` : `on port ${ports.temporal}, its UI on ${ports.temporalUi}`),
  )
}

/** With whatever TLS, API key and namespace the environment names for it. */
async function reachTemporal(address: string, env: NodeJS.ProcessEnv): Promise<Temporal> {
  const target = temporalTarget()
  try {
    const connection = await Connection.connect({ ...target.connectionOptions, connectTimeout: 10_000 })
    await connection.workflowService.describeNamespace({ namespace: target.namespace })
    await connection.close()
  } catch {
    throw new Complaint(`No Temporal server with a namespace ${target.namespace} answers at ${address}: correct TEMPORAL_ADDRESS, or unset it to have one started here.`)
  }
  return { address, ui: env.DEMO_TEMPORAL_UI, env: {} }
}

/** Settings meant for another Temporal server (variables, or the profile in the user's own file) must not reach ours. */
function onlyThisServer(env: NodeJS.ProcessEnv, address: string): NodeJS.ProcessEnv {
  const cleared = Object.fromEntries(Object.keys(env).filter((name) => name.startsWith('TEMPORAL_')).map((name) => [name, undefined]))
  const profile = join(dataFolder, 'temporal.toml')
  writeFileSync(profile, `[profile.default]\naddress = "${address}"\nnamespace = "default"\n`)
  return { ...cleared, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'default', TEMPORAL_CONFIG_FILE: profile }
}

async function seed(database: string): Promise<void> {
  const db = connect(database, { poolMax: 1, applicationName: 'throughline demo network' })
  try {
    await seedDemoNetwork(db)
  } finally {
    await db.destroy()
  }
}

interface Surroundings extends Temporal {
  database: string
  demo: boolean
  apiPort: number
  config: ReturnType<typeof readConfig>
}

/** Simulators stand in for whoever has no address of their own in the environment. */
async function startOurs({ env, supervisor, screen, ports }: Site, around: Surroundings): Promise<{ api: string; payments?: string; carriers?: string; fraud?: string }> {
  const { config, apiPort } = around
  const api = `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${apiPort}`
  const payments = env.STRIPE_BASE_URL ? undefined : `http://127.0.0.1:${ports.payments}`
  const carriers = env.CARRIER_BASE_URL ? undefined : `http://127.0.0.1:${ports.carriers}`
  const fraud = env.FRAUD_BASE_URL ? undefined : `http://127.0.0.1:${ports.fraud}`
  const simulators = [fraud && fraudPlan({ port: ports.fraud, api, config, dataFolder }), payments && paymentPlan({ port: ports.payments, api, config, dataFolder }), carriers && carrierPlan({ port: ports.carriers, api, config, dataFolder })]
  await screen.step('simulators', () => startAll(supervisor, simulators), () => [payments && `payments on ${ports.payments}`, carriers && `carriers on ${ports.carriers}`, fraud && `fraud on ${ports.fraud}`].filter(Boolean).join(', ') || 'none needed')
  const childEnv: NodeJS.ProcessEnv = {
    ...env,
    ...around.env,
    DATABASE_URL: around.database,
    PORT: String(apiPort),
    DEMO: String(around.demo),
    ...(around.demo && { WEBHOOK_ALLOWED_NETWORKS: env.WEBHOOK_ALLOWED_NETWORKS || '127.0.0.0/8,::1' }),
    ...(payments && { STRIPE_BASE_URL: payments, DEMO_PAYMENTS_URL: payments }),
    ...(carriers && { CARRIER_BASE_URL: carriers }),
    ...(fraud && { FRAUD_BASE_URL: fraud }),
    ...(around.ui && { DEMO_TEMPORAL_UI: around.ui }),
  }
  await screen.step('worker and api', () => startAll(supervisor, [workerPlan(childEnv), apiPlan(childEnv, api)]), () => `on port ${apiPort}`)
  return { api, payments, carriers, fraud }
}

/** Side by side, as none waits for another; the order they are named in is the order of stopping, reversed. */
const startAll = (supervisor: Supervisor, plans: readonly (ChildPlan | '' | undefined)[]): Promise<unknown> =>
  Promise.all(plans.flatMap((plan) => (plan ? [supervisor.start(plan)] : [])))

async function refuseTakenPort(port: number, host: string): Promise<number> {
  const taken = await tryPort(port, host)
  if (taken === undefined) throw new Complaint(`Port ${port} is in use: stop what listens there, or choose another one with PORT=${port + 1} npm start.`)
  return taken
}

async function refuseWithoutRoom(): Promise<void> {
  const { bavail, bsize } = await statfs(dataFolder)
  const freeMegabytes = Math.floor((bavail * bsize) / 1e6)
  if (freeMegabytes < leastFreeMegabytes)
    throw new Complaint(`The disk is nearly full: ${freeMegabytes} MB are free in ${dataFolder}, at least ${leastFreeMegabytes} MB are needed. Free some space and run npm start again.`)
}

/** Nobody else knows these, so any will do; the same ones as last time are the least surprise. */
async function chooseInnerPorts(apiPort: number): Promise<InnerPorts> {
  const remembered = rememberedPorts(dataFolder)
  const taken = new Set([apiPort])
  const ports = {} as InnerPorts
  for (const [name, usual] of Object.entries({ postgres: 5433, temporal: 7233, temporalUi: 8233, payments: 3010, carriers: 3020, fraud: 3030 })) {
    const port = await choosePort([remembered[name as keyof InnerPorts], usual], taken)
    taken.add(port)
    ports[name as keyof InnerPorts] = port
  }
  rememberPorts(dataFolder, ports)
  return ports
}

const withoutPassword = (url: string): string => url.replace(/:[^:@/]*@/, ':…@')

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.')
