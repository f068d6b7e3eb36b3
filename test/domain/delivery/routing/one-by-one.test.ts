/** Vehicles planned one after the other: without fault, and never better than all of them together. */
import { faultsOf } from '../../../../domain/delivery/routing/faults'
import { oneByOne } from '../../../../domain/delivery/routing/one-by-one'
import { forTrials, planRuns, type Planning } from '../../../../domain/delivery/routing/plan-runs'
import { greatCircleMatrix, roadsOf } from '../../../../domain/delivery/routing/matrix'
import { waveProblem } from '../../../../domain/delivery/plan-wave'
import { isBetter, scoreOf } from '../../../../domain/delivery/routing/score'
import { seeded } from '../../../../domain/seeded'

const depot = { latitude: 52.52, longitude: 13.4 }
const pace = { roadFactor: 1.35, speedKmh: 22, stopMinutes: 4 }

it('leaves to each vehicle what the ones before it did not take, and is improved by planning all together', () => {
  let improved = 0
  for (const seed of [1, 2, 3, 4]) {
    const random = seeded(seed)
    const drops = Array.from({ length: 24 }, (_, i) => ({ id: String(i), latitude: 52.45 + random() * 0.14, longitude: 13.3 + random() * 0.2, parcels: 1, weightGrams: 500 }))
    const problem = waveProblem({ matrix: greatCircleMatrix([depot, ...drops], roadsOf(pace)), drops, drivers: [1, 2, 3].map(() => ({ maxParcels: 8 })), departAt: 0, pace })
    const planning = (): Planning => ({ random, budget: forTrials(800) })
    const first = oneByOne(problem, planning)
    expect(faultsOf(problem, first)).toEqual([])
    expect(first.unserved).toEqual([])
    const together = planRuns(problem, { ...planning(), from: first })
    expect(isBetter(scoreOf(problem, first), scoreOf(problem, together))).toBe(false)
    if (isBetter(scoreOf(problem, together), scoreOf(problem, first))) improved += 1
  }
  expect(improved).toBeGreaterThan(0)
})
