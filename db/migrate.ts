/** Brings a database to the newest schema, forwards only, one process at a time. Run by `npm start`, by the api and worker at start, or by hand with `npm run migrate`. */
import { readConfig } from '../config'
import { connect } from './connection'
import type { Knex } from 'knex'
import { migrations, type Migration } from './migrations'

/** Any number nobody else uses for an advisory lock in this database. */
const migrationLock = 7_204_481

/** Applies what is missing; processes that start together wait for the first one and then find nothing to do. @returns the names applied. */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const db = connect(databaseUrl, { poolMax: 2, applicationName: 'throughline migrate' })
  try {
    return await db.transaction(async (lock) => {
      await lock.raw('SELECT pg_advisory_xact_lock(?)', [migrationLock])
      // Knex keeps a lock row of its own that a killed process leaves behind; holding the advisory lock, we know nobody else is migrating.
      await db.migrate.forceFreeMigrationsLock({ migrationSource })
      const [, applied] = (await db.migrate.latest({ migrationSource })) as [number, string[]]
      return applied
    })
  } finally {
    await db.destroy()
  }
}

const migrationSource: Knex.MigrationSource<Migration> = {
  getMigrations: () => Promise.resolve([...migrations]),
  getMigrationName: (migration) => migration.name,
  getMigration: (migration) =>
    Promise.resolve({
      up: (knex) => knex.raw(migration.up),
      down: () => Promise.reject(new Error('migrations run forwards only')),
    }),
}

if (require.main === module) {
  migrate(readConfig().DATABASE_URL).then(
    (names) => console.log(names.length ? `applied ${names.join(', ')}` : 'nothing to apply'),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = 1
    },
  )
}
