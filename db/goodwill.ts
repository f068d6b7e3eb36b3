/** Refunds that people ask for by hand, as rows; and the money of an order that their two ceilings are reckoned from. */
import { worthMinor } from '../domain/payment/shares'
import { exchangedMinor, keptUnits } from '../domain/returns/exchange'
import type { MoneyOfOrder } from '../domain/returns/ceilings'
import { row, rows, run, type Db, type Transaction } from './connection'
import { aboveSql, lostSql } from './counted-goodwill'
import { record, self } from './events'
import type { OrderRow } from './orders'
import { soldOf } from './refunds'

export interface GoodwillRow {
  refundId: string
  orderId: string
  status: 'waiting' | 'given' | 'rejected'
  amountMinor: number
  aboveMinor: number
  tenderId: string | null
  /** Of a claim, with its units: what is given for them, and what it became. */
  remedy: 'refund' | 'credit' | null
  lines: { lineId: string; quantity: number }[] | null
  returnId: string | null
  reason: string
  askedBy: string
  askedAt: string
  decidedBy: string | null
  decidedAt: string | null
}

const columns = `refund_id AS "refundId", order_id AS "orderId", status, amount_minor AS "amountMinor", above_minor AS "aboveMinor", tender_id AS "tenderId", remedy, lines, return_id AS "returnId", reason, asked_by AS "askedBy", asked_at AS "askedAt", decided_by AS "decidedBy", decided_at AS "decidedAt"`

export const findGoodwill = (db: Db | Transaction, by: { refundId: string } | { commandId: string }): Promise<GoodwillRow | undefined> =>
  'refundId' in by ? row(db, `SELECT ${columns} FROM goodwill_refunds WHERE refund_id = ?`, [by.refundId]) : row(db, `SELECT ${columns} FROM goodwill_refunds WHERE command_id = ?`, [by.commandId])

export interface NewGoodwill {
  refundId: string
  orderId: string
  status: 'waiting' | 'given'
  amountMinor: number
  aboveMinor: number
  tenderId?: string
  lines?: readonly object[]
  remedy?: 'refund' | 'credit'
  returnId?: string
  reason: string
  actor: string
  commandId: string
}

export async function insertGoodwill(tx: Transaction, { refundId, orderId, status, amountMinor, aboveMinor, tenderId, lines, remedy, returnId, reason, actor, commandId }: NewGoodwill): Promise<void> {
  await run(
    tx,
    `INSERT INTO goodwill_refunds (refund_id, order_id, status, amount_minor, above_minor, tender_id, lines, remedy, return_id, reason, asked_by, command_id) VALUES (?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?)`,
    [refundId, orderId, status, amountMinor, aboveMinor, tenderId ?? null, lines ? JSON.stringify(lines) : null, remedy ?? null, returnId ?? null, reason, actor, commandId],
  )
}

/** @param decided.aboveMinor what is beyond what came back by now, where it is given; absent: as it was asked for */
export async function decideGoodwill(tx: Transaction, refundId: string, { status, actor, returnId = null, aboveMinor = null }: { status: 'given' | 'rejected'; actor: string; returnId?: string | null; aboveMinor?: number | null }): Promise<void> {
  await run(tx, 'UPDATE goodwill_refunds SET status = ?, decided_by = ?, decided_at = now(), return_id = ?, above_minor = coalesce(?::int8, above_minor) WHERE refund_id = ?', [status, actor, returnId, aboveMinor, refundId])
}

/** The order was cancelled, and all of its money goes back: nobody has to agree to more. */
export async function rejectWaiting(tx: Transaction, order: OrderRow): Promise<void> {
  const ended = await rows<{ refundId: string; amountMinor: number; askedBy: string }>(
    tx,
    `UPDATE goodwill_refunds SET status = 'rejected', decided_by = ?, decided_at = now() WHERE order_id = ? AND status = 'waiting' RETURNING refund_id AS "refundId", amount_minor AS "amountMinor", asked_by AS "askedBy"`,
    [self, order.orderId],
  )
  await record(tx, order, ...ended.map((data) => ({ type: 'refund.rejected' as const, actor: self, data: { ...data, currency: order.currency } })))
}

/** What of an order was taken, given back and is kept. */
export async function moneyOfOrder(tx: Transaction, orderId: string): Promise<MoneyOfOrder> {
  const sold = await soldOf(tx, orderId)
  const sums = await row<{ takenMinor: number; givenMinor: number; aboveMinor: number; claimedMinor: number }>(
    tx,
    `SELECT (SELECT coalesce(sum(CASE WHEN provider = 'paid_elsewhere' THEN captured_minor ELSE (SELECT coalesce(sum(amount_minor), 0) FROM payment_operations c WHERE c.payment_id = p.payment_id AND kind = 'capture' AND status <> 'abandoned') END), 0)::int8 FROM payments p WHERE p.order_id = o.order_id) AS "takenMinor",
       (SELECT coalesce(sum(amount_minor), 0)::int8 FROM payment_operations r WHERE r.order_id = o.order_id AND kind IN ('refund', 'credit') AND status <> 'abandoned' AND NOT coalesce(jsonb_exists(parts, 'againMinor'), false)) + ${lostSql} AS "givenMinor",
       ${aboveSql} AS "aboveMinor",
       (SELECT coalesce(sum(amount_minor - above_minor), 0)::int8 FROM goodwill_refunds g WHERE g.order_id = o.order_id AND g.status = 'given' AND g.remedy IS NOT NULL) AS "claimedMinor"
     FROM orders o WHERE order_id = ?`,
    [orderId],
  )
  return { ...sums!, keptMinor: worthMinor(sold, keptUnits(sold.lines)) + exchangedMinor(sold.lines) }
}
