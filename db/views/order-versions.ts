/** The versions of an order, as they were. An order that was never changed has none yet: it is its document. */
import type { ChangeState } from '../order-changes'
import { row, rows, type Db } from '../connection'

export interface VersionEntry {
  number: number
  at: string
  actor: string
  cause: string
}
export interface OrderVersion extends VersionEntry {
  document: Record<string, unknown>
}

export const orderVersions = (db: Db, orderId: string): Promise<VersionEntry[]> => rows(db, 'SELECT number, at, actor, cause FROM order_versions WHERE order_id = ? ORDER BY number', [orderId])

export const orderVersionNumbered = (db: Db, orderId: string, number: number): Promise<OrderVersion | undefined> =>
  row(db, 'SELECT number, at, actor, cause, document FROM order_versions WHERE order_id = ? AND number = ?', [orderId, number])

export interface ChangeEntry {
  changeId: string
  state: ChangeState | 'expired'
  requestedBy: 'merchant' | 'customer'
  operations: Record<string, unknown>[]
  actor: string
  at: string
  expiresAt: string
  deltaMinor: number
  chargeMinor: number
  decidedBy: string | null
  decidedAt: string | null
  reason: string | null
}

/** What was asked to be changed, first to last. */
export const orderChanges = (db: Db, orderId: string): Promise<ChangeEntry[]> =>
  rows(
    db,
    `SELECT change_id AS "changeId", CASE WHEN state IN ('requested', 'asked') AND expires_at <= now() THEN 'expired' ELSE state END AS state, requested_by AS "requestedBy", operations, actor, created_at AS at, expires_at AS "expiresAt", delta_minor AS "deltaMinor", charge_minor AS "chargeMinor",
       decided_by AS "decidedBy", decided_at AS "decidedAt", reason FROM order_changes WHERE order_id = ? ORDER BY change_id`,
    [orderId],
  )
