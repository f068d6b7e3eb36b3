/**
 * The real Temporal server on PostgreSQL, as it runs in production but in one process: for published figures and long fault runs, where the dev
 * server's one shard on SQLite would be what is measured. Its two databases live in the PostgreSQL that is given.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time'
import { run } from './command'
import { Complaint, oneLine } from './complaint'
import { isExecutable, onPath } from './executables'
import { choosePort } from './ports'
import { ensureDatabase } from './postgres'
import type { Supervisor } from './supervise'
import { dynamicConfig, isServing, temporalAddress } from './temporal-server'
import { waitUntil } from './wait'

export const realServerVersion = '1.31.2'

export interface RealServerPlace {
  supervisor: Supervisor
  /** Of the PostgreSQL that holds Temporal's databases. */
  postgresPort: number
  /** For its configuration. */
  folder: string
  say(doing: string): void
}

/** @returns its address, once its namespace `default` can be used. @throws Complaint when it can be neither found nor built. */
export async function startRealServer({ supervisor, postgresPort, folder, say }: RealServerPlace): Promise<string> {
  const { server, sql } = await findRealServer(process.env, say)
  for (const { database, schema } of databases) await setUpSchema({ sql, postgresPort, database, schema })
  const ports = await choosePorts()
  const config = writeConfig(folder, postgresPort, ports)
  const address = temporalAddress(ports.frontend)
  await supervisor.start({
    name: 'Temporal server',
    command: server,
    args: ['--config-file', config, '--allow-no-auth', 'start'],
    env: { ...process.env, GOGC: process.env.GOGC ?? '400' },
    readyWithinMs: 60_000,
    isReady: () => answersAt(address),
  })
  await makeNamespace(address)
  return address
}

interface Executables {
  server: string
  sql: string
}

const databases = [
  { database: 'temporal', schema: 'temporal' },
  { database: 'temporal_visibility', schema: 'visibility' },
] as const
const user = 'throughline'

/** In this user's cache, else built with Go into it. */
async function findRealServer(env: NodeJS.ProcessEnv, say: (doing: string) => void): Promise<Executables> {
  const home = join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'throughline', `temporal-server-${realServerVersion}`)
  const found = { server: join(home, 'server'), sql: join(home, 'sql') }
  if (!isExecutable(found.server) || !isExecutable(found.sql)) {
    say('building the real Temporal server with Go, once, about 4 minutes …')
    await build(home, env)
  }
  return found
}

async function build(home: string, env: NodeJS.ProcessEnv): Promise<void> {
  const [go] = onPath('go', env)
  if (!go) throw new Complaint('Go is missing: the real Temporal server has to be built. Install Go (https://go.dev/dl) and run the command again.')
  mkdirSync(dirname(home), { recursive: true })
  const making = mkdtempSync(`${home}.making-`)
  const emptyFolder = mkdtempSync(join(tmpdir(), 'throughline-go-')) // outside every module, or Go would build by that module's versions
  try {
    const packages = ['server', 'tools/sql'].map((name) => `go.temporal.io/server/cmd/${name}@v${realServerVersion}`)
    const { code, output } = await run(go, ['install', '-trimpath', '-ldflags', '-s -w', ...packages], {
      cwd: emptyFolder,
      env: { ...env, GOBIN: making, GOFLAGS: '', GOWORK: 'off', GO111MODULE: 'on' },
    })
    if (code !== 0) throw new Complaint(`Go could not build the Temporal server (exit code ${code}): ${oneLine(output.trim().split('\n').slice(-3).join('\n'))}`)
    rmSync(home, { recursive: true, force: true })
    renameSync(making, home)
  } finally {
    for (const folder of [making, emptyFolder]) rmSync(folder, { recursive: true, force: true })
  }
}

/** The tool carries the schemas itself. */
async function setUpSchema({ sql, postgresPort, database, schema }: { sql: string; postgresPort: number; database: string; schema: string }): Promise<void> {
  if (!(await ensureDatabase(postgresPort, database))) return
  const where = ['--plugin', 'postgres12', '--endpoint', '127.0.0.1', '--port', String(postgresPort), '--user', user, '--database', database]
  for (const step of [['setup-schema', '-v', '0.0'], ['update-schema', '--schema-name', `postgresql/v12/${schema}`]]) {
    const { code, output } = await run(sql, [...where, ...step])
    if (code !== 0) throw new Complaint(`The schema of ${database} could not be set up: ${oneLine(output.trim().split('\n').slice(-2).join('\n'))}`)
  }
}

type Ports = Record<'frontend' | 'frontendHttp' | 'history' | 'matching' | 'worker' | 'members1' | 'members2' | 'members3' | 'members4', number>

/** Low ones: the server writes its membership ports into a 16-bit signed column. */
async function choosePorts(): Promise<Ports> {
  const wishes = Array.from({ length: 200 }, (_, i) => 17_233 + i)
  const taken = new Set<number>()
  const ports = {} as Ports
  for (const name of ['frontend', 'frontendHttp', 'history', 'matching', 'worker', 'members1', 'members2', 'members3', 'members4'] as const) {
    ports[name] = await choosePort(wishes, taken)
    taken.add(ports[name])
  }
  return ports
}

/** JSON is YAML. @returns the path of the configuration. */
function writeConfig(folder: string, postgresPort: number, ports: Ports): string {
  mkdirSync(folder, { recursive: true })
  const [file, dynamicFile] = [join(folder, 'temporal-server.yaml'), join(folder, 'temporal-dynamic.yaml')]
  const value = (setting: unknown): object[] => [{ value: setting, constraints: {} }]
  writeFileSync(
    dynamicFile,
    JSON.stringify({
      ...Object.fromEntries(Object.entries(dynamicConfig).map(([key, setting]) => [key, value(setting)])),
      'system.forceSearchAttributesCacheRefreshOnRead': value(true),
    }),
  )
  writeFileSync(file, JSON.stringify(serverConfig(postgresPort, ports, dynamicFile), null, 2))
  return file
}

function serverConfig(postgresPort: number, ports: Ports, dynamicFile: string): object {
  const store = (databaseName: string, maxConns: number): object => ({
    sql: { pluginName: 'postgres12', databaseName, connectAddr: `127.0.0.1:${postgresPort}`, connectProtocol: 'tcp', user, password: '', maxConns, maxIdleConns: maxConns, maxConnLifetime: '1h' },
  })
  const service = (grpcPort: number, membershipPort: number, more: object = {}): object => ({ rpc: { grpcPort, membershipPort, bindOnLocalHost: true, ...more } })
  const home = { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${ports.frontend}` }
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'main',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { main: store(databases[0].database, 20), visibility: store(databases[1].database, 4) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: {
      frontend: service(ports.frontend, ports.members1, { httpPort: ports.frontendHttp }),
      matching: service(ports.matching, ports.members2),
      history: service(ports.history, ports.members3),
      worker: service(ports.worker, ports.members4),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: { active: home },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamicFile, pollInterval: '10s' },
  }
}

async function answersAt(address: string): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 2_000 })
    await connection.close()
    return true
  } catch {
    return false
  }
}

/** The server's parts learn of a new namespace one after the other. @throws Complaint when they do not. */
async function makeNamespace(address: string): Promise<void> {
  const connection = await Connection.connect({ address })
  try {
    await waitUntil(() => registered(connection), 30_000)
    if (!(await waitUntil(() => usable(connection, address), 30_000))) throw new Complaint('The namespace of the real Temporal server could not be made: see its log.')
  } finally {
    await connection.close()
  }
}

async function registered({ workflowService }: Connection): Promise<boolean> {
  try {
    await workflowService.registerNamespace({ namespace: 'default', workflowExecutionRetentionPeriod: msToTs(7 * 86_400_000) })
    return true
  } catch (error) {
    return (error as { code?: number }).code === alreadyExists
  }
}
/** gRPC's code. */
const alreadyExists = 6

async function usable({ workflowService }: Connection, address: string): Promise<boolean> {
  try {
    await workflowService.countWorkflowExecutions({ namespace: 'default' })
    return await isServing(address)
  } catch {
    return false
  }
}
