/** What a channel is told about an order it submitted. */
import { row, type Db, type Transaction } from '../connection'

export interface OrderBrief {
  orderId: string
  channel: string
  channelOrderId: string
  version: number
  status: string
  paymentStatus: string
  fulfillmentStatus: string
  placedAt: string
  currency: string
  totalMinor: number
}

export const briefColumns = `order_id AS "orderId", channel, channel_order_id AS "channelOrderId", version, status, payment_status AS "paymentStatus",
  fulfillment_status AS "fulfillmentStatus", placed_at AS "placedAt", currency, total_minor AS "totalMinor"`

export const orderBrief = (db: Db | Transaction, orderId: string): Promise<OrderBrief | undefined> =>
  row<OrderBrief>(db, `SELECT ${briefColumns} FROM orders WHERE order_id = ?`, [orderId])
