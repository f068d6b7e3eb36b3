/**
 * The cheapest plan for an order. Most orders end at once: one node ships everything for less than any two could. Else the order is cut exactly,
 * or, where it has so many pieces that no table holds them, well, and how much better a plan could be at most is said.
 */
import { cheapestCut } from './cut'
import { goodPlan } from './good-plan'
import { boundOf, cheapestSingle, leastFixedOf, loadOf, type Optimum, type Problem } from './problem'
import { tableOf, tableSize } from './table'

export interface Effort {
  /** Parts looked at before the search stops with the best plan so far. */
  steps: number
  /** Entries of the table above which a good plan is looked for instead of the best one. */
  table: number
}
export const enough: Effort = { steps: 20_000_000, table: 16_000_000 }

/** @returns undefined when no plan within `maxShipments` was found that ships everything. */
export function cheapestPlan(problem: Problem, effort: Effort = enough): Optimum | undefined {
  const single = cheapestSingle(problem)
  const asTwo = boundOf(problem, leastFixedOf(problem), loadOf(problem), 2)
  if (problem.maxShipments === 1 || (single && single.cost <= asTwo)) return single && { ...single, atLeast: single.cost }
  const isLarge = tableSize(problem) > effort.table
  const { plan, complete } = isLarge ? { plan: goodPlan(problem, single), complete: false } : cheapestCut(problem, tableOf(problem), single?.cost ?? Number.POSITIVE_INFINITY, effort.steps)
  const best = plan ?? single
  return best && { ...best, atLeast: complete ? best.cost : Math.min(best.cost, asTwo) }
}
