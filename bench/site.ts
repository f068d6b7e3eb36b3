/** The whole of Throughline as processes of their own in a folder of their own: durable PostgreSQL and Temporal as `npm start` runs them; simulators, worker and api as the image does. */
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { registerSearchAttributes } from '../adapters/temporal'
import { readConfig } from '../config'
import { connect, type Db } from '../db/connection'
import { migrate } from '../db/migrate'
import { run } from '../dev/command'
import { emptyDataFolder } from '../dev/data-folder'
import { apiPlan, carrierPlan, fromBuild, paymentPlan, workerPlan } from '../dev/our-processes'
import { freePort } from '../dev/ports'
import { ensureDatabase, postgresUrl, preparePostgres } from '../dev/postgres'
import { claim } from '../dev/run-record'
import { seedDemoNetwork } from '../dev/seed-demo'
import { createSupervisor, type Supervisor } from '../dev/supervise'
import { findTemporal, placesOf } from '../dev/temporal-cli'
import { startRealServer } from '../dev/temporal-real-server'
import { devServerPlan, temporalAddress } from '../dev/temporal-server'

export interface Site {
  api: string
  payments: string
  carriers: string
  temporal: string
  db: Db
  databaseUrl: string
  /** Process ids by name, for what they use. */
  pidOf(name: 'worker' | 'api'): number
  stop(): Promise<void>
}

const root = join(__dirname, '..')
const folder = join(root, '.data/bench')

/** As in a container with little memory: without a limit V8 lets its heap grow before it looks for what is no longer used. */
const apiHeap = '--max-old-space-size=160'

let built: Promise<void> | undefined

async function build(): Promise<void> {
  const { code, output } = await run('npm', ['run', 'build'], { cwd: root })
  if (code !== 0) throw new Error(`npm run build: ${output}`)
}

type TemporalServer = (supervisor: Supervisor, postgresPort: number) => Promise<string>

/** @param temporal starts a Temporal server and says where it is; none: the dev server. */
export async function startSite(temporal: TemporalServer = devServer): Promise<Site> {
  await (built ??= build())
  const record = await claim(folder) // before it is emptied: another run may be using it, or a killed one have left processes in it
  emptyDataFolder(folder)
  const supervisor = createSupervisor({ logFolder: join(folder, 'logs'), record })
  const leave = async (): Promise<void> => {
    await supervisor.stop()
    record.release()
  }
  process.once('SIGINT', () => void leave().then(() => process.exit(130)))
  try {
    return await startParts(supervisor, temporal, leave)
  } catch (error) {
    await leave()
    throw error
  }
}

/** For a server on PostgreSQL: the real one, in the same PostgreSQL as everything else. */
export const realServer: TemporalServer = (supervisor, postgresPort) =>
  startRealServer({ supervisor, postgresPort, folder: join(folder, 'temporal'), say: (doing) => console.log(`  ${doing}`) })

async function startParts(supervisor: Supervisor, temporal: TemporalServer, leave: () => Promise<void>): Promise<Site> {
  const [postgresPort, apiPort, paymentsPort, carriersPort] = [await freePort(), await freePort(), await freePort(), await freePort()]
  await supervisor.start(await preparePostgres({ folder: join(folder, 'postgres'), port: postgresPort, durable: true }))
  await ensureDatabase(postgresPort, 'throughline')
  const databaseUrl = postgresUrl(postgresPort, 'throughline')
  await migrate(databaseUrl)
  const db = connect(databaseUrl, { poolMax: 4, applicationName: 'throughline bench' })
  await seedDemoNetwork(db)
  const address = await temporal(supervisor, postgresPort)
  const connection = await Connection.connect({ address })
  await registerSearchAttributes(connection, 'default')
  await connection.close()
  const [api, payments, carriers] = [`http://127.0.0.1:${apiPort}`, `http://127.0.0.1:${paymentsPort}`, `http://127.0.0.1:${carriersPort}`]
  const config = readConfig({ DATABASE_URL: databaseUrl })
  const env = {
    ...process.env, DATABASE_URL: databaseUrl, PORT: String(apiPort), DEMO: 'true', WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8', LOG_LEVEL: 'info', TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'default',
    STRIPE_BASE_URL: payments, CARRIER_BASE_URL: carriers, DEMO_PAYMENTS_URL: payments, WORKFLOW_BUNDLE: join(root, 'dist/workflow-bundle.js'),
  }
  const place = { api, config, dataFolder: folder }
  await Promise.all([supervisor.start(paymentPlan({ ...place, port: paymentsPort }, fromBuild)), supervisor.start(carrierPlan({ ...place, port: carriersPort }, fromBuild))])
  const [worker, http] = await Promise.all([supervisor.start(workerPlan(env, fromBuild)), supervisor.start(apiPlan({ ...env, NODE_OPTIONS: apiHeap }, api, fromBuild))])
  return {
    api,
    payments,
    carriers,
    temporal: address,
    db,
    databaseUrl,
    pidOf: (name) => (name === 'worker' ? worker : http).pid,
    stop: async () => {
      await db.destroy()
      await leave()
    },
  }
}

async function devServer(supervisor: Supervisor): Promise<string> {
  const source = await findTemporal(placesOf(process.env, (doing) => console.log(`  ${doing}`)))
  if (source.kind === 'server') return source.address
  const port = await freePort()
  await supervisor.start(devServerPlan({ executable: source.path, port, uiPort: 0, ui: false, dataFile: join(folder, 'temporal.db') }))
  return temporalAddress(port)
}
