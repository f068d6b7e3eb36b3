/** Small routing problems of all kinds for property tests, and the best plan found by looking at every one there is. */
import fc from 'fast-check'
import { noLoad, type Load, type Plan, type RoutingProblem, type Stop, type Vehicle } from '../../../../domain/delivery/routing/problem'
import { faultsOf } from '../../../../domain/delivery/routing/faults'
import { isBetter, scoreOf } from '../../../../domain/delivery/routing/score'

export const grams = (weightGrams: number): Load => ({ ...noLoad, weightGrams })

const load = (most: number): fc.Arbitrary<Load> =>
  fc.record({ weightGrams: fc.nat(most), volumeMilliliters: fc.nat(most), packages: fc.nat(2) })
const noneOr = (some: fc.Arbitrary<Load>): fc.Arbitrary<Load> => fc.oneof(fc.constant(noLoad), some)

interface Size {
  stops: { minLength?: number; maxLength: number }
  vehicles: number
}

/** Towns with one-way streets, doors that are delivered to and collected from, windows with and without grace, vehicles of two kinds. */
export const problems = ({ stops, vehicles }: Size): fc.Arbitrary<RoutingProblem> =>
  fc.array(fc.record({ x: fc.nat(60), y: fc.nat(60), delivers: noneOr(load(9)), collects: noneOr(load(9)), from: fc.nat(200), wide: fc.integer({ min: 5, max: 300 }), open: fc.boolean(), graceSeconds: fc.constantFrom(0, 0, 30), serviceSeconds: fc.nat(9), priority: fc.integer({ min: 1, max: 3 }) }), stops)
    .chain((doors) => fc.record({
      doors: fc.constant(doors),
      detours: fc.array(fc.nat(8), { minLength: (doors.length + 1) ** 2, maxLength: (doors.length + 1) ** 2 }),
      fleet: fc.array(fc.record({ capacity: fc.integer({ min: 8, max: 40 }), shift: fc.constantFrom(250, 600, Infinity) }), { minLength: 1, maxLength: vehicles }),
      perLateSecond: fc.constantFrom(0, 0.5), perVehicle: fc.constantFrom(0, 25), perSecond: fc.constantFrom(0, 0.25),
    }))
    .map(({ doors, detours, fleet, ...prices }) => {
      const places = [{ x: 30, y: 30 }, ...doors]
      const meters = Float64Array.from(places.flatMap((a, i) => places.map((b, j) => (i === j ? 0 : Math.round(Math.hypot(a.x - b.x, a.y - b.y)) + detours[i * places.length + j]!))))
      return {
        matrix: { size: places.length, meters, seconds: meters.map((way, i) => way + (detours[i] ?? 0)) },
        stops: doors.map(({ delivers, collects, from, wide, open, graceSeconds, serviceSeconds, priority }, i): Stop => ({
          place: i + 1, delivers, collects, graceSeconds, serviceSeconds, priority,
          window: open ? { fromSeconds: -Infinity, untilSeconds: Infinity } : { fromSeconds: from, untilSeconds: from + wide },
        })),
        vehicles: fleet.map(({ capacity, shift }): Vehicle => ({
          capacity: { weightGrams: capacity, volumeMilliliters: capacity, packages: 9 }, shift: { fromSeconds: 0, untilSeconds: shift },
          startPlace: 0, endPlace: 0, aboard: noLoad, agreed: [], underway: 0,
        })),
        objective: { perMeter: 1, ...prices },
      }
    })

/** Judges every order of every choice of stops for every vehicle: slow, and beyond doubt. */
export function bestOfAll(problem: RoutingProblem): Plan {
  const unserved = problem.stops.map((_, stop) => stop)
  let best: Plan = { runs: problem.vehicles.map((v) => v.agreed), unserved: unserved.filter((s) => !problem.vehicles.some((v) => v.agreed.includes(s))) }
  let score = scoreOf(problem, best)
  const look = (plan: Plan): void => {
    if (faultsOf(problem, plan).length > 0) return
    const found = scoreOf(problem, plan)
    if (isBetter(found, score)) [best, score] = [plan, found]
  }
  const grow = (runs: readonly (readonly number[])[], vehicle: number, left: readonly number[]): void => {
    look({ runs, unserved: left })
    for (let v = vehicle; v < runs.length; v += 1)
      for (const stop of left) grow(runs.map((run, i) => (i === v ? [...run, stop] : run)), v, left.filter((s) => s !== stop))
  }
  grow(problem.vehicles.map(() => []), 0, unserved)
  return best
}
