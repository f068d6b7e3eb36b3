/**
 * The best run of one vehicle over a dozen stops, proven: a dynamic programme over sets of stops (M. Held and R. Karp, 1962) that keeps, for each set and
 * last stop, every way that no other one beats in cost and in time (Y. Dumas et al., An Optimal Algorithm for the TSP with Time Windows, 1995).
 */
import type { Model } from './model'

/** More stops than this take too long. */
export const exactStops = 12

interface Way {
  cost: number
  /** When work begins at the last stop; 0 where no time binds. */
  begin: number
  /** Most by which what was collected has exceeded what was delivered, per dimension; only where stops may be left out. */
  ahead: readonly number[]
  last: number
  before: Way | undefined
}

interface Question {
  model: Model
  vehicle: number
  /** By stop: the set of those that must come before it. */
  needs: readonly number[]
  agreed: number
  /** By set and dimension: what its stops deliver, and collect, together. */
  delivers: Float64Array
  collects: Float64Array
  everything: boolean
  /** Priority that may be left unserved. */
  mayLose: number
  /** Runs that cost more are of no interest. */
  atMost: number
  /** See `costsToGo`. */
  toGo: Float64Array
  /** From beginning the work at one stop until being at another, whatever comes between. */
  soonest: Float64Array
}

export interface Asked {
  agreed?: readonly number[]
  /** What a run costs, and leaves unserved by priority, where one is known: what cannot be better is not followed. */
  known?: { cost: number; lost: number }
}

/** @returns the stops in order; some are missing where not all can be served. Undefined where the agreed ones cannot all be served. */
export function exactRun(model: Model, { agreed = [], known = { cost: Infinity, lost: Infinity } }: Asked = {}, vehicle = 0): number[] | undefined {
  const sets = { model, vehicle, needs: needsOf(model, agreed, vehicle), agreed: setOf(agreed), ...setLoads(model), soonest: soonestOf(model) }
  const bound = Math.min(Number.MAX_VALUE, known.cost * (1 + 1e-9))
  const all = { ...sets, everything: true, mayLose: 0, atMost: known.lost === 0 ? bound : Number.MAX_VALUE }
  const most = { ...sets, everything: false, mayLose: known.lost, atMost: known.lost <= Math.min(...model.priority) ? bound : Number.MAX_VALUE }
  const solved = (question: Omit<Question, 'toGo'>): number[] | undefined => bestRun({ ...question, toGo: costsToGo(question) })
  // Whether all can be served at all is soon answered where nothing costs anything.
  const canAll = known.lost === 0 || solved({ ...all, model: { ...model, cost: model.cost.map(() => 0), perLateSecond: 0 } }) !== undefined
  return (canAll && solved(all)) || solved(most)
}

function bestRun(question: Question): number[] | undefined {
  const { model, agreed, everything } = question
  const all = (1 << model.stops) - 1
  const ways = Array.from({ length: 1 << model.stops }, (): (Way[] | undefined)[] => [])
  let best: { lost: number; cost: number; way: Way | undefined } | undefined = agreed === 0 && !(everything && all > 0) ? { lost: lostBy(model, 0), cost: 0, way: undefined } : undefined
  extend(question, ways, 0, start(question))
  for (let set = 1; set <= all; set += 1) {
    const lost = lostBy(model, set)
    for (const fronts of ways[set]!)
      for (const way of fronts ?? []) {
        const cost = way.cost + costBack(question, way)
        const isFinal = everything ? set === all : (agreed & ~set) === 0
        if (isFinal && cost < Infinity && (!best || lost < best.lost || (lost === best.lost && cost < best.cost))) best = { lost, cost, way }
        extend(question, ways, set, way)
      }
    ways[set] = []
  }
  return best && runOf(best.way)
}

function start({ model, vehicle, everything }: Question): Way {
  const ahead = everything ? [] : Array.from({ length: model.loads }, () => 0)
  return { cost: model.fleet.perVehicle, begin: model.timed ? model.fleet.shiftFrom[vehicle]! : 0, ahead, last: model.fleet.startNode[vehicle]!, before: undefined }
}

/** By one more stop, each that can come next. */
function extend(question: Question, ways: (Way[] | undefined)[][], set: number, way: Way): void {
  const { model, vehicle, needs, everything } = question
  const { cost, time, timed, from, until, deadline, perLateSecond, nodes, only } = model
  if (lostFrom(question, set, way) > question.mayLose || (everything && set === 0 && !fitsAfter(question, set))) return
  for (let stop = 0; stop < model.stops; stop += 1) {
    if ((set >> stop) & 1 || (needs[stop]! & ~set) !== 0 || (only[stop]! >= 0 && only[stop] !== vehicle)) continue
    const leg = way.last * nodes + stop
    const begin = timed ? Math.max(from[stop]!, way.begin + time[leg]!) : 0
    const grown = set | (1 << stop)
    if (begin > deadline[stop]!) continue
    const ahead = everything ? way.ahead : aheadAfter(question, grown, way.ahead)
    if (!everything && !fitsWhole(question, grown, ahead)) continue
    const spent = way.cost + cost[leg]! + (begin > until[stop]! ? perLateSecond * (begin - until[stop]!) : 0)
    if (spent + question.toGo[grown * model.stops + stop]! > question.atMost) continue
    const front = (ways[grown]![stop] ??= [])
    if (!isBeaten(front, spent, begin, ahead)) offer(front, { cost: spent, begin, ahead, last: stop, before: way })
  }
}

/** Whether another one is as good in everything. */
function isBeaten(front: readonly Way[], cost: number, begin: number, ahead: readonly number[]): boolean {
  for (const other of front) if (other.cost <= cost && other.begin <= begin && isAsLow(other.ahead, ahead)) return true
  return false
}

/** Drops those that it beats. */
function offer(front: Way[], way: Way): void {
  let kept = 0
  for (const other of front) if (other.cost < way.cost || other.begin < way.begin || !isAsLow(way.ahead, other.ahead)) front[kept++] = other
  front.length = kept
  front.push(way)
}

function isAsLow(a: readonly number[], b: readonly number[]): boolean {
  for (let d = 0; d < a.length; d += 1) if (a[d]! > b[d]!) return false
  return true
}

function costBack({ model, vehicle }: Question, { last, begin }: Way): number {
  const leg = last * model.nodes + model.fleet.endNode[vehicle]!
  return model.timed && begin + model.time[leg]! > model.fleet.shiftUntil[vehicle]! ? Infinity : model.cost[leg]!
}

/** All stops are served, so that what is aboard depends on the set of those behind, whatever their order. */
function fitsAfter({ model, vehicle, delivers, collects }: Pick<Question, 'model' | 'vehicle' | 'delivers' | 'collects'>, set: number): boolean {
  const { loads, fleet } = model
  const all = (1 << model.stops) - 1
  for (let d = 0; d < loads; d += 1) {
    const aboard = fleet.aboard[vehicle * loads + d]! + delivers[all * loads + d]! - delivers[set * loads + d]! + collects[set * loads + d]!
    if (aboard > fleet.capacity[vehicle * loads + d]!) return false
  }
  return true
}

/** Priority of the stops that cannot be reached in time any more. */
function lostFrom({ model, soonest }: Question, set: number, { last, begin }: Way): number {
  let lost = 0
  if (!model.timed || last >= model.stops) return lost
  for (let stop = 0; stop < model.stops; stop += 1) if (!((set >> stop) & 1) && begin + soonest[last * model.stops + stop]! > model.deadline[stop]!) lost += model.priority[stop]!
  return lost
}

const aheadAfter = ({ model: { loads }, delivers, collects }: Question, set: number, ahead: readonly number[]): number[] =>
  ahead.map((most, d) => Math.max(most, collects[set * loads + d]! - delivers[set * loads + d]!))

const fitsWhole = ({ model: { loads, fleet }, vehicle, delivers }: Question, set: number, ahead: readonly number[]): boolean =>
  ahead.every((most, d) => fleet.aboard[vehicle * loads + d]! + delivers[set * loads + d]! + most <= fleet.capacity[vehicle * loads + d]!)

function needsOf({ stops, fleet }: Model, agreed: readonly number[], vehicle: number): number[] {
  const first = agreed.slice(0, fleet.underway[vehicle])
  return Array.from({ length: stops }, (_, stop) => setOf(agreed.includes(stop) ? agreed.slice(0, agreed.indexOf(stop)) : first))
}

const setOf = (stops: readonly number[]): number => stops.reduce((set, stop) => set | (1 << stop), 0)

function setLoads({ stops, loads, delivers, collects }: Model): Pick<Question, 'delivers' | 'collects'> {
  const sums = (of: Float64Array): Float64Array => {
    const total = new Float64Array((1 << stops) * loads)
    for (let set = 1; set < 1 << stops; set += 1) {
      const stop = 31 - Math.clz32(set)
      for (let d = 0; d < loads; d += 1) total[set * loads + d] = total[(set ^ (1 << stop)) * loads + d]! + of[stop * loads + d]!
    }
    return total
  }
  return { delivers: sums(delivers), collects: sums(collects) }
}

/**
 * By set and its last stop: the least that it costs to serve as many others as must be and to end, time left out of account;
 * Infinity where the load does not fit then.
 */
function costsToGo(question: Omit<Question, 'toGo'>): Float64Array {
  const { stops, nodes, cost, fleet } = question.model
  const all = (1 << stops) - 1
  const toGo = new Float64Array((all + 1) * stops).fill(Infinity)
  for (let set = all; set > 0; set -= 1) {
    if (question.everything && !fitsAfter(question, set)) continue
    const mayEnd = lostBy(question.model, set) <= question.mayLose
    for (let last = 0; last < stops; last += 1) {
      if (!((set >> last) & 1)) continue
      let least = mayEnd ? cost[last * nodes + fleet.endNode[question.vehicle]!]! : Infinity
      for (let next = 0; next < stops; next += 1) {
        if ((set >> next) & 1) continue
        const way = cost[last * nodes + next]! + toGo[(set | (1 << next)) * stops + next]!
        if (way < least) least = way
      }
      toGo[set * stops + last] = least
    }
  }
  return toGo
}

/** R. Floyd, Algorithm 97: Shortest Path, 1962. */
function soonestOf({ stops, nodes, time }: Model): Float64Array {
  const soonest = Float64Array.from({ length: stops * stops }, (_, i) => time[Math.floor(i / stops) * nodes + (i % stops)]!)
  for (let via = 0; via < stops; via += 1)
    for (let a = 0; a < stops; a += 1)
      for (let b = 0; b < stops; b += 1) soonest[a * stops + b] = Math.min(soonest[a * stops + b]!, soonest[a * stops + via]! + soonest[via * stops + b]!)
  return soonest
}

function lostBy({ stops, priority }: Model, set: number): number {
  let lost = 0
  for (let stop = 0; stop < stops; stop += 1) if (!((set >> stop) & 1)) lost += priority[stop]!
  return lost
}

function runOf(way: Way | undefined): number[] {
  const run: number[] = []
  for (let at = way; at?.before; at = at.before) run.push(at.last)
  return run.reverse()
}
