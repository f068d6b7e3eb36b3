/** Sourcing as plain numbers: lines, nodes and what shipping from each costs. All costs are integers, so that equal means equal. */

export interface Problem {
  lines: readonly ProblemLine[]
  nodes: readonly ProblemNode[]
  /** At least 1. */
  maxShipments: number
  /** Cost of every shipment after the first. */
  splitPenalty: number
  /** Where an order is split, every shipment is worth at least this. */
  splitGuard: number
  /** Subadditive, and never above the price of any node. */
  priceAtLeast: (grams: number) => number
}
export interface ProblemLine {
  quantity: number
  /** Units that stay together: the quantity, or 1. */
  piece: number
  /** Lines with the same number draw on the same shelf. */
  sku: number
  /** Of one unit. */
  grams: number
  value: number
}
/** A shipment from here costs fixed + price(its weight) + Σ unit(line). `price` is subadditive: sending together is never dearer than sending apart. */
export interface ProblemNode {
  fixed: number
  price: (grams: number) => number
  /** Of one unit, by line. */
  unit: readonly number[]
  /** Units on the shelf, by sku number. */
  stock: readonly number[]
  /** Units it can still work. */
  capacity: number
}

export interface Shipment {
  node: number
  /** By line. */
  units: readonly number[]
}
export interface Plan {
  cost: number
  shipments: readonly Shipment[]
}
export interface Optimum extends Plan {
  /** No plan costs less than this; equal to `cost` when the search was complete. */
  atLeast: number
}

/** What one node asks for shipping these units alone; Infinity when it cannot. */
export function shipmentCost({ lines, nodes }: Problem, { node: n, units }: Shipment): number {
  const node = nodes[n]!
  const taken: number[] = []
  let grams = 0
  let count = 0
  let cost = node.fixed
  for (let i = 0; i < lines.length; i += 1) {
    const quantity = units[i]!
    if (quantity === 0) continue
    const line = lines[i]!
    taken[line.sku] = (taken[line.sku] ?? 0) + quantity
    if (taken[line.sku]! > node.stock[line.sku]!) return Number.POSITIVE_INFINITY
    count += quantity
    grams += quantity * line.grams
    cost += quantity * node.unit[i]!
  }
  return count > node.capacity ? Number.POSITIVE_INFINITY : cost + node.price(grams)
}

/** What a plan costs; Infinity when a node cannot do its part, or a part is worth less than the guard. */
export function planCost(problem: Problem, shipments: readonly Shipment[]): number {
  const guarded = shipments.length < 2 || shipments.every((s) => valueOf(problem, s) >= problem.splitGuard)
  if (!guarded) return Number.POSITIVE_INFINITY
  return shipments.reduce((sum, s) => sum + shipmentCost(problem, s), (shipments.length - 1) * problem.splitPenalty)
}

const valueOf = ({ lines }: Problem, { units }: Shipment): number => lines.reduce((sum, l, i) => sum + l.value * units[i]!, 0)

/** One node for everything. */
export function cheapestSingle(problem: Problem): Plan | undefined {
  const units = problem.lines.map((l) => l.quantity)
  let best: Plan | undefined
  for (let node = 0; node < problem.nodes.length; node += 1) {
    const cost = shipmentCost(problem, { node, units })
    if (cost < (best?.cost ?? Number.POSITIVE_INFINITY)) best = { cost, shipments: [{ node, units }] }
  }
  return best
}

export interface Load {
  grams: number
  /** Σ over its units of what they cost at least anywhere. */
  unitsAtLeast: number
}

/** No `count` shipments that carry `load` together cost less than this. */
export function boundOf({ priceAtLeast, splitPenalty }: Problem, leastFixed: number, { grams, unitsAtLeast }: Load, count: number): number {
  return count * leastFixed + (count - 1) * splitPenalty + Math.max(priceAtLeast(grams), count * priceAtLeast(1)) + unitsAtLeast
}

export const leastFixedOf = ({ nodes }: Problem): number => nodes.reduce((least, n) => Math.min(least, n.fixed), Number.POSITIVE_INFINITY)

/** What a unit of each line costs at least, among the nodes that have one. */
export const leastUnitsOf = ({ lines, nodes }: Problem): number[] =>
  lines.map((l, i) => nodes.reduce((least, n) => (n.stock[l.sku]! > 0 ? Math.min(least, n.unit[i]!) : least), Number.POSITIVE_INFINITY))

/** Everything that is to be shipped. */
export function loadOf(problem: Problem): Load {
  const least = leastUnitsOf(problem)
  return problem.lines.reduce((load, l, i) => ({ grams: load.grams + l.quantity * l.grams, unitsAtLeast: load.unitsAtLeast + l.quantity * least[i]! }), { grams: 0, unitsAtLeast: 0 })
}
