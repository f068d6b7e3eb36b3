/** A routing problem as flat arrays, for a search that looks at millions of places per second: the stops come first, then the depots and positions. */
import { dimensions, type Load, type RoutingProblem, type Vehicle } from './problem'

export interface Model {
  stops: number
  /** Stops, and the places where vehicles start and end. */
  nodes: number
  vehicles: number
  /** What it costs to drive from `a` to `b`, at `a * nodes + b`; and the same by destination, at `b * nodes + a`. */
  cost: Float64Array
  costTo: Float64Array
  /** From beginning the work at `a` until arriving at `b`; and by destination. */
  time: Float64Array
  timeTo: Float64Array
  /** Whether any time can bind. */
  timed: boolean
  from: Float64Array
  until: Float64Array
  deadline: Float64Array
  perLateSecond: number
  /** Dimensions of loads that can bind; `stop * loads + dimension`. */
  loads: number
  delivers: Float64Array
  collects: Float64Array
  /** Whether the order of a run decides what is aboard. */
  mixed: boolean
  priority: Float64Array
  /** −1: any. */
  only: Int32Array
  agreed: Uint8Array
  fleet: Fleet
  /** For each stop all stops, nearest first (itself foremost). */
  near: Int32Array
}

export interface Fleet {
  startNode: Int32Array
  endNode: Int32Array
  shiftFrom: Float64Array
  shiftUntil: Float64Array
  capacity: Float64Array
  aboard: Float64Array
  underway: Int32Array
  /** The vehicle before it that is just the same, or −1: of several empty ones the first is enough. */
  sameAs: Int32Array
  perVehicle: number
}

export function modelOf(problem: RoutingProblem): Model {
  const { stops, vehicles, objective } = problem
  const terminals = [...new Set(vehicles.flatMap((v) => [v.startPlace, v.endPlace]))]
  const places = [...stops.map((s) => s.place), ...terminals]
  const nodes = places.length
  const { cost, time } = legs(problem, places)
  const bounded = [...stops.flatMap((s) => [s.window.untilSeconds]), ...vehicles.map((v) => v.shift.untilSeconds)]
  const bind = dimensions.filter((d) => vehicles.some((v) => stops.reduce((sum, s) => sum + s.delivers[d] + s.collects[d], v.aboard[d]) > v.capacity[d]))
  const flat = (of: (stop: RoutingProblem['stops'][number]) => Load): Float64Array => Float64Array.from(stops.flatMap((s) => bind.map((d) => of(s)[d])))
  const [delivers, collects] = [flat((s) => s.delivers), flat((s) => s.collects)]
  return {
    stops: stops.length, nodes, vehicles: vehicles.length,
    cost, costTo: transposed(cost, nodes), time, timeTo: transposed(time, nodes),
    timed: bounded.some(Number.isFinite),
    from: perNode(nodes, stops.map((s) => s.window.fromSeconds), -Infinity),
    until: perNode(nodes, stops.map((s) => s.window.untilSeconds), Infinity),
    deadline: perNode(nodes, stops.map((s) => s.window.untilSeconds + s.graceSeconds), Infinity),
    perLateSecond: objective.perLateSecond,
    loads: bind.length, delivers, collects,
    mixed: delivers.some((load) => load > 0) && (collects.some((load) => load > 0) || vehicles.some((v) => bind.some((d) => v.aboard[d] > 0))),
    priority: Float64Array.from(stops, (s) => s.priority),
    only: Int32Array.from(stops, (s) => s.vehicle ?? -1),
    agreed: agreedOf(problem),
    fleet: fleetOf(problem, terminals, bind),
    near: nearest(cost, nodes, stops.length),
  }
}

function legs({ matrix, stops, objective }: RoutingProblem, places: readonly number[]): { cost: Float64Array; time: Float64Array } {
  const nodes = places.length
  const cost = new Float64Array(nodes * nodes)
  const time = new Float64Array(nodes * nodes)
  for (let a = 0; a < nodes; a += 1)
    for (let b = 0; b < nodes; b += 1) {
      const leg = places[a]! * matrix.size + places[b]!
      cost[a * nodes + b] = objective.perMeter * matrix.meters[leg]! + objective.perSecond * matrix.seconds[leg]!
      time[a * nodes + b] = matrix.seconds[leg]! + (stops[a]?.serviceSeconds ?? 0)
    }
  return { cost, time }
}

/** The same array where there is no difference, so that it is in the processor's cache once. */
function transposed(square: Float64Array, size: number): Float64Array {
  const turned = square.map((_, i) => square[(i % size) * size + Math.floor(i / size)]!)
  return turned.every((value, i) => value === square[i]) ? square : turned
}

function perNode(nodes: number, values: readonly number[], otherwise: number): Float64Array {
  const all = new Float64Array(nodes).fill(otherwise)
  all.set(values)
  return all
}

function agreedOf({ stops, vehicles }: RoutingProblem): Uint8Array {
  const agreed = new Uint8Array(stops.length)
  for (const stop of vehicles.flatMap((v) => v.agreed)) agreed[stop] = 1
  return agreed
}

function fleetOf({ stops, vehicles, objective }: RoutingProblem, terminals: readonly number[], bind: readonly (keyof Load)[]): Fleet {
  const numbers = (of: (v: Vehicle) => number): Float64Array => Float64Array.from(vehicles, of)
  const bound = new Set(stops.map((s) => s.vehicle))
  const likeness = vehicles.map((v, i) => (v.agreed.length > 0 || bound.has(i) ? `alone ${i}` : JSON.stringify({ ...v, shift: `${v.shift.fromSeconds} ${v.shift.untilSeconds}` })))
  return {
    startNode: Int32Array.from(vehicles, (v) => stops.length + terminals.indexOf(v.startPlace)),
    endNode: Int32Array.from(vehicles, (v) => stops.length + terminals.indexOf(v.endPlace)),
    shiftFrom: numbers((v) => v.shift.fromSeconds),
    shiftUntil: numbers((v) => v.shift.untilSeconds),
    capacity: Float64Array.from(vehicles.flatMap((v) => bind.map((d) => v.capacity[d]))),
    aboard: Float64Array.from(vehicles.flatMap((v) => bind.map((d) => v.aboard[d]))),
    underway: Int32Array.from(vehicles, (v) => v.underway),
    sameAs: Int32Array.from(vehicles, (_, i) => likeness.slice(0, i).lastIndexOf(likeness[i]!)),
    perVehicle: objective.perVehicle,
  }
}

/** By the way there and back. */
function nearest(cost: Float64Array, nodes: number, stops: number): Int32Array {
  const near = new Int32Array(stops * stops)
  for (let a = 0; a < stops; a += 1) {
    const apart = Float64Array.from({ length: stops }, (_, b) => (a === b ? -1 : cost[a * nodes + b]! + cost[b * nodes + a]!))
    near.set(Int32Array.from({ length: stops }, (_, b) => b).sort((b, c) => apart[b]! - apart[c]! || b - c), a * stops)
  }
  return near
}
