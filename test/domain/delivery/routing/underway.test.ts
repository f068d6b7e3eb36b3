/** New work for drivers who are on their way, and doors that are visited once. */
import fc from 'fast-check'
import { doorsOf, type Task } from '../../../../domain/delivery/routing/doors'
import { faultsOf } from '../../../../domain/delivery/routing/faults'
import { greatCircleMatrix } from '../../../../domain/delivery/routing/matrix'
import { forTrials, planRuns } from '../../../../domain/delivery/routing/plan-runs'
import { noLoad, type Plan, type RoutingProblem } from '../../../../domain/delivery/routing/problem'
import { timetable } from '../../../../domain/delivery/routing/timetable'
import { replan } from '../../../../domain/delivery/routing/underway'
import { seeded } from '../../../../domain/seeded'
import { holds } from '../../../support/property'
import { grams, problems } from './problems'

const planning = (from?: Plan) => ({ random: seeded(5), budget: forTrials(300), ...(from && { from }) })

describe('a run that is on its way', () => {
  /** The first stops of a plan are announced, all that it serves is aboard, and the rest of the stops are new collections; the drivers are late by `delay`. */
  const underway = (problem: RoutingProblem, delay: number): { problem: RoutingProblem; plan: Plan } => {
    const plan = planRuns(problem, planning())
    const runs = plan.runs.map((run) => run.slice(0, 3))
    const isNew = (stop: number): boolean => !runs.flat().includes(stop)
    return {
      plan: { runs, unserved: problem.stops.map((_, i) => i).filter(isNew) },
      problem: {
        ...problem,
        stops: problem.stops.map((stop, i) => (isNew(i) ? { ...stop, delivers: noLoad } : { ...stop, vehicle: runs.findIndex((run) => run.includes(i)) })),
        vehicles: problem.vehicles.map((v, i) => ({ ...v, shift: { ...v.shift, fromSeconds: delay }, agreed: runs[i]!, underway: Math.min(1, runs[i]!.length) })),
      },
    }
  }

  it('takes new collections where nobody who was told a time is harmed by them', () => {
    let taken = 0
    holds(fc.property(problems({ stops: { minLength: 4, maxLength: 25 }, vehicles: 3 }), fc.nat(60), (before, delay) => {
      const { problem, plan } = underway(before, delay)
      const again = replan(problem, planning(plan))
      taken += plan.unserved.length - again.unserved.length
      const moved = faultsOf(problem, again).filter(({ fault }) => ['lost', 'doubled', 'overloaded', 'wrong_vehicle', 'agreed_moved', 'underway_disturbed'].includes(fault))
      expect(moved).toEqual([])
      problem.vehicles.forEach((v, vehicle) => {
        const [alone, now] = [timetable(problem, vehicle, v.agreed), timetable(problem, vehicle, again.runs[vehicle]!)]
        for (const visit of now.visits) {
          const bound = Math.max(problem.stops[visit.stop]!.graceSeconds, alone.visits.find(({ stop }) => stop === visit.stop)?.lateSeconds ?? 0)
          expect(visit.lateSeconds).toBeLessThanOrEqual(bound + 1e-6)
        }
        expect(now.backSeconds).toBeLessThanOrEqual(Math.max(v.shift.untilSeconds, alone.backSeconds) + 1e-6)
      })
    }), 100)
    expect(taken).toBeGreaterThan(0)
  })
})

describe('a door', () => {
  const task = (taskId: string, more: Partial<Task> = {}): Task => ({
    taskId, kind: 'delivery', place: 1, load: grams(5), window: { fromSeconds: 0, untilSeconds: 100 }, graceSeconds: 0, serviceSeconds: 30, priority: 1, ...more,
  })
  const stopping = { stopSeconds: 60, capacity: grams(12) }

  it('is visited once for a delivery and a collection, within the time that suits both', () => {
    const doors = doorsOf([task('a'), task('b', { kind: 'collection', window: { fromSeconds: 50, untilSeconds: 300 }, priority: 2 })], stopping)
    expect(doors).toMatchObject([{ place: 1, delivers: grams(5), collects: grams(5), window: { fromSeconds: 50, untilSeconds: 100 }, serviceSeconds: 120, priority: 3 }])
    expect(doors[0]!.tasks.map((t) => t.taskId)).toEqual(['a', 'b'])
  })

  it('is visited again where the windows, the goods aboard or the room of a vehicle ask for it', () => {
    expect(doorsOf([task('a'), task('b', { window: { fromSeconds: 101, untilSeconds: 200 } })], stopping)).toHaveLength(2)
    expect(doorsOf([task('a', { vehicle: 0 }), task('b', { vehicle: 1 })], stopping)).toHaveLength(2)
    expect(doorsOf([task('a'), task('b'), task('c')], stopping)).toHaveLength(2)
    expect(doorsOf([task('a'), task('b', { place: 2 })], stopping)).toHaveLength(2)
  })

  it('loses no task', () => {
    const tasks = fc.array(fc.record({ place: fc.nat(3), from: fc.nat(100), wide: fc.nat(100), kind: fc.constantFrom('delivery' as const, 'collection' as const) }), { maxLength: 20 })
    holds(fc.property(tasks, (drawn) => {
      const all = drawn.map(({ place, from, wide, kind }, i) => task(`t${i}`, { place, kind, window: { fromSeconds: from, untilSeconds: from + wide } }))
      const doors = doorsOf(all, stopping)
      expect(doors.flatMap((d) => d.tasks.map((t) => t.taskId)).sort()).toEqual(all.map((t) => t.taskId).sort())
      for (const door of doors) {
        expect(door.window.fromSeconds).toBeLessThanOrEqual(door.window.untilSeconds)
        expect(Math.max(door.delivers.weightGrams, door.collects.weightGrams)).toBeLessThanOrEqual(12)
      }
    }), 100)
  })
})

it('measures ways by road as longer than they are by air, and in seconds', () => {
  const matrix = greatCircleMatrix([{ latitude: 52.52, longitude: 13.405 }, { latitude: 52.4, longitude: 13.06 }], { roadFactor: 1.3, metersPerSecond: 10 })
  // Berlin to Potsdam: 26.9 km by air.
  expect(matrix.meters[1]! / 1_000).toBeCloseTo(35, 0)
  expect(matrix.seconds[2]).toBe(Math.round(matrix.meters[1]! / 10))
  expect([matrix.size, matrix.meters[0], matrix.meters[3]]).toEqual([2, 0, 0])
})
