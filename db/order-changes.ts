/** The rows of changes: asked for on one version of the order, confirmed on that one, ended once. */
import { documentApplied, type DocumentId } from './channel-messages'
import type { ChangeOperation } from '../domain/order/change'
import { refuse } from '../domain/refusals'
import type { SourcingDecision } from '../domain/sourcing/decision'
import { row, rows, run, type Transaction } from './connection'

export const changeStates = ['requested', 'asked', 'paying', 'confirmed', 'failed', 'rejected'] as const
export type ChangeState = (typeof changeStates)[number]

export interface ChangeRow {
  changeId: string
  orderId: string
  operations: ChangeOperation[]
  actor: string
  state: ChangeState
  expiresAt: string
  isOver: boolean
  /** The version of the order it was worked out on, and the one it has now. */
  version: number
  now: number
  /** Goods, door and way are what they were when it was asked for. */
  isFresh: boolean
  /** Where what it asks for would come from. */
  decision: SourcingDecision | null
  paymentMethod: string | null
  /** Whoever asked for it has taken what it costs more. */
  paidElsewhere: boolean
  /** Of the channel: the order is as it says once this is carried out. */
  document: DocumentId | null
  paymentId: string | null
  /** By how much the order was said to become dearer, and what was to be charged for that: what is held already need not be; null for a change from before that was kept. */
  deltaMinor: number
  chargeMinor: number | null
}

export interface NewChange {
  changeId: string
  orderId: string
  operations: readonly ChangeOperation[]
  actor: string
  state: 'requested' | 'asked'
  requestedBy: 'merchant' | 'customer'
  expiresAt: string
  deltaMinor: number
  chargeMinor: number
  decision?: SourcingDecision
  paymentMethod?: string
  paidElsewhere?: boolean
  document?: DocumentId
}

/** @returns the version of the order that it is about. */
export async function insertChange(tx: Transaction, change: NewChange): Promise<{ version: number }> {
  return (await row<{ version: number }>(
    tx,
    `INSERT INTO order_changes (change_id, order_id, order_version, operations, actor, state, requested_by, expires_at, delta_minor, said_charge_minor, decision, payment_method, paid_elsewhere, document, basis)
     SELECT :changeId::uuid, order_id, version, :operations::jsonb, :actor, :state, :requestedBy, :expiresAt::timestamptz, :deltaMinor, :chargeMinor, :decision::jsonb, :paymentMethod, :paidElsewhere::boolean, :document::jsonb, ${basisOf} FROM orders o WHERE order_id = :orderId
     RETURNING order_version AS version`,
    { ...change, operations: JSON.stringify(change.operations), decision: change.decision ? JSON.stringify(change.decision) : null, paymentMethod: change.paymentMethod ?? null, paidElsewhere: change.paidElsewhere ?? false, document: change.document ? JSON.stringify(change.document) : null },
  ))!
}

/** What a change is worked out on: the goods and where they are, the door and the way; not what the bank has said meanwhile. */
const basisOf = `md5(jsonb_build_array(o.stage, o.ship_to, o.delivery, o.shipping,
  (SELECT jsonb_agg(jsonb_build_array(line_id, quantity, cancelled, shipped, returned, resend) ORDER BY position) FROM order_lines WHERE order_id = o.order_id),
  (SELECT jsonb_agg(jsonb_build_array(fulfillment_id, status, fl.line_id, fl.quantity, fl.picked, fl.rejected) ORDER BY fulfillment_id, fl.line_id)
   FROM fulfillments f JOIN fulfillment_lines fl USING (fulfillment_id) WHERE f.order_id = o.order_id))::text)`

/** Under the order's lock. @throws `change.unknown` */
export async function needChange(tx: Transaction, { changeId, orderId }: { changeId: string; orderId: string }): Promise<ChangeRow> {
  const change = await row<ChangeRow>(
    tx,
    `SELECT change_id AS "changeId", order_id AS "orderId", operations, actor, state, expires_at AS "expiresAt", expires_at <= now() AS "isOver", order_version AS version, o.version AS now,
       coalesce(basis = ${basisOf}, order_version = o.version) AS "isFresh",
       decision, delta_minor AS "deltaMinor", said_charge_minor AS "chargeMinor", payment_method AS "paymentMethod", paid_elsewhere AS "paidElsewhere", document, payment_id AS "paymentId"
     FROM order_changes c JOIN orders o USING (order_id) WHERE change_id = ? AND order_id = ?`,
    [changeId, orderId],
  )
  if (!change) throw refuse('change.unknown')
  return change
}

/**
 * What waits for a merchant is decided by one, and may then be about an order that has gone on, as long as it moves the same money.
 * @throws `order.change_ended`, `order.change_undecided`, `order.change_expired`, `order.version_changed` unless it may be done now
 */
export function refuseUnlessFresh({ state, isOver, expiresAt, version, now, isFresh }: ChangeRow, approves: boolean): void {
  if (state !== 'asked' && state !== 'requested') throw refuse('order.change_ended', { state })
  if (isOver) throw refuse('order.change_expired', { expiredAt: expiresAt })
  if (state === 'requested' && !approves) throw refuse('order.change_undecided', { expiresAt })
  if (state === 'asked' && !isFresh) throw refuse('order.version_changed', { was: version, version: now })
}

export async function endChange(tx: Transaction, changeId: string, state: 'confirmed' | 'failed' | 'rejected', reason: string | null = null): Promise<void> {
  await run(tx, `UPDATE order_changes SET state = ?, reason = coalesce(?, reason), confirmed_at = CASE WHEN ? = 'confirmed' THEN now() END WHERE change_id = ?`, [state, reason, state, changeId])
}

/** The order is another now, and as the channel says, where it was the channel that asked for it. */
export async function confirmChange(tx: Transaction, { changeId, document }: Pick<ChangeRow, 'changeId' | 'document'>): Promise<void> {
  await endChange(tx, changeId, 'confirmed')
  if (document) await documentApplied(tx, document)
}

/** Who said yes or no to what a customer asked for. */
export const noteDecision = (tx: Transaction, changeId: string, actor: string): Promise<void> => run(tx, 'UPDATE order_changes SET decided_by = ?, decided_at = now() WHERE change_id = ?', [actor, changeId])

/** Nothing of the order is left to be changed. @returns the changes that ended by it */
export const endOpenChanges = (tx: Transaction, orderId: string): Promise<{ changeId: string }[]> =>
  rows(tx, `UPDATE order_changes SET state = 'failed', reason = 'order.already_cancelled' WHERE order_id = ? AND state IN ('requested', 'asked') RETURNING change_id AS "changeId"`, [orderId])
