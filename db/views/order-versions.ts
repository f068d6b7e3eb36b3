/** The versions of an order, as they were. An order that was never changed has none yet: it is its document. */
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
