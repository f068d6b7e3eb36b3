/** The life of a run, of its stops and of what is to be done at a door; and when it is expected there. */
import type { Position } from './distance'
import { distanceMeters } from './distance'

export const runStatuses = ['planned', 'accepted', 'departed', 'returned', 'cancelled'] as const
export type RunStatus = (typeof runStatuses)[number]

export const runMoves = {
  planned: ['accepted', 'cancelled'],
  accepted: ['departed', 'cancelled'],
  departed: ['returned'],
  // ends
  returned: [],
  cancelled: [],
} as const satisfies Record<RunStatus, readonly RunStatus[]>

export const mayRunBecome = (to: RunStatus): RunStatus[] => runStatuses.filter((from) => (runMoves[from] as readonly RunStatus[]).includes(to))

/** The commands on a run that its status allows, named as the last segment of their path. */
export const runActions: Record<RunStatus, readonly string[]> = {
  planned: ['accept', 'extend', 'cancel'],
  accepted: ['depart', 'extend', 'cancel'],
  departed: ['complete', 'extend', 'return'],
  returned: [],
  cancelled: [],
}

/** What may come to a run that has been planned: parcels only where its driver still loads, goods to be fetched as long as he is out. */
export const takesOn: Record<RunStatus, readonly ('parcels' | 'collections')[]> = {
  planned: ['parcels', 'collections'],
  accepted: ['parcels', 'collections'],
  departed: ['collections'],
  returned: [],
  cancelled: [],
}

/** How a task at a door can end, as the driver says. */
export const taskOutcomes = ['done', 'failed', 'refused', 'wrong_item', 'damaged'] as const
export type TaskOutcome = (typeof taskOutcomes)[number]

/** Is it worth another try on another day? What the customer does not want is brought back for good. */
export const mayTryAgain = (outcome: TaskOutcome | null, attempt: number, attempts: number): boolean => (outcome === null ? true : outcome === 'failed' && attempt < attempts)

/** How fast a driver is, as the policy says. */
export interface Pace {
  roadFactor: number
  speedKmh: number
  stopMinutes: number
}

/** Road distance by the great circle and a factor. */
export const roadMeters = (from: Position, to: Position, { roadFactor }: Pick<Pace, 'roadFactor'>): number => Math.round(distanceMeters(from, to) * roadFactor)

export const driveMs = (meters: number, { speedKmh }: Pick<Pace, 'speedKmh'>): number => Math.round((meters / 1000 / speedKmh) * 3_600_000)

/**
 * When a driver who is at `from` at `at` reaches each of `stops`, in this order, staying `stopMinutes` at each.
 * A stop with a window is waited for; one whose window has passed is reached late.
 */
export function arrivals(stops: readonly (Position & { windowFrom?: number })[], from: Position, at: number, pace: Pace): number[] {
  let place: Position = from
  let time = at
  return stops.map((stop) => {
    time = Math.max(time + driveMs(roadMeters(place, stop, pace), pace), stop.windowFrom ?? 0)
    const arrives = time
    time += pace.stopMinutes * 60_000
    place = stop
    return arrives
  })
}
