/**
 * A run that is on its way gets new work: what was announced stays where it is, and nobody who was promised a time is made later than that promise, or than
 * he would be anyway. Goods that are to be delivered lie in the vehicle already, so that only collections can join a run that has left.
 */
import { planRuns, type Planning } from './plan-runs'
import type { Plan, RoutingProblem } from './problem'
import { timetable } from './timetable'

/**
 * @param problem its vehicles start where and when their drivers are now, with what they have collected so far; stops already visited are not in it.
 * @returns stops that find no place without harm are unserved.
 */
export const replan = (problem: RoutingProblem, planning: Planning): Plan => planRuns(unharmed(problem), planning)

/** With as much grace, and as long a shift, as what is agreed needs by itself. */
function unharmed(problem: RoutingProblem): RoutingProblem {
  const tables = problem.vehicles.map(({ agreed }, vehicle) => timetable(problem, vehicle, agreed))
  const late = new Map(tables.flatMap(({ visits }) => visits.map((visit) => [visit.stop, visit.lateSeconds])))
  return {
    ...problem,
    stops: problem.stops.map((stop, i) => ({ ...stop, graceSeconds: Math.max(stop.graceSeconds, late.get(i) ?? 0) })),
    vehicles: problem.vehicles.map((v, i) => ({ ...v, shift: { ...v.shift, untilSeconds: Math.max(v.shift.untilSeconds, tables[i]!.backSeconds) } })),
  }
}
