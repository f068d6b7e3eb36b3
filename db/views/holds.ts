/** The holds of an order as people see them: on the order, on the work a node may not go on with, and in the list of what waits for somebody. */
import type { HoldStep } from '../../domain/order/holds'
import type { FulfillmentStatus } from '../../domain/fulfillment/moves'
import { row, rows, type Db, type Transaction } from '../connection'
import { iso, list } from './sql'

/** An open hold: what it stops, and who may release it. */
export interface HoldView {
  holdId: string
  type: string
  blocks: HoldStep[]
  reason: string
  owner: string
  placedBy: string
  placedAt: string
  deadline: string | null
  atDeadline: string
  /** Where several people have to say yes: how many, and who has. */
  approvals: { needed: number; askedBy: string; approvedBy: string[] } | null
}

const holdJson = `json_build_object('holdId', h.hold_id, 'type', h.type, 'blocks', h.blocks, 'reason', h.reason, 'owner', h.owner, 'placedBy', h.placed_by, 'placedAt', ${iso('h.placed_at')},
  'deadline', ${iso('h.deadline')}, 'atDeadline', h.at_deadline, 'approvals', CASE WHEN h.approvals > 0 THEN json_build_object('needed', h.approvals, 'askedBy', h.asked_by,
    'approvedBy', (SELECT coalesce(json_agg(a.approver ORDER BY a.at), '[]') FROM hold_approvals a WHERE a.hold_id = h.hold_id)) END)`

/** Of order `o`, oldest first. */
export const holdsJson = `CASE WHEN o.blocked = '{}' THEN '[]' ELSE ${list(holdJson, 'holds h WHERE h.order_id = o.order_id AND h.ended_at IS NULL', 'h.placed_at, h.hold_id')} END`

/** What keeps a node from going on with fulfillment `f` of order `o`; null: nothing. */
export const heldByJson = `CASE WHEN o.blocked = '{}' THEN NULL ELSE (SELECT json_agg(json_build_object('holdId', h.hold_id, 'type', h.type, 'owner', h.owner) ORDER BY h.placed_at)
  FROM holds h WHERE h.order_id = o.order_id AND h.ended_at IS NULL AND CASE WHEN f.status IN ('released', 'picking', 'picked') THEN 'picking' WHEN f.status IN ('packed', 'ready') THEN 'shipping' END = ANY(h.blocks)) END`

export const holdView = async (db: Db | Transaction, holdId: string): Promise<HoldView | undefined> =>
  (await row<{ hold: HoldView }>(db, `SELECT ${holdJson} AS hold FROM holds h WHERE hold_id = ?`, [holdId]))?.hold

export interface WaitingHold extends HoldView {
  orderId: string
  channel: string
  channelOrderId: string
}

/** Open holds, the oldest first. */
export async function holdList(db: Db, filter: { owner?: string; type?: string; after?: string; limit: number; channels: readonly string[] | null }): Promise<WaitingHold[]> {
  const found = await rows<{ hold: HoldView; orderId: string; channel: string; channelOrderId: string }>(
    db,
    `SELECT ${holdJson} AS hold, o.order_id AS "orderId", o.channel, o.channel_order_id AS "channelOrderId" FROM holds h JOIN orders o USING (order_id)
     WHERE h.ended_at IS NULL AND (:owner::text IS NULL OR h.owner = :owner) AND (:type::text IS NULL OR h.type = :type) AND (:after::uuid IS NULL OR h.hold_id > :after::uuid)
       AND (:channels::text[] IS NULL OR o.channel = ANY(:channels)) ORDER BY h.hold_id LIMIT :limit`,
    { owner: filter.owner ?? null, type: filter.type ?? null, after: filter.after ?? null, channels: filter.channels && [...filter.channels], limit: filter.limit },
  )
  return found.map(({ hold, ...order }) => ({ ...hold, ...order }))
}

export interface HoldPreview {
  preview: true
  blocks: HoldStep[]
  /** Work a node has to leave alone. */
  askedBack: { fulfillmentId: string; nodeId: string; status: FulfillmentStatus }[]
  /** What is not authorised while payment is stopped. */
  money: { currency: string; notAuthorizedMinor: number }
}

/** What a hold would stop now. @returns undefined when there is no such order */
export async function previewHold(db: Db, orderId: string, blocks: readonly HoldStep[]): Promise<HoldPreview | undefined> {
  const order = await row<{ currency: string; openMinor: number; work: HoldPreview['askedBack'] }>(
    db,
    `SELECT currency, (SELECT coalesce(sum(amount_minor), 0)::bigint FROM payments p WHERE p.order_id = o.order_id AND p.status NOT IN ('authorized', 'captured', 'voided', 'declined', 'refunded')) AS "openMinor",
       ${list(`json_build_object('fulfillmentId', f.fulfillment_id, 'nodeId', f.node_id, 'status', f.status)`, `fulfillments f WHERE f.order_id = o.order_id AND f.status IN ('released', 'picking', 'picked')`, 'f.fulfillment_id')} AS work
     FROM orders o WHERE order_id = ?`,
    [orderId],
  )
  return order && { preview: true, blocks: [...blocks], askedBack: blocks.includes('picking') ? order.work : [], money: { currency: order.currency, notAuthorizedMinor: blocks.includes('payment') ? order.openMinor : 0 } }
}
