/** The rows of returns: asked for, counted in, ended. Under the order's lock. */
import { invariant } from '../domain/invariant'
import { hasEnded, mayBecome, type Disposition, type Grade, type ReturnMethod, type ReturnStatus } from '../domain/returns/status'
import { refuse } from '../domain/refusals'
import type { RefundOn } from '../domain/policy/returns'
import type { FeeLine } from '../domain/returns/fees'
import type { GivenLine } from '../domain/returns/given'
import type { LineTerms } from '../domain/returns/terms'
import type { PricedWish } from '../domain/returns/exchange-money'
import type { WaitingOn } from '../domain/order/status'
import { row, rows, run, type Db, type Transaction } from './connection'
import { lockOrder, snapshotOf, type OrderRow } from './orders'
import type { IntendedRefund } from './refunds'

/** What the thread is told of a return. */
export interface ReturnNews {
  returnId: string
  status: ReturnStatus
  /** What it waits on; null once it has come to its end. */
  wait: WaitingOn | null
  refunds: IntendedRefund[]
  /** Units to be sent in place of others wait for a node. */
  toSource: boolean
  /** The money for what has still to leave is not all held any more. */
  remainder?: true
  /** Holds that nothing will be taken of. */
  voids?: string[]
  /** A label is to be bought for it. */
  label?: true
  /** What it waits for has changed, so that the wait begins anew. */
  stirs?: true
  /** Its parcel is with us and is to be counted, or lost on its way to us; false: it is counted, and what is missing was not sent. */
  arrived?: boolean
  /** What is to be asked of the carrier that lost it. */
  claimId?: string
  /** Taken for what has not come back. */
  charges?: { operationId: string; amountMinor: number }[]
  /** Money is held over the goods until they are back; false: no more. */
  guarded?: boolean
}

export interface ReturnRow {
  returnId: string
  orderId: string
  number: number
  status: ReturnStatus
  method: ReturnMethod
  remedy: 'refund' | 'replacement' | 'credit'
  inAdvance: boolean
  /** When its money is given back: as it was when it was asked for. */
  refundOn: RefundOn
  feeMinor: number
  /** Of all that money was given for so far. */
  feeKeptMinor: number
  dueAt: string
  wait: WaitingOn | null
  wanted: WantedLine[] | null
  lines: ReturnLine[]
}
export interface ReturnLine extends GivenLine, FeeLine {
  sku: string
}
/** Units to be sent in place of others, and what they cost more or less than those. */
export interface WantedLine extends Partial<PricedWish> {
  lineId: string
  sku: string
  quantity: number
}
export interface CountedLine {
  lineId: string
  quantity: number
  grade: Grade
  disposition: Disposition
}

/** Of a return `r`. */
export const refundOnSql = `coalesce(r.refund_on, (SELECT ${snapshotOf('o')} #>> '{returns,refundOn}' FROM orders o WHERE o.order_id = r.order_id), 'receipt')`

const columns = `return_id AS "returnId", order_id AS "orderId", number, status, method, remedy, in_advance AS "inAdvance", ${refundOnSql} AS "refundOn", fee_minor AS "feeMinor", fee_kept_minor AS "feeKeptMinor", due_at AS "dueAt", waiting_on AS wait, wanted,
  (SELECT json_agg(json_build_object('lineId', rl.line_id, 'sku', l.sku, 'quantity', rl.quantity, 'received', rl.received, 'disputed', rl.disputed, 'given', rl.given, 'covered', rl.covered, 'coveredBack', rl.covered_back, 'worthMinor', rl.worth_minor, 'feeMinor', rl.fee_minor, 'feePer', rl.fee_per) ORDER BY l.position)
     FROM return_lines rl JOIN order_lines l USING (order_id, line_id) WHERE rl.return_id = r.return_id) AS lines`

/** The order, locked, and the return. @throws `return.unknown` */
export async function lockReturn(tx: Transaction, returnId: string): Promise<{ order: OrderRow; back: ReturnRow }> {
  const place = await returnPlace(tx, returnId)
  if (!place) throw refuse('return.unknown')
  const order = await lockOrder(tx, place.orderId)
  const back = await row<ReturnRow>(tx, `SELECT ${columns} FROM returns r WHERE return_id = ?`, [returnId])
  invariant(back, `return ${returnId} has a row`)
  return { order, back }
}

export const returnPlace = (db: Db | Transaction, returnId: string): Promise<{ orderId: string } | undefined> => row(db, 'SELECT order_id AS "orderId" FROM returns WHERE return_id = ?', [returnId])

export const openReturns = (tx: Transaction, orderId: string): Promise<ReturnRow[]> => rows(tx, `SELECT ${columns} FROM returns r WHERE order_id = ? AND ended_at IS NULL ORDER BY number`, [orderId])

/** @throws `return.state` */
export async function moveReturn(tx: Transaction, back: Pick<ReturnRow, 'returnId' | 'status'>, to: ReturnStatus, wait: WaitingOn | null = null): Promise<void> {
  if (!mayBecome(back.status, to)) throw refuse('return.state', { state: back.status })
  await run(tx, 'UPDATE returns SET status = ?, waiting_on = ?::jsonb, ended_at = ? WHERE return_id = ?', [to, json(wait ?? undefined), hasEnded(to) ? new Date().toISOString() : null, back.returnId])
}

/** Its money is given back before it is counted. */
export async function paidInAdvance(tx: Transaction, returnId: string): Promise<void> {
  await run(tx, 'UPDATE returns SET in_advance = true WHERE return_id = ?', [returnId])
}

/** Of each line, what the customer has, has not yet announced to send back and was not given another for. */
export const returnable = (tx: Transaction, orderId: string): Promise<{ lineId: string; sku: string; available: number }[]> =>
  rows(
    tx,
    `SELECT l.line_id AS "lineId", l.sku, l.delivered - coalesce((SELECT sum(CASE WHEN r.ended_at IS NULL OR r.method = 'none' THEN rl.quantity WHEN x.line_id IS NULL THEN rl.received ELSE greatest(rl.received, (SELECT s.quantity FROM order_lines s WHERE s.order_id = x.order_id AND s.line_id = x.line_id) - rl.unreplaced) END)
         FROM return_lines rl JOIN returns r USING (return_id) LEFT JOIN exchanges x ON x.return_id = rl.return_id AND x.instead_of = rl.line_id
       WHERE rl.order_id = l.order_id AND rl.line_id = l.line_id), 0)::int AS available FROM order_lines l WHERE l.order_id = ? ORDER BY l.position`,
    [orderId],
  )

/** Of each line, what the customer has and no open return waits for. */
export const withHer = (tx: Transaction, orderId: string): Promise<{ lineId: string; quantity: number }[]> =>
  rows(
    tx,
    `SELECT l.line_id AS "lineId", (l.delivered - l.returned - coalesce((SELECT sum(rl.quantity - rl.received - rl.disputed) FROM return_lines rl JOIN returns r USING (return_id)
       WHERE rl.order_id = l.order_id AND rl.line_id = l.line_id AND r.ended_at IS NULL), 0))::int AS quantity FROM order_lines l WHERE l.order_id = ?`,
    [orderId],
  )

/** When the last of an order arrived; undefined while nothing has. */
export const arrivedAt = async (tx: Transaction, orderId: string): Promise<string | undefined> =>
  (await row<{ at: string | null }>(tx, `SELECT max(ended_at) AS at FROM fulfillments WHERE order_id = ? AND method <> 'transfer' AND status IN ('delivered', 'collected')`, [orderId]))?.at ?? undefined

export interface NewReturn extends Omit<ReturnRow, 'number' | 'lines' | 'status' | 'feeKeptMinor'> {
  status: 'requested' | 'approved' | 'closed'
  lines: readonly { lineId: string; quantity: number; reason: string; given?: number; covered?: number }[]
  /** By which each of the lines comes back. */
  terms: readonly LineTerms[]
  proofId?: string
  override: object | undefined
  actor: string
  commandId: string
}

export async function insertReturn(tx: Transaction, back: NewReturn): Promise<void> {
  await run(
    tx,
    `WITH r AS (
       INSERT INTO returns (return_id, order_id, number, status, method, remedy, in_advance, refund_on, fee_minor, override, wanted, due_at, waiting_on, ended_at, requested_by, command_id, proof_id)
       SELECT :returnId, :orderId, coalesce(max(number), 0) + 1, :status, :method, :remedy, :inAdvance, :refundOn, :feeMinor, :override::jsonb, :wanted::jsonb, :dueAt, :wait::jsonb, CASE WHEN :status = 'closed' THEN now() END, :actor, :commandId, :proofId::uuid FROM returns WHERE order_id = :orderId
       RETURNING return_id, order_id)
     INSERT INTO return_lines (return_id, order_id, line_id, quantity, given, covered, reason, rule, fee_minor, fee_per)
     SELECT return_id, order_id, "lineId", quantity, coalesce(given, 0), coalesce(covered, 0), reason, rule, "feeMinor", "feePer" FROM r, jsonb_to_recordset(:lines::jsonb) AS l("lineId" text, quantity int, given int, covered int, reason text, rule text, "feeMinor" int8, "feePer" text)`,
    { ...back, proofId: back.proofId ?? null, override: json(back.override), wanted: json(back.wanted ?? undefined), wait: json(back.wait ?? undefined), lines: JSON.stringify(back.lines.map((l) => ({ ...back.terms.find((t) => t.lineId === l.lineId), ...l }))) },
  )
}

/**
 * Adds what was counted to the return's lines, and keeps the count itself. Of an exchange the right goods take the place of something else that came for them.
 * @returns whether nothing that came is something else any more, which was so before
 * @throws `return.quantity` for more than is still expected
 */
export async function insertReceipts(tx: Transaction, back: ReturnRow, { nodeId, actor, received, disputed }: { nodeId: string; actor: string; received: readonly CountedLine[]; disputed: readonly CountedLine[] }): Promise<boolean> {
  const lines = new Map(back.lines.map((l) => [l.lineId, { ...l }]))
  for (const [counted, mayReplace] of [[received, back.remedy === 'replacement'], [disputed, false]] as const)
    for (const { lineId, quantity } of counted) {
      const line = lines.get(lineId) ?? { quantity: 0, received: 0, disputed: 0 }
      const open = line.quantity - line.received - line.disputed
      const left = open + (mayReplace ? line.disputed : 0)
      if (quantity > left) throw refuse('return.quantity', { lineId, open: left, given: quantity })
      line.disputed -= Math.max(0, quantity - open)
      line[counted === received ? 'received' : 'disputed'] += quantity
    }
  for (const { lineId, received: good, disputed: bad } of lines.values()) await run(tx, 'UPDATE return_lines SET received = ?, disputed = ? WHERE return_id = ? AND line_id = ?', [good, bad, back.returnId, lineId])
  await run(
    tx,
    `INSERT INTO return_receipts (return_id, line_id, node_id, quantity, grade, disposition, actor)
     SELECT ?, "lineId", ?, quantity, grade, disposition, ? FROM jsonb_to_recordset(?::jsonb) AS c("lineId" text, quantity int, grade text, disposition text)`,
    [back.returnId, nodeId, actor, JSON.stringify([...received, ...disputed.map((l) => ({ ...l, disposition: 'none' }))])],
  )
  return back.lines.some((l) => l.disputed > 0) && [...lines.values()].every((l) => l.disputed === 0)
}

export const receiptsOf = async (tx: Transaction, returnId: string): Promise<number> => (await row<{ n: number }>(tx, 'SELECT count(*)::int AS n FROM return_receipts WHERE return_id = ?', [returnId]))!.n

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value))
