/** What promises are made of, as it is now: nodes with their hours and the work ahead of them, shelves, channels, and parcels that tell how long carriers take. */
import type { ChannelStock, Level } from '../../domain/inventory/level'
import type { Hours, Weekly } from '../../domain/promise/calendar'
import type { CapacitySettings, Load } from '../../domain/promise/capacity'
import type { Weekday } from '../../domain/promise/days'
import type { KitPart } from '../../domain/order/kits'
import type { PastPromise } from '../../domain/promise/calibration'
import type { OrderPromise } from '../../domain/promise/kept'
import type { ChannelFacts } from '../../domain/policy/channel-facts'
import { factColumns } from '../channel-policies'
import { rows, type Db } from '../connection'

export interface PromiseNodeRow {
  nodeId: string
  type: string
  country: string
  postalCode: string
  latitude: number
  longitude: number
  active: boolean
  methods: string[]
  /** Own drivers start from here. */
  ownDrivers: boolean
  handlesHazardous: boolean
  exportsTo: string[]
  timeZone: string
  calendar: Partial<Record<Weekday, Hours>>
  specialDays: Record<string, { hours: Hours[] }>
  cutoffs: Record<string, string>
  pickups: Record<string, Weekly<string[]>>
  leadMinutes: number
  capacity: CapacitySettings
  /** Orders and units that are claimed or held here and not packed yet. */
  waiting: Load
  takenToday: number
}

export const promiseNodes = (db: Db): Promise<PromiseNodeRow[]> => rows(db, nodesSql)

const nodesSql = `
  SELECT n.node_id AS "nodeId", n.type, n.country, coalesce(n.address->>'postalCode', '') AS "postalCode", n.latitude, n.longitude, n.active, n.methods, EXISTS (SELECT 1 FROM drivers d WHERE n.node_id = ANY(d.home_nodes)) AS "ownDrivers", n.handles_hazardous AS "handlesHazardous", n.exports_to AS "exportsTo", n.time_zone AS "timeZone",
    n.calendar, n.special_days AS "specialDays", n.cutoffs, n.pickups, n.lead_minutes AS "leadMinutes", n.capacity,
    json_build_object('orders', coalesce(w.orders, 0), 'units', coalesce(w.units, 0)) AS waiting,
    CASE WHEN n.capacity->>'ordersPerDay' IS NULL THEN 0 ELSE
      (SELECT count(*)::int FROM fulfillments f WHERE f.node_id = n.node_id AND f.status NOT IN ('rejected', 'cancelled')
       AND f.released_at >= date_trunc('day', now() AT TIME ZONE n.time_zone) AT TIME ZONE n.time_zone) END AS "takenToday"
  FROM nodes n LEFT JOIN (
    SELECT node_id, count(DISTINCT claimed_by)::int AS orders, sum(quantity)::int AS units FROM (
      SELECT a.node_id, a.order_id AS claimed_by, a.quantity FROM allocations a LEFT JOIN fulfillments f USING (fulfillment_id)
      WHERE a.status = 'open' AND (f.status IS NULL OR f.status IN ('released', 'picking'))
      UNION ALL
      SELECT l.node_id, r.reservation_id, l.quantity FROM reservations r JOIN reservation_lines l USING (reservation_id) WHERE r.status = 'open' AND r.expires_at > now()) c
    GROUP BY 1) w USING (node_id)
  ORDER BY n.node_id`

export interface Shelf extends Level {
  sku: string
  nodeId: string
  trust: number
}

/** Every level of these SKUs, their weights, what those that are kits are made of, and when more is announced that is not promised yet. */
export const shelvesOf = (db: Db, skus: readonly string[]): Promise<{ sku: string; weightGrams: number; hazardous: boolean; exportControlled: boolean; kit: KitPart[] | null; nextSupplyAt: string | null; shelves: Omit<Shelf, 'sku'>[] }[]> =>
  rows(
    db,
    `SELECT s.sku, s.weight_grams AS "weightGrams", s.hazardous, s.export_controlled AS "exportControlled",
       (SELECT json_agg(json_build_object('sku', k.component, 'quantity', k.quantity) ORDER BY k.position) FROM kit_components k WHERE k.kit = s.sku) AS kit,
       (SELECT min(expected_at) FROM supply a WHERE a.sku = s.sku AND a.quantity > a.promised AND a.expected_at > now()) AS "nextSupplyAt",
       (SELECT coalesce(json_agg(json_build_object('nodeId', l.node_id, 'onHand', l.on_hand, 'unsellable', l.unsellable, 'reserved', l.reserved,
                 'allocated', l.allocated, 'safetyStock', l.safety_stock, 'trust', l.trust)), '[]') FROM stock_levels l WHERE l.sku = s.sku) AS shelves
     FROM skus s WHERE s.sku = ANY(?)`,
    [[...skus]],
  )

export interface ChannelTerms extends ChannelStock, ChannelFacts {}
export const channelTerms = (db: Db): Promise<ChannelTerms[]> =>
  rows(db, `SELECT ${factColumns}, stock_buffer AS "stockBuffer", stock_threshold AS "stockThreshold" FROM channels`)

export interface ParcelSeen {
  carrier: string
  service: string
  fromCountry: string
  fromPostalCode: string
  toCountry: string
  toPostalCode: string
  timeZone: string
  handedOverAt: string
  deliveredAt: string | null
}

/** The newest shipments that were handed over, whether they have arrived or not. */
export const parcelsSeen = (db: Db, limit: number): Promise<ParcelSeen[]> =>
  rows(
    db,
    `SELECT s.carrier, s.service, n.country AS "fromCountry", coalesce(n.address->>'postalCode', '') AS "fromPostalCode", coalesce(o.ship_to->>'country', n.country) AS "toCountry",
       coalesce(o.ship_to->>'postalCode', '') AS "toPostalCode", n.time_zone AS "timeZone", s.handed_over_at AS "handedOverAt", s.delivered_at AS "deliveredAt"
     FROM shipments s JOIN fulfillments f USING (fulfillment_id) JOIN nodes n ON n.node_id = f.node_id JOIN orders o ON o.order_id = s.order_id
     WHERE s.handed_over_at > now() - interval '400 days' ORDER BY s.handed_over_at DESC LIMIT ?`,
    [limit],
  )

export interface WorkSeen {
  nodeId: string
  releasedAt: string
  /** Or put aside at the counter; none: not yet. */
  packedAt: string | null
}

/** The newest work orders, with how long each took until it was packed or at the counter; what was taken away from the node is left out, and what only came from another. */
export const workSeen = (db: Db, limit: number): Promise<WorkSeen[]> =>
  rows(
    db,
    `SELECT node_id AS "nodeId", released_at AS "releasedAt", coalesce(packed_at, ready_at) AS "packedAt" FROM fulfillments f
     WHERE status NOT IN ('rejected', 'cancelled') AND method <> 'carry_out'
       AND NOT EXISTS (SELECT 1 FROM fulfillments t WHERE t.order_id = f.order_id AND t.to_node_id = f.node_id) AND released_at > now() - interval '180 days' ORDER BY released_at DESC LIMIT ?`,
    [limit],
  )

export interface JudgedPromise {
  predicted: NonNullable<OrderPromise['predicted']>
  /** Of the place it was sent from. */
  timeZone: string
  deliveredAt: string | null
}

/** Parts of orders whose promised day has passed, the newest first, with when they were really delivered. */
export const promisesJudged = (db: Db, limit: number): Promise<JudgedPromise[]> =>
  rows(
    db,
    `SELECT coalesce(o.promise->'parts'->f.node_id, o.promise->'predicted') AS predicted, n.time_zone AS "timeZone", s.delivered_at AS "deliveredAt"
     FROM orders o JOIN shipments s USING (order_id) JOIN fulfillments f USING (fulfillment_id) JOIN nodes n ON n.node_id = f.node_id
     WHERE coalesce(o.promise->'parts'->f.node_id, o.promise->'predicted') IS NOT NULL AND o.stage <> 'cancelled' AND o.placed_at BETWEEN now() - interval '120 days' AND now() - interval '21 days'
       AND s.handed_over_at IS NOT NULL ORDER BY o.placed_at DESC LIMIT ?`,
    [limit],
  )

/** What the customer fetches is promised to be at the counter. */
const isFetched = `o.delivery->>'method' IN ('pickup', 'ship_to_store')`

/** A promise is judged by what was told first. */
const firstBy = `coalesce(o.promise->'first'->>'promisedBy', o.promise->>'promisedBy')::timestamptz`

/** Every promise whose time has come, with whether it was kept. */
export const promisesDue = (db: Db, { from, to }: { from: string; to: string }): Promise<PastPromise[]> =>
  rows(
    db,
    `SELECT CASE WHEN ${isFetched} THEN 'store' ELSE coalesce((SELECT s.carrier FROM shipments s WHERE s.order_id = o.order_id ORDER BY s.delivered_at DESC NULLS FIRST LIMIT 1), 'none') END AS carrier,
       coalesce(o.promise->'first'->>'confidence', o.promise->>'confidence')::float8 AS confidence,
       CASE WHEN ${isFetched} THEN coalesce((SELECT max(f.ready_at) FROM fulfillments f WHERE f.order_id = o.order_id AND f.method = 'pickup') <= ${firstBy}, false)
            ELSE o.status IN ('delivered', 'completed') AND coalesce((SELECT max(s.delivered_at) FROM shipments s WHERE s.order_id = o.order_id) <= ${firstBy}, false) END AS kept
     FROM orders o WHERE o.delivery->>'method' <> 'carry_out' AND o.placed_at >= ?::timestamptz AND o.placed_at < ?::timestamptz AND o.stage <> 'cancelled' AND ${firstBy} < now()`,
    [from, to],
  )
