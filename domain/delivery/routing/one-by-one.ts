/** Runs planned one vehicle after the other, each from what the ones before it left: where the planning of all of them together begins, so that it is never worse. */
import { planRuns, type Planning } from './plan-runs'
import type { Plan, RoutingProblem } from './problem'

/** For vehicles with nothing agreed yet. @param planning for each of them */
export function oneByOne(problem: RoutingProblem, planning: () => Planning): Plan {
  let left = problem.stops.map((_, stop) => stop)
  const runs = problem.vehicles.map((vehicle) => {
    const [run = []] = planRuns({ ...problem, vehicles: [vehicle], stops: left.map((stop) => problem.stops[stop]!) }, planning()).runs
    const taken = run.map((i) => left[i]!)
    left = left.filter((stop) => !taken.includes(stop))
    return taken
  })
  return { runs, unserved: left }
}
