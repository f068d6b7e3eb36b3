/** One driver's trip: which of the waiting parcels he takes, and in which order he brings them. */
import type { Position } from './distance'
import { seeded } from '../seeded'
import { routesOf, waveProblem, type Vehicle } from './plan-wave'
import { greatCircleMatrix, roadsOf } from './routing/matrix'
import { forTrials, planRuns } from './routing/plan-runs'
import type { Pace } from './run'
import { tripAlong, type Drop, type Trip } from './trip'

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

/**
 * As many drops as fit, the urgent ones before the others, by the shortest round trip (`routing/`); begun at the end where most customers wait less, as it is as long either way.
 * A drop whose window, or whose driver's shift, could not be kept stays for another trip. Deterministic. @returns undefined when none fits.
 */
export function planTrip({ vehicle, maxStops, backBy, ...ask }: TripAsk): Trip | undefined {
  const drops = ask.drops.slice(0, maxStops)
  const matrix = greatCircleMatrix([ask.depot, ...drops], roadsOf(ask.pace))
  const problem = waveProblem({ ...ask, matrix, drops, drivers: [{ ...vehicle, ...(backBy !== undefined && { backBy }) }] })
  const [route = []] = routesOf(problem, planRuns(problem, { random: seeded(1), budget: forTrials(mostTrials) }))
  return route.length === 0 ? undefined : tripAlong(route.map((i) => drops[i]!), ask)
}

/** Some hundredths of a second: somebody waits for the answer. Up to a dozen doors it is proven best without. */
const mostTrials = 4_000
