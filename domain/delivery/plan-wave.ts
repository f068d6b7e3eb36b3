/** What waits at a node and the drivers who could bring it, as one question to the routing engine; and its plan as one route per driver. */
import { distanceMeters, type Position } from './distance'
import { faultsOf } from './routing/faults'
import type { DistanceMatrix } from './routing/matrix'
import { noLoad, type Plan, type RoutingProblem, type Stop } from './routing/problem'
import { timetable } from './routing/timetable'
import type { Pace } from './run'
import type { Drop, Trip } from './trip'

export interface Vehicle {
  maxParcels?: number
  maxWeightGrams?: number
}
export interface WaveDriver extends Vehicle {
  /** By when he must be back; absent: any time. */
  backBy?: number
}
export interface WaveAsk {
  /** Between the depot, which comes first, and the drops, in their order. */
  matrix: DistanceMatrix
  drops: readonly Drop[]
  drivers: readonly WaveDriver[]
  departAt: number
  pace: Pace
}

/** One stop per drop and one vehicle per driver, in the order given; seconds count from the departure. */
export function waveProblem({ matrix, drops, drivers, departAt, pace }: WaveAsk): RoutingProblem {
  return {
    matrix,
    stops: drops.map((drop, i) => ({ ...stopFor(drop, { departAt, pace }), place: i + 1, priority: drops.length - i })),
    vehicles: drivers.map(({ maxParcels = unlimited, maxWeightGrams = unlimited, backBy }) => ({
      capacity: { packages: maxParcels, weightGrams: maxWeightGrams, volumeMilliliters: unlimited },
      shift: { fromSeconds: 0, untilSeconds: backBy === undefined ? longestSeconds : secondsFrom(departAt, backBy) },
      startPlace: 0, endPlace: 0, aboard: noLoad, agreed: [], underway: 0,
    })),
    objective: { perMeter: 1, perSecond: 0, perLateSecond: 0, perVehicle: 0 },
  }
}

/** A door as the routing engine sees it; seconds count from `departAt`. */
export const stopFor = ({ parcels, weightGrams, fetches, windowFrom, windowTo }: Drop, { departAt, pace }: { departAt: number; pace: Pace }): Omit<Stop, 'place' | 'priority'> => ({
  delivers: { ...noLoad, packages: parcels, weightGrams },
  collects: fetches ? { ...noLoad, packages: fetches.parcels, weightGrams: fetches.weightGrams } : noLoad,
  window: { fromSeconds: windowFrom === undefined ? 0 : Math.max(0, secondsFrom(departAt, windowFrom)), untilSeconds: windowTo === undefined ? longestSeconds : secondsFrom(departAt, windowTo) },
  graceSeconds: 0,
  serviceSeconds: Math.round(pace.stopMinutes * 60),
})

const secondsFrom = (from: number, at: number): number => Math.floor((at - from) / 1_000)
const unlimited = 1_000_000_000
const longestSeconds = 7 * 86_400

/** One route per driver, empty for one who stays; each begun at the end where most customers wait less, where it is as long and possible either way. */
export const routesOf = (problem: RoutingProblem, plan: Plan): (readonly number[])[] => plan.runs.map((run, vehicle) => soonest(problem, vehicle, run))

function soonest(problem: RoutingProblem, vehicle: number, run: readonly number[]): readonly number[] {
  const back = [...run].reverse()
  const wait = (way: readonly number[]): number => timetable(problem, vehicle, way).visits.reduce((sum, visit) => sum + visit.beginSeconds, 0)
  const alone = { runs: problem.vehicles.map((_, i) => (i === vehicle ? back : [])), unserved: problem.stops.flatMap((_, i) => (run.includes(i) ? [] : [i])) }
  return faultsOf(problem, alone).length === 0 && wait(back) < wait(run) ? back : run
}

/** The trip of one driver along `route`, by the ways of the problem. */
export function tripOf(problem: RoutingProblem, { vehicle, route, drops, departAt }: { vehicle: number; route: readonly number[]; drops: readonly Drop[]; departAt: number }): Trip {
  const { matrix, stops } = problem
  const { visits, meters } = timetable(problem, vehicle, route)
  const apart = route.reduce((sum, stop) => sum + matrix.meters[stops[stop]!.place]! + matrix.meters[stops[stop]!.place * matrix.size]!, 0)
  return { drops: route.map((stop) => drops[stop]!), arriveAt: visits.map((visit) => departAt + 1_000 * visit.beginSeconds), distanceMeters: meters, savedMeters: apart - meters }
}

/** How fast a driver is along `route` by the ways of the problem: what the straight line and these two say together of it. */
export function paceOf(problem: RoutingProblem, { vehicle, route, depot, drops, pace }: { vehicle: number; route: readonly number[]; depot: Position; drops: readonly Drop[]; pace: Pace }): Pace {
  const { meters, drivingSeconds } = timetable(problem, vehicle, route)
  const places = [depot, ...route.map((stop) => drops[stop]!), depot]
  const byAir = places.slice(1).reduce((sum, place, i) => sum + distanceMeters(places[i]!, place), 0)
  return byAir > 0 && drivingSeconds > 0 && meters > 0 ? { ...pace, roadFactor: meters / byAir, speedKmh: (meters / drivingSeconds) * 3.6 } : pace
}

const leastMs = 200
const perDropMs = 7
const mostMs = 1_000

/** For how long the plan of a wave is searched, in milliseconds: a customer's window is not won by waiting for the last meter. */
export const planningMs = (drops: number): number => Math.min(mostMs, leastMs + perDropMs * drops)
