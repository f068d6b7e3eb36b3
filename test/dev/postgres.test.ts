/** The embedded PostgreSQL comes up again after whatever happened to it, where it lies notwithstanding. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { freePort } from '../../dev/ports'
import { ensureDatabase, postgresUrl, preparePostgres } from '../../dev/postgres'
import { closedFolder } from '../../dev/postgres-account'
import { identityOf } from '../../dev/process-identity'
import { createSupervisor } from '../../dev/supervise'
import { waitUntil } from '../../dev/wait'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'throughline-postgres-')))) // made closed to everybody else
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function ask<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows as Row[]
  } finally {
    await client.end()
  }
}

it('keeps what was committed over a kill −9, although somebody else has its old process id by then', async () => {
  const [port, home] = [await freePort(), join(folder, 'postgres')]
  const first = createSupervisor({ logFolder: folder })
  const { pid } = await first.start(await preparePostgres({ folder: home, port, durable: true }))
  expect(await ensureDatabase(port, 'shop')).toBe(true)
  await ask(postgresUrl(port, 'shop'), 'CREATE TABLE kept AS SELECT 42 AS answer')
  process.kill(pid, 'SIGKILL')
  expect(await waitUntil(() => identityOf(pid) === undefined, 5_000)).toBe(true)
  const lock = join(home, 'postmaster.pid')
  writeFileSync(lock, readFileSync(lock, 'utf8').replace(/^\d+/, String(process.ppid)))

  const second = createSupervisor({ logFolder: folder })
  const nextPort = await freePort()
  await second.start(await preparePostgres({ folder: home, port: nextPort, durable: true }))
  expect(await ensureDatabase(nextPort, 'shop')).toBe(false)
  expect(await ask(postgresUrl(nextPort, 'shop'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
  await second.stop()
  await first.stop()
})

it('stops a server that a killed start left in the folder', async () => {
  const [port, home] = [await freePort(), join(folder, 'postgres')]
  const left = createSupervisor({ logFolder: folder })
  const { pid } = await left.start(await preparePostgres({ folder: home, port, durable: false }))
  await preparePostgres({ folder: home, port, durable: false })
  expect(identityOf(pid)).toBeUndefined()
  await left.stop()
})

it('begins again where a first start was cut short', async () => {
  const home = join(folder, 'postgres')
  mkdirSync(`${home}.making/base`, { recursive: true })
  await preparePostgres({ folder: home, port: await freePort(), durable: false })
  expect(readFileSync(join(home, 'PG_VERSION'), 'utf8').trim()).toBe('18')
})

it('does not touch a folder of another version', async () => {
  const home = join(folder, 'postgres')
  mkdirSync(home)
  writeFileSync(join(home, 'PG_VERSION'), '17\n')
  await expect(preparePostgres({ folder: home, port: 1, durable: true })).rejects.toThrow(/was made by PostgreSQL 17, this is 18: start anew with npm start -- --fresh/)
})

it('finds the folder on the way that another user may not enter', () => {
  const [shut, inside] = [join(folder, 'shut'), join(folder, 'shut/open/data')]
  mkdirSync(inside, { recursive: true })
  chmodSync(folder, 0o755)
  chmodSync(shut, 0o700)
  expect(closedFolder(inside, 54_321, 54_321)).toBe(shut)
  chmodSync(shut, 0o755)
  expect(closedFolder(inside, 54_321, 54_321)).toBeUndefined()
})
