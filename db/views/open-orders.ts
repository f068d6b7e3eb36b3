/** Orders that nobody has begun to pick, with what they hold and where: what may still be planned again. */
import type { Position } from '../../domain/delivery/distance'
import type { Policies } from '../../domain/policy/kinds'
import type { Candidate, LineToSource, PlannedShipment } from '../../domain/sourcing/decision'
import type { Shelf } from '../../domain/sourcing/shelves'
import { row, rows, type Db, type Transaction } from '../connection'
import { snapshotOf } from '../orders'

export interface UnpickedOrder {
  orderId: string
  country: string
  postalCode: string
  destination: Position | null
  service: string | null
  promisedBy: string | null
  excluded: string[]
  lines: LineToSource[]
  shipments: PlannedShipment[]
  /** What it was sold by. */
  policies: Pick<Policies, 'promise' | 'sourcing'>
}

/** Of one channel, the oldest first: sent to the customer, everything claimed, nothing held, and no work order that somebody has begun or that a driver waits for. */
export const unpickedOrders = (db: Db | Transaction, { channel, limit, orderId }: { channel: string; limit: number; orderId?: string }): Promise<UnpickedOrder[]> =>
  rows<UnpickedOrder>(db, unpickedSql, { channel, limit, orderId: orderId ?? null })

const unpickedSql = `
  SELECT o.order_id AS "orderId", json_build_object('promise', ${snapshotOf('o')}->'promise', 'sourcing', ${snapshotOf('o')}->'sourcing') AS policies, coalesce(o.ship_to->>'country', '') AS country, coalesce(o.ship_to->>'postalCode', '') AS "postalCode", o.delivery->>'service' AS service, o.promise->>'promisedBy' AS "promisedBy",
    CASE WHEN o.ship_to->>'latitude' IS NOT NULL AND o.ship_to->>'longitude' IS NOT NULL
         THEN json_build_object('latitude', (o.ship_to->>'latitude')::float8, 'longitude', (o.ship_to->>'longitude')::float8) END AS destination,
    ARRAY(SELECT DISTINCT f.node_id FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id) WHERE f.order_id = o.order_id AND (l.rejected > 0 OR f.status = 'rejected')) AS excluded,
    (SELECT json_agg(json_build_object('lineId', l.line_id, 'sku', l.sku, 'quantity', l.allocated, 'weightGrams', s.weight_grams, 'valueMinor', l.unit_price_minor) ORDER BY l.position)
       FROM order_lines l JOIN skus s USING (sku) WHERE l.order_id = o.order_id AND l.allocated > 0) AS lines,
    (SELECT json_agg(json_build_object('nodeId', n.node_id, 'lines', n.lines) ORDER BY n.node_id) FROM (
       SELECT a.node_id, json_agg(json_build_object('lineId', a.line_id, 'sku', a.sku, 'quantity', a.quantity) ORDER BY a.line_id) AS lines
       FROM (SELECT node_id, line_id, sku, sum(quantity)::int AS quantity FROM allocations WHERE order_id = o.order_id AND status = 'open' GROUP BY 1, 2, 3) a GROUP BY 1) n) AS shipments
  FROM orders o
  WHERE o.stage = 'open' AND o.blocked = '{}' AND o.channel = :channel AND o.delivery->>'method' = 'delivery' AND o.delivery->>'nodeId' IS NULL AND coalesce(o.delivery->>'service', '') <> 'own_driver' AND (:orderId::uuid IS NULL OR o.order_id = :orderId::uuid)
    AND EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.order_id AND allocated > 0)
    AND NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.order_id AND quantity <> cancelled + allocated)
    AND NOT EXISTS (SELECT 1 FROM order_lines l JOIN skus s USING (sku) WHERE l.order_id = o.order_id AND (s.hazardous OR s.export_controlled)) -- who may send those is asked order by order
    AND NOT EXISTS (SELECT 1 FROM allocations a WHERE a.order_id = o.order_id AND a.status = 'in_transfer')
    AND NOT EXISTS (SELECT 1 FROM fulfillments f WHERE f.order_id = o.order_id AND f.status NOT IN ('rejected', 'cancelled', 'released'))
    AND NOT EXISTS (SELECT 1 FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id) WHERE f.order_id = o.order_id AND f.status = 'released' AND (l.picked > 0 OR f.assignee IS NOT NULL OR f.wave_id IS NOT NULL))
  ORDER BY o.order_id LIMIT :limit`

export interface SharedShelves {
  nodes: Omit<Candidate, 'available'>[]
  free: Shelf[]
  /** Units that stay on every shelf of the channel. */
  keep: number
  /** Orders a node can still take today; absent where nobody has set a limit. */
  room: Record<string, number>
}

/** What the channel could still take from every node, of these SKUs. */
export async function sharedShelves(db: Db | Transaction, { channel, skus }: { channel: string; skus: readonly string[] }): Promise<SharedShelves> {
  const nodes = await rows<Omit<Candidate, 'available' | 'position' | 'work'> & Position & { left: number | null }>(db, nodesSql, [[...skus]])
  const free = await rows<Shelf>(db, `SELECT sku, node_id AS "nodeId", on_hand - unsellable - reserved - allocated - safety_stock AS units FROM stock_levels WHERE sku = ANY(?) ORDER BY sku, node_id`, [[...skus]])
  const rules = await row<{ keep: number }>(db, 'SELECT greatest(stock_buffer, stock_threshold - 1, 0) AS keep FROM channels WHERE channel_id = ?', [channel])
  return {
    nodes: nodes.map(({ latitude, longitude, left: _, ...node }) => ({ ...node, position: { latitude, longitude } })),
    free,
    keep: rules?.keep ?? 0,
    room: Object.fromEntries(nodes.flatMap(({ nodeId, left }) => (left === null ? [] : [[nodeId, Math.max(0, left)] as const]))),
  }
}

const nodesSql = `
  SELECT n.node_id AS "nodeId", n.type, n.country, n.latitude, n.longitude, n.active, n.methods,
    coalesce((SELECT jsonb_object_agg(l.sku, l.trust) FROM stock_levels l WHERE l.node_id = n.node_id AND l.trust < 1 AND l.sku = ANY(?)), '{}') AS trust,
    (n.capacity->>'ordersPerDay')::int - (SELECT count(*)::int FROM fulfillments f WHERE f.node_id = n.node_id AND f.status NOT IN ('rejected', 'cancelled')
       AND f.released_at >= date_trunc('day', now() AT TIME ZONE n.time_zone) AT TIME ZONE n.time_zone) AS left
  FROM nodes n ORDER BY n.node_id`
