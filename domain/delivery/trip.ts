/** A driver's trip from his depot and back: what he brings, when he is at each door, and what it spares against a trip for every door. */
import type { Position } from './distance'
import { arrivals, roadMeters, type Pace } from './run'

/** What waits for one door, or at it, urgent first. All instants in milliseconds. */
export interface Drop extends Position {
  id: string
  parcels: number
  weightGrams: number
  /** What is taken along from there. */
  fetches?: { parcels: number; weightGrams: number }
  windowFrom?: number
  windowTo?: number
}

export interface Trip {
  drops: readonly Drop[]
  /** When each door is reached. */
  arriveAt: readonly number[]
  distanceMeters: number
  /** Against a trip of its own for every door. */
  savedMeters: number
}

/** The trip along these doors, in this order. */
export function tripAlong(drops: readonly Drop[], { depot, departAt, pace }: { depot: Position; departAt: number; pace: Pace }): Trip {
  const places = [depot, ...drops, depot]
  const distanceMeters = places.slice(1).reduce((sum, place, i) => sum + roadMeters(places[i]!, place, pace), 0)
  const apart = drops.reduce((sum, drop) => sum + 2 * roadMeters(depot, drop, pace), 0)
  return { drops, arriveAt: arrivals(drops, depot, departAt, pace), distanceMeters, savedMeters: apart - distanceMeters }
}
