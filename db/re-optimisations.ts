/** Re-optimisations as rows: asked for, computed into a proposal, applied group by group, each move with what became of it. */
import { uuidv7 } from 'uuidv7'
import type { PlannedShipment } from '../domain/sourcing/decision'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface ReOptimisationRow {
  reOptimisationId: string
  status: 'computing' | 'proposed' | 'applying' | 'applied' | 'failed'
  channel: string
  policyVersion: number
  /** Open orders that nobody has begun to pick. */
  orders: number | null
  beforeMinor: number | null
  afterMinor: number | null
  failure: string | null
  createdBy: string
  createdAt: string
  appliedBy: string | null
  endedAt: string | null
}
export interface MoveRow {
  group: number
  orderId: string
  from: readonly PlannedShipment[]
  to: readonly PlannedShipment[]
  costMinor: number
  /** Below zero: it makes way for others of its group. */
  savesMinor: number
  outcome: 'proposed' | 'moved' | 'skipped'
  reason: string | null
}

export async function insertReOptimisation(tx: Transaction, { channel, policyVersion, actor }: { channel: string; policyVersion: number; actor: string }): Promise<string> {
  const id = uuidv7()
  await run(tx, 'INSERT INTO re_optimisations (re_optimisation_id, channel, policy_version, created_by) VALUES (?, ?, ?, ?)', [id, channel, policyVersion, actor])
  return id
}

const columns = `re_optimisation_id AS "reOptimisationId", status, channel, policy_version AS "policyVersion", orders, before_minor AS "beforeMinor", after_minor AS "afterMinor", failure,
  created_by AS "createdBy", created_at AS "createdAt", applied_by AS "appliedBy", ended_at AS "endedAt"`

export const findReOptimisation = (db: Db | Transaction, id: string, lock = false): Promise<ReOptimisationRow | undefined> =>
  row<ReOptimisationRow>(db, `SELECT ${columns} FROM re_optimisations WHERE re_optimisation_id = ?${lock ? ' FOR UPDATE' : ''}`, [id])

export const movesOf = (db: Db | Transaction, id: string, group?: number): Promise<MoveRow[]> =>
  rows<MoveRow>(
    db,
    `SELECT group_number AS "group", order_id AS "orderId", shipments_from AS "from", shipments_to AS "to", cost_minor AS "costMinor", saves_minor AS "savesMinor", outcome, reason
     FROM re_optimisation_moves WHERE re_optimisation_id = ? ${group === undefined ? '' : 'AND group_number = ?'} ORDER BY group_number, order_id`,
    [id, ...(group === undefined ? [] : [group])],
  )

/** Those whose workflow is still to be started: to compute, or to apply. */
export const reOptimisationsToStart = (db: Db, limit: number): Promise<{ reOptimisationId: string; apply: boolean }[]> =>
  rows(
    db,
    `SELECT re_optimisation_id AS "reOptimisationId", status = 'applying' AS apply FROM re_optimisations
     WHERE (status = 'computing' AND started_at IS NULL) OR (status = 'applying' AND apply_started_at IS NULL) ORDER BY created_at LIMIT ?`,
    [limit],
  )

export async function reOptimisationStarted(db: Db, id: string, apply: boolean): Promise<void> {
  const column = apply ? 'apply_started_at' : 'started_at'
  await run(db, `UPDATE re_optimisations SET ${column} = now() WHERE re_optimisation_id = ? AND ${column} IS NULL`, [id])
}

export interface Proposal {
  orders: number
  beforeMinor: number
  afterMinor: number
  moves: readonly Omit<MoveRow, 'outcome' | 'reason'>[]
}

/** The proposal is kept once: a second one changes nothing. */
export async function propose(tx: Transaction, id: string, { orders, beforeMinor, afterMinor, moves }: Proposal): Promise<void> {
  const first = await row(
    tx,
    `UPDATE re_optimisations SET status = 'proposed', orders = ?, before_minor = ?, after_minor = ?, computed_at = now() WHERE re_optimisation_id = ? AND status = 'computing' RETURNING 1`,
    [orders, beforeMinor, afterMinor, id],
  )
  if (!first) return
  await run(
    tx,
    `INSERT INTO re_optimisation_moves (re_optimisation_id, group_number, order_id, shipments_from, shipments_to, cost_minor, saves_minor)
     SELECT ?::uuid, "group", "orderId", "from", "to", "costMinor", "savesMinor" FROM jsonb_to_recordset(?::jsonb)
       AS m("group" int, "orderId" uuid, "from" jsonb, "to" jsonb, "costMinor" bigint, "savesMinor" bigint)`,
    [id, JSON.stringify(moves)],
  )
}

export async function failReOptimisation(db: Db, id: string, failure: string): Promise<void> {
  await run(db, `UPDATE re_optimisations SET status = 'failed', failure = ?, ended_at = now() WHERE re_optimisation_id = ? AND status = 'computing'`, [failure, id])
}

export async function beginApplying(tx: Transaction, id: string, actor: string): Promise<void> {
  await run(tx, `UPDATE re_optimisations SET status = 'applying', applied_by = ? WHERE re_optimisation_id = ?`, [actor, id])
}

export const groupsOf = async (db: Db, id: string): Promise<number[]> =>
  (await rows<{ group: number }>(db, `SELECT DISTINCT group_number AS "group" FROM re_optimisation_moves WHERE re_optimisation_id = ? AND outcome = 'proposed' ORDER BY 1`, [id])).map((g) => g.group)

export async function settleGroup(tx: Transaction, id: string, group: number, outcome: 'moved' | 'skipped', reason: string | null): Promise<void> {
  await run(tx, `UPDATE re_optimisation_moves SET outcome = ?, reason = ? WHERE re_optimisation_id = ? AND group_number = ? AND outcome = 'proposed'`, [outcome, reason, id, group])
}

export async function endApplying(db: Db, id: string): Promise<void> {
  await run(db, `UPDATE re_optimisations SET status = 'applied', ended_at = now() WHERE re_optimisation_id = ? AND status = 'applying'`, [id])
}
