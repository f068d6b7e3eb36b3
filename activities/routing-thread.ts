/** Plans runs by the clock, inside its thread (`in-thread.ts`): a search that fills a core for seconds would hold up every workflow beside it. */
import { workerData } from 'node:worker_threads'
import { oneByOne } from '../domain/delivery/routing/one-by-one'
import { forMilliseconds, planRuns } from '../domain/delivery/routing/plan-runs'
import type { Plan, RoutingProblem } from '../domain/delivery/routing/problem'
import { replan } from '../domain/delivery/routing/underway'
import { seeded } from '../domain/seeded'
import { say } from './thread-message'

export interface RoutingTask {
  problem: RoutingProblem
  /** The plan to be improved. */
  from?: Plan
  /** Whether drivers are on their way already. */
  underway: boolean
  milliseconds: number
  seed: number
}

function planned({ problem, from, underway, milliseconds, seed }: RoutingTask): Plan {
  const budget = forMilliseconds(milliseconds, () => performance.now())
  const random = seeded(seed)
  if (underway) return replan(problem, { random, budget, ...(from && { from }) })
  const first = from ?? oneByOne(problem, () => ({ random, budget: (trials) => Math.max(trials / firstTrials, 2 * budget(trials)) }))
  return planRuns(problem, { random, budget, from: first })
}

/** Each vehicle for itself; all of them in half of the time at most. */
const firstTrials = 2_000

say({ answer: planned(workerData as RoutingTask) })
