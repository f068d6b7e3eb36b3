/** The start queue: accepted orders whose workflow is to be started. Rows are leased, so a process that dies gives them back. */
import type { OrderPolicy, OrderStart } from '../domain/messages'
import type { Policies } from '../domain/policy/kinds'
import { invariant } from '../domain/invariant'
import { row, rows, run, type Db } from './connection'
import { asStanding, openHolds } from './holds'
import { snapshotOf } from './orders'

export interface StartArguments {
  start: OrderStart
  customerRef: string | null
}

export interface StartLease {
  limit: number
  leaseMs: number
  /** Only what somebody took and did not finish, or what nobody has taken for a minute. */
  leftoversOnly: boolean
}

/** Takes waiting starts for `leaseMs`, most urgent first, then oldest. */
export const leaseStarts = (db: Db, { limit, leaseMs, leftoversOnly }: StartLease): Promise<{ orderId: string }[]> =>
  rows(
    db,
    `UPDATE workflow_starts SET leased_until = now() + ? * interval '1 millisecond', attempts = attempts + 1
     WHERE order_id IN (SELECT order_id FROM workflow_starts WHERE done_at IS NULL
                          AND (leased_until < now() OR (leased_until IS NULL ${leftoversOnly ? "AND queued_at < now() - interval '1 minute'" : ''}))
                        ORDER BY priority DESC, queued_at LIMIT ? FOR UPDATE SKIP LOCKED)
     RETURNING order_id AS "orderId"`,
    [leaseMs, limit],
  )

export async function startDone(db: Db, orderId: string): Promise<void> {
  await run(db, 'UPDATE workflow_starts SET done_at = now(), leased_until = NULL, last_error = NULL WHERE order_id = ? AND done_at IS NULL', [orderId])
}

/** Gives the lease back so that the start is tried again after `retryMs`. */
export async function startFailed(db: Db, orderId: string, error: string, retryMs: number): Promise<void> {
  await run(db, `UPDATE workflow_starts SET leased_until = now() + ? * interval '1 millisecond', last_error = ? WHERE order_id = ? AND done_at IS NULL`, [
    retryMs,
    error.slice(0, 300),
    orderId,
  ])
}

interface StartRow extends Omit<OrderStart, 'policy'> {
  policy: Policies
  customerRef: string | null
  blocked: string[]
}

/** The snapshot a workflow is started with, read from the order's rows. */
export async function loadStart(db: Db, orderId: string): Promise<StartArguments> {
  const order = await row<StartRow>(
    db,
    `SELECT order_id AS "orderId", channel, channel_order_id AS "channelOrderId", placed_at AS "placedAt", accepted_at AS "acceptedAt", currency,
       total_minor AS "totalMinor", delivery->>'method' AS method, ${snapshotOf('o')} AS policy, customer_ref_hmac AS "customerRef", blocked,
       (SELECT count(*)::int FROM order_lines WHERE order_id = o.order_id) AS "lineCount",
       (SELECT json_agg(json_strip_nulls(json_build_object('tenderId', tender_id, 'paymentId', payment_id, 'provider', provider, 'amountMinor', p.amount_minor,
                 'authorizeOperationId', (SELECT operation_id FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.purpose = 'authorize'))) ORDER BY tender_id)
          FROM payments p WHERE p.order_id = o.order_id AND p.part = 1) AS tenders
     FROM orders o WHERE order_id = ?`,
    [orderId],
  )
  invariant(order, `order ${orderId} has a row`)
  const { policy, customerRef, blocked, ...rest } = order
  const holds = blocked.length > 0 ? (await openHolds(db, orderId)).map(asStanding) : []
  return { start: { ...rest, policy: orderPolicy(policy), manner: 2, ...(holds.length > 0 && { holds }) }, customerRef }
}

/** What of the policy snapshot the workflow decides by. */
const orderPolicy = (policy: Policies): OrderPolicy => ({
  payment: policy.payment,
  sourcing: { retryEvery: policy.sourcing.retryEvery, autoCancelAfter: policy.sourcing.autoCancelAfter },
  promise: { whenLate: policy.promise.whenLate },
  store_work: { acceptWithin: policy.store_work.acceptWithin, handOverWithin: policy.store_work.handOverWithin, whenUncollected: policy.store_work.whenUncollected, receiveWithin: policy.store_work.receiveWithin },
  last_mile: { deliverWithin: policy.last_mile.deliverWithin },
  returns: { window: policy.returns.window },
  care: policy.care,
})

export const startIsDone = async (db: Db, orderId: string): Promise<boolean> =>
  (await row(db, 'SELECT 1 FROM workflow_starts WHERE order_id = ? AND done_at IS NOT NULL', [orderId])) !== undefined

/** Nobody has started it yet, so nobody can be told anything. */
export const isStillToStart = async (db: Db, { channel, channelOrderId }: { channel: string; channelOrderId: string }): Promise<boolean> =>
  (await row(db, 'SELECT 1 FROM workflow_starts JOIN orders USING (order_id) WHERE channel = ? AND channel_order_id = ? AND done_at IS NULL', [channel, channelOrderId])) !== undefined
