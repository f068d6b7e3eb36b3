/** One driver's trip: which of the waiting parcels he takes, and in which order he brings them. */
import type { Position } from './distance'
import { seeded } from '../seeded'
import { faultsOf } from './routing/faults'
import { greatCircleMatrix } from './routing/matrix'
import { forTrials, planRuns } from './routing/plan-runs'
import { noLoad, type RoutingProblem } from './routing/problem'
import { timetable } from './routing/timetable'
import { arrivals, roadMeters, type Pace } from './run'

/** What waits for one door, urgent first. All instants in milliseconds. */
export interface Drop extends Position {
  id: string
  parcels: number
  weightGrams: number
  windowFrom?: number
  windowTo?: number
}
export interface Vehicle {
  maxParcels?: number
  maxWeightGrams?: number
}
export interface TripAsk {
  depot: Position
  drops: readonly Drop[]
  vehicle: Vehicle
  maxStops: number
  departAt: number
  /** By when the driver must be back; absent: any time. */
  backBy?: number
  pace: Pace
}
export interface Trip {
  drops: readonly Drop[]
  /** When each door is reached. */
  arriveAt: readonly number[]
  distanceMeters: number
  /** Against a trip of its own for every door. */
  savedMeters: number
}

/**
 * As many drops as fit, the urgent ones before the others, by the shortest round trip (`routing/`); begun at the end where most customers wait less, as it is as long either way.
 * A drop whose window, or whose driver's shift, could not be kept stays for another trip. Deterministic. @returns undefined when none fits.
 */
export function planTrip(ask: TripAsk): Trip | undefined {
  const drops = ask.drops.slice(0, ask.maxStops)
  const problem = problemOf(ask, drops)
  const [run = []] = planRuns(problem, { random: seeded(1), budget: forTrials(mostTrials) }).runs
  if (run.length === 0) return undefined
  const route = soonest(run, problem).map((i) => drops[i]!)
  const { meters } = timetable(problem, 0, run)
  const apart = route.reduce((sum, drop) => sum + 2 * roadMeters(ask.depot, drop, ask.pace), 0)
  return { drops: route, arriveAt: arrivals(route, ask.depot, ask.departAt, ask.pace), distanceMeters: meters, savedMeters: apart - meters }
}

/** Some hundredths of a second: somebody waits for the answer. Up to a dozen doors it is proven best without. */
const mostTrials = 4_000

/** Seconds count from the departure. */
function problemOf({ depot, vehicle: { maxParcels = unlimited, maxWeightGrams = unlimited }, departAt, backBy, pace }: TripAsk, drops: readonly Drop[]): RoutingProblem {
  const seconds = (at: number): number => Math.floor((at - departAt) / 1_000)
  return {
    matrix: greatCircleMatrix([depot, ...drops], { roadFactor: pace.roadFactor, metersPerSecond: pace.speedKmh / 3.6 }),
    stops: drops.map(({ parcels, weightGrams, windowFrom, windowTo }, i) => ({
      place: i + 1,
      delivers: { ...noLoad, packages: parcels, weightGrams },
      collects: noLoad,
      window: { fromSeconds: windowFrom === undefined ? 0 : Math.max(0, seconds(windowFrom)), untilSeconds: windowTo === undefined ? longestSeconds : seconds(windowTo) },
      graceSeconds: 0,
      serviceSeconds: Math.round(pace.stopMinutes * 60),
      priority: drops.length - i,
    })),
    vehicles: [{ capacity: { packages: maxParcels, weightGrams: maxWeightGrams, volumeMilliliters: unlimited }, shift: { fromSeconds: 0, untilSeconds: backBy === undefined ? longestSeconds : seconds(backBy) }, startPlace: 0, endPlace: 0, aboard: noLoad, agreed: [], underway: 0 }],
    objective: { perMeter: 1, perSecond: 0, perLateSecond: 0, perVehicle: 0 },
  }
}

const unlimited = 1_000_000_000
const longestSeconds = 7 * 86_400

/** The same trip from the other end, where that is possible and most customers wait less. */
function soonest(run: readonly number[], problem: RoutingProblem): readonly number[] {
  const back = [...run].reverse()
  const wait = (way: readonly number[]): number => timetable(problem, 0, way).visits.reduce((sum, visit) => sum + visit.beginSeconds, 0)
  const isPossible = faultsOf(problem, { runs: [back], unserved: problem.stops.flatMap((_, i) => (run.includes(i) ? [] : [i])) }).length === 0
  return isPossible && wait(back) < wait(run) ? back : run
}
