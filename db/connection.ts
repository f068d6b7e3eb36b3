/** One pool per process, and the few conventions every query file relies on: integers come back as numbers, instants as ISO strings. */
import { createHash } from 'node:crypto'
import knex, { type Knex } from 'knex'
import { types } from 'pg'

export type Db = Knex
export type Transaction = Knex.Transaction

const int8 = 20
const timestamptz = 1184
types.setTypeParser(int8, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint out of the safe range: ${text}`)
  return value
})
types.setTypeParser(timestamptz, (text) => new Date(text).toISOString())

/** Opens a pool. `applicationName` shows in `pg_stat_activity`. Nobody waits longer than `acquireTimeoutMs` for a connection. */
export function connect(url: string, options: { poolMax?: number; applicationName?: string } = {}): Db {
  return knex({
    client: 'pg',
    connection: { connectionString: url, application_name: options.applicationName ?? 'throughline', keepAlive: true },
    pool: { min: 0, max: options.poolMax ?? 16 },
    acquireConnectionTimeout: 10_000,
    log: silent, // what fails is thrown, and said once by whoever catches it
  })
}

const silent: Knex.Logger = { warn: () => undefined, error: () => undefined, deprecate: () => undefined, debug: () => undefined }

/**
 * Rows of a raw query, typed by the caller who wrote the SQL. Each text is prepared once per connection under a name of its own, so that
 * PostgreSQL does not parse and plan it again for every call: the texts are ours and few, what varies is in the bindings.
 */
export async function rows<Row>(db: Db | Transaction, sql: string, bindings: readonly unknown[] | Record<string, unknown> = []): Promise<Row[]> {
  const result = (await db.raw(sql, bindings as Knex.RawBinding[]).options({ name: statementName(sql) })) as { rows: Row[] }
  return result.rows
}

const statementNames = new Map<string, string>()

function statementName(sql: string): string {
  let name = statementNames.get(sql)
  if (name === undefined) {
    name = `t${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`
    statementNames.set(sql, name)
  }
  return name
}

/** A statement whose rows do not matter. */
export async function run(db: Db | Transaction, sql: string, bindings: readonly unknown[] | Record<string, unknown> = []): Promise<void> {
  await rows(db, sql, bindings)
}

/** The one row a query must give, or undefined. */
export async function row<Row>(db: Db | Transaction, sql: string, bindings: readonly unknown[] | Record<string, unknown> = []): Promise<Row | undefined> {
  return (await rows<Row>(db, sql, bindings))[0]
}
