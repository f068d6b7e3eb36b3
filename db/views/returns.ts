/** Returns as answers show them: what is to come back, what has, and what is given for it. */
import type { FeePer, RefundOn } from '../../domain/policy/returns'
import type { ReturnStatus } from '../../domain/returns/status'
import { hasEnded, isExpected, mayBecome, mayCloseShort } from '../../domain/returns/status'
import type { WaitingOn } from '../../domain/order/status'
import { row, type Db } from '../connection'
import type { Proof } from '../return-terms'
import { refundOnSql } from '../returns'
import { guardJson, isOwedSql, type GuardView } from './guards'
import { returnLabelJson, type ReturnLabelView } from './return-label'
import { iso, list, runJson, type RunOfTask } from './sql'

export interface ReturnView {
  returnId: string
  orderId: string
  channel: string
  channelOrderId: string
  number: number
  status: ReturnStatus
  method: string
  remedy: string
  requestedBy: string
  requestedAt: string
  /** When its money is given back. */
  refundOn: RefundOn
  dueAt: string
  endedAt: string | null
  override: Record<string, unknown> | null
  proof: Proof | null
  /** Of what comes by mail; null where there is none, or none yet. */
  label: ReturnLabelView | null
  /** Why it comes by mail without a label of ours. */
  noLabel: { code: string; says: string } | null
  waitingOn: WaitingOn | null
  lines: { lineId: string; sku: string; name: string; quantity: number; reason: string; rule: string | null; feeMinor: number; feePer: FeePer; received: number; disputed: number; paidBefore: number }[]
  receipts: { lineId: string; nodeId: string; quantity: number; grade: string; disposition: string; actor: string; at: string }[]
  refunds: { paymentId: string; tenderId: string; amountMinor: number; status: string }[]
  /** So far: given back for it, kept of it, counted of what was given ahead by hand, and owed since the payments had no more. */
  money: { refundMinor: number; feeMinor: number; countedMinor: number; owedMinor: number }
  /** What is held over the goods, because others were sent before they are back. */
  guard: GuardView | null
  currency: string
  /** The driver's trip on which it is fetched, or was to be. */
  run: RunOfTask | null
  allowedActions: string[]
}

const linesJson = list(
  `json_build_object('lineId', rl.line_id, 'sku', l.sku, 'name', s.name, 'quantity', rl.quantity, 'reason', rl.reason, 'rule', rl.rule, 'feeMinor', rl.fee_minor, 'feePer', rl.fee_per, 'received', rl.received, 'disputed', rl.disputed, 'paidBefore', rl.covered)`,
  'return_lines rl JOIN order_lines l USING (order_id, line_id) JOIN skus s USING (sku) WHERE rl.return_id = r.return_id',
  'l.position',
)
const receiptsJson = list(
  `json_build_object('lineId', c.line_id, 'nodeId', c.node_id, 'quantity', c.quantity, 'grade', c.grade, 'disposition', c.disposition, 'actor', c.actor, 'at', ${iso('c.at')})`,
  'return_receipts c WHERE c.return_id = r.return_id',
  'c.receipt_id',
)
const refundsJson = list(
  `json_build_object('paymentId', op.payment_id, 'tenderId', p.tender_id, 'amountMinor', op.amount_minor, 'status', op.status)`,
  `payment_operations op JOIN payments p USING (payment_id) WHERE op.order_id = r.order_id AND op.kind IN ('refund', 'credit') AND op.purpose LIKE 'refund:' || r.return_id || ':%'`,
  'op.operation_id',
)

/** Both name the refund of the return that they are part of. */
const partOfIt = `purpose LIKE 'refund:' || r.return_id || ':%'`
const moneyJson = `(SELECT json_build_object('refundMinor', g.minor, 'feeMinor', -(g.fee + c.fee), 'countedMinor', c.minor, 'owedMinor', s.minor)
  FROM (SELECT coalesce(sum(amount_minor), 0)::int8 AS minor, coalesce(sum((parts->>'feeMinor')::int8), 0)::int8 AS fee FROM payment_operations WHERE order_id = r.order_id AND kind IN ('refund', 'credit') AND status <> 'abandoned' AND ${partOfIt}) g,
    (SELECT coalesce(sum(amount_minor), 0)::int8 AS minor, coalesce(sum((parts->>'feeMinor')::int8), 0)::int8 AS fee FROM counted_goodwill WHERE order_id = r.order_id AND ${partOfIt}) c,
    (SELECT coalesce(sum((data->>'owedMinor')::int8), 0)::int8 AS minor FROM exceptions WHERE order_id = r.order_id AND kind = 'payment.refund_short' AND resolved_at IS NULL AND data->>'returnId' = r.return_id::text) s)`

const columns = `r.return_id AS "returnId", r.order_id AS "orderId", o.channel, o.channel_order_id AS "channelOrderId", r.number, r.status, r.method, r.remedy, r.requested_by AS "requestedBy",
  r.requested_at AS "requestedAt", ${refundOnSql} AS "refundOn", r.due_at AS "dueAt", r.ended_at AS "endedAt", r.override, (SELECT proof FROM return_proofs s WHERE s.proof_id = r.proof_id) AS proof, ${returnLabelJson} AS label, r.no_label AS "noLabel", r.waiting_on AS "waitingOn", o.currency, ${linesJson} AS lines, ${receiptsJson} AS receipts, ${refundsJson} AS refunds, ${moneyJson} AS money,
  ${guardJson} AS guard, ${isOwedSql} AS "isOwed", ${runJson('t.return_id = r.return_id')} AS run`

/** By its id, or by the command that opened it. @returns undefined when there is none. Who may see it is for the caller to check. */
export async function returnView(db: Db, by: { returnId: string } | { commandId: string }): Promise<ReturnView | undefined> {
  const [column, value] = 'returnId' in by ? ['return_id', by.returnId] : ['command_id', by.commandId]
  const found = await row<ReturnFacts>(db, `SELECT ${columns} FROM returns r JOIN orders o USING (order_id) WHERE r.${column} = ?`, [value])
  if (!found) return undefined
  const { isOwed: _, ...view } = found
  return { ...view, allowedActions: actions(found) }
}

interface ReturnFacts extends Omit<ReturnView, 'allowedActions'> {
  isOwed: boolean
}

function actions({ status, lines, guard, isOwed }: ReturnFacts): string[] {
  const guarded = guard?.state === 'held' && mayBecome(status, 'closed')
  const begun = lines.some((l) => l.received + l.disputed > 0)
  const may = { receive: isExpected(status) || (hasEnded(status) && isOwed), approve: mayBecome(status, 'approved'), reject: mayBecome(status, 'rejected'), cancel: mayBecome(status, 'cancelled') && !begun && !guarded && !isOwed, close: mayCloseShort(status) && !guarded, remind: status === 'approved', charge: guarded, waive: guarded }
  return Object.entries(may).flatMap(([action, allowed]) => (allowed ? [action] : []))
}

/** Of the order `o`, in its own view. */
export const returnsOfOrderJson = list(
  `json_build_object('returnId', r.return_id, 'status', r.status, 'method', r.method, 'remedy', r.remedy, 'dueAt', ${iso('r.due_at')}, 'guard', ${guardJson},
     'lines', (SELECT coalesce(json_agg(json_build_object('lineId', rl.line_id, 'quantity', rl.quantity, 'received', rl.received)), '[]') FROM return_lines rl WHERE rl.return_id = r.return_id))`,
  'returns r WHERE r.order_id = o.order_id',
  'r.number',
)
