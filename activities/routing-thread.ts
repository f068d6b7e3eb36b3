/** Plans runs by the clock, inside its thread (`in-thread.ts`): a search that fills a core for seconds would hold up every workflow beside it. */
import { workerData } from 'node:worker_threads'
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
  return (underway ? replan : planRuns)(problem, { random: seeded(seed), budget, ...(from && { from }) })
}

say({ answer: planned(workerData as RoutingTask) })
