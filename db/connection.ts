/** One pool per process, and the few conventions every query file relies on: integers come back as numbers, instants as ISO strings. */
import { createHash } from 'node:crypto'
import knex, { type Knex } from 'knex'
import { types, type Client, type QueryConfig } from 'pg'
import { PipelinedPostgres, sendAhead, sendNow } from './pipeline'

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
    client: PipelinedPostgres as unknown as typeof Knex.Client,
    connection: { connectionString: url, application_name: options.applicationName ?? 'throughline', keepAlive: true, pipeline: true } as Knex.PgConnectionConfig,
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
export const rows = <Row>(db: Db | Transaction, sql: string, bindings: Bindings = []): Promise<Row[]> => onConnection(db, (connection) => sendNow<Row>(connection, queryOf(sql, bindings)))

/** A statement whose rows do not matter. In a transaction its answer is not waited for: what it fails with is thrown by the next statement, or by the commit. */
export const run = (db: Db | Transaction, sql: string, bindings: Bindings = []): Promise<void> =>
  onConnection(db, async (connection) => {
    const query = queryOf(sql, bindings)
    if (db.isTransaction) await sendAhead(connection, query)
    else await sendNow(connection, query)
  })

/** The one row a query must give, or undefined. */
export const row = async <Row>(db: Db | Transaction, sql: string, bindings: Bindings = []): Promise<Row | undefined> => (await rows<Row>(db, sql, bindings))[0]

type Bindings = readonly unknown[] | Record<string, unknown>

async function onConnection<Result>(db: Db | Transaction, work: (connection: Client) => Promise<Result>): Promise<Result> {
  if (db.isTransaction && (db as Transaction).isCompleted()) throw new Error('The transaction has ended')
  const client = db.client as { acquireConnection(): Promise<Client>; releaseConnection(connection: Client): Promise<void> }
  const connection = await client.acquireConnection() // in a transaction its own
  try {
    return await work(connection)
  } finally {
    await client.releaseConnection(connection)
  }
}

function queryOf(sql: string, bindings: Bindings): QueryConfig {
  const { name, text, keys } = statementOf(sql, bindings)
  const values = keys ? keys.map((key) => (bindings as Record<string, unknown>)[key]) : (bindings as readonly unknown[])
  if (values.includes(undefined)) throw new Error(`A binding is undefined: ${text}`)
  return { name, text, values: [...values] }
}

interface Statement {
  name: string
  /** With `$1`, `$2` … where the bindings go. */
  text: string
  /** The names of named bindings, in their places. */
  keys?: string[]
}

const statements = new Map<string, Statement>()

function statementOf(sql: string, bindings: Bindings): Statement {
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
