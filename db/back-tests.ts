/** Back-tests as rows: asked for by a command, started by the worker, carried on by their workflow, ended once. */
import { uuidv7 } from 'uuidv7'
import type { SourcingPolicy } from '../domain/policy/sourcing'
import type { BackTestResult } from '../domain/sourcing/back-test'
import { invariant } from '../domain/invariant'
import { row, rows, run, type Db, type Transaction } from './connection'

/** A period of orders, `to` not included. */
export interface PeriodAsk {
  from: string
  to: string
  channel?: string
}
/** The policies are kept whole: a draft need not be a version. */
export interface BackTestAsk extends PeriodAsk {
  draft: { version?: number; document: SourcingPolicy }
  against: { version: number; document: SourcingPolicy }
}
export interface BackTestRow {
  backTestId: string
  status: 'running' | 'done' | 'failed'
  ask: BackTestAsk
  done: number
  of: number
  result: BackTestResult | null
  failure: string | null
  createdBy: string
  createdAt: string
  endedAt: string | null
}

/** @param orders of the period; each is replayed by two policies. */
export async function insertBackTest(tx: Transaction, { ask, orders, actor }: { ask: BackTestAsk; orders: number; actor: string }): Promise<string> {
  const backTestId = uuidv7()
  await run(tx, 'INSERT INTO back_tests (back_test_id, ask, of, created_by) VALUES (?, ?::jsonb, ?, ?)', [backTestId, JSON.stringify(ask), 2 * orders, actor])
  return backTestId
}

export const findBackTest = (db: Db | Transaction, backTestId: string): Promise<BackTestRow | undefined> =>
  row<BackTestRow>(
    db,
    `SELECT back_test_id AS "backTestId", status, ask, done, of, result, failure, created_by AS "createdBy", created_at AS "createdAt", ended_at AS "endedAt"
     FROM back_tests WHERE back_test_id = ?`,
    [backTestId],
  )

export async function needBackTest(db: Db | Transaction, backTestId: string): Promise<BackTestRow> {
  const found = await findBackTest(db, backTestId)
  invariant(found, `back-test ${backTestId} has a row`)
  return found
}

/** Those whose workflow is still to be started, oldest first. Two processes may find the same one: starting it twice is harmless. */
export const backTestsToStart = (db: Db, limit: number): Promise<{ backTestId: string }[]> =>
  rows(db, 'SELECT back_test_id AS "backTestId" FROM back_tests WHERE started_at IS NULL ORDER BY created_at LIMIT ?', [limit])

export async function backTestStarted(db: Db, backTestId: string): Promise<void> {
  await run(db, 'UPDATE back_tests SET started_at = now() WHERE back_test_id = ? AND started_at IS NULL', [backTestId])
}

/** A computation that begins again after its process died begins from nothing. */
export async function noteProgress(db: Db, backTestId: string, done: number): Promise<void> {
  await run(db, `UPDATE back_tests SET done = least(of, ?) WHERE back_test_id = ? AND status = 'running'`, [done, backTestId])
}

/** Ends it once: a second end changes nothing. */
export async function endBackTest(db: Db, backTestId: string, end: { result: BackTestResult } | { failure: string }): Promise<void> {
  const [status, result, failure] = 'result' in end ? ['done', JSON.stringify(end.result), null] : ['failed', null, end.failure]
  await run(db, `UPDATE back_tests SET status = ?, result = ?::jsonb, failure = ?, done = CASE WHEN ? = 'done' THEN of ELSE done END, ended_at = now() WHERE back_test_id = ? AND status = 'running'`, [
    status, result, failure, status, backTestId,
  ])
}
