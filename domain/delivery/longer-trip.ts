/** A driver's trip takes on more, before he leaves or on his way: whoever was told a time keeps it, and his place before or after the others who were. */
import { seeded } from '../seeded'
import type { Position } from './distance'
import { stopFor, type Vehicle } from './plan-wave'
import { greatCircleMatrix, roadsOf } from './routing/matrix'
import { forTrials } from './routing/plan-runs'
import { noLoad, type Load, type RoutingProblem } from './routing/problem'
import { replan } from './routing/underway'
import { driveMs, roadMeters, type Pace } from './run'
import type { Drop } from './trip'

export interface LongerTrip {
  /** The last door he left, or the depot. */
  from: Position
  /** When he left it; absent: he is still at the depot. All instants in milliseconds. */
  leftAt?: number
  depot: Position
  /** Doors that are left, in their order; `windowTo` is what their customers were told. */
  announced: readonly Drop[]
  /** What waits, urgent first. */
  waiting: readonly Drop[]
  /** Taken along from doors behind him, or not wanted there. */
  aboard: { parcels: number; weightGrams: number }
  vehicle: Vehicle
  backBy?: number
  now: number
  pace: Pace
}

/**
 * Doors of `announced` stay in their order; those of `waiting` come in between where nobody is reached after `windowTo`, or later than he would be anyway, the vehicle holds it and the driver is back in time.
 * A driver who is on his way drives on to his next door first. Deterministic. @returns the doors in their new order
 */
export function longerTrip(ask: LongerTrip): Drop[] {
  const drops = [...ask.announced, ...ask.waiting]
  const [run = []] = replan(problemOf(ask, drops), { random: seeded(1), budget: forTrials(mostTrials) }).runs
  return run.map((stop) => drops[stop]!)
}

/** Some hundredths of a second: somebody waits for the answer. */
const mostTrials = 2_000

/** From when his drive to the next door counts: one who should be there already is expected any moment. */
export const leavesAt = ({ from, leftAt, next, now, pace }: Pick<LongerTrip, 'from' | 'leftAt' | 'now' | 'pace'> & { next: Position | undefined }): number =>
  leftAt === undefined ? now : Math.max(leftAt, now - (next ? driveMs(roadMeters(from, next, pace), pace) : 0))

function problemOf(ask: LongerTrip, drops: readonly Drop[]): RoutingProblem {
  const { from, leftAt, depot, announced, aboard, vehicle: { maxParcels = unlimited, maxWeightGrams = unlimited }, backBy, pace } = ask
  const [next] = announced
  const departAt = leavesAt({ ...ask, next })
  return {
    matrix: greatCircleMatrix([from, depot, ...drops], roadsOf(pace)),
    stops: drops.map((drop, i) => ({ ...stopFor(drop, { departAt, pace }), place: i + 2, priority: i < announced.length ? 1 : drops.length - i })),
    vehicles: [
      {
        capacity: { packages: maxParcels, weightGrams: maxWeightGrams, volumeMilliliters: unlimited },
        shift: { fromSeconds: 0, untilSeconds: backBy === undefined ? unlimited : Math.max(0, Math.floor((backBy - departAt) / 1_000)) },
        startPlace: 0, endPlace: 1, aboard: load(aboard),
        agreed: announced.map((_, i) => i), underway: leftAt !== undefined && next ? 1 : 0,
      },
    ],
    objective: { perMeter: 1, perSecond: 0, perLateSecond: 0, perVehicle: 0 },
  }
}

const unlimited = 1_000_000_000
const load = ({ parcels, weightGrams }: { parcels: number; weightGrams: number }): Load => ({ ...noLoad, packages: parcels, weightGrams })
