/** The judge of plans: every rule is broken once on purpose, and the judge names just that. */
import fc from 'fast-check'
import { faultsOf, planFaults, type PlanFault } from '../../../../domain/delivery/routing/faults'
import { forTrials, planRuns } from '../../../../domain/delivery/routing/plan-runs'
import { noLoad, type Plan, type RoutingProblem, type Stop } from '../../../../domain/delivery/routing/problem'
import { seeded } from '../../../../domain/seeded'
import { holds } from '../../../support/property'
import { grams, problems } from './problems'

/** Five doors on a line, 10 seconds apart: 0 | 1 2 3 4 5. */
const stop = (place: number, more: Partial<Stop> = {}): Stop => ({
  place, delivers: grams(2), collects: noLoad, window: { fromSeconds: 0, untilSeconds: 1_000 }, graceSeconds: 0, serviceSeconds: 0, priority: 1, ...more,
})
const line = (stops: readonly Stop[]): RoutingProblem => {
  const meters = Float64Array.from({ length: 36 }, (_, i) => 10 * Math.abs(Math.floor(i / 6) - (i % 6)))
  const vehicle = { capacity: grams(6), shift: { fromSeconds: 0, untilSeconds: 200 }, startPlace: 0, endPlace: 0, aboard: noLoad, agreed: [], underway: 0 }
  return {
    matrix: { size: 6, meters, seconds: meters }, stops, vehicles: [{ ...vehicle, agreed: [0, 1], underway: 1 }, vehicle],
    objective: { perMeter: 1, perSecond: 0, perLateSecond: 0, perVehicle: 0 },
  }
}
const problem = line([stop(1), stop(2), stop(3, { window: { fromSeconds: 0, untilSeconds: 60 } }), stop(4, { delivers: noLoad, collects: grams(4) }), stop(5, { vehicle: 1 })])
const good: Plan = { runs: [[0, 1, 2], [3, 4]], unserved: [] }

it('finds nothing wrong with a plan that keeps all rules', () => {
  expect(faultsOf(problem, good)).toEqual([])
})

const mutants: Record<(typeof planFaults)[number], { plan: Plan; problem?: RoutingProblem; fault: Omit<PlanFault, 'fault'> }> = {
  lost: { plan: { runs: [[0, 1, 2], [4]], unserved: [] }, fault: { stop: 3 } },
  doubled: { plan: { runs: [[0, 1, 2], [3, 4]], unserved: [2] }, fault: { stop: 2 } },
  overloaded: { plan: { runs: [[0, 1], [3, 4, 2]], unserved: [] }, problem: { ...problem, stops: problem.stops.map((s, i) => (i === 2 ? stop(3) : s)) }, fault: { vehicle: 1, stop: 3 } },
  too_late: { plan: { runs: [[0, 1], [4, 2]], unserved: [3] }, fault: { vehicle: 1, stop: 2 } },
  after_shift: { plan: good, problem: { ...problem, vehicles: problem.vehicles.map((v, i) => (i === 1 ? { ...v, shift: { fromSeconds: 0, untilSeconds: 99 } } : v)) }, fault: { vehicle: 1 } },
  wrong_vehicle: { plan: { runs: [[0, 1, 4], [3]], unserved: [2] }, fault: { vehicle: 0, stop: 4 } },
  agreed_moved: { plan: { runs: [[0], [1]], unserved: [2, 3, 4] }, fault: { vehicle: 0 } },
  underway_disturbed: { plan: { runs: [[2, 0, 1], [3, 4]], unserved: [] }, fault: { vehicle: 0 } },
}

it.each(planFaults)('names the fault: %s', (fault) => {
  const mutant = mutants[fault]
  expect(faultsOf(mutant.problem ?? problem, mutant.plan)).toEqual([{ fault, ...mutant.fault }])
})

it('notices a run that is turned round, wherever that breaks a window or a load', () => {
  let noticed = 0
  holds(fc.property(problems({ stops: { minLength: 6, maxLength: 20 }, vehicles: 3 }), (p) => {
    const plan = planRuns(p, { random: seeded(1), budget: forTrials(200) })
    expect(faultsOf(p, plan)).toEqual([])
    if (faultsOf(p, { ...plan, runs: plan.runs.map((run) => [...run].reverse()) }).length > 0) noticed += 1
  }), 50)
  expect(noticed).toBeGreaterThan(0)
})
