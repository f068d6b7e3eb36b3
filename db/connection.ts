/** One pool per process, and the few conventions every query file relies on: integers come back as numbers, instants as ISO strings. */
import { createHash } from 'node:crypto'
import knex, { type Knex } from 'knex'
import { types, type Client } from 'pg'

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
    pool: { min: 0, max: options.poolMax ?? 16, afterCreate: settle },
    acquireConnectionTimeout: 10_000,
    log: silent, // what fails is thrown, and said once by whoever catches it
  })
}

/**
 * Plans are made once per connection, perhaps while a table is still small. At PostgreSQL's cost for a disk that seeks, a lookup by key of some
 * hundred rows would be planned as a scan of the whole table, and stay one while it grows to many thousands.
 */
const settle = (connection: Client, done: (error: Error | null, connection: Client) => void): void => connection.query('SET random_page_cost = 1.1', (error) => done(error, connection))

const silent: Knex.Logger = { warn: () => undefined, error: () => undefined, deprecate: () => undefined, debug: () => undefined }

/**
 * Rows of a raw query, typed by the caller who wrote the SQL. Each text is prepared once per connection under a name of its own, so that
 * PostgreSQL does not parse and plan it again for every call: the texts are ours and few, what varies is in the bindings. It goes to the
 * driver directly, on knex's connection: its query builder would cost as much again as the statement itself.
 * @param bindings for each `?`, or by name for each `:name`; null where there is no value, never undefined
 */
export async function rows<Row>(db: Db | Transaction, sql: string, bindings: readonly unknown[] | Record<string, unknown> = []): Promise<Row[]> {
  const { name, text, keys } = statementOf(sql, bindings)
  const values = keys ? keys.map((key) => (bindings as Record<string, unknown>)[key]) : (bindings as readonly unknown[])
  if (values.includes(undefined)) throw new Error(`A binding is undefined: ${text}`)
  if (db.isTransaction && (db as Transaction).isCompleted()) throw new Error(`The transaction has ended: ${text}`)
  const client = db.client as { acquireConnection(): Promise<Client>; releaseConnection(connection: Client): Promise<void> }
  const connection = await client.acquireConnection() // in a transaction its own
  try {
    return (await connection.query({ name, text, values: [...values] })).rows as Row[]
  } catch (error) {
    if (error instanceof Error) error.message = `${text} - ${error.message}`
    throw error
  } finally {
    await client.releaseConnection(connection)
  }
}

interface Statement {
  name: string
  /** With `$1`, `$2` … where the bindings go. */
  text: string
  /** The names of named bindings, in their places. */
  keys?: string[]
}

const statements = new Map<string, Statement>()

function statementOf(sql: string, bindings: readonly unknown[] | Record<string, unknown>): Statement {
  let statement = statements.get(sql)
  if (!statement) {
    const keys: string[] = []
    const isNamed = !Array.isArray(bindings)
    const positional = isNamed ? sql.replace(/(?<!:):(\w+)/g, (place, key: string) => (Object.hasOwn(bindings, key) ? `$${keys.push(key)}` : place)) : sql
    let count = 0
    const text = positional.replace(/\\?\?/g, (place) => (place.length > 1 || isNamed ? '?' : `$${(count += 1)}`))
    statement = { name: `t${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`, text, ...(isNamed && { keys }) }
    statements.set(sql, statement)
  }
  return statement
}

/** A statement whose rows do not matter. */
export async function run(db: Db | Transaction, sql: string, bindings: readonly unknown[] | Record<string, unknown> = []): Promise<void> {
  await rows(db, sql, bindings)
}

/** The one row a query must give, or undefined. */
export async function row<Row>(db: Db | Transaction, sql: string, bindings: readonly unknown[] | Record<string, unknown> = []): Promise<Row | undefined> {
  return (await rows<Row>(db, sql, bindings))[0]
}
