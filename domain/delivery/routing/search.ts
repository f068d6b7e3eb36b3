/**
 * Searches for better runs: ruin and recreate under simulated annealing (Christiaens and Vanden Berghe 2020), for as long as it is given.
 * While stops are unserved, what counts is how often they have been left out, so that the hard ones find a place (section 5.4 there).
 */
import type { Model } from './model'
import type { Plan } from './problem'
import { recreate, recreating, type Recreate } from './recreate'
import { ruin, type Ruin } from './ruin'
import { beginTrial, breaksTimes, costChange, emptyRun, keepTrial, planOf, setPlan, takeBack, totalCost, toursOf, type Tours } from './tours'

/** Which part of the search is over after so many trials, 1 ending it: a clock or a count. */
export type Budget = (trials: number) => number

export interface SearchSettings extends Ruin {
  /** One place in so many is overlooked. */
  blinkEvery: number
  /** Temperature at the start and at the end, as a part of what a stop costs on average. */
  hot: number
  cold: number
  /** How many times it is heated and cooled. */
  anneals: number
  /** Part of the budget that may go into doing with fewer vehicles, where they cost something. */
  fewerVehicles: number
  /** Part after which it is taken as a fact that some stops stay unserved, and only their priority counts. */
  hopeful: number
}
export const usualSettings: SearchSettings = {
  stops: 10, longestString: 10, splits: 0.5, splitsDeeper: 0.01, wholeRuns: 0.01, blinkEvery: 100, hot: 0.5, cold: 0.01, anneals: 3, fewerVehicles: 0.25, hopeful: 0.5,
}

interface Search {
  tours: Tours
  random: () => number
  settings: SearchSettings
  again: Recreate
  /** By stop: what leaving it out weighs. */
  missed: Float64Array
  hopeful: boolean
  temperature: number
  cost: number
  best: { plan: Plan; unserved: number; cost: number }
  trials: number
  budget: Budget
  spent: number
}

/** How many trials there are between two looks at the budget. */
const trialsPerLook = 32

/** @param from stays within all bounds; what is unserved in it is placed. */
export function search(model: Model, from: Plan, random: () => number, budget: Budget, settings: SearchSettings = usualSettings): Plan {
  const it = begin(model, from, random, budget, settings)
  const scale = it.cost / Math.max(1, model.stops)
  if (model.fleet.perVehicle > 0) dropVehicles(it, scale)
  const since = it.spent
  while (it.spent < 1) {
    const cooled = (((it.spent - since) / (1 - since)) * settings.anneals) % 1
    it.temperature = scale * settings.hot * (settings.cold / settings.hot) ** cooled
    if (it.hopeful && it.spent > settings.hopeful && it.best.unserved > 0) settle(it)
    tryOften(it)
  }
  return it.best.plan
}

function begin(model: Model, from: Plan, random: () => number, budget: Budget, settings: SearchSettings): Search {
  const tours = toursOf(model, from)
  const next = (): number => Math.floor(Math.log(1 - random()) / Math.log(1 - 1 / settings.blinkEvery))
  const again = recreating(model, { left: next(), next })
  recreate(tours, again, random)
  keepTrial(tours)
  const cost = totalCost(tours)
  const best = { plan: planOf(tours), unserved: unservedWeight(tours, model.priority), cost }
  return { tours, random, settings, again, missed: model.priority.slice(), hopeful: true, temperature: 0, cost, best, trials: 0, budget, spent: budget(0) }
}

/** Sends the stops of one run after another to the other vehicles, the run whose stops were easiest to place first. */
function dropVehicles(it: Search, scale: number): void {
  const { tours, settings, missed } = it
  it.temperature = scale * Math.sqrt(settings.hot * settings.cold)
  while (tours.unservedCount === 0 && it.spent < settings.fewerVehicles && emptyRun(tours, missed)) {
    it.cost = totalCost(tours)
    while (tours.unservedCount > 0 && it.spent < settings.fewerVehicles) tryOften(it)
  }
  tours.closed.fill(0)
  restart(it)
}

/** From the best plan so far. */
function restart(it: Search): void {
  setPlan(it.tours, it.best.plan)
  it.cost = totalCost(it.tours)
}

function settle(it: Search): void {
  it.hopeful = false
  it.missed.set(it.tours.model.priority)
  restart(it)
}

function tryOften(it: Search): void {
  for (let i = 0; i < trialsPerLook; i += 1) attempt(it)
  it.trials += trialsPerLook
  it.spent = it.budget(it.trials)
}

function attempt(it: Search): void {
  const { tours, random, missed } = it
  const missing = unservedWeight(tours, missed)
  beginTrial(tours)
  ruin(tours, it.settings, random)
  recreate(tours, it.again, random)
  const change = costChange(tours)
  const missingNow = unservedWeight(tours, missed)
  const isAccepted = missingNow < missing || (missingNow === missing && change < -it.temperature * Math.log(random()))
  if (isAccepted && !breaksTimes(tours)) {
    keepTrial(tours)
    it.cost += change
    remember(it)
  } else takeBack(tours)
  if (it.hopeful) for (let i = 0; i < tours.unservedCount; i += 1) missed[tours.unserved[i]!]! += 1
}

function remember(it: Search): void {
  const unserved = unservedWeight(it.tours, it.tours.model.priority)
  if (unserved > it.best.unserved || (unserved === it.best.unserved && it.cost >= it.best.cost - 1e-9 * it.best.cost)) return
  it.cost = totalCost(it.tours)
  it.best = { plan: planOf(it.tours), unserved, cost: it.cost }
}

function unservedWeight({ unserved, unservedCount }: Tours, weight: Float64Array): number {
  let sum = 0
  for (let i = 0; i < unservedCount; i += 1) sum += weight[unserved[i]!]!
  return sum
}
