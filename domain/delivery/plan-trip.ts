/** One driver's trip: which of the waiting parcels he takes, and in which order he brings them. */
import type { Position } from './distance'
import { arrivals, driveMs, roadMeters, type Pace } from './run'

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
 * The most urgent drops that fit, each inserted where it costs least, then improved by moving and reversing until nothing helps.
 * A drop whose window or whose driver's shift could not be kept stays for another trip. @returns undefined when none fits.
 */
export function planTrip(ask: TripAsk): Trip | undefined {
  let route: Drop[] = []
  for (const drop of ask.drops) {
    if (route.length >= ask.maxStops || !fits([...route, drop], ask.vehicle)) continue
    route = cheapestInsertion(route, drop, ask) ?? route
  }
  if (route.length === 0) return undefined
  route = soonest(improved(route, ask), ask)
  const meters = lengthOf(route, ask)
  const apart = route.reduce((sum, drop) => sum + 2 * roadMeters(ask.depot, drop, ask.pace), 0)
  return { drops: route, arriveAt: arrivals(route, ask.depot, ask.departAt, ask.pace), distanceMeters: meters, savedMeters: apart - meters }
}

/** A round trip is as long either way: it begins where most customers wait less. */
function soonest(route: Drop[], ask: TripAsk): Drop[] {
  const back = [...route].reverse()
  const wait = (r: Drop[]): number => arrivals(r, ask.depot, ask.departAt, ask.pace).reduce((sum, at) => sum + at, 0)
  return isOnTime(back, ask) && lengthOf(back, ask) <= lengthOf(route, ask) && wait(back) < wait(route) ? back : route
}

const fits = (drops: readonly Drop[], { maxParcels = Infinity, maxWeightGrams = Infinity }: Vehicle): boolean =>
  drops.reduce((sum, d) => sum + d.parcels, 0) <= maxParcels && drops.reduce((sum, d) => sum + d.weightGrams, 0) <= maxWeightGrams

function lengthOf(route: readonly Drop[], { depot, pace }: TripAsk): number {
  const places: Position[] = [depot, ...route, depot]
  return places.slice(1).reduce((sum, place, i) => sum + roadMeters(places[i]!, place, pace), 0)
}

/** Every window is kept, and the driver is back in time. */
function isOnTime(route: readonly Drop[], { depot, departAt, backBy = Infinity, pace }: TripAsk): boolean {
  const at = arrivals(route, depot, departAt, pace)
  const last = route.at(-1)
  if (route.some((drop, i) => at[i]! > (drop.windowTo ?? Infinity))) return false
  return !last || at.at(-1)! + pace.stopMinutes * 60_000 + driveMs(roadMeters(last, depot, pace), pace) <= backBy
}

function cheapestInsertion(route: readonly Drop[], drop: Drop, ask: TripAsk): Drop[] | undefined {
  const options = Array.from({ length: route.length + 1 }, (_, i) => [...route.slice(0, i), drop, ...route.slice(i)]).filter((r) => isOnTime(r, ask))
  return shortest(options, ask)
}

/** Moves of one to three neighbours and reversals, the best first, until none is shorter. */
function improved(route: Drop[], ask: TripAsk): Drop[] {
  for (let best = route, length = lengthOf(route, ask); ; ) {
    const better = shortest([...neighbours(best)].filter((r) => lengthOf(r, ask) < length && isOnTime(r, ask)), ask)
    if (!better) return best
    best = better
    length = lengthOf(better, ask)
  }
}

function* neighbours(route: readonly Drop[]): Generator<Drop[]> {
  for (let i = 0; i < route.length; i += 1) {
    for (let j = i + 1; j < route.length; j += 1) yield [...route.slice(0, i), ...route.slice(i, j + 1).reverse(), ...route.slice(j + 1)]
    for (let size = 1; size <= 3 && i + size <= route.length; size += 1) {
      const rest = [...route.slice(0, i), ...route.slice(i + size)]
      for (let at = 0; at <= rest.length; at += 1) if (at !== i) yield [...rest.slice(0, at), ...route.slice(i, i + size), ...rest.slice(at)]
    }
  }
}

function shortest(routes: readonly Drop[][], ask: TripAsk): Drop[] | undefined {
  let best: { route: Drop[]; length: number } | undefined
  for (const route of routes) {
    const length = lengthOf(route, ask)
    if (!best || length < best.length) best = { route, length }
  }
  return best?.route
}
