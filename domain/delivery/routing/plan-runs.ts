/** Plans the runs of a node's own drivers: exactly where it is small, else by searching for as long as it may; never worse than the plan it is given. */
import { exactRun, exactStops } from './exact'
import { faultsOf } from './faults'
import { modelOf, type Model } from './model'
import type { Plan, RoutingProblem } from './problem'
import { isBetter, scoreOf } from './score'
import { search, type Budget, type SearchSettings } from './search'
import { totalCost, toursOf } from './tours'

export interface Planning {
  /** Uniform in [0, 1). */
  random: () => number
  budget: Budget
  /** The plan to be improved; runs in it that break a rule are made anew. */
  from?: Plan
  settings?: SearchSettings
}

export function planRuns(problem: RoutingProblem, planning: Planning): Plan {
  const given = sound(problem, planning.from ?? nothingPlanned(problem))
  if (problem.stops.length === 0 || problem.vehicles.length === 0) return given
  const model = modelOf(problem)
  const isSmall = problem.vehicles.length === 1 && problem.stops.length <= exactStops
  const searched = search(model, given, planning.random, isSmall ? forTrials(trialsBeforeProof) : planning.budget, planning.settings)
  const found = (isSmall && exactPlan(problem, model, searched)) || searched
  return isBetter(scoreOf(problem, found), scoreOf(problem, given)) ? found : given
}

const trialsBeforeProof = 320

/** A search that ends after so many trials. */
export const forTrials = (most: number): Budget => (trials) => trials / most

/** A search that ends when `now` has gone on by so much. */
export function forMilliseconds(most: number, now: () => number): Budget {
  const startedAt = now()
  return () => (now() - startedAt) / most
}

/** What was agreed, and nothing else. */
export function nothingPlanned({ stops, vehicles }: RoutingProblem): Plan {
  const agreed = new Set(vehicles.flatMap((v) => v.agreed))
  return { runs: vehicles.map((v) => v.agreed), unserved: stops.map((_, stop) => stop).filter((stop) => !agreed.has(stop)) }
}

/** The plan without what its faulty runs have beyond the agreed stops; nothing of a plan that does not know its stops. */
function sound(problem: RoutingProblem, plan: Plan): Plan {
  const faults = faultsOf(problem, plan)
  if (faults.some(({ vehicle }) => vehicle === undefined)) return nothingPlanned(problem)
  const faulty = new Set(faults.map(({ vehicle }) => vehicle!))
  const runs = problem.vehicles.map((v, i) => (faulty.has(i) ? v.agreed : (plan.runs[i] ?? [])))
  const served = new Set(runs.flat())
  return { runs, unserved: problem.stops.map((_, stop) => stop).filter((stop) => !served.has(stop)) }
}

/** @param tried by a short search, so that the proof has less to look at. */
function exactPlan({ stops, vehicles }: RoutingProblem, model: Model, tried: Plan): Plan | undefined {
  const lost = tried.unserved.reduce((sum, stop) => sum + stops[stop]!.priority, 0)
  const run = exactRun(model, { agreed: vehicles[0]!.agreed, known: { cost: totalCost(toursOf(model, tried)), lost } })
  return run && { runs: [run], unserved: stops.map((_, stop) => stop).filter((stop) => !run.includes(stop)) }
}
