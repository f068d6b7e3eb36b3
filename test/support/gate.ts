/** Stops whoever is about to write a row, in the middle of its transaction, until a story lets it go on: a trigger waits for a lock that the story holds. */
import type { Db } from '../../db/connection'
import { eventually } from './people'

export interface Gate {
  /** Somebody waits at it. */
  reached(): Promise<unknown>
  /** Whoever waits goes on, and whoever comes is not stopped. */
  open(): Promise<void>
}

const lock = 7_301

/** @param row of which table, at what, as SQL over OLD and NEW */
export async function gateAt(db: Db, { table, at, when }: { table: string; at: 'INSERT' | 'UPDATE'; when: string }): Promise<Gate> {
  await db.raw(`CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(${lock}); RETURN NEW; END'`)
  await db.raw(`CREATE TRIGGER gate BEFORE ${at} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION wait_at_gate()`)
  const holder = await db.transaction()
  await holder.raw('SELECT pg_advisory_xact_lock(?)', [lock])
  const waiting = (): Promise<unknown[]> => db('pg_locks').where({ locktype: 'advisory', granted: false, objid: lock }).whereRaw('database = (SELECT oid FROM pg_database WHERE datname = current_database())').select('pid')
  return {
    reached: () => eventually(waiting, (found) => found.length > 0, { timeoutMs: 60_000, what: 'somebody at the gate' }),
    open: async () => {
      if (!holder.isCompleted()) await holder.rollback()
    },
  }
}
