/** What channels are told of: each parcel and each cancellation once, as an operation written down before the call; each level of stock when it is another than the one told last. */
import { accessColumns, type ChannelAccess } from './network'
import { row, rows, run, type Db, type Transaction } from './connection'
import { record, self } from './events'
import { lockOrder } from './orders'
import { availableToSellSql } from './stock'
import { openException, settleExceptions } from './waiting'

interface Units {
  lineId: string
  quantity: number
}
interface Operation extends ChannelAccess {
  operationId: string
  channelId: string
  orderId: string
  attempts: number
  /** What the channel called it in an attempt before. */
  reference: string | null
}
export interface ParcelOperation extends Operation {
  kind: 'parcel'
  fulfillmentId: string
  payload: { channelOrderId: string; carrier: string; trackingNumbers: string[]; lines: Units[]; packages?: { trackingNumber: string; lines: Units[] }[]; handedOverAt?: string }
}
export interface CancellationOperation extends Operation {
  kind: 'cancellation'
  payload: { channelOrderId: string; whole: boolean; lines: Units[]; cause: 'fraud' | 'stock' | 'other' }
}
export type ChannelOperation = ParcelOperation | CancellationOperation

/** What has left and what was cancelled, of orders that came from a channel which can be told. Of a kit the channel knows its own line. */
export async function intendTellings(db: Db): Promise<void> {
  await intendParcels(db)
  await intendCancellations(db)
}

/** What came from the channel itself it knows. */
const intendCancellations = (db: Db): Promise<void> =>
  run(
    db,
    `INSERT INTO channel_operations (operation_id, kind, channel, order_id, event_seq, payload)
     SELECT gen_random_uuid(), 'cancellation', o.channel, o.order_id, e.seq,
       jsonb_build_object('channelOrderId', o.channel_order_id, 'whole', e.type = 'order.cancelled', 'cause', CASE WHEN e.actor = 'fraud' OR e.data->>'reason' = 'fraud.rejected' THEN 'fraud' WHEN e.actor = ? THEN 'stock' ELSE 'other' END,
         'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object('lineId', line, 'quantity', quantity)), '[]') FROM (
            SELECT coalesce(l.kit->>'lineId', l.line_id) AS line, min(CASE WHEN l.kit IS NULL THEN u.quantity ELSE u.quantity * (l.kit->>'quantity')::int / l.quantity END) AS quantity
            FROM jsonb_to_recordset(coalesce(e.data->'lines', '[]')) AS u("lineId" text, quantity int) JOIN order_lines l ON l.order_id = o.order_id AND l.line_id = u."lineId" WHERE l.replaces IS NULL GROUP BY 1) gone WHERE quantity > 0))
     FROM order_events e JOIN orders o USING (order_id) JOIN channels c ON c.channel_id = o.channel
     WHERE e.type IN ('order.cancelled', 'order.lines_cancelled') AND e.at > now() - interval '14 days' AND e.actor NOT LIKE 'channel:%' AND c.api IS NOT NULL AND c.api_token IS NOT NULL
       AND EXISTS (SELECT 1 FROM channel_documents d WHERE d.channel = o.channel AND d.channel_order_id = o.channel_order_id)
       AND NOT EXISTS (SELECT 1 FROM channel_operations op WHERE op.event_seq = e.seq)
     ON CONFLICT DO NOTHING`,
    [self],
  )

const intendParcels = (db: Db): Promise<void> =>
  run(
    db,
    `INSERT INTO channel_operations (operation_id, channel, order_id, fulfillment_id, payload)
     SELECT gen_random_uuid(), o.channel, o.order_id, s.fulfillment_id,
       jsonb_build_object('channelOrderId', o.channel_order_id, 'carrier', s.carrier, 'handedOverAt', to_char(s.handed_over_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
         'packages', (SELECT coalesce(jsonb_agg(jsonb_build_object('trackingNumber', p.tracking_number, 'lines', (SELECT jsonb_agg(jsonb_build_object('lineId', line, 'quantity', quantity)) FROM (
            SELECT coalesce(l.kit->>'lineId', l.line_id) AS line, min(CASE WHEN l.kit IS NULL THEN u.quantity ELSE u.quantity * (l.kit->>'quantity')::int / l.quantity END) AS quantity
            FROM jsonb_to_recordset(p.lines) AS u("lineId" text, quantity int) JOIN order_lines l ON l.order_id = o.order_id AND l.line_id = u."lineId" WHERE l.replaces IS NULL GROUP BY 1) inside WHERE quantity > 0)) ORDER BY p.number), '[]')
            FROM packages p WHERE p.shipment_id = s.shipment_id AND p.tracking_number IS NOT NULL),
         'trackingNumbers', (SELECT coalesce(jsonb_agg(p.tracking_number ORDER BY p.number), '[]') FROM packages p WHERE p.shipment_id = s.shipment_id AND p.tracking_number IS NOT NULL),
         'lines', (SELECT jsonb_agg(jsonb_build_object('lineId', line, 'quantity', quantity)) FROM (
            SELECT coalesce(l.kit->>'lineId', l.line_id) AS line, min(CASE WHEN l.kit IS NULL THEN fl.picked ELSE fl.picked * (l.kit->>'quantity')::int / l.quantity END) AS quantity
            FROM fulfillment_lines fl JOIN order_lines l ON l.order_id = o.order_id AND l.line_id = fl.line_id WHERE fl.fulfillment_id = s.fulfillment_id AND fl.picked > 0 AND l.replaces IS NULL GROUP BY 1) sent WHERE quantity > 0))
     FROM shipments s JOIN fulfillments f USING (fulfillment_id) JOIN orders o ON o.order_id = s.order_id JOIN channels c ON c.channel_id = o.channel
     WHERE c.api IS NOT NULL AND c.api_token IS NOT NULL AND f.method = 'delivery' AND s.handed_over_at > now() - interval '14 days'
       AND EXISTS (SELECT 1 FROM channel_documents d WHERE d.channel = o.channel AND d.channel_order_id = o.channel_order_id)
       AND NOT EXISTS (SELECT 1 FROM channel_operations op WHERE op.fulfillment_id = s.fulfillment_id)
     ON CONFLICT DO NOTHING`,
  )

const leaseSeconds = 60

/** Due ones, oldest first; whoever takes one is the only one for a while. */
export const leaseTellings = (db: Db, limit: number): Promise<ChannelOperation[]> =>
  rows(
    db,
    `UPDATE channel_operations op SET attempts = attempts + 1, next_at = now() + ? * interval '1 second'
     FROM channels c WHERE c.channel_id = op.channel AND c.api IS NOT NULL AND c.api_token IS NOT NULL AND operation_id IN (
       SELECT operation_id FROM channel_operations WHERE status IN ('intended', 'unknown') AND next_at <= now() ORDER BY next_at LIMIT ? FOR UPDATE SKIP LOCKED)
     RETURNING operation_id AS "operationId", op.kind, op.channel AS "channelId", order_id AS "orderId", fulfillment_id AS "fulfillmentId", payload, attempts, reference, ${accessColumns}`,
    [leaseSeconds, limit],
  )

export const told = (db: Db, { operationId, orderId, ...operation }: ChannelOperation, reference: string): Promise<void> =>
  db.transaction(async (tx) => {
    const order = await lockOrder(tx, orderId)
    await run(tx, `UPDATE channel_operations SET status = 'succeeded', reference = ?, last_error = NULL, settled_at = now() WHERE operation_id = ?`, [reference, operationId])
    if (operation.kind === 'parcel') await record(tx, order, { type: 'channel.told', actor: self, data: { fulfillmentId: operation.fulfillmentId, reference } })
    else {
      await record(tx, order, { type: 'channel.cancellation_told', actor: self, data: { reference } })
      await settleExceptions(tx, order, 'the channel gives it back', { kind: 'order.refund_elsewhere' })
    }
    await settleExceptions(tx, order, 'the channel was told', { kind: 'channel.not_told', subject: operationId })
  })

const tellAfterAttempts = 6

/** Tried again ever less often; when the channel has said no, not until somebody asks. After a while it is a case. */
export const notTold = (db: Db, { operationId, orderId, attempts, ...operation }: ChannelOperation, why: { message: string; refused: boolean; pending?: true }): Promise<void> =>
  db.transaction(async (tx) => {
    const order = await lockOrder(tx, orderId)
    await run(
      tx,
      `UPDATE channel_operations SET status = ?, last_error = ?, next_at = now() + least(3600, CASE WHEN ? THEN attempts * ? ELSE power(2, attempts) END) * interval '1 second', settled_at = CASE WHEN ? THEN now() END WHERE operation_id = ? AND status <> 'succeeded'`,
      [why.refused ? 'refused' : 'unknown', why.message.slice(0, 300), why.pending ?? false, lookAgainSeconds, why.refused, operationId],
    )
    if (!why.refused && attempts < (why.pending ? tellWhilePending : tellAfterAttempts)) return
    const [what, about] = operation.kind === 'parcel' ? ['a parcel has left', { fulfillmentId: operation.fulfillmentId }] : ['units were cancelled', { lines: operation.payload.lines }]
    const summary = `The channel could not be told that ${what}: tell it by hand, or retry`
    await openException(tx, { ...order, kind: 'channel.not_told', subject: operationId, owner: 'operations', summary, data: { ...about, refused: why.refused, reason: why.message.slice(0, 300) } })
  })

/** The channel has heard it and has not done it yet: it is looked at again, ever less often. After an hour or so it is a case. */
export const heardOf = async (db: Db, operation: ChannelOperation, reference: string): Promise<void> => {
  await run(db, `UPDATE channel_operations SET reference = ? WHERE operation_id = ? AND status <> 'succeeded'`, [reference, operation.operationId])
  await notTold(db, operation, { message: 'the channel has heard of it, and has not done it yet', refused: false, pending: true })
}
const lookAgainSeconds = 15
const tellWhilePending = 20

/** Somebody has put right what the channel said no to: it is looked for there, and told anew. */
export const tellAgain = (tx: Transaction, operationId: string): Promise<void> =>
  run(tx, `UPDATE channel_operations SET status = 'unknown', reference = NULL, attempts = 0, next_at = now(), settled_at = NULL WHERE operation_id::text = ? AND status = 'refused'`, [operationId])

/** Did we tell the channel of this order under this id? */
export const isOurTelling = async (db: Db, orderId: string, operationId: string): Promise<boolean> =>
  (await row(db, `SELECT 1 FROM channel_operations WHERE order_id = ? AND operation_id = ? AND kind = 'cancellation'`, [orderId, operationId])) !== undefined

export interface StockToTell {
  sku: string
  nodeId: string
  quantity: number
}

/** Levels, as the channel may sell them, that are others than it was told; of kits none. */
export const stockToTell = (db: Db, channelId: string, nodes: readonly string[], limit: number): Promise<StockToTell[]> =>
  rows(
    db,
    `SELECT l.sku, l.node_id AS "nodeId", (${availableToSellSql})::int AS quantity
     FROM stock_levels l JOIN channels c ON c.channel_id = ? LEFT JOIN channel_stock_told t ON t.channel = c.channel_id AND t.sku = l.sku AND t.node_id = l.node_id
     WHERE l.node_id = ANY(?) AND t.quantity IS DISTINCT FROM (${availableToSellSql})::int ORDER BY l.sku, l.node_id LIMIT ?`,
    [channelId, [...nodes], limit],
  )

export async function stockTold(db: Db, channelId: string, levels: readonly StockToTell[]): Promise<void> {
  await run(
    db,
    `INSERT INTO channel_stock_told (channel, sku, node_id, quantity) SELECT ?, * FROM unnest(?::text[], ?::text[], ?::int[])
     ON CONFLICT (channel, sku, node_id) DO UPDATE SET quantity = excluded.quantity, told_at = now()`,
    [channelId, levels.map((l) => l.sku), levels.map((l) => l.nodeId), levels.map((l) => l.quantity)],
  )
}

export const channelsWithStock = (db: Db): Promise<({ channelId: string } & ChannelAccess)[]> =>
  rows(db, `SELECT channel_id AS "channelId", ${accessColumns} FROM channels c WHERE api_token IS NOT NULL AND api->'locations' <> '{}'::jsonb`)

/** One teller of stock at a time for each channel: two could tell an older level after a newer one. */
export const tellingStock = async (db: Db, channelId: string, seconds: number): Promise<boolean> =>
  (await row(db, `UPDATE channels SET stock_teller_until = now() + ? * interval '1 second' WHERE channel_id = ? AND (stock_teller_until IS NULL OR stock_teller_until < now()) RETURNING 1`, [seconds, channelId])) !== undefined

export async function stockTellingEnded(db: Db, channelId: string): Promise<void> {
  await run(db, 'UPDATE channels SET stock_teller_until = NULL WHERE channel_id = ?', [channelId])
}
