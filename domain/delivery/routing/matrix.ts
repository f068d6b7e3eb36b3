/** Distances and travel times between places, as plain data: any service that knows roads can fill them in; great-circle × road factor is built in. */
import { distanceMeters, type Position } from '../distance'
import type { Pace } from '../run'

/** Row-major: from place `a` to place `b` stands at `a * size + b`. Ways need not be the same in both directions. */
export interface DistanceMatrix {
  size: number
  meters: Float64Array
  seconds: Float64Array
}

export interface Roads {
  /** How much longer the way by road is than the straight line; 1.2 to 1.4 in European towns. */
  roadFactor: number
  metersPerSecond: number
}

export const roadsOf = ({ roadFactor, speedKmh }: Pick<Pace, 'roadFactor' | 'speedKmh'>): Roads => ({ roadFactor, metersPerSecond: speedKmh / 3.6 })

export function greatCircleMatrix(places: readonly Position[], { roadFactor, metersPerSecond }: Roads): DistanceMatrix {
  const size = places.length
  const meters = new Float64Array(size * size)
  for (let a = 0; a < size; a += 1)
    for (let b = a + 1; b < size; b += 1) meters[a * size + b] = meters[b * size + a] = Math.round(roadFactor * distanceMeters(places[a]!, places[b]!))
  return { size, meters, seconds: meters.map((way) => Math.round(way / metersPerSecond)) }
}
