/**
 * A wave for all free drivers of a node at once: read without a lock, planned outside any transaction, then written driver by driver in a short one each.
 * Whatever happened meanwhile wins: a parcel that was taken or cancelled is left out, a driver who is not as he was is passed over, and what he would have brought waits on.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Position } from '../../domain/delivery/distance'
import { paceOf, tripOf, waveProblem, type WaveDriver } from '../../domain/delivery/plan-wave'
import type { DistanceMatrix } from '../../domain/delivery/routing/matrix'
import type { RoutingProblem } from '../../domain/delivery/routing/problem'
import type { LastMilePolicy } from '../../domain/policy/kinds'
import type { Drop } from '../../domain/delivery/trip'
import { Refusal } from '../../domain/refusals'
import { readFetching, takePlannedFetching } from '../collections'
import type { Db, Transaction } from '../connection'
import { readWaiting, takePlanned } from '../dispatch'
import { activePolicies } from '../policies'
import { freeDrivers } from '../views/runs'
import { dropOf, groupedByDoor, lockFreeDriver, readDriver, writeRun, type Door, type DriverAtNode } from './write-run'

export interface Wave {
  nodeId: string
  depot: Position
  pace: LastMilePolicy
  /** Milliseconds since 1970. */
  departAt: number
  drops: readonly (Drop & { fulfillmentIds: readonly string[]; returnIds: readonly string[] })[]
  drivers: readonly (DriverAtNode & { driverId: string })[]
}

/** More than a driver brings in a day, and more than a node sends at once. */
const mostParcels = { perDriver: 200, perWave: 1_000 }

/** @returns undefined when nothing waits or nobody is free. */
export async function readWave(db: Db, nodeId: string, now: number): Promise<Wave | undefined> {
  const drivers: Wave['drivers'][number][] = []
  for (const driverId of await freeDrivers(db, nodeId)) {
    const driver = await readDriver(db, { nodeId, driverId })
    if (driver) drivers.push({ driverId, ...driver })
  }
  const [depot] = drivers
  const most = Math.min(mostParcels.perWave, drivers.length * mostParcels.perDriver)
  const doors = depot ? groupedByDoor(await readWaiting(db, nodeId, most), await readFetching(db, nodeId, most)) : new Map<string, Door>()
  if (!depot || doors.size === 0) return undefined
  const pace = (await activePolicies(db)).documents.last_mile
  const drops = [...doors].map(([id, door]) => ({ ...dropOf(id, door, depot, now, pace), fulfillmentIds: door.parcels.map((p) => p.fulfillmentId), returnIds: door.fetched.map((f) => f.returnId) }))
  return { nodeId, depot: { latitude: depot.latitude, longitude: depot.longitude }, pace, departAt: now, drops, drivers }
}

/** A stop for each drop and a vehicle for each driver, in their order. @param matrix between the depot, which comes first, and the drops */
export const problemOf = ({ drops, drivers, departAt, pace }: Wave, matrix: DistanceMatrix): RoutingProblem => waveProblem({ matrix, drops, drivers: drivers.map(vehicleOf), departAt, pace })

const vehicleOf = ({ vehicle: { maxParcels, maxWeightGrams }, shiftEnds }: DriverAtNode): WaveDriver => ({ maxParcels, maxWeightGrams, ...(shiftEnds !== null && { backBy: Date.parse(shiftEnds) }) })

/** The run of one driver of the wave along `route`, without what does not wait any more. @returns undefined when he is passed over. */
export async function writeWaveRun(tx: Transaction, wave: Wave, { problem, vehicle, route, actor, now }: { problem: RoutingProblem; vehicle: number; route: readonly number[]; actor: string; now: number }): Promise<string | undefined> {
  const { driverId, ...asPlanned } = wave.drivers[vehicle]!
  const { nodeId } = wave
  const driver = await stillFree(tx, nodeId, driverId)
  if (!driver || !isDeepStrictEqual(driver, asPlanned)) return undefined
  const planned = route.map((stop) => wave.drops[stop]!)
  const doors = groupedByDoor(await takePlanned(tx, nodeId, planned.flatMap((drop) => drop.fulfillmentIds)), await takePlannedFetching(tx, nodeId, planned.flatMap((drop) => drop.returnIds)))
  const still = { vehicle, route: route.filter((stop) => doors.has(wave.drops[stop]!.id)), depot: wave.depot, drops: wave.drops, departAt: now, pace: wave.pace }
  if (still.route.length === 0) return undefined
  return writeRun(tx, { nodeId, driverId, date: driver.date, trip: tripOf(problem, still), pace: paceOf(problem, still), doors, policy: wave.pace, actor, now })
}

async function stillFree(tx: Transaction, nodeId: string, driverId: string): Promise<DriverAtNode | undefined> {
  try {
    return await lockFreeDriver(tx, { nodeId, driverId })
  } catch (cause) {
    if (cause instanceof Refusal) return undefined
    throw cause
  }
}
