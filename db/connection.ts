/** One pool per process, and the few conventions every query file relies on: integers come back as numbers, instants as ISO strings. */
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
  })
}

/** Rows of a raw query, typed by the caller who wrote the SQL. */
export async function rows<Row>(db: Db | Transaction, sql: string, bindings: readonly unknown[] | Record<string, unknown> = []): Promise<Row[]> {
  const result: { rows: Row[] } = await db.raw(sql, bindings as Knex.RawBinding[])
  return result.rows
}

/** The one row a query must give, or undefined. */
export async function row<Row>(db: Db | Transaction, sql: string, bindings: readonly unknown[] | Record<string, unknown> = []): Promise<Row | undefined> {
  return (await rows<Row>(db, sql, bindings))[0]
}
