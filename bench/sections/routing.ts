/** Runs of own drivers: how near to the best plans known, how much is saved by collecting on the way, how fast a small run and a large wave are planned. */
import { inThread } from '../../activities/in-thread'
import { faultsOf } from '../../domain/delivery/routing/faults'
import { greatCircleMatrix } from '../../domain/delivery/routing/matrix'
import { forMilliseconds, forTrials, planRuns } from '../../domain/delivery/routing/plan-runs'
import { noLoad, type Load, type Plan, type RoutingProblem, type Stop } from '../../domain/delivery/routing/problem'
import { scoreOf } from '../../domain/delivery/routing/score'
import { seeded } from '../../domain/seeded'
import { percentile } from '../client'
import type { Figure } from '../report'
import { instancesOf, routingFiles, type Instance } from '../routing-instances'
import type { Site } from '../site'

const section = 'routing'

export async function routing(_site: Site, quick: boolean): Promise<Figure[]> {
  const [milliseconds, seeds] = quick ? [100, 1] : [1_000, 3]
  return [
    nearBest('set A, the published number of vehicles', instancesOf('cvrp'), { reach: 0.2, milliseconds, seeds }),
    nearBest('Solomon, by distance', instancesOf('vrptw'), { reach: 1, milliseconds, seeds }),
    collecting(instancesOf('cvrp'), milliseconds),
    exactly(quick ? 10 : 200),
    await aWave(quick ? 500 : 1_500),
  ]
}

/** One core's time of this process, its compiler and its memory's cleaning included: the machine may be busy with other things. */
const cpuMilliseconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

interface Race {
  /** Percent above the best known, on average. */
  reach: number
  milliseconds: number
  seeds: number
}

function nearBest(kind: string, instances: readonly Instance[], { reach, milliseconds, seeds }: Race): Figure {
  const what = `${kind}: above the best known, ${milliseconds / 1_000} s of CPU time each`
  const target = `mean ≤ ${reach} %, all without fault`
  if (instances.length === 0) return { section, what, reach: target, measured: `skipped: no files in ${routingFiles}`, ok: true }
  const gaps: number[] = []
  let faulty = 0
  for (const { problem, bestKnown } of instances)
    for (let seed = 1; seed <= seeds; seed += 1) {
      const plan = planRuns(problem, { random: seeded(seed), budget: forMilliseconds(milliseconds, cpuMilliseconds) })
      if (faultsOf(problem, plan).length > 0 || plan.unserved.length > 0) faulty += 1
      gaps.push(100 * (scoreOf(problem, plan).cost / bestKnown - 1))
    }
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const measured = `mean ${mean.toFixed(2)} %, worst ${Math.max(...gaps).toFixed(2)} %; ${gaps.filter((gap) => gap < 0.005).length} of ${gaps.length} met it; ${faulty} at fault`
  return { section, what, reach: target, measured, ok: mean <= reach && faulty === 0 }
}

/** Every other customer gives back as much as he gets; two more vehicles than published, since loads cross. */
function collecting(instances: readonly Instance[], milliseconds: number): Figure {
  const what = 'set A, every other customer also returns: on the same runs against runs of their own'
  if (instances.length === 0) return { section, what, reach: 'load fits at every point', measured: `skipped: no files in ${routingFiles}`, ok: true }
  let [together, apart, faulty] = [0, 0, 0]
  const planned = (problem: RoutingProblem): number => {
    const plan = planRuns(problem, { random: seeded(1), budget: forMilliseconds(milliseconds, cpuMilliseconds) })
    if (faultsOf(problem, plan).length > 0 || plan.unserved.length > 0) faulty += 1
    return scoreOf(problem, plan).cost
  }
  for (const { problem } of instances) {
    const returns = problem.stops.map((stop, i) => (i % 2 === 0 ? stop.delivers : noLoad))
    const vehicles = [...problem.vehicles, ...problem.vehicles.slice(0, 2)]
    together += planned({ ...problem, vehicles, stops: problem.stops.map((stop, i): Stop => ({ ...stop, collects: returns[i]! })) })
    apart += planned(problem) + planned({ ...problem, stops: problem.stops.flatMap((stop, i) => (i % 2 === 0 ? [{ ...stop, delivers: noLoad, collects: returns[i]! }] : [])) })
  }
  const measured = `${(100 * (1 - together / apart)).toFixed(1)} % less distance; ${faulty} at fault`
  return { section, what, reach: 'load fits at every point', measured, ok: faulty === 0 && together < apart }
}

function exactly(count: number): Figure {
  const problems = Array.from({ length: count }, (_, i) => town({ stops: 12, vehicles: 1, seed: i + 1, shiftSeconds: 4 * 3_600 }))
  const budget = forTrials(1)
  // Warm, with what can be served and with what cannot.
  for (let i = 0; i < 20; i += 1) planRuns(town({ stops: 12, vehicles: 1, seed: 1_000 + i, shiftSeconds: i % 2 ? 2 * 3_600 : 4 * 3_600 }), { random: seeded(1), budget })
  let left = 0
  const took = problems.map((problem) => {
    const startedAt = cpuMilliseconds()
    left += planRuns(problem, { random: seeded(1), budget }).unserved.length
    return cpuMilliseconds() - startedAt
  })
  const measured = `p50 ${percentile(took, 0.5).toFixed(1)} ms, p95 ${percentile(took, 0.95).toFixed(1)} ms, most ${Math.max(...took).toFixed(1)} ms; ${left} of ${12 * count} stops not served in time`
  return { section, what: '12 stops with windows, deliveries and collections, proven best, warm', reach: '≤ 50 ms', measured, ok: Math.max(...took) <= 50 }
}

async function aWave(milliseconds: number): Promise<Figure> {
  const problem = town({ stops: 200, vehicles: 8, seed: 1, shiftSeconds: 8 * 3_600 })
  const startedAt = performance.now()
  const plan = await inThread<Plan>('routing', { problem, underway: false, milliseconds, seed: 1 }, { signal: new AbortController().signal })
  const seconds = (performance.now() - startedAt) / 1_000
  const { vehicles, meters, unserved } = scoreOf(problem, plan)
  const faulty = faultsOf(problem, plan).length
  const measured = `${seconds.toFixed(2)} s in a thread of its own; ${vehicles} drivers, ${(meters / 1_000).toFixed(0)} km, ${unserved} left, ${faulty} at fault`
  return { section, what: 'a wave of 200 deliveries for 8 drivers, windows of two hours', reach: 'first plan ≤ 2 s', measured, ok: seconds <= 2 && faulty === 0 && unserved === 0 }
}

interface Town {
  stops: number
  vehicles: number
  seed: number
  shiftSeconds: number
}

/** Around Munich: half of the doors want two hours of their own, one in five gives something back. */
function town({ stops, vehicles, seed, shiftSeconds }: Town): RoutingProblem {
  const random = seeded(seed)
  const load = (): Load => ({ weightGrams: 500 + Math.floor(random() * 9_500), volumeMilliliters: 1_000 + Math.floor(random() * 40_000), packages: 1 + Math.floor(random() * 3) })
  const places = Array.from({ length: stops + 1 }, () => ({ latitude: 48.14 + 0.12 * (random() - 0.5), longitude: 11.58 + 0.18 * (random() - 0.5) }))
  const doors = Array.from({ length: stops }, (_, i): Stop => {
    const fromSeconds = random() < 0.5 ? 0 : Math.floor((random() * shiftSeconds) / 7_200) * 7_200
    const window = fromSeconds === 0 ? { fromSeconds: 0, untilSeconds: shiftSeconds } : { fromSeconds, untilSeconds: fromSeconds + 7_200 }
    return { place: i + 1, delivers: load(), collects: random() < 0.2 ? load() : noLoad, window, graceSeconds: 0, serviceSeconds: 180, priority: 1 }
  })
  return {
    matrix: greatCircleMatrix(places, { roadFactor: 1.3, metersPerSecond: 7 }),
    stops: doors,
    vehicles: Array.from({ length: vehicles }, () => ({
      capacity: { weightGrams: 400_000, volumeMilliliters: 2_000_000, packages: 80 }, shift: { fromSeconds: 0, untilSeconds: shiftSeconds },
      startPlace: 0, endPlace: 0, aboard: noLoad, agreed: [], underway: 0,
    })),
    objective: { perMeter: 1, perSecond: 0, perLateSecond: 0, perVehicle: 0 },
  }
}
