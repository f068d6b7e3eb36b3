/** The list of orders, newest first, and the search behind the one box that support types into. Keyset pages: page 1,000 costs what page 1 does. */
import type { WaitingOn } from '../../domain/order/status'
import { rows, type Db } from '../connection'
import { Conditions, containing } from './sql'

export interface OrderSummary {
  orderId: string
  channel: string
  channelOrderId: string
  version: number
  status: string
  paymentStatus: string
  fulfillmentStatus: string
  workflowOpen: boolean
  placedAt: string
  currency: string
  totalMinor: number
  customerName: string | null
  waitingOn: WaitingOn | null
  hasException: boolean
}

export interface OrderFilter {
  q?: string
  status?: string
  channel?: string
  nodeId?: string
  placedFrom?: string
  placedTo?: string
  hasException?: boolean
  /** Only these channels; null: all. */
  channels: readonly string[] | null
  after?: string
  limit: number
}

const openException = 'EXISTS (SELECT 1 FROM exceptions e WHERE e.order_id = o.order_id AND e.resolved_at IS NULL)'

export function orderList(db: Db, filter: OrderFilter): Promise<OrderSummary[]> {
  const where = new Conditions()
    .when(filter.status, 'o.status = ?')
    .when(filter.channel, 'o.channel = ?')
    .when(filter.channels && [...filter.channels], 'o.channel = ANY(?)')
    .when(filter.nodeId, 'EXISTS (SELECT 1 FROM fulfillments f WHERE f.order_id = o.order_id AND f.node_id = ?)')
    .when(filter.placedFrom, 'o.placed_at >= ?')
    .when(filter.placedTo, 'o.placed_at < ?')
    .when(filter.after, 'o.order_id < ?')
  if (filter.q) search(where, filter.q)
  if (filter.hasException !== undefined) where.add(`${filter.hasException ? '' : 'NOT '}${openException}`)
  return rows(
    db,
    `SELECT o.order_id AS "orderId", o.channel, o.channel_order_id AS "channelOrderId", o.version, o.status, o.payment_status AS "paymentStatus",
       o.fulfillment_status AS "fulfillmentStatus", o.workflow_open AS "workflowOpen", o.placed_at AS "placedAt", o.currency, o.total_minor AS "totalMinor",
       o.customer->>'name' AS "customerName", o.waiting_on AS "waitingOn", ${openException} AS "hasException"
     FROM orders o ${where.where} ORDER BY o.order_id DESC LIMIT ?`,
    [...where.bindings, filter.limit],
  )
}

/** Each word must be found. A word of one or two characters has no trigram to look up; it can only be a whole order number. */
function search(where: Conditions, text: string): void {
  const long = text.toLowerCase().split(/\s+/).filter((word) => word.length >= 3)
  for (const word of long) where.add('o.search LIKE ?', containing(word))
  if (long.length === 0) where.add('o.channel IN (SELECT channel_id FROM channels) AND o.channel_order_id = ?', text.trim())
}
