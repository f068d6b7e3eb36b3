/** A run for one driver as it is written, whoever planned it: the driver is free, its stops are written, and everybody who waits is told when to expect him. */
import type { Position } from '../../domain/delivery/distance'
import { driveMs, roadMeters, type Pace } from '../../domain/delivery/run'
import type { Drop, Trip } from '../../domain/delivery/trip'
import { durationMs } from '../../domain/policy/duration'
import type { LastMilePolicy } from '../../domain/policy/kinds'
import { refuse } from '../../domain/refusals'
import { row, type Db, type Transaction } from '../connection'
import type { WaitingCollection } from '../collections'
import type { WaitingParcel } from '../dispatch'
import { recordEach, type OrderEvent } from '../events'
import { insertRun, report } from '../runs'

export interface RunToWrite {
  nodeId: string
  driverId: string
  /** Local date at the node. */
  date: string
  trip: Trip
  /** How fast he is; absent: as the policy says. */
  pace?: Pace
  /** What is to be done at each drop, locked, by its id. */
  doors: ReadonlyMap<string, Door>
  policy: LastMilePolicy
  actor: string
  /** Milliseconds since 1970. */
  now: number
}

/** @returns its id. */
export async function writeRun(tx: Transaction, { trip, doors, policy, pace = policy, actor, now, ...fields }: RunToWrite): Promise<string> {
  const planned = trip.drops.map((drop, i) => {
    const { orderId, parcels, fetched } = doors.get(drop.id)!
    return { orderId, fulfillmentIds: parcels.map((p) => p.fulfillmentId), returnIds: fetched.map((f) => f.returnId), ...etaWindow(trip.arriveAt[i]!, policy) }
  })
  const departBy = new Date(now + durationMs(policy.departWithin)).toISOString()
  const runId = await insertRun(tx, { ...fields, departBy, trip, pace, doors: planned })
  await recordEach(tx, planned.flatMap((stop, i) => tellings(stop, { runId, stop: i + 1, of: planned.length, actor })))
  await report(tx, runId, 'planned', [])
  return runId
}

export interface DriverAtNode extends Position {
  homeNodes: string[]
  vehicle: { maxParcels?: number; maxWeightGrams?: number }
  date: string
  shiftEnds: string | null
}

const driverSql = `
  SELECT d.home_nodes AS "homeNodes", d.vehicle, n.latitude, n.longitude, (now() AT TIME ZONE n.time_zone)::date::text AS date,
    ((now() AT TIME ZONE n.time_zone)::date + (d.shift->>'to')::time) AT TIME ZONE n.time_zone AS "shiftEnds"
  FROM drivers d JOIN nodes n ON n.node_id = ? WHERE driver_id = ?`

/** The driver with the place he starts from. */
export const readDriver = (db: Db, { nodeId, driverId }: { nodeId: string; driverId: string }): Promise<DriverAtNode | undefined> => row(db, driverSql, [nodeId, driverId])

/** The same, locked. @throws `driver.not_found`, `run.driver_elsewhere`, `run.driver_busy` */
export async function lockFreeDriver(tx: Transaction, { nodeId, driverId }: { nodeId: string; driverId: string }): Promise<DriverAtNode> {
  const driver = await row<DriverAtNode>(tx, `${driverSql} FOR NO KEY UPDATE OF d`, [nodeId, driverId])
  if (!driver) throw refuse('driver.not_found')
  if (!driver.homeNodes.includes(nodeId)) throw refuse('run.driver_elsewhere', { homeNodes: driver.homeNodes })
  const busy = await row<{ runId: string }>(tx, `SELECT run_id AS "runId" FROM delivery_runs WHERE driver_id = ? AND status IN ('planned', 'accepted', 'departed')`, [driverId])
  if (busy) throw refuse('run.driver_busy', busy)
  return driver
}

/** One ring: what is brought there, and what is fetched. */
export interface Door extends Position {
  orderId: string
  parcels: WaitingParcel[]
  fetched: WaitingCollection[]
}

export const doorId = ({ orderId, latitude, longitude }: Position & { orderId: string }): string => JSON.stringify([orderId, latitude, longitude])

/** Everything of one order for one place is one ring at the door. */
export function groupedByDoor(waiting: readonly WaitingParcel[], fetching: readonly WaitingCollection[] = []): Map<string, Door> {
  const doors = new Map<string, Door>()
  const doorOf = ({ orderId, latitude, longitude }: Position & { orderId: string }): Door => {
    const id = doorId({ orderId, latitude, longitude })
    const door = doors.get(id) ?? { orderId, latitude, longitude, parcels: [], fetched: [] }
    doors.set(id, door)
    return door
  }
  for (const parcel of waiting) doorOf(parcel).parcels.push(parcel)
  for (const collection of fetching) doorOf(collection).fetched.push(collection)
  return doors
}

/** A promise that cannot be kept any more is no reason to leave the parcel behind. */
export function dropOf(id: string, { parcels, fetched, latitude, longitude }: Door, depot: Position, now: number, policy: LastMilePolicy): Drop {
  const { windowFrom = null, windowTo = null } = parcels[0] ?? {}
  const soonest = now + driveMs(roadMeters(depot, { latitude, longitude }, policy), policy)
  return {
    id, latitude, longitude,
    parcels: parcels.reduce((sum, p) => sum + p.parcels, 0),
    weightGrams: parcels.reduce((sum, p) => sum + p.weightGrams, 0),
    ...(fetched.length > 0 && { fetches: { parcels: fetched.length, weightGrams: fetched.reduce((sum, f) => sum + f.weightGrams, 0) } }),
    ...(windowFrom !== null && { windowFrom: Date.parse(windowFrom) }),
    ...(windowTo !== null && Date.parse(windowTo) >= soonest && { windowTo: Date.parse(windowTo) }),
  }
}

const fiveMinutesMs = 300_000

/** What a customer is told: from the full five minutes before, as wide as the policy says. */
export function etaWindow(arriveAt: number, { etaWindow: width }: Pick<LastMilePolicy, 'etaWindow'>): { etaFrom: string; etaTo: string } {
  const from = Math.floor(arriveAt / fiveMinutesMs) * fiveMinutesMs
  return { etaFrom: new Date(from).toISOString(), etaTo: new Date(from + durationMs(width)).toISOString() }
}

export interface PlannedStop {
  orderId: string
  fulfillmentIds: readonly string[]
  etaFrom: string
  etaTo: string
}

export const tellings = ({ orderId, fulfillmentIds, etaFrom, etaTo }: PlannedStop, { actor, ...where }: { runId: string; stop: number; of: number; actor: string }): (OrderEvent & { orderId: string })[] =>
  fulfillmentIds.map((fulfillmentId) => ({ orderId, type: 'shipment.planned', actor, data: { fulfillmentId, ...where, etaFrom, etaTo } }))
