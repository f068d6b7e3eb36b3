/** Plans for own drivers: as good as looking at every plan where that can be done, without fault everywhere, and never worse than what was there. */
import fc from 'fast-check'
import { instancesOf, routingFiles } from '../../../../bench/routing-instances'
import { exactRun } from '../../../../domain/delivery/routing/exact'
import { faultsOf } from '../../../../domain/delivery/routing/faults'
import { modelOf } from '../../../../domain/delivery/routing/model'
import { forTrials, nothingPlanned, planRuns } from '../../../../domain/delivery/routing/plan-runs'
import type { RoutingProblem } from '../../../../domain/delivery/routing/problem'
import { isBetter, scoreOf } from '../../../../domain/delivery/routing/score'
import { search } from '../../../../domain/delivery/routing/search'
import { seeded } from '../../../../domain/seeded'
import { holds } from '../../../support/property'
import { bestOfAll, problems } from './problems'

const worth = (problem: RoutingProblem, plan: Parameters<typeof scoreOf>[1]): { unserved: number; cost: number } => {
  const { unserved, cost } = scoreOf(problem, plan)
  return { unserved, cost: Math.round(cost * 1e6) / 1e6 }
}

describe('one vehicle and a few stops', () => {
  it('gets the best run there is, whatever is delivered, collected, left out or late', () => {
    holds(fc.property(problems({ stops: { maxLength: 6 }, vehicles: 1 }), (problem) => {
      const plan = planRuns(problem, { random: seeded(1), budget: forTrials(1) })
      expect(faultsOf(problem, plan)).toEqual([])
      expect(worth(problem, plan)).toEqual(worth(problem, bestOfAll(problem)))
    }))
  })
})

describe('several vehicles', () => {
  it('get a plan as good as the best there is in nine cases of ten where everything can be tried, and none that would be better', () => {
    let [worse, all] = [0, 0]
    holds(fc.property(problems({ stops: { maxLength: 5 }, vehicles: 3 }), (problem) => {
      const [plan, best] = [planRuns(problem, { random: seeded(1), budget: forTrials(1_000) }), bestOfAll(problem)]
      expect(faultsOf(problem, plan)).toEqual([])
      expect(isBetter(scoreOf(problem, plan), scoreOf(problem, best))).toBe(false)
      all += 1
      if (isBetter(scoreOf(problem, best), scoreOf(problem, plan))) worse += 1
    }), 60)
    expect(worse).toBeLessThanOrEqual(0.1 * all)
  })

  it('get a plan without fault for problems of any size', () => {
    holds(fc.property(problems({ stops: { minLength: 13, maxLength: 40 }, vehicles: 5 }), fc.nat(), (problem, seed) => {
      const plan = planRuns(problem, { random: seeded(seed), budget: forTrials(300) })
      expect(faultsOf(problem, plan)).toEqual([])
    }), 100)
  })

  it('get a plan that is never worse than the one there was', () => {
    holds(fc.property(problems({ stops: { minLength: 13, maxLength: 30 }, vehicles: 4 }), fc.nat(), (problem, seed) => {
      const from = planRuns(problem, { random: seeded(seed), budget: forTrials(500) })
      const plan = planRuns(problem, { random: seeded(seed + 1), budget: forTrials(64), from })
      expect(faultsOf(problem, plan)).toEqual([])
      expect(isBetter(scoreOf(problem, from), scoreOf(problem, plan))).toBe(false)
    }), 100)
  })

  it('get the same plan for the same chance', () => {
    holds(fc.property(problems({ stops: { minLength: 13, maxLength: 30 }, vehicles: 4 }), fc.nat(), (problem, seed) => {
      const once = (): unknown => planRuns(problem, { random: seeded(seed), budget: forTrials(200) })
      expect(once()).toEqual(once())
    }), 20)
  })
})

it('searches as well as it proves, for one vehicle', () => {
  let worse = 0
  holds(fc.property(problems({ stops: { minLength: 8, maxLength: 10 }, vehicles: 1 }), (problem) => {
    const model = modelOf(problem)
    const proven = exactRun(model)!
    const plan = search(model, nothingPlanned(problem), seeded(1), forTrials(4_000))
    expect(faultsOf(problem, plan)).toEqual([])
    const exact = { runs: [proven], unserved: problem.stops.map((_, i) => i).filter((i) => !proven.includes(i)) }
    expect(faultsOf(problem, exact)).toEqual([])
    expect(isBetter(scoreOf(problem, plan), scoreOf(problem, exact))).toBe(false)
    if (isBetter(scoreOf(problem, exact), scoreOf(problem, plan))) worse += 1
  }), 30)
  expect(worse).toBeLessThanOrEqual(3)
})

it('makes a plan anew that breaks a rule by now', () => {
  holds(fc.property(problems({ stops: { minLength: 2, maxLength: 20 }, vehicles: 3 }), (problem) => {
    const everything = { runs: problem.vehicles.map((_, v) => (v === 0 ? problem.stops.map((__, i) => i) : [])), unserved: [] }
    expect(faultsOf(problem, planRuns(problem, { random: seeded(1), budget: forTrials(100), from: everything }))).toEqual([])
  }), 100)
})

it('does with fewer vehicles where a vehicle costs more than the way', () => {
  holds(fc.property(problems({ stops: { minLength: 13, maxLength: 25 }, vehicles: 5 }), (problem) => {
    const priced = (perVehicle: number): RoutingProblem => ({ ...problem, objective: { ...problem.objective, perVehicle } })
    const from = planRuns(priced(0), { random: seeded(3), budget: forTrials(600) })
    const plan = planRuns(priced(10_000), { random: seeded(3), budget: forTrials(2_000), from })
    expect(faultsOf(problem, plan)).toEqual([])
    const [before, after] = [scoreOf(problem, from), scoreOf(problem, plan)]
    expect(after.unserved < before.unserved || after.vehicles <= before.vehicles).toBe(true)
  }), 30)
})

const published = [...instancesOf('cvrp'), ...instancesOf('vrptw')]
const withFiles = published.length > 0 ? it.each(published) : it.skip.each([{ name: `no files in ${routingFiles}` } as (typeof published)[number]])
withFiles('comes near the best plan known of $name', ({ problem, bestKnown }) => {
  const plan = planRuns(problem, { random: seeded(1), budget: forTrials(6_000) })
  expect(faultsOf(problem, plan)).toEqual([])
  expect(plan.unserved).toEqual([])
  expect(scoreOf(problem, plan).cost).toBeLessThan(1.06 * bestKnown)
})
