/**
 * The orders of a period and the stock as it was: today's levels, taken back by every movement since. What came and went in the period without being
 * a claim of its orders is told as changes; those claims are left out, for the replay makes its own. Soft reservations are left out too: whoever took
 * up a quote is among the orders.
 */
import { distanceMeters, type Position } from '../../domain/delivery/distance'
import { dayMs } from '../../domain/promise/days'
import { learnDeliveryDays, type DeliveryDays } from '../../domain/sourcing/delivery-days'
import type { Period, ReplayedNode, ReplayedOrder } from '../../domain/sourcing/replay'
import type { Shelf, StockChange } from '../../domain/sourcing/shelves'
import type { PeriodAsk } from '../back-tests'
import { factColumns } from '../channel-policies'
import { row, rows, type Db, type Transaction } from '../connection'

/** Of what was placed in the period; `o` is the order. */
const inPeriod = `o.placed_at >= :from AND o.placed_at < :to AND (:channel::text IS NULL OR o.channel = :channel)`
const bindings = ({ from, to, channel }: PeriodAsk): Record<string, unknown> => ({ from, to, channel: channel ?? null })

export async function countPeriod(db: Db | Transaction, ask: PeriodAsk): Promise<{ orders: number; currencies: string[] }> {
  const found = await row<{ orders: number; currencies: string[] | null }>(
    db,
    `SELECT count(*)::int AS orders, array_agg(DISTINCT currency ORDER BY currency) AS currencies FROM orders o WHERE ${inPeriod}`,
    bindings(ask),
  )
  return { orders: found!.orders, currencies: found!.currencies ?? [] }
}

/** Everything is read as of one moment, so that levels and movements agree. */
export const readPeriod = (db: Db, ask: PeriodAsk): Promise<Period> =>
  db.transaction(
    async (tx) => ({
      orders: await readOrders(tx, ask),
      nodes: await readNodes(tx),
      channels: await readChannels(tx),
      opening: await rows<Shelf>(tx, openingSql, bindings(ask)),
      changes: await rows<StockChange>(tx, changesSql, bindings(ask)),
      deliveryDays: await readDeliveryDays(tx, ask.to),
    }),
    { isolationLevel: 'repeatable read', readOnly: true },
  )

const chunk = 10_000

/** In portions, so that no single answer of the database is large. */
async function readOrders(tx: Transaction, ask: PeriodAsk): Promise<ReplayedOrder[]> {
  const orders: ReplayedOrder[] = []
  for (let last: ReplayedOrder | undefined; ; last = orders.at(-1)) {
    const after = { lastPlacedAt: last ? new Date(last.placedAt).toISOString() : ask.from, lastId: last?.orderId ?? '00000000-0000-0000-0000-000000000000', chunk }
    const found = await rows<OrderRow>(tx, ordersSql, { ...bindings(ask), ...after })
    orders.push(...found.map(replayed))
    if (found.length < chunk) return orders
  }
}

interface OrderRow extends Pick<ReplayedOrder, 'orderId' | 'channel' | 'method' | 'lines'> {
  placedAt: string
  nodeId: string | null
  country: string | null
  destination: Position | null
  promisedBy: string | null
  calledOffAt: string | null
}

const replayed = ({ placedAt, nodeId, country, destination, promisedBy, calledOffAt, ...order }: OrderRow): ReplayedOrder => ({
  ...order,
  placedAt: Date.parse(placedAt),
  ...(nodeId !== null && { nodeId }),
  ...(country !== null && { country }),
  ...(destination && { destination }),
  ...(promisedBy !== null && { promisedBy: Date.parse(promisedBy) }),
  ...(calledOffAt !== null && { calledOffAt: Date.parse(calledOffAt) }),
})

/** Instants are cut to milliseconds, as they are compared with those read before. An order that was cancelled because nobody could fill it was not called off: it is demand. */
const ordersSql = `
  SELECT o.order_id AS "orderId", o.channel, date_trunc('milliseconds', o.placed_at) AS "placedAt", o.delivery->>'method' AS method, o.delivery->>'nodeId' AS "nodeId",
    o.ship_to->>'country' AS country, o.promise->>'promisedBy' AS "promisedBy",
    CASE WHEN o.ship_to->>'latitude' IS NOT NULL AND o.ship_to->>'longitude' IS NOT NULL
         THEN json_build_object('latitude', (o.ship_to->>'latitude')::float8, 'longitude', (o.ship_to->>'longitude')::float8) END AS destination,
    (SELECT min(e.at) FROM order_events e WHERE e.order_id = o.order_id AND e.type = 'order.cancelled' AND o.stage = 'cancelled'
       AND e.data->>'reason' IS DISTINCT FROM 'sourcing.unfillable') AS "calledOffAt",
    (SELECT json_agg(json_build_object('lineId', l.line_id, 'sku', l.sku, 'quantity', l.quantity, 'weightGrams', s.weight_grams, 'valueMinor', l.unit_price_minor) ORDER BY l.position)
       FROM order_lines l JOIN skus s USING (sku) WHERE l.order_id = o.order_id) AS lines
  FROM orders o WHERE ${inPeriod} AND (date_trunc('milliseconds', o.placed_at), o.order_id) > (:lastPlacedAt::timestamptz, :lastId::uuid)
  ORDER BY date_trunc('milliseconds', o.placed_at), o.order_id LIMIT :chunk`

const wantedSkus = `SELECT DISTINCT l.sku FROM order_lines l JOIN orders o USING (order_id) WHERE ${inPeriod}`

/** Units nobody had claimed when the period began; safety stock is today's. */
const openingSql = `
  WITH wanted AS (${wantedSkus}),
    since AS (SELECT m.sku, m.node_id, sum(m.on_hand_delta - m.unsellable_delta - m.allocated_delta)::int AS units
              FROM stock_movements m JOIN wanted USING (sku) WHERE m.at >= :from GROUP BY 1, 2)
  SELECT l.sku, l.node_id AS "nodeId", l.on_hand - l.unsellable - l.allocated - l.safety_stock - coalesce(s.units, 0) AS units
  FROM stock_levels l JOIN wanted USING (sku) LEFT JOIN since s ON s.sku = l.sku AND s.node_id = l.node_id ORDER BY l.sku, l.node_id`

/** A shipped unit was claimed before: shipping it changes nothing of what is free. */
const changesSql = `
  WITH wanted AS (${wantedSkus})
  SELECT (extract(epoch FROM m.at) * 1000)::float8 AS at, m.sku, m.node_id AS "nodeId", m.on_hand_delta - m.unsellable_delta - m.allocated_delta AS units
  FROM stock_movements m JOIN wanted USING (sku) LEFT JOIN orders o ON o.order_id = m.order_id AND ${inPeriod}
  WHERE m.at >= :from AND m.at < :to AND m.on_hand_delta - m.unsellable_delta - m.allocated_delta <> 0
    AND NOT (o.order_id IS NOT NULL AND m.type IN ('allocate', 'release', 'ship')) ORDER BY m.movement_id`

async function readNodes(tx: Transaction): Promise<ReplayedNode[]> {
  const found = await rows<Omit<ReplayedNode, 'position' | 'ordersPerDay'> & Position & { ordersPerDay: number | null }>(
    tx,
    `SELECT n.node_id AS "nodeId", n.type, n.country, n.latitude, n.longitude, n.active, n.methods, n.time_zone AS "timeZone", (n.capacity->>'ordersPerDay')::int AS "ordersPerDay",
       coalesce((SELECT jsonb_object_agg(l.sku, l.trust) FROM stock_levels l WHERE l.node_id = n.node_id AND l.trust < 1), '{}') AS trust
     FROM nodes n ORDER BY n.node_id`,
  )
  return found.map(({ latitude, longitude, ordersPerDay, ...node }) => ({ ...node, position: { latitude, longitude }, ...(ordersPerDay !== null && { ordersPerDay }) }))
}

async function readChannels(tx: Transaction): Promise<Period['channels']> {
  const found = await rows<Period['channels'][string]>(tx, `SELECT ${factColumns}, stock_buffer AS "stockBuffer", stock_threshold AS "stockThreshold" FROM channels`)
  return Object.fromEntries(found.map((channel) => [channel.channelId, channel]))
}

/** Half a year of parcels says how long goods take. */
const learnedFromMs = 182 * dayMs

async function readDeliveryDays(tx: Transaction, to: string): Promise<DeliveryDays> {
  const found = await rows<{ nodeId: string; tookMs: number; latitude: number; longitude: number; toLatitude: number; toLongitude: number }>(
    tx,
    `SELECT f.node_id AS "nodeId", (extract(epoch FROM s.delivered_at - o.placed_at) * 1000)::float8 AS "tookMs", n.latitude, n.longitude,
       (o.ship_to->>'latitude')::float8 AS "toLatitude", (o.ship_to->>'longitude')::float8 AS "toLongitude"
     FROM shipments s JOIN fulfillments f USING (fulfillment_id) JOIN orders o ON o.order_id = s.order_id JOIN nodes n ON n.node_id = f.node_id
     WHERE s.delivered_at >= :since AND s.delivered_at < :to AND o.ship_to->>'latitude' IS NOT NULL AND o.ship_to->>'longitude' IS NOT NULL`,
    { since: new Date(Date.parse(to) - learnedFromMs).toISOString(), to },
  )
  return learnDeliveryDays(found.map(({ nodeId, tookMs, toLatitude, toLongitude, ...node }) => ({ nodeId, tookMs, distanceMeters: distanceMeters(node, { latitude: toLatitude, longitude: toLongitude }) })))
}
