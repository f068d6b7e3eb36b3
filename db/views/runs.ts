/** Reads the last mile: what waits for drivers, runs with their stops, and what a customer may see of hers. */
import { runActions, type RunStatus } from '../../domain/delivery/run'
import type { RunStart } from '../../domain/delivery/run-messages'
import { durationMs } from '../../domain/policy/duration'
import { row, rows, type Db, type Transaction } from '../connection'
import { activePolicies } from '../policies'
import { Conditions, iso, list } from './sql'

export interface RunView {
  runId: string
  nodeId: string
  driverId: string
  date: string
  number: number
  status: RunStatus
  stops: StopView[]
  distanceMeters: number
  savedMeters: number
  plannedAt: string
  departBy: string
  acceptedAt: string | null
  departedAt: string | null
  returnedAt: string | null
  allowedActions: readonly string[]
}
export interface StopView {
  stopId: string
  sequence: number
  orderId: string
  channelOrderId: string
  latitude: number
  longitude: number
  /** Where to ring: for whoever brings it. */
  address: Record<string, unknown> | null
  tasks: TaskView[]
  etaFrom: string | null
  etaTo: string | null
  status: string
  completedAt: string | null
}
export interface TaskView {
  taskId: string
  type: 'deliver' | 'collect'
  fulfillmentId: string | null
  /** Of what is collected. */
  returnId: string | null
  goods: { sku: string; name: string; quantity: number }[]
  trackingNumbers: string[]
  outcome: string | null
  reason: string | null
}

/** What the driver carries to the door, or takes along from it. */
const goodsJson = `(SELECT coalesce(json_agg(json_build_object('sku', l.sku, 'name', k.name, 'quantity', g.quantity) ORDER BY l.position), '[]')
    FROM (SELECT line_id, quantity FROM fulfillment_lines WHERE fulfillment_id = t.fulfillment_id UNION ALL SELECT line_id, quantity FROM return_lines WHERE return_id = t.return_id) g
    JOIN order_lines l ON l.order_id = t.order_id AND l.line_id = g.line_id JOIN skus k USING (sku))`
const tasksJson = list(
  `json_build_object('taskId', t.task_id, 'type', t.type, 'fulfillmentId', t.fulfillment_id, 'returnId', t.return_id, 'goods', ${goodsJson}, 'outcome', t.outcome, 'reason', t.reason,
     'trackingNumbers', (SELECT coalesce(json_agg(p.tracking_number ORDER BY p.number), '[]') FROM packages p WHERE p.fulfillment_id = t.fulfillment_id))`,
  'stop_tasks t WHERE t.stop_id = s.stop_id',
  't.task_id',
)
const stopsJson = list(
  `json_build_object('stopId', s.stop_id, 'sequence', s.sequence, 'orderId', s.order_id, 'channelOrderId', o.channel_order_id, 'latitude', s.latitude, 'longitude', s.longitude, 'address', o.ship_to,
     'tasks', ${tasksJson}, 'etaFrom', ${iso('s.eta_from')}, 'etaTo', ${iso('s.eta_to')}, 'status', s.status, 'completedAt', ${iso('s.completed_at')})`,
  'stops s JOIN orders o USING (order_id) WHERE s.run_id = r.run_id',
  's.sequence',
)
const columns = `r.run_id AS "runId", r.node_id AS "nodeId", r.driver_id AS "driverId", r.date::text AS date, r.number, r.status, ${stopsJson} AS stops, r.distance_meters AS "distanceMeters",
  r.saved_meters AS "savedMeters", r.planned_at AS "plannedAt", r.depart_by AS "departBy", r.accepted_at AS "acceptedAt", r.departed_at AS "departedAt", r.returned_at AS "returnedAt"`

type Found = Omit<RunView, 'allowedActions'>
const withActions = (found: Found): RunView => ({ ...found, allowedActions: runActions[found.status] })

export async function runView(db: Db | Transaction, runId: string): Promise<RunView | undefined> {
  const found = await row<Found>(db, `SELECT ${columns} FROM delivery_runs r WHERE r.run_id = ?`, [runId])
  return found && withActions(found)
}

export interface RunFilter {
  nodeId?: string
  driverId?: string
  status?: string
  /** Only these nodes; null: all. */
  nodes: readonly string[] | null
  after?: string
  limit: number
}

/** Newest first. */
export async function runList(db: Db, filter: RunFilter): Promise<RunView[]> {
  const where = new Conditions()
    .when(filter.nodeId, 'r.node_id = ?')
    .when(filter.driverId, 'r.driver_id = ?')
    .when(filter.status, 'r.status = ?')
    .when(filter.nodes && [...filter.nodes], 'r.node_id = ANY(?)')
    .when(filter.after, 'r.run_id < ?')
  const found = await rows<Found>(db, `SELECT ${columns} FROM delivery_runs r ${where.where} ORDER BY r.run_id DESC LIMIT ?`, [...where.bindings, filter.limit])
  return found.map(withActions)
}

export interface DispatchItem {
  /** What is brought; null where something is fetched. */
  fulfillmentId: string | null
  returnId: string | null
  orderId: string
  status: string
  attempt: number
  parcels: number
  weightGrams: number
  latitude: number | null
  longitude: number | null
  dueAt: string | null
  notBefore: string
  queuedAt: string
}

/** What waits at a node for its drivers, the most urgent first; what is parked for want of a position last. */
export const dispatchOf = (db: Db, nodeId: string, limit: number): Promise<DispatchItem[]> =>
  rows(
    db,
    `SELECT fulfillment_id AS "fulfillmentId", NULL AS "returnId", order_id AS "orderId", status, attempt, parcels, weight_grams AS "weightGrams", latitude, longitude, window_to AS "dueAt", not_before AS "notBefore", queued_at AS "queuedAt"
     FROM dispatch_queue WHERE node_id = :nodeId AND status IN ('waiting', 'parked')
     UNION ALL SELECT NULL, return_id, order_id, status, attempt, 1, weight_grams, latitude, longitude, NULL, not_before, queued_at FROM collections WHERE node_id = :nodeId AND status = 'waiting'
     ORDER BY status DESC, "dueAt" NULLS LAST, "queuedAt" LIMIT :limit`,
    { nodeId, limit },
  )

/** Drivers of a node who are on their shift and have no run. */
export const freeDrivers = async (db: Db, nodeId: string): Promise<string[]> =>
  (
    await rows<{ driverId: string }>(
      db,
      `SELECT driver_id AS "driverId" FROM drivers d JOIN nodes n ON n.node_id = ?
       WHERE n.node_id = ANY(d.home_nodes) AND (now() AT TIME ZONE n.time_zone)::time BETWEEN coalesce((shift->>'from')::time, '00:00') AND coalesce((shift->>'to')::time, '24:00')
         AND NOT EXISTS (SELECT 1 FROM delivery_runs r WHERE r.driver_id = d.driver_id AND r.status IN ('planned', 'accepted', 'departed')) ORDER BY driver_id`,
      [nodeId],
    )
  ).map((d) => d.driverId)

/** The arguments of a run's workflow, whoever starts it and when. */
export async function runStart(db: Db, runId: string): Promise<RunStart & { date: string; number: number }> {
  const found = await row<Omit<RunStart, 'returnWithin'> & { date: string; number: number }>(
    db,
    `SELECT run_id AS "runId", node_id AS "nodeId", driver_id AS "driverId", date::text AS date, number, depart_by AS "departBy",
       (SELECT count(*)::int FROM stops s WHERE s.run_id = r.run_id) AS stops FROM delivery_runs r WHERE run_id = ?`,
    [runId],
  )
  const { last_mile } = (await activePolicies(db)).documents
  // The driver is heard of at every door: the longest silence is from the last one home.
  return { ...found!, returnWithin: `PT${(durationMs(last_mile.returnWithin) / 1000).toFixed(3)}S` }
}

export interface TrackingView {
  channelOrderId: string
  firstName: string | null
  driver: string
  status: 'planned' | 'on_the_way' | 'done' | 'not_done'
  /** What is done at the door: something is brought, and something taken along. What stayed behind counts only where nobody comes at all. */
  delivers: boolean
  collects: boolean
  /** It was taken along. */
  collected: boolean
  stop: number
  of: number
  /** Doors before this one. */
  before: number
  etaFrom: string | null
  etaTo: string | null
  completedAt: string | null
  /** Where the door is, IANA name. */
  timeZone: string
  depot: { latitude: number; longitude: number }
  door: { latitude: number; longitude: number }
  /** The last door the driver has left; absent before the first. */
  driverAt: { latitude: number; longitude: number } | null
  /** Changes whenever there is something new to see. */
  version: string
}

/** What the customer sees of her delivery: no address, no name beyond the first, nothing of the other doors but how many they are. */
export const trackingView = (db: Db, token: string): Promise<TrackingView | undefined> => row(db, trackingSql, { token })

const trackingSql = `
  SELECT o.channel_order_id AS "channelOrderId", split_part(coalesce(o.ship_to->>'name', o.customer->>'name', ''), ' ', 1) AS "firstName", split_part(d.name, ' ', 1) AS driver,
    CASE WHEN s.status = 'pending' THEN CASE r.status WHEN 'departed' THEN 'on_the_way' ELSE 'planned' END
         WHEN EXISTS (SELECT 1 FROM stop_tasks t WHERE t.stop_id = s.stop_id AND t.outcome = 'done' AND t.type = tasks.main) THEN 'done' ELSE 'not_done' END AS status,
    tasks.delivers, tasks.collects, tasks.collected, n.time_zone AS "timeZone",
    (SELECT count(*)::int FROM stops a WHERE a.run_id = r.run_id AND a.status <> 'dropped' AND a.sequence <= s.sequence) AS stop, (SELECT count(*)::int FROM stops a WHERE a.run_id = r.run_id AND a.status <> 'dropped') AS of,
    (SELECT count(*)::int FROM stops b WHERE b.run_id = r.run_id AND b.status = 'pending' AND b.sequence < s.sequence) AS before,
    s.eta_from AS "etaFrom", s.eta_to AS "etaTo", s.completed_at AS "completedAt",
    json_build_object('latitude', n.latitude, 'longitude', n.longitude) AS depot, json_build_object('latitude', s.latitude, 'longitude', s.longitude) AS door,
    (SELECT json_build_object('latitude', l.latitude, 'longitude', l.longitude) FROM stops l WHERE l.run_id = r.run_id AND l.status = 'completed' ORDER BY l.completed_at DESC LIMIT 1) AS "driverAt",
    md5(concat_ws('|', s.status, r.status, tasks.collects, s.eta_from, s.eta_to, (SELECT count(*) FROM stops b WHERE b.run_id = r.run_id AND b.status = 'pending' AND b.sequence < s.sequence))) AS version
  FROM stops s JOIN delivery_runs r USING (run_id) JOIN nodes n USING (node_id) JOIN drivers d USING (driver_id) JOIN orders o ON o.order_id = s.order_id
    CROSS JOIN LATERAL (SELECT bool_or(type = 'deliver') AS delivers, bool_or(type = 'collect') AS collects, coalesce(bool_or(type = 'collect' AND outcome IN ('done', 'damaged')), false) AS collected, max(type) AS main FROM stop_tasks t
      WHERE t.stop_id = s.stop_id AND (s.status = 'dropped' OR t.outcome IS DISTINCT FROM 'dropped')) tasks
  WHERE s.token = :token`
