/** What a bulk action would do, how far it has come, and what came of it for each order. */
import { forecast, type BulkAction, type BulkFacts } from '../../domain/order/bulk'
import { row, rows, type Db, type Transaction } from '../connection'
import { Conditions } from './sql'

export interface BulkFilter {
  status?: string
  channel?: string
  nodeId?: string
  sku?: string
  holdType?: string
  placedFrom?: string
  placedTo?: string
}

/** Live orders that match, oldest first. */
export async function ordersMatching(db: Db | Transaction, filter: BulkFilter, limit: number): Promise<string[]> {
  const where = new Conditions()
    .add(`o.stage = 'open'`)
    .when(filter.status, 'o.status = ?')
    .when(filter.channel, 'o.channel = ?')
    .when(filter.nodeId, `EXISTS (SELECT 1 FROM fulfillments f WHERE f.order_id = o.order_id AND f.node_id = ? AND f.status NOT IN ('rejected', 'cancelled', 'expired'))`)
    .when(filter.sku, 'EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.order_id AND l.sku = ? AND l.quantity > l.cancelled)')
    .when(filter.holdType, 'EXISTS (SELECT 1 FROM holds h WHERE h.order_id = o.order_id AND h.ended_at IS NULL AND h.type = ?)')
    .when(filter.placedFrom, 'o.placed_at >= ?')
    .when(filter.placedTo, 'o.placed_at < ?')
  const found = await rows<{ orderId: string }>(db, `SELECT o.order_id AS "orderId" FROM orders o ${where.where} ORDER BY o.order_id LIMIT ?`, [...where.bindings, limit])
  return found.map((o) => o.orderId)
}

export interface BulkPreview {
  /** Orders for which it would be done. */
  willDo: number
  refused: { code: string; orders: number }[]
  units: number
  money: { currency: string; letGoMinor: number; refundElsewhereMinor: number }[]
}

/** @returns the forecast of each order summed up, and the places in `orderIds` of orders that are not there */
export async function previewBulk(db: Db | Transaction, ask: { action: BulkAction; orderIds: readonly string[]; role: string; holdType?: string }): Promise<{ preview: BulkPreview; unknown: number[] }> {
  const found = await rows<BulkFacts & { orderId: string }>(db, factsSql, { orderIds: [...ask.orderIds], role: ask.role, holdType: ask.holdType ?? null })
  const known = new Set(found.map((o) => o.orderId))
  const refused = new Map<string, number>()
  const money = new Map<string, { currency: string; letGoMinor: number; refundElsewhereMinor: number }>()
  let [willDo, units] = [0, 0]
  for (const order of found) {
    const will = forecast(ask.action, order)
    if (will.code) {
      refused.set(will.code, (refused.get(will.code) ?? 0) + 1)
      continue
    }
    willDo += 1
    units += will.units
    const sum = money.get(order.currency) ?? { currency: order.currency, letGoMinor: 0, refundElsewhereMinor: 0 }
    money.set(order.currency, { ...sum, letGoMinor: sum.letGoMinor + will.letGoMinor, refundElsewhereMinor: sum.refundElsewhereMinor + will.refundElsewhereMinor })
  }
  const preview = { willDo, refused: [...refused].map(([code, orders]) => ({ code, orders })).sort((a, b) => b.orders - a.orders), units, money: [...money.values()] }
  return { preview, unknown: ask.orderIds.flatMap((orderId, i) => (known.has(orderId) ? [] : [i])) }
}

const factsSql = `
  SELECT o.order_id AS "orderId", o.stage, o.blocked, o.currency, coalesce(o.own_waiting_on->>'what', '') = 'stock' AS "waitsForStock",
    (SELECT count(*)::int FROM holds h WHERE o.blocked <> '{}' AND h.order_id = o.order_id AND h.ended_at IS NULL AND (h.owner = :role OR :role = 'admin') AND (:holdType::text IS NULL OR h.type = :holdType)) AS releasable,
    coalesce(f."notBegun", 0) AS "notBegun", coalesce(f."inBuilding", 0) AS "inBuilding", coalesce(f."hasLeft", false) AS "hasLeft", l.units, p."heldMinor", p."takenElsewhereMinor"
  FROM orders o
  LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE status = 'released')::int AS "notBegun", count(*) FILTER (WHERE status IN ('released', 'picking', 'picked', 'packed', 'ready'))::int AS "inBuilding",
      bool_or(method <> 'transfer' AND status NOT IN ('released', 'picking', 'picked', 'packed', 'ready', 'rejected', 'cancelled', 'expired')) AS "hasLeft" FROM fulfillments WHERE order_id = o.order_id) f ON true
  CROSS JOIN LATERAL (SELECT coalesce(sum(quantity - cancelled - shipped), 0)::int AS units FROM order_lines WHERE order_id = o.order_id) l
  CROSS JOIN LATERAL (SELECT coalesce(sum(authorized_minor) FILTER (WHERE status = 'authorized'), 0)::bigint AS "heldMinor",
      coalesce(sum(captured_minor - refunded_minor) FILTER (WHERE provider = 'paid_elsewhere'), 0)::bigint AS "takenElsewhereMinor" FROM payments WHERE order_id = o.order_id) p
  WHERE o.order_id = ANY(:orderIds::uuid[])`

export interface BulkView {
  bulkActionId: string
  action: BulkAction
  reason: string
  actor: string
  status: string
  orders: number
  preview: BulkPreview
  createdAt: string
  /** Until then nothing is done, and it can be withdrawn as if it had never been. */
  startsAt: string
  startedAt: string | null
  endedAt: string | null
  progress: { waiting: number; done: number; refused: number; failed: number; withdrawn: number }
  refusedBy: { code: string; orders: number }[]
}

const columns = `a.bulk_action_id AS "bulkActionId", a.action, a.reason, a.actor, a.status, a.orders, a.preview, a.created_at AS "createdAt", a.starts_at AS "startsAt", a.started_at AS "startedAt", a.ended_at AS "endedAt",
  (SELECT json_build_object('waiting', count(*) FILTER (WHERE outcome = 'waiting'), 'done', count(*) FILTER (WHERE outcome = 'done'), 'refused', count(*) FILTER (WHERE outcome = 'refused'),
     'failed', count(*) FILTER (WHERE outcome = 'failed'), 'withdrawn', count(*) FILTER (WHERE outcome = 'withdrawn')) FROM bulk_action_orders b WHERE b.bulk_action_id = a.bulk_action_id) AS progress,
  (SELECT coalesce(json_agg(json_build_object('code', code, 'orders', n) ORDER BY n DESC), '[]') FROM (SELECT code, count(*) AS n FROM bulk_action_orders b WHERE b.bulk_action_id = a.bulk_action_id AND outcome = 'refused' GROUP BY 1) c) AS "refusedBy"`

export const bulkView = (db: Db | Transaction, bulkActionId: string): Promise<BulkView | undefined> => row<BulkView>(db, `SELECT ${columns} FROM bulk_actions a WHERE bulk_action_id = ?`, [bulkActionId])

export const isBulkAction = async (db: Db, bulkActionId: string): Promise<boolean> => (await row(db, 'SELECT 1 FROM bulk_actions WHERE bulk_action_id = ?', [bulkActionId])) !== undefined

/** The latest first. */
export const bulkList = (db: Db, { after, limit }: { after?: string; limit: number }): Promise<BulkView[]> =>
  rows<BulkView>(db, `SELECT ${columns} FROM bulk_actions a WHERE (?::uuid IS NULL OR bulk_action_id < ?::uuid) ORDER BY bulk_action_id DESC LIMIT ?`, [after ?? null, after ?? null, limit])

export interface BulkResult {
  position: number
  orderId: string
  channelOrderId: string
  outcome: string
  code: string | null
  data: Record<string, unknown> | null
  at: string | null
}

/** In the order in which they were named. */
export const bulkResults = (db: Db, ask: { bulkActionId: string; outcome?: string; after?: number; limit: number }): Promise<BulkResult[]> =>
  rows<BulkResult>(
    db,
    `SELECT b.position, b.order_id AS "orderId", o.channel_order_id AS "channelOrderId", b.outcome, b.code, b.data, b.at FROM bulk_action_orders b JOIN orders o USING (order_id)
     WHERE b.bulk_action_id = ? AND (?::text IS NULL OR b.outcome = ?) AND b.position > ? ORDER BY b.position LIMIT ?`,
    [ask.bulkActionId, ask.outcome ?? null, ask.outcome ?? null, ask.after ?? 0, ask.limit],
  )
