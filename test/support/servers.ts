/**
 * What every suite stands on: one PostgreSQL with a migrated template database, one Temporal server, the workflow bundle. Started once per run
 * of Jest; where they are is told to the test files through the environment.
 */
import { Connection } from '@temporalio/client'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { registerSearchAttributes } from '../../adapters/temporal'
import { migrate } from '../../db/migrate'
import { freePort } from '../../dev/ports'
import { ensureDatabase, postgresUrl, preparePostgres } from '../../dev/postgres'
import { createSupervisor, type Supervisor } from '../../dev/supervise'
import { findTemporal, placesOf } from '../../dev/temporal-cli'
import { devServerPlan, temporalAddress } from '../../dev/temporal-server'
import { openTestRun } from '../../dev/test-runs'
import { workflowBundle } from '../../workflows/support/bundle'

export interface TestServers {
  /** May create and drop databases. */
  databaseUrl: string
  templateDatabase: string
  temporalAddress: string
  workflowBundle: string
  /** In order, and with what they wrote. */
  stop(): Promise<void>
  /** For when there is no time to wait. */
  stopAtOnce(): void
}

const home = join(__dirname, '../../.data/test')
const templateDatabase = 'throughline_template'

export async function startServers(): Promise<TestServers> {
  const { folder, record } = await openTestRun(home)
  const supervisor = createSupervisor({ logFolder: join(folder, 'logs'), record })
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  try {
    const [databaseUrl, address, codePath] = await Promise.all([startPostgres(supervisor, folder), startTemporal(supervisor), bundle()])
    await nameSearchAttributes(address)
    const stop = async (): Promise<void> => {
      await supervisor.stop()
      remove()
    }
    const stopAtOnce = (): void => {
      supervisor.force()
      remove()
    }
    return { databaseUrl, templateDatabase, temporalAddress: address, workflowBundle: codePath, stop, stopAtOnce }
  } catch (error) {
    await supervisor.stop()
    remove()
    throw error
  }
}

async function startPostgres(supervisor: Supervisor, folder: string): Promise<string> {
  const port = await freePort()
  await supervisor.start(await preparePostgres({ folder: join(folder, 'postgres'), port, durable: false }))
  await ensureDatabase(port, templateDatabase)
  await migrate(postgresUrl(port, templateDatabase))
  return postgresUrl(port, 'postgres')
}

async function startTemporal(supervisor: Supervisor): Promise<string> {
  const source = await findTemporal(placesOf(process.env, (doing) => console.log(`Temporal: ${doing}`)))
  if (source.kind === 'server') return source.address
  const port = await freePort()
  await supervisor.start(devServerPlan({ executable: source.path, port, uiPort: 0, ui: false }))
  return temporalAddress(port)
}

async function bundle(): Promise<string> {
  const made = await workflowBundle()
  if (!('codePath' in made)) throw new Error('the workflow bundle is not a file')
  return made.codePath
}

async function nameSearchAttributes(address: string): Promise<void> {
  const connection = await Connection.connect({ address })
  try {
    await registerSearchAttributes(connection, 'default')
  } finally {
    await connection.close()
  }
}
