/**
 * The cheapest node for every part of an order. A part is a vector of how many pieces of each line it holds, numbered in mixed radix ("state");
 * each is one piece more than a smaller one, so that every node prices all of them in one sweep.
 */
import { leastUnitsOf, type Problem } from './problem'

export interface Table {
  size: number
  full: number
  pieces: number
  stride: readonly number[]
  /** The last line with a piece in a state, and the state without that piece. */
  line: Int16Array
  before: Int32Array
  grams: Float64Array
  value: Float64Array
  unitsAtLeast: Float64Array
  /** `priceAtLeast` of its weight. */
  priceAtLeast: Float64Array
  /** The cheapest single shipment (Infinity for none) and its node. */
  cost: Float64Array
  node: Int32Array
}

/** Entries of the sweep: states × nodes. */
export const tableSize = ({ lines, nodes }: Problem): number => lines.reduce((size, l) => size * (l.quantity / l.piece + 1), nodes.length)

export function tableOf(problem: Problem): Table {
  const { lines, nodes } = problem
  const stride: number[] = []
  const size = lines.reduce((states, l) => (stride.push(states), states * (l.quantity / l.piece + 1)), 1)
  const table: Table = {
    size,
    full: size - 1,
    pieces: lines.reduce((sum, l) => sum + l.quantity / l.piece, 0),
    stride,
    line: new Int16Array(size),
    before: new Int32Array(size),
    grams: new Float64Array(size),
    value: new Float64Array(size),
    unitsAtLeast: new Float64Array(size),
    priceAtLeast: new Float64Array(size),
    cost: new Float64Array(size).fill(Number.POSITIVE_INFINITY),
    node: new Int32Array(size).fill(-1),
  }
  const needs = fillStates(problem, table)
  const prices = new Map<Problem['priceAtLeast'], Float64Array>()
  const priced = (price: Problem['priceAtLeast']): Float64Array => {
    const known = prices.get(price) ?? table.grams.map((grams) => price(grams))
    prices.set(price, known)
    return known
  }
  table.priceAtLeast = priced(problem.priceAtLeast)
  const sum = new Float64Array(size)
  nodes.forEach((node, n) => sweep(problem, table, needs, { n, prices: priced(node.price), sum }))
  return table
}

/** What a state takes: units altogether, and units of the shelf its last piece draws on. The other shelves were asked for smaller states. */
interface Needs {
  units: Int32Array
  ofShelf: Int32Array
}

function fillStates(problem: Problem, table: Table): Needs {
  const { lines } = problem
  const least = leastUnitsOf(problem)
  const needs: Needs = { units: new Int32Array(table.size), ofShelf: new Int32Array(table.size) }
  const digits = new Int32Array(lines.length)
  for (let state = 1; state < table.size; state += 1) {
    let i = 0
    while (digits[i] === lines[i]!.quantity / lines[i]!.piece) digits[i++] = 0
    digits[i]! += 1
    const last = Math.max(table.line[state - 1]!, i)
    const { piece, sku, grams, value } = lines[last]!
    const before = state - table.stride[last]!
    table.line[state] = last
    table.before[state] = before
    table.grams[state] = table.grams[before]! + piece * grams
    table.value[state] = table.value[before]! + piece * value
    table.unitsAtLeast[state] = table.unitsAtLeast[before]! + piece * least[last]!
    needs.units[state] = needs.units[before]! + piece
    for (let j = 0; j <= last; j += 1) if (lines[j]!.sku === sku) needs.ofShelf[state]! += digits[j]! * lines[j]!.piece
  }
  return needs
}

/** Enters a node wherever it is the cheapest so far. */
function sweep({ lines, nodes }: Problem, table: Table, needs: Needs, { n, prices, sum }: { n: number; prices: Float64Array; sum: Float64Array }): void {
  const { fixed, unit, stock, capacity } = nodes[n]!
  const shelf = lines.map((l) => stock[l.sku]!)
  const piece = lines.map((l, i) => l.piece * unit[i]!)
  for (let state = 1; state < table.size; state += 1) {
    const line = table.line[state]!
    const before = sum[table.before[state]!]!
    const can = before !== Number.POSITIVE_INFINITY && needs.ofShelf[state]! <= shelf[line]! && needs.units[state]! <= capacity
    const units = (sum[state] = can ? before + piece[line]! : Number.POSITIVE_INFINITY)
    const cost = units + fixed + prices[state]!
    if (cost >= table.cost[state]!) continue
    table.cost[state] = cost
    table.node[state] = n
  }
}

/** The units of each line that a state stands for. */
export const unitsOf = ({ lines }: Problem, table: Table, state: number): number[] => piecesOf(lines, table, state).map((pieces, i) => pieces * lines[i]!.piece)

export const piecesOf = (lines: Problem['lines'], table: Table, state: number): number[] =>
  lines.map((l, i) => Math.floor(state / table.stride[i]!) % (l.quantity / l.piece + 1))
