/** A database of its own for each suite, copied from the migrated template: suites share a server and nothing else. */
import { randomBytes } from 'node:crypto'
import { Client, escapeIdentifier } from 'pg'
import { connect, type Db } from '../../db/connection'

export interface FreshDatabase {
  url: string
  db: Db
  /** Closes the pool and drops the database, whoever is still connected. */
  drop(): Promise<void>
}

export async function freshDatabase(options: { poolMax?: number } = {}): Promise<FreshDatabase> {
  const { admin, template } = places()
  const name = `test_${randomBytes(6).toString('hex')}`
  await asAdmin(admin, `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`)
  const url = new URL(admin)
  url.pathname = `/${name}`
  const db = connect(url.href, { poolMax: options.poolMax ?? 16, applicationName: 'throughline test' })
  const drop = async (): Promise<void> => {
    await db.destroy()
    await asAdmin(admin, `DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`)
  }
  return { url: url.href, db, drop }
}

function places(): { admin: string; template: string } {
  const { TEST_DATABASE_URL: admin, TEST_TEMPLATE_DATABASE: template } = process.env
  if (!admin || !template) throw new Error('no test database: global-setup.ts sets TEST_DATABASE_URL and TEST_TEMPLATE_DATABASE')
  return { admin, template }
}

/** Copying a template waits its turn: PostgreSQL refuses it while another session is connected to the template or copies it. */
async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock(7204482)')
    await client.query(statement)
  } finally {
    await client.end()
  }
}
