/**
 * Takes strings of neighbouring stops out of runs that pass close to each other (adjacent string removal: J. Christiaens and G. Vanden Berghe,
 * Slack Induction by String Removals for Vehicle Routing Problems, Transportation Science 54, 2020, section 5.1). Agreed stops stay.
 */
import { refresh, touch, type Tours } from './tours'

export interface Ruin {
  /** How many stops are taken on average. */
  stops: number
  longestString: number
  /** How often a string leaves some stops in its middle where they are, and how often one more of them. */
  splits: number
  splitsDeeper: number
  /** How often the first run is taken whole, however long it is. */
  wholeRuns: number
}

export function ruin(tours: Tours, { stops, longestString, splits, splitsDeeper, wholeRuns }: Ruin, random: () => number): void {
  const { model, vehicleOf, slotOf, count, before } = tours
  const longest = Math.min(longestString, averageLength(tours))
  const runs = Math.floor(random() * ((4 * stops) / (1 + longest) - 1) + 1)
  const first = Math.floor(random() * model.stops) * model.stops
  let ruined = 0
  for (let i = 0; i < model.stops && ruined < runs; i += 1) {
    const stop = model.near[first + i]!
    const vehicle = vehicleOf[stop]!
    if (vehicle < 0 || before[vehicle]! >= 0) continue
    const length = count[slotOf[vehicle]!]!
    const whole = ruined === 0 && random() < wholeRuns
    const taken = whole ? length : Math.floor(random() * Math.min(length, longest) + 1)
    let kept = 0
    if (taken > 1 && taken < length && random() < splits) for (kept = 1; taken + kept < length && random() < splitsDeeper; ) kept += 1
    takeString(tours, vehicle, stop, taken, kept, random)
    ruined += 1
  }
}

function averageLength({ model, slotOf, count, unservedCount }: Tours): number {
  let driving = 0
  for (let vehicle = 0; vehicle < slotOf.length; vehicle += 1) if (count[slotOf[vehicle]!]! > 0) driving += 1
  return driving === 0 ? 1 : Math.max(1, (model.stops - unservedCount) / driving)
}

/** A string of `taken` + `kept` stops that has `stop` in it, without `kept` of its middle. */
function takeString(tours: Tours, vehicle: number, stop: number, taken: number, kept: number, random: () => number): void {
  const slot = touch(tours, vehicle)
  const { model, nodes, stride, count, vehicleOf, unserved } = tours
  const first = slot * stride + 1
  const length = count[slot]!
  let position = 0
  while (nodes[first + position] !== stop) position += 1
  const string = Math.min(length, taken + kept)
  const lowest = Math.max(0, position - string + 1)
  const from = lowest + Math.floor(random() * (Math.min(position, length - string) - lowest + 1))
  const gap = kept === 0 ? length : from + 1 + Math.floor(random() * (taken - 1))
  let to = from
  for (let i = from; i < length; i += 1) {
    const node = nodes[first + i]!
    if (i >= from + string || (i >= gap && i < gap + kept) || model.agreed[node] === 1) {
      nodes[first + to] = node
      to += 1
    } else {
      vehicleOf[node] = -1
      unserved[tours.unservedCount] = node
      tours.unservedCount += 1
    }
  }
  count[slot] = to
  refresh(tours, vehicle)
}
