/**
 * Searches for better runs: ruin and recreate under simulated annealing (Christiaens and Vanden Berghe 2020), for as long as it is given.
 * While stops are unserved, what counts is how often they have been left out, so that the hard ones find a place (section 5.4 there).
 */
import type { Model } from './model'
import type { Plan } from './problem'
import { recreate, recreating } from './recreate'
import { ruin, type Ruin } from './ruin'
import { beginTrial, costChange, keepTrial, planOf, takeBack, totalCost, toursOf, type Tours } from './tours'

/** Which part of the search is over after so many trials: a clock or a count; 1 ends it. */
export type Budget = (trials: number) => number

export interface SearchSettings extends Ruin {
  /** One place in so many is overlooked. */
  blinkEvery: number
  /** Temperature at the start and at the end, as a part of what a stop costs on average. */
  hot: number
  cold: number
}
export const usualSettings: SearchSettings = { stops: 10, longestString: 10, splits: 0.5, splitsDeeper: 0.01, blinkEvery: 100, hot: 0.3, cold: 0.003 }

/** How many trials there are between two looks at the budget. */
const trialsPerLook = 32

export function search(model: Model, from: Plan, random: () => number, budget: Budget, settings: SearchSettings = usualSettings): Plan {
  const tours = toursOf(model, from)
  const next = (): number => Math.floor(Math.log(1 - random()) / Math.log(1 - 1 / settings.blinkEvery))
  const again = recreating(model, { left: next(), next })
  recreate(tours, again, random)
  keepTrial(tours)
  const missed = new Float64Array(model.stops).fill(1)
  let best = { plan: planOf(tours), unserved: unservedWeight(tours), cost: totalCost(tours) }
  let cost = best.cost
  const scale = cost / Math.max(1, model.stops)
  let temperature = 0
  for (let trials = 0; ; trials += 1) {
    if (trials % trialsPerLook === 0) {
      const spent = budget(trials)
      if (spent >= 1) return best.plan
      temperature = scale * settings.hot * (settings.cold / settings.hot) ** spent
    }
    const missing = missedBy(tours, missed)
    beginTrial(tours)
    ruin(tours, settings, random)
    recreate(tours, again, random)
    const change = costChange(tours)
    const missingNow = missedBy(tours, missed)
    if (missingNow < missing || (missingNow === missing && change < -temperature * Math.log(random()))) {
      keepTrial(tours)
      cost += change
      const unserved = unservedWeight(tours)
      if (unserved < best.unserved || (unserved === best.unserved && cost < best.cost - 1e-7)) {
        cost = totalCost(tours)
        best = { plan: planOf(tours), unserved, cost }
      }
    } else takeBack(tours)
    for (let i = 0; i < tours.unservedCount; i += 1) missed[tours.unserved[i]!]! += 1
  }
}

function missedBy({ unserved, unservedCount }: Tours, missed: Float64Array): number {
  let sum = 0
  for (let i = 0; i < unservedCount; i += 1) sum += missed[unserved[i]!]!
  return sum
}

function unservedWeight({ model, unserved, unservedCount }: Tours): number {
  let sum = 0
  for (let i = 0; i < unservedCount; i += 1) sum += model.priority[unserved[i]!]!
  return sum
}
