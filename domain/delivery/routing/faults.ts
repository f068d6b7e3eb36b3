/** What is wrong with a plan, each rule by itself and from the plain timetable: no plan is published that has a fault, whoever made it. */
import { dimensions, type Load, type Plan, type RoutingProblem } from './problem'
import { timetable } from './timetable'

export const planFaults = ['lost', 'doubled', 'overloaded', 'too_late', 'after_shift', 'wrong_vehicle', 'agreed_moved', 'underway_disturbed'] as const
export interface PlanFault {
  fault: (typeof planFaults)[number]
  vehicle?: number
  stop?: number
}

/** Times may be off by rounding. */
const tolerance = 1e-6

export function faultsOf(problem: RoutingProblem, plan: Plan): PlanFault[] {
  return [...countFaults(problem, plan), ...problem.vehicles.flatMap((_, vehicle) => runFaults(problem, vehicle, plan.runs[vehicle] ?? []))]
}

/** Each stop is on one run, or unserved, and there once. */
function countFaults({ stops }: RoutingProblem, plan: Plan): PlanFault[] {
  const seen = stops.map(() => 0)
  for (const stop of [...plan.runs.flat(), ...plan.unserved]) seen[stop] = (seen[stop] ?? 0) + 1
  return seen.flatMap((times, stop): PlanFault[] => (times === 1 ? [] : [{ fault: times === 0 ? 'lost' : 'doubled', stop }]))
}

function runFaults(problem: RoutingProblem, vehicle: number, run: readonly number[]): PlanFault[] {
  const { capacity, shift, agreed, underway } = problem.vehicles[vehicle]!
  const { aboard, visits, backSeconds } = timetable(problem, vehicle, run)
  const isAgreed = new Set(agreed)
  const faults: PlanFault[] = []
  if (!fits(aboard, capacity)) faults.push({ fault: 'overloaded', vehicle })
  for (const visit of visits) {
    const { stop } = visit
    const { vehicle: only, graceSeconds } = problem.stops[stop]!
    if (!fits(visit.aboard, capacity)) faults.push({ fault: 'overloaded', vehicle, stop })
    if (visit.lateSeconds > graceSeconds + tolerance) faults.push({ fault: 'too_late', vehicle, stop })
    if (only !== undefined && only !== vehicle) faults.push({ fault: 'wrong_vehicle', vehicle, stop })
  }
  if (run.length > 0 && backSeconds > shift.untilSeconds + tolerance) faults.push({ fault: 'after_shift', vehicle })
  if (!sameOrder(run.filter((stop) => isAgreed.has(stop)), agreed)) faults.push({ fault: 'agreed_moved', vehicle })
  if (!sameOrder(run.slice(0, underway), agreed.slice(0, underway))) faults.push({ fault: 'underway_disturbed', vehicle })
  return faults
}

const fits = (load: Load, capacity: Load): boolean => dimensions.every((dimension) => load[dimension] <= capacity[dimension])
const sameOrder = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((stop, i) => stop === b[i])
