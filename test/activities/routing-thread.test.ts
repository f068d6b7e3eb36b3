/** Planning in a thread of its own: the answer crosses back whole, and the process beside it stays awake. */
import { inThread } from '../../activities/in-thread'
import { faultsOf } from '../../domain/delivery/routing/faults'
import { noLoad, type Plan, type RoutingProblem } from '../../domain/delivery/routing/problem'
import { seeded } from '../../domain/seeded'

/** Doors at random in a square, half of them within the first half of the shift. */
function aWave(count: number): RoutingProblem {
  const random = seeded(11)
  const places = Array.from({ length: count + 1 }, () => [random() * 1_000, random() * 1_000] as const)
  const meters = Float64Array.from(places.flatMap((a) => places.map((b) => Math.round(Math.hypot(a[0] - b[0], a[1] - b[1])))))
  const load = { ...noLoad, packages: 1 }
  return {
    matrix: { size: count + 1, meters, seconds: meters.map((way) => way / 10) },
    stops: Array.from({ length: count }, (_, i) => ({
      place: i + 1, delivers: load, collects: noLoad, window: { fromSeconds: 0, untilSeconds: i % 2 ? Infinity : 3_600 }, graceSeconds: 0, serviceSeconds: 60, priority: 1,
    })),
    vehicles: Array.from({ length: 3 }, () => ({
      capacity: { ...noLoad, packages: 15 }, shift: { fromSeconds: 0, untilSeconds: 7_200 }, startPlace: 0, endPlace: 0, aboard: noLoad, agreed: [], underway: 0,
    })),
    objective: { perMeter: 1, perSecond: 0, perLateSecond: 0, perVehicle: 100 },
  }
}

const task = (milliseconds: number) => ({ problem: aWave(30), underway: false, milliseconds, seed: 1 })

it('answers with a plan without fault, while the process goes on with its own work', async () => {
  let beats = 0
  const beat = setInterval(() => (beats += 1), 5)
  const plan = await inThread<Plan>('routing', task(300), { signal: new AbortController().signal })
  clearInterval(beat)
  expect(faultsOf(aWave(30), plan)).toEqual([])
  expect(plan.unserved).toEqual([])
  expect(beats).toBeGreaterThan(10)
})

it('stops when it is called off', async () => {
  const caller = new AbortController()
  const planning = inThread('routing', task(600_000), { signal: caller.signal })
  setImmediate(() => caller.abort(new Error('called off')))
  await expect(planning).rejects.toThrow('called off')
})
