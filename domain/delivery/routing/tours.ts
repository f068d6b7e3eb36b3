/**
 * The runs of all vehicles while they are being searched: changed in place, and taken back at the price of what was touched. Every run lives in a slot;
 * the first change of a trial goes to a copy in a spare slot, so that taking it back is putting the old slot in its place again.
 */
import type { Model } from './model'
import type { Plan } from './problem'

export interface Tours {
  model: Model
  /** Room per slot: its stops and both ends. */
  stride: number
  /** By vehicle: its slot; the one it had before this trial, or −1 where it is untouched. */
  slotOf: Int32Array
  before: Int32Array
  touched: Int32Array
  touchedCount: number
  spare: Int32Array
  spareCount: number
  /** By slot: its number of stops, cost, and an identity that no other content ever has. */
  count: Int32Array
  cost: Float64Array
  version: Int32Array
  versions: number
  /** By slot and position, the ends included: the node, the way on from it, when work begins, until when it may begin without harm. */
  nodes: Int32Array
  leg: Float64Array
  begin: Float64Array
  latest: Float64Array
  /** By slot: seconds past deadlines and the shift's end, together. */
  over: Float64Array
  /** By slot and dimension. */
  delivered: Float64Array
  collected: Float64Array
  /** By slot, position and dimension: most that is aboard up to the leg from here, and from that leg on. */
  mostUntil: Float64Array
  mostFrom: Float64Array
  /** By stop: −1 where it is unserved. */
  vehicleOf: Int32Array
  unserved: Int32Array
  unservedCount: number
  unservedBefore: Int32Array
  unservedBeforeCount: number
  /** By vehicle: whether it is to do without it. */
  closed: Uint8Array
}

export function toursOf(model: Model, plan: Plan): Tours {
  const { vehicles, stops, loads } = model
  const stride = stops + 2
  const slots = 2 * vehicles + 1
  const tours: Tours = {
    model, stride,
    slotOf: Int32Array.from({ length: vehicles }, (_, v) => v),
    before: new Int32Array(vehicles).fill(-1),
    touched: new Int32Array(vehicles), touchedCount: 0,
    spare: Int32Array.from({ length: slots }, (_, i) => vehicles + i), spareCount: slots - vehicles,
    count: new Int32Array(slots), cost: new Float64Array(slots), version: new Int32Array(slots), versions: 0,
    nodes: new Int32Array(slots * stride), leg: new Float64Array(slots * stride),
    begin: new Float64Array(slots * stride), latest: new Float64Array(slots * stride),
    over: new Float64Array(slots),
    delivered: new Float64Array(slots * loads), collected: new Float64Array(slots * loads),
    mostUntil: new Float64Array(model.mixed ? slots * stride * loads : 0), mostFrom: new Float64Array(model.mixed ? slots * stride * loads : 0),
    vehicleOf: new Int32Array(stops), unserved: new Int32Array(stops), unservedCount: 0,
    unservedBefore: new Int32Array(stops), unservedBeforeCount: 0,
    closed: new Uint8Array(vehicles),
  }
  setPlan(tours, plan)
  return tours
}

export function setPlan(tours: Tours, plan: Plan): void {
  const { nodes, stride, count, vehicleOf, slotOf } = tours
  vehicleOf.fill(-1)
  tours.unserved.set(plan.unserved)
  tours.unservedCount = plan.unserved.length
  for (let vehicle = 0; vehicle < slotOf.length; vehicle += 1) {
    const slot = slotOf[vehicle]!
    const run = plan.runs[vehicle] ?? []
    count[slot] = run.length
    nodes.set(run, slot * stride + 1)
    for (const stop of run) vehicleOf[stop] = vehicle
    refresh(tours, vehicle)
  }
}

export function planOf({ nodes, stride, count, slotOf, unserved, unservedCount }: Tours): Plan {
  const runs = Array.from(slotOf, (slot) => Array.from(nodes.subarray(slot * stride + 1, slot * stride + 1 + count[slot]!)))
  return { runs, unserved: Array.from(unserved.subarray(0, unservedCount)) }
}

export const totalCost = ({ slotOf, cost }: Tours): number => slotOf.reduce((sum, slot) => sum + cost[slot]!, 0)

/** Closes the vehicle whose stops weigh least together and leaves them unserved. @returns whether there is one that can be done without. */
export function emptyRun(tours: Tours, weight: Float64Array): boolean {
  const { model, nodes, stride, count, slotOf, closed, vehicleOf, unserved } = tours
  const stopsOf = (vehicle: number): Int32Array => nodes.subarray(slotOf[vehicle]! * stride + 1, slotOf[vehicle]! * stride + 1 + count[slotOf[vehicle]!]!)
  const weightOf = (vehicle: number): number => stopsOf(vehicle).reduce((sum, stop) => sum + weight[stop]!, 0)
  const able = Array.from(slotOf.keys()).filter((v) => closed[v] === 0 && stopsOf(v).length > 0 && stopsOf(v).every((stop) => model.agreed[stop] === 0 && model.only[stop]! < 0))
  const vehicle = able.sort((a, b) => weightOf(a) - weightOf(b))[0]
  if (vehicle === undefined) return false
  const stops = stopsOf(vehicle)
  for (const stop of stops) vehicleOf[stop] = -1
  unserved.set(stops, tours.unservedCount)
  tours.unservedCount += stops.length
  closed.forEach((_, v) => (closed[v] = v === vehicle || count[slotOf[v]!] === 0 ? 1 : 0))
  count[slotOf[vehicle]!] = 0
  refresh(tours, vehicle)
  return true
}

/** From here on, changes can be taken back. */
export function beginTrial(tours: Tours): void {
  tours.unservedBefore.set(tours.unserved)
  tours.unservedBeforeCount = tours.unservedCount
}

/** Of the runs touched so far. */
export function costChange({ touched, touchedCount, slotOf, before, cost }: Tours): number {
  let change = 0
  for (let i = 0; i < touchedCount; i += 1) {
    const vehicle = touched[i]!
    change += cost[slotOf[vehicle]!]! - cost[before[vehicle]!]!
  }
  return change
}

/** Whether a run keeps its times less than before: where a way around is shorter than the straight one, taking a stop out can make others late. */
export function breaksTimes({ touched, touchedCount, slotOf, before, over }: Tours): boolean {
  for (let i = 0; i < touchedCount; i += 1) if (over[slotOf[touched[i]!]!]! > over[before[touched[i]!]!]! + 1e-9) return true
  return false
}

export function keepTrial(tours: Tours): void {
  const { touched, before, spare } = tours
  for (let i = 0; i < tours.touchedCount; i += 1) {
    const vehicle = touched[i]!
    spare[tours.spareCount] = before[vehicle]!
    tours.spareCount += 1
    before[vehicle] = -1
  }
  tours.touchedCount = 0
}

export function takeBack(tours: Tours): void {
  const { touched, before, spare, slotOf, nodes, stride, count, vehicleOf, unserved, unservedBefore } = tours
  for (let i = 0; i < tours.touchedCount; i += 1) {
    const vehicle = touched[i]!
    spare[tours.spareCount] = slotOf[vehicle]!
    tours.spareCount += 1
    const slot = before[vehicle]!
    slotOf[vehicle] = slot
    before[vehicle] = -1
    const from = slot * stride + 1
    for (let at = from; at < from + count[slot]!; at += 1) vehicleOf[nodes[at]!] = vehicle
  }
  for (let i = 0; i < tours.unservedBeforeCount; i += 1) {
    unserved[i] = unservedBefore[i]!
    vehicleOf[unserved[i]!] = -1
  }
  tours.unservedCount = tours.unservedBeforeCount
  tours.touchedCount = 0
}

/** @returns the slot in which this trial may change the vehicle's run; its stops are copied, all else is for `refresh`. */
export function touch(tours: Tours, vehicle: number): number {
  const { slotOf, before, nodes, stride, count } = tours
  if (before[vehicle]! >= 0) return slotOf[vehicle]!
  const old = slotOf[vehicle]!
  tours.spareCount -= 1
  const slot = tours.spare[tours.spareCount]!
  before[vehicle] = old
  slotOf[vehicle] = slot
  tours.touched[tours.touchedCount] = vehicle
  tours.touchedCount += 1
  const stops = count[old]!
  count[slot] = stops
  for (let i = 1, to = slot * stride + 1, from = old * stride + 1; i <= stops; i += 1, to += 1, from += 1) nodes[to] = nodes[from]!
  return slot
}

/** Puts a stop after position `at` of the vehicle's run. */
export function insert(tours: Tours, vehicle: number, stop: number, at: number): void {
  const slot = touch(tours, vehicle)
  const { nodes, stride, count } = tours
  const base = slot * stride
  for (let i = base + count[slot]!; i > base + at; i -= 1) nodes[i + 1] = nodes[i]!
  nodes[base + at + 1] = stop
  count[slot]! += 1
  tours.vehicleOf[stop] = vehicle
  refresh(tours, vehicle)
}

/** Computes all that is known of a run from its stops. */
export function refresh(tours: Tours, vehicle: number): void {
  const { model, slotOf, nodes, stride, count, leg, version } = tours
  const { fleet } = model
  const slot = slotOf[vehicle]!
  const base = slot * stride
  const end = base + count[slot]! + 1
  tours.versions += 1
  version[slot] = tours.versions
  nodes[base] = fleet.startNode[vehicle]!
  nodes[end] = fleet.endNode[vehicle]!
  let cost = end === base + 1 ? 0 : fleet.perVehicle
  for (let at = base; at < end; at += 1) {
    const way = model.cost[nodes[at]! * model.nodes + nodes[at + 1]!]!
    leg[at] = way
    cost += way
  }
  if (end === base + 1) cost = 0
  tours.cost[slot] = model.timed ? cost + refreshTimes(tours, vehicle, slot, base, end) : cost
  if (model.loads > 0) refreshLoads(tours, vehicle, slot, base, end)
}

/** @returns what lateness costs. */
function refreshTimes({ model, nodes, begin, latest, over }: Tours, vehicle: number, slot: number, base: number, end: number): number {
  const { fleet, time, from, until, deadline, perLateSecond } = model
  let [late, tooLate] = [0, 0]
  begin[base] = fleet.shiftFrom[vehicle]!
  for (let at = base + 1; at <= end; at += 1) {
    const node = nodes[at]!
    const arrival = begin[at - 1]! + time[nodes[at - 1]! * model.nodes + node]!
    const starts = arrival < from[node]! ? from[node]! : arrival
    begin[at] = starts
    if (starts > until[node]!) {
      late += starts - until[node]!
      if (starts > deadline[node]!) tooLate += starts - deadline[node]!
    }
  }
  over[slot] = tooLate + (end > base + 1 && begin[end]! > fleet.shiftUntil[vehicle]! ? begin[end]! - fleet.shiftUntil[vehicle]! : 0)
  latest[end] = fleet.shiftUntil[vehicle]!
  for (let at = end - 1; at > base; at -= 1) {
    const node = nodes[at]!
    const leaves = latest[at + 1]! - time[node * model.nodes + nodes[at + 1]!]!
    // One who is late already may not become later, at no price: that is looked at apart.
    const bound = begin[at]! > until[node]! ? Math.min(begin[at]!, deadline[node]!) : until[node]!
    latest[at] = leaves < bound ? leaves : bound
  }
  return late * perLateSecond
}

function refreshLoads(tours: Tours, vehicle: number, slot: number, base: number, end: number): void {
  const { model, nodes, delivered, collected, mostUntil, mostFrom } = tours
  const { loads, delivers, collects } = model
  for (let d = 0; d < loads; d += 1) {
    let [out, back] = [0, model.fleet.aboard[vehicle * loads + d]!]
    for (let at = base + 1; at < end; at += 1) {
      out += delivers[nodes[at]! * loads + d]!
      back += collects[nodes[at]! * loads + d]!
    }
    delivered[slot * loads + d] = out
    collected[slot * loads + d] = back
    if (!model.mixed) continue
    let aboard = out + model.fleet.aboard[vehicle * loads + d]!
    let most = aboard
    for (let at = base; at < end; at += 1) {
      if (at > base) aboard += collects[nodes[at]! * loads + d]! - delivers[nodes[at]! * loads + d]!
      if (aboard > most) most = aboard
      mostUntil[at * loads + d] = most
      mostFrom[at * loads + d] = aboard
    }
    for (let at = end - 2; at >= base; at -= 1) {
      const after = mostFrom[(at + 1) * loads + d]!
      if (after > mostFrom[at * loads + d]!) mostFrom[at * loads + d] = after
    }
  }
}
