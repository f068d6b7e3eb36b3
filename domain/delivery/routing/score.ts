/** What a plan is worth: first how much it leaves undone, then what it costs. */
import type { Plan, RoutingProblem } from './problem'
import { timetable } from './timetable'

export interface Score {
  /** Priorities of the stops that are not served. */
  unserved: number
  cost: number
  vehicles: number
  meters: number
  drivingSeconds: number
  lateSeconds: number
}

export function scoreOf(problem: RoutingProblem, plan: Plan): Score {
  const { perMeter, perSecond, perLateSecond, perVehicle } = problem.objective
  const tables = plan.runs.map((run, vehicle) => timetable(problem, vehicle, run))
  const total = (of: (table: (typeof tables)[number]) => number): number => tables.reduce((sum, table) => sum + of(table), 0)
  const [meters, drivingSeconds, lateSeconds] = [total((t) => t.meters), total((t) => t.drivingSeconds), total((t) => t.lateSeconds)]
  const vehicles = plan.runs.filter((run) => run.length > 0).length
  return {
    unserved: plan.unserved.reduce((sum, stop) => sum + problem.stops[stop]!.priority, 0),
    cost: perMeter * meters + perSecond * drivingSeconds + perLateSecond * lateSeconds + perVehicle * vehicles,
    vehicles, meters, drivingSeconds, lateSeconds,
  }
}

/** By more than rounding. */
export const isBetter = (a: Score, b: Score): boolean => (a.unserved === b.unserved ? a.cost < b.cost - 1e-9 * (1 + Math.abs(b.cost)) : a.unserved < b.unserved)
