/**
 * How carriers do, one row for all workers: a fault that one of them meets spares the others the time-out. Written on faults, and on the first success after them;
 * a carrier that is well has no row, so the usual purchase reads and writes nothing here but one small select.
 */
import { admission, afterFault, healthy, probing, type Admission, type Health } from '../domain/delivery/breaker'
import { row, rows, run, type Db, type Transaction } from './connection'

interface HealthRow {
  carrier: string
  score: number
  at: string
  fencedUntil: string | null
}

const columns = 'carrier, score, at, fenced_until AS "fencedUntil"'
const read = (found: HealthRow | undefined): Health => (found ? { score: found.score, at: Date.parse(found.at), fencedUntil: found.fencedUntil === null ? null : Date.parse(found.fencedUntil) } : healthy)

/** Whether carriers may be sent anything now; those that are not named are open. */
export const admissions = async (db: Db, now: number): Promise<ReadonlyMap<string, Admission>> =>
  new Map((await rows<HealthRow>(db, `SELECT ${columns} FROM carrier_health`)).map((found) => [found.carrier, admission(read(found), now)]))

/** Takes the one try that a carrier is given once it has cooled down. @returns false when somebody else has it. */
export const takeProbe = (db: Db, carrier: string, now: number): Promise<boolean> =>
  db.transaction(async (tx) => {
    const health = await lockHealth(tx, carrier)
    if (admission(health, now) !== 'probe') return admission(health, now) === 'open'
    await save(tx, carrier, probing(health, now))
    return true
  })

export const recordFault = (db: Db, carrier: string, now: number, fault: string): Promise<void> =>
  db.transaction(async (tx) => save(tx, carrier, afterFault(await lockHealth(tx, carrier), now), fault.slice(0, 300)))

/** It answered: nothing is held against it any more. */
export async function recordSuccess(db: Db, carrier: string): Promise<void> {
  await run(db, 'DELETE FROM carrier_health WHERE carrier = ?', [carrier])
}

async function lockHealth(tx: Transaction, carrier: string): Promise<Health> {
  await run(tx, `SELECT pg_advisory_xact_lock(hashtextextended('carrier_health ' || ?, 0))`, [carrier])
  return read(await row<HealthRow>(tx, `SELECT ${columns} FROM carrier_health WHERE carrier = ?`, [carrier]))
}

async function save(tx: Transaction, carrier: string, { score, at, fencedUntil }: Health, fault: string | null = null): Promise<void> {
  await run(
    tx,
    `INSERT INTO carrier_health (carrier, score, at, fenced_until, last_fault) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (carrier) DO UPDATE SET score = excluded.score, at = excluded.at, fenced_until = excluded.fenced_until, last_fault = coalesce(excluded.last_fault, carrier_health.last_fault)`,
    [carrier, score, new Date(at).toISOString(), fencedUntil === null ? null : new Date(fencedUntil).toISOString(), fault],
  )
}
