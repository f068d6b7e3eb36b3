/** Where in a run a stop fits, and what it adds: the innermost loop of the search, written for speed. */
import type { Tours } from './tours'

/** Places that are overlooked at random, by counting those that are seen until the next one ("blinks"; see `recreate.ts`). */
export interface Blinks {
  left: number
  next: () => number
}

export interface Place {
  vehicle: number
  /** The position after which it goes; −1: there is none cheaper than `cost`. */
  at: number
  /** What it adds. */
  cost: number
}

/** Puts the cheapest place in this run into `place`, if it is cheaper than the one there. */
export function findPlace(tours: Tours, vehicle: number, stop: number, place: Place, blinks: Blinks): void {
  const { model, nodes, leg, stride, slotOf, begin } = tours
  const { cost, costTo, timed, mixed, fleet, deadline } = model
  const slot = slotOf[vehicle]!
  if (model.only[stop]! !== vehicle && model.only[stop]! >= 0) return
  if (!fitsInTotal(tours, vehicle, slot, stop)) return
  const row = stop * model.nodes
  const base = slot * stride
  const end = base + tours.count[slot]! + 1
  const opening = end === base + 1 ? fleet.perVehicle + leg[base]! : 0
  const due = deadline[stop]!
  let best = place.cost
  let bestAt = -1
  let at = base + fleet.underway[vehicle]!
  for (let from = nodes[at]!; at < end && !(timed && begin[at]! > due); at += 1) {
    const to = nodes[at + 1]!
    const adds = costTo[row + from]! + cost[row + to]! - leg[at]! + opening
    from = to
    if (adds >= best) continue
    if (mixed && !fitsOnTheWay(tours, vehicle, stop, at)) continue
    const total = timed ? adds + latenessAdded(tours, stop, at, end) : adds
    if (total >= best) continue
    if (blinks.left === 0) blinks.left = blinks.next()
    else {
      blinks.left -= 1
      best = total
      bestAt = at
    }
  }
  if (bestAt < 0) return
  place.cost = best
  place.at = bestAt - base
  place.vehicle = vehicle
}

function fitsInTotal({ model, delivered, collected }: Tours, vehicle: number, slot: number, stop: number): boolean {
  const { loads, delivers, collects, fleet } = model
  for (let d = 0; d < loads; d += 1) {
    const capacity = fleet.capacity[vehicle * loads + d]!
    if (delivered[slot * loads + d]! + delivers[stop * loads + d]! > capacity) return false
    if (collected[slot * loads + d]! + collects[stop * loads + d]! > capacity) return false
  }
  return true
}

/** What it delivers is aboard up to here, what it collects from here on. */
function fitsOnTheWay({ model, mostUntil, mostFrom }: Tours, vehicle: number, stop: number, at: number): boolean {
  const { loads, delivers, collects, fleet } = model
  for (let d = 0; d < loads; d += 1) {
    const capacity = fleet.capacity[vehicle * loads + d]!
    if (mostUntil[at * loads + d]! + delivers[stop * loads + d]! > capacity) return false
    if (mostFrom[at * loads + d]! + collects[stop * loads + d]! > capacity) return false
  }
  return true
}

/** @returns what more lateness costs, Infinity where somebody would be too late. */
function latenessAdded({ model, nodes, begin, latest }: Tours, stop: number, at: number, end: number): number {
  const { time, timeTo, from, until, deadline, perLateSecond } = model
  const row = stop * model.nodes
  const arrival = begin[at]! + timeTo[row + nodes[at]!]!
  if (arrival > deadline[stop]!) return Infinity
  let starts = arrival < from[stop]! ? from[stop]! : arrival
  let late = starts > until[stop]! ? starts - until[stop]! : 0
  let next = starts + time[row + nodes[at + 1]!]!
  if (next <= latest[at + 1]!) return late * perLateSecond
  if (perLateSecond === 0) return Infinity
  for (let ahead = at + 1; next > latest[ahead]!; ahead += 1) {
    const node = nodes[ahead]!
    if (ahead === end || next > deadline[node]!) return Infinity
    starts = next < from[node]! ? from[node]! : next
    late += Math.max(0, starts - until[node]!) - Math.max(0, begin[ahead]! - until[node]!)
    next = starts + time[node * model.nodes + nodes[ahead + 1]!]!
  }
  return late * perLateSecond
}
