/** A run for one driver from what waits at a node, planned while somebody waits for it; a wave for several drivers is planned in `plan-wave.ts`. */
import { planTrip } from '../../domain/delivery/plan-trip'
import { refuse } from '../../domain/refusals'
import { takeFetching } from '../collections'
import type { Transaction } from '../connection'
import { takeWaiting } from '../dispatch'
import { activePolicies } from '../policies'
import { dropOf, groupedByDoor, lockFreeDriver, writeRun } from './write-run'

export interface PlanRunAsk {
  nodeId: string
  driverId: string
  maxStops?: number
  actor: string
  /** Milliseconds since 1970. */
  now: number
}

/** More than a driver brings in a day. */
const mostDrops = 200

/** A person may send a driver beyond his shift. @returns the run's id. @throws `driver.not_found`, `run.driver_elsewhere`, `run.driver_busy`, `run.nothing_waits` */
export async function planRun(tx: Transaction, { nodeId, driverId, maxStops, actor, now }: PlanRunAsk): Promise<string> {
  const driver = await lockFreeDriver(tx, { nodeId, driverId })
  const policy = (await activePolicies(tx)).documents.last_mile
  const waiting = await takeWaiting(tx, nodeId, mostDrops)
  const doors = groupedByDoor(waiting, await takeFetching(tx, nodeId, mostDrops))
  const drops = [...doors].map(([id, door]) => dropOf(id, door, driver, now, policy))
  const { maxParcels, maxWeightGrams } = driver.vehicle
  const trip = planTrip({ depot: driver, drops, vehicle: { maxParcels, maxWeightGrams }, maxStops: maxStops ?? mostDrops, departAt: now, pace: policy })
  if (!trip) throw refuse('run.nothing_waits', { waiting: waiting.length })
  return writeRun(tx, { nodeId, driverId, date: driver.date, trip, doors, policy, actor, now })
}
