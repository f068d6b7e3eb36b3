/**
 * Puts unserved stops back, each where it is cheapest, in an order that changes from trial to trial, and overlooking a place now and then
 * (greedy insertion with blinks: Christiaens and Vanden Berghe 2020, section 5.2).
 */
import type { Model } from './model'
import { findPlace, type Blinks, type Place } from './placing'
import { insert, type Tours } from './tours'

/** In which stops are put back, and how often; the smallest key first. */
interface Order {
  weight: number
  key: (model: Model, stop: number, random: () => number) => number
}
const orders: readonly Order[] = [
  { weight: 4, key: (_, __, random) => random() },
  { weight: 4, key: (model, stop) => -sizeOf(model, stop) },
  { weight: 2, key: (model, stop) => -model.cost[model.fleet.startNode[0]! * model.nodes + stop]! },
  { weight: 1, key: (model, stop) => model.cost[model.fleet.startNode[0]! * model.nodes + stop]! },
]
const timedOrders: readonly Order[] = [
  ...orders,
  { weight: 2, key: (model, stop) => model.until[stop]! - model.from[stop]! },
  { weight: 2, key: (model, stop) => model.from[stop]! },
  { weight: 2, key: (model, stop) => -model.until[stop]! },
]

export interface Recreate {
  blinks: Blinks
  keys: Float64Array
  place: Place
}

export const recreating = (model: Model, blinks: Blinks): Recreate => ({ blinks, keys: new Float64Array(model.stops), place: { vehicle: -1, at: -1, cost: 0 } })

export function recreate(tours: Tours, { blinks, keys, place }: Recreate, random: () => number): void {
  const { model, unserved, slotOf, count, closed } = tours
  const { fleet } = model
  sort(tours, keys, random)
  let left = 0
  for (let i = 0; i < tours.unservedCount; i += 1) {
    const stop = unserved[i]!
    place.cost = Infinity
    place.vehicle = -1
    for (let vehicle = 0; vehicle < slotOf.length; vehicle += 1) {
      if (closed[vehicle] === 1) continue
      const same = fleet.sameAs[vehicle]!
      // Of several empty ones of a kind the first is enough.
      if (same >= 0 && count[slotOf[vehicle]!] === 0 && count[slotOf[same]!] === 0) continue
      findPlace(tours, vehicle, stop, place, blinks)
    }
    if (place.vehicle >= 0) insert(tours, place.vehicle, stop, place.at)
    else unserved[left++] = stop
  }
  tours.unservedCount = left
}

/** What there are few of: by insertion. */
function sort({ model, unserved, unservedCount }: Tours, keys: Float64Array, random: () => number): void {
  const { key } = drawn(model.timed ? timedOrders : orders, random)
  for (let i = 0; i < unservedCount; i += 1) {
    const stop = unserved[i]!
    const mine = key(model, stop, random)
    let at = i
    for (; at > 0 && keys[at - 1]! > mine; at -= 1) {
      keys[at] = keys[at - 1]!
      unserved[at] = unserved[at - 1]!
    }
    keys[at] = mine
    unserved[at] = stop
  }
}

function drawn(among: readonly Order[], random: () => number): Order {
  let left = random() * among.reduce((sum, order) => sum + order.weight, 0)
  return among.find((order) => (left -= order.weight) < 0) ?? among[0]!
}

/** Of its load, by the first dimension that binds. */
const sizeOf = ({ loads, delivers, collects }: Model, stop: number): number => (loads === 0 ? 0 : delivers[stop * loads]! + collects[stop * loads]!)
