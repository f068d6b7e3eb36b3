/** Published routing instances as problems: A. Augerat's set A (rounded distances, the published number of vehicles) and M. Solomon's (double precision). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { noLoad, type RoutingProblem, type Stop } from '../domain/delivery/routing/problem'

/** Beside the project; where it is not, whoever wants the instances does without and says so. */
export const routingFiles = join(__dirname, '../../shared/data/routing')

export interface Instance {
  name: string
  problem: RoutingProblem
  bestKnown: number
}

/** @returns none where the files are not at hand. */
export function instancesOf(kind: 'cvrp' | 'vrptw'): Instance[] {
  if (!existsSync(routingFiles)) return []
  const known = JSON.parse(readFileSync(join(routingFiles, 'best-known.json'), 'utf8')) as Record<string, Record<string, { best_known_cost: number; vehicles: number }>>
  return readdirSync(join(routingFiles, kind)).map((file) => {
    const name = file.split('.')[0]!
    const { best_known_cost: bestKnown, vehicles } = known[kind]![kind === 'cvrp' ? name : `${name}_distance`]!
    const text = readFileSync(join(routingFiles, kind, file), 'utf8')
    return { name, bestKnown, problem: kind === 'cvrp' ? augerat(text, vehicles) : solomon(text) }
  })
}

interface Customer {
  x: number
  y: number
  demand: number
  from: number
  until: number
  service: number
}

function augerat(text: string, vehicles: number): RoutingProblem {
  const capacity = Number(/CAPACITY\s*:\s*(\d+)/.exec(text)![1])
  const rows = (after: string): number[][] => numbers(text.split(after)[1]!.split(/[A-Z]/)[0]!)
  const demand = new Map(rows('DEMAND_SECTION').map(([id, amount]) => [id, amount!]))
  const customers = rows('NODE_COORD_SECTION').map(([id, x, y]) => ({ x: x!, y: y!, demand: demand.get(id)!, from: -Infinity, until: Infinity, service: 0 }))
  return problemOf(customers, vehicles, capacity, Math.round)
}

function solomon(text: string): RoutingProblem {
  const [vehicles, capacity] = numbers(text.split('CAPACITY')[1]!.split('CUSTOMER')[0]!)[0]!
  const customers = numbers(text.split('SERVICE')[1]!.replace(/^.*\n/, '')).map(([, x, y, demand, from, until, service]) => ({ x: x!, y: y!, demand: demand!, from: from!, until: until!, service: service! }))
  return problemOf(customers, vehicles!, capacity!, (way) => way)
}

const numbers = (text: string): number[][] => text.split('\n').map((line) => line.trim().split(/\s+/).filter(Boolean).map(Number)).filter((row) => row.length > 1)

/** The first is the depot. */
function problemOf(all: readonly Customer[], vehicles: number, capacity: number, rounded: (way: number) => number): RoutingProblem {
  const ways = Float64Array.from(all.flatMap((a) => all.map((b) => rounded(Math.hypot(a.x - b.x, a.y - b.y)))))
  const [depot, ...customers] = all
  const weight = (weightGrams: number) => ({ ...noLoad, weightGrams })
  return {
    matrix: { size: all.length, meters: ways, seconds: ways },
    stops: customers.map((c, i): Stop => ({
      place: i + 1, delivers: weight(c.demand), collects: noLoad, window: { fromSeconds: c.from, untilSeconds: c.until }, graceSeconds: 0, serviceSeconds: c.service, priority: 1,
    })),
    vehicles: Array.from({ length: vehicles }, () => ({
      capacity: weight(capacity), shift: { fromSeconds: Math.max(0, depot!.from), untilSeconds: depot!.until }, startPlace: 0, endPlace: 0, aboard: noLoad, agreed: [], underway: 0,
    })),
    objective: { perMeter: 1, perSecond: 0, perLateSecond: 0, perVehicle: 0 },
  }
}
