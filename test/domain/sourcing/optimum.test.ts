/** The cheapest plan is the cheapest plan: judged by a solver that is not ours. */
import type { Highs } from 'highs'
import fc from 'fast-check'
import { cheapestPlan } from '../../../domain/sourcing/optimum'
import { planCost } from '../../../domain/sourcing/problem'
import { holds } from '../../support/property'
import { oracleCost, solver } from './oracle'
import { someProblem } from './problems'

let highs: Highs
beforeAll(async () => {
  highs = await solver()
})

const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 })

it('costs what a solver of mixed-integer programmes finds, up to ten lines and two hundred nodes', () => {
  holds(
    fc.property(seed, (s) => {
      const posed = someProblem(s)
      const plan = cheapestPlan(posed.problem)
      expect(plan?.cost).toBe(oracleCost(highs, posed))
      expect(plan?.atLeast).toBe(plan?.cost)
    }),
    100,
  )
}, 1_800_000)

it('ships every unit once, from shelves that have it, in no more shipments than allowed', () => {
  holds(
    fc.property(seed, (s) => {
      const { problem } = someProblem(s)
      const plan = cheapestPlan(problem)
      if (!plan) return
      expect(plan.shipments.length).toBeLessThanOrEqual(problem.maxShipments)
      expect(new Set(plan.shipments.map((p) => p.node)).size).toBe(plan.shipments.length)
      problem.lines.forEach((l, i) => expect(plan.shipments.reduce((sum, p) => sum + p.units[i]!, 0)).toBe(l.quantity))
      expect(planCost(problem, plan.shipments)).toBe(plan.cost)
    }),
    300,
  )
}, 600_000)

it('finds a good plan and says how much better one could be where the search stops early', () => {
  let stopped = 0
  holds(
    fc.property(seed, (s) => {
      const { problem } = someProblem(s, { lines: 6, nodes: 40, units: 3, divisible: true })
      const exact = cheapestPlan(problem)
      for (const effort of [{ steps: 200, table: 1e9 }, { steps: 1e9, table: 100 }]) {
        const hasty = cheapestPlan(problem, effort)
        if (!exact || !hasty) continue
        expect(hasty.cost).toBeGreaterThanOrEqual(exact.cost)
        expect(hasty.atLeast).toBeLessThanOrEqual(exact.cost)
        expect(planCost(problem, hasty.shipments)).toBe(hasty.cost)
        if (hasty.atLeast < hasty.cost) stopped += 1
      }
    }),
    60,
  )
  expect(stopped).toBeGreaterThan(0)
}, 600_000)
