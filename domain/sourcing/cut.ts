/**
 * Cuts an order into shipments by branch and bound over the table of its parts. A part is always the one that holds a piece of the last line that is
 * left, so that no cut is seen twice from that side. What a node asks for is subadditive: one node ships twice in a best plan only where its stock
 * or hours forbid to ship at once what it could ship apart; such plans are given distinct nodes before they count.
 */
import { leastFixedOf, shipmentCost, type Plan, type Problem, type Shipment } from './problem'
import { piecesOf, unitsOf, type Table } from './table'

interface Search {
  problem: Problem
  table: Table
  /** Of any shipment, its parcel included. */
  leastFixed: number
  leastPrice: number
  stepsLeft: number
  /** States of the shipments so far. */
  parts: number[]
  best: number
  found?: readonly Shipment[]
  /** `relaxed` by count and state, where there is room for it. */
  memory?: (Float64Array | undefined)[]
}

/** Pairs of a part and a part of it, up to which remembering what parts cost is quicker than bounding it again. */
const pairsToRemember = 3_000_000

/** @returns the cheapest plan of two or more shipments that costs less than `below`, and whether every cut was seen. */
export function cheapestCut(problem: Problem, table: Table, below: number, steps: number): { plan?: Plan; complete: boolean } {
  const search: Search = { problem, table, leastFixed: leastFixedOf(problem), leastPrice: problem.priceAtLeast(1), stepsLeft: steps, parts: [], best: below, ...(pairsOf(problem) <= pairsToRemember && { memory: [] }) }
  for (let count = 2; count <= Math.min(problem.maxShipments, table.pieces); count += 1) cut(search, table.full, count, 0)
  const plan = search.found && { cost: search.best, shipments: search.found }
  return { ...(plan && { plan }), complete: search.stepsLeft > 0 }
}

/** Ships `state` in exactly `count` shipments, after parts that cost `spent`. */
function cut(search: Search, state: number, count: number, spent: number): void {
  const { table, problem } = search
  if (count === 1) return finish(search, state, spent)
  eachFirstPart(search, state, (part) => {
    if (table.value[part]! < problem.splitGuard) return
    const cost = spent + table.cost[part]! + problem.splitPenalty
    const rest = state - part
    if (cost + restBound(search, rest, count - 1) >= search.best) return
    if (search.memory && cost + relaxed(search, rest, count - 1) >= search.best) return
    search.parts.push(part)
    cut(search, rest, count - 1, cost)
    search.parts.pop()
  })
}

/** What `count` shipments of a state cost at least, as in `boundOf`. */
function restBound({ problem, table, leastFixed, leastPrice }: Search, state: number, count: number): number {
  if (count === 1) return table.cost[state]!
  return count * leastFixed + (count - 1) * problem.splitPenalty + Math.max(table.priceAtLeast[state]!, count * leastPrice) + table.unitsAtLeast[state]!
}

/** What exactly `count` shipments of a state cost if one node could ship twice: the best bound there is. */
function relaxed(search: Search, state: number, count: number): number {
  const { table, problem, memory } = search
  if (count === 1) return table.value[state]! < problem.splitGuard ? Number.POSITIVE_INFINITY : table.cost[state]!
  const known = (memory![count] ??= new Float64Array(table.size).fill(Number.NaN))
  if (!Number.isNaN(known[state]!)) return known[state]!
  let least = Number.POSITIVE_INFINITY
  eachFirstPart(search, state, (part) => {
    if (table.value[part]! < problem.splitGuard || table.cost[part]! + restBound(search, state - part, count - 1) + problem.splitPenalty >= least) return
    least = Math.min(least, table.cost[part]! + problem.splitPenalty + relaxed(search, state - part, count - 1))
  })
  return (known[state] = least)
}

const pairsOf = ({ lines }: Problem): number => lines.reduce((pairs, { quantity, piece }) => (pairs * (quantity / piece + 1) * (quantity / piece + 2)) / 2, 1)

/** The last part is what is left. */
function finish(search: Search, state: number, spent: number): void {
  const { table, problem } = search
  if (spent + table.cost[state]! >= search.best || table.value[state]! < problem.splitGuard) return
  const states = [...search.parts, state]
  const nodes = states.map((s) => table.node[s]!)
  const shipments = states.map((s, i): Shipment => ({ node: nodes[i]!, units: unitsOf(problem, table, s) }))
  const penalty = (states.length - 1) * problem.splitPenalty
  const plan = new Set(nodes).size === nodes.length ? { cost: spent + table.cost[state]!, shipments } : withDistinctNodes(problem, shipments, penalty)
  if (!plan || plan.cost >= search.best) return
  search.best = plan.cost
  search.found = plan.shipments
}

/** Every proper part of a state that holds a piece of its last line: of the parts of a cut, one does. */
function eachFirstPart(search: Search, state: number, visit: (part: number) => void): void {
  const { table } = search
  const last = table.line[state]!
  if (state === table.full) return eachPartOfAll(search, table.stride[last]!, visit)
  const pieces = piecesOf(search.problem.lines, table, state)
  const walk = (line: number, part: number): void => {
    if (line < 0) {
      search.stepsLeft -= 1
      if (part !== state && table.cost[part]! < search.best) visit(part)
      return
    }
    for (let count = line === last ? 1 : 0; count <= pieces[line]! && search.stepsLeft > 0; count += 1) walk(line - 1, part + count * table.stride[line]!)
  }
  walk(last, 0)
}

/** Of the whole order every state is a part, and those with a piece of the last line are the numbers from its stride on. */
function eachPartOfAll(search: Search, from: number, visit: (part: number) => void): void {
  const { full, cost } = search.table
  for (let part = from; part < full && search.stepsLeft > 0; part += 1) {
    search.stepsLeft -= 1
    if (cost[part]! < search.best) visit(part)
  }
}

/** Among the as many cheapest nodes of each part as there are parts is the cheapest assignment of distinct ones. */
function withDistinctNodes(problem: Problem, shipments: readonly Shipment[], penalty: number): Plan | undefined {
  const choices = shipments.map(({ units }) => {
    const priced = problem.nodes.map((_, node) => ({ node, units, cost: shipmentCost(problem, { node, units }) })).filter((c) => c.cost < Number.POSITIVE_INFINITY)
    return priced.sort((a, b) => a.cost - b.cost || a.node - b.node).slice(0, shipments.length)
  })
  let best: Plan | undefined
  const assign = (taken: readonly Shipment[], cost: number): void => {
    if (cost >= (best?.cost ?? Number.POSITIVE_INFINITY)) return
    if (taken.length === choices.length) {
      best = { cost, shipments: taken }
      return
    }
    for (const { node, units, cost: more } of choices[taken.length]!) if (taken.every((t) => t.node !== node)) assign([...taken, { node, units }], cost + more)
  }
  assign([], penalty)
  return best
}

