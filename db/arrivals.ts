/**
 * Orders that wait for a SKU whose shelf got fuller: in which order they are told, and until when there is anybody to tell. The row of an arrival is written
 * by a trigger in the transaction that raises the stock, whoever that is, if somebody waits for the SKU; and by the order that begins to wait.
 */
import { rows, row, run, type Db, type Transaction } from './connection'
import { openLines, planOfOpen } from './open-lines'
import { findOrder } from './orders'
import { plan } from './sourcing'
import { availableSql } from './stock'

/** Stock may come while an order decides to wait, and neither transaction sees the other: what it waits for is looked at once more. */
export async function noteWaiting(tx: Transaction, orderId: string): Promise<void> {
  await run(tx, 'INSERT INTO stock_arrivals (sku) SELECT DISTINCT sku FROM order_lines WHERE order_id = ? AND backordered > 0', [orderId])
}

/** Takes up to `limit` SKUs with due arrivals for `leaseMs`; what a process that died had taken comes back by itself. */
export const takeTurns = (db: Db, limit: number, leaseMs: number): Promise<{ sku: string }[]> =>
  rows(
    db,
    `INSERT INTO stock_turns (sku, leased_until)
     SELECT sku, now() + ? * interval '1 millisecond' FROM stock_arrivals a WHERE due_at <= now()
       AND NOT EXISTS (SELECT 1 FROM stock_turns t WHERE t.sku = a.sku AND t.leased_until >= now())
     GROUP BY sku ORDER BY min(arrival_id) LIMIT ?
     ON CONFLICT (sku) DO UPDATE SET leased_until = excluded.leased_until WHERE stock_turns.leased_until < now() RETURNING sku`,
    [leaseMs, limit],
  )

/**
 * What this turn is about. An arrival is `settled` once every transaction that was under way when it was first looked at has ended: a look after that
 * sees both the stock and all who wait for it.
 */
export async function beginTurn(db: Db, sku: string): Promise<{ settled: number[] }> {
  const looked = await rows<{ arrivalId: number; settled: boolean }>(
    db,
    `UPDATE stock_arrivals SET horizon = coalesce(horizon, pg_snapshot_xmax(pg_current_snapshot())) WHERE sku = ?
     RETURNING arrival_id AS "arrivalId", horizon <= pg_snapshot_xmin(pg_current_snapshot()) AS settled`,
    [sku],
  )
  return { settled: looked.filter((a) => a.settled).map((a) => a.arrivalId) }
}

/** Those who could be told have been; what is not settled yet is looked at again after `againMs`. */
export const endTurn = (db: Db, sku: string, settled: readonly number[], againMs: number): Promise<void> =>
  db.transaction(async (tx) => {
    await run(tx, 'DELETE FROM stock_arrivals WHERE arrival_id = ANY(?::bigint[])', [[...settled]])
    await run(tx, `UPDATE stock_arrivals SET due_at = now() + ? * interval '1 millisecond' WHERE sku = ? AND horizon IS NOT NULL`, [againMs, sku])
    await run(tx, 'DELETE FROM stock_turns WHERE sku = ?', [sku])
  })

export interface Waiting {
  orderId: string
  channel: string
  channelOrderId: string
  priority: number
  acceptedAt: string
  /** How often it has been sourced so far. */
  attempts: number
}

const attempts = '(SELECT coalesce(max(number), 0) FROM sourcing_decisions d WHERE d.order_id = o.order_id)'
const waits = `stage <> 'cancelled' AND workflow_open AND own_waiting_on->>'what' = 'stock'`

/** The next in line after `last`: most urgent first, then oldest; of those for whom there are units enough of everything they still need. */
export const nextInLine = (db: Db, sku: string, last: Waiting | undefined): Promise<Waiting | undefined> =>
  row<Waiting>(
    db,
    `SELECT order_id AS "orderId", channel, channel_order_id AS "channelOrderId", priority, accepted_at::text AS "acceptedAt", ${attempts} AS attempts FROM orders o
     WHERE order_id IN (SELECT order_id FROM order_lines WHERE sku = :sku AND backordered > 0) AND ${waits}
       AND (:orderId::uuid IS NULL OR (-priority, accepted_at, order_id) > (-:priority::int, :acceptedAt::timestamptz, :orderId::uuid))
       AND NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.order_id AND quantity > cancelled + shipped + allocated GROUP BY l.sku
                       HAVING sum(quantity - cancelled - shipped - allocated) > (SELECT coalesce(sum(${availableSql}), 0) FROM stock_levels s WHERE s.sku = l.sku))
     ORDER BY -priority, accepted_at, order_id LIMIT 1`,
    { sku, orderId: last?.orderId ?? null, priority: last?.priority ?? 0, acceptedAt: last?.acceptedAt ?? null },
  )

/** Could the order be sourced from what is there now? Nothing is locked or written. */
export const couldBeSourced = (db: Db, orderId: string): Promise<boolean> =>
  db.transaction(
    async (tx) => {
      const order = await findOrder(tx, orderId)
      const lines = await openLines(tx, orderId)
      if (!order || lines.length === 0) return false
      return (await plan(tx, await planOfOpen(tx, order, lines), 'hopeful')).chosen !== undefined
    },
    { readOnly: true },
  )

/** Has the order tried since, or does it wait no longer? */
export const hasTried = async (db: Db, { orderId, attempts: before }: Waiting): Promise<boolean> =>
  (await row(db, `SELECT 1 FROM orders o WHERE order_id = ? AND ${waits} AND ${attempts} = ?`, [orderId, before])) === undefined
