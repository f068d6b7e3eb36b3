/**
 * A good plan for an order too large to be cut exactly: nodes are opened one by one, each time the one that helps most, and then changed for others
 * as long as that makes the plan cheaper. Lines go to the open node where their units cost least.
 */
import { planCost, type Plan, type Problem, type Shipment } from './problem'

/** @returns the better of `single` and what was found; undefined when neither ships everything. */
export function goodPlan(problem: Problem, single: Plan | undefined): Plan | undefined {
  let best: Filling = { open: [], missing: Number.POSITIVE_INFINITY, cost: Number.POSITIVE_INFINITY, shipments: [] }
  while (best.open.length < problem.maxShipments) {
    const wider = bestOf(problem.nodes.flatMap((_, n) => (best.open.includes(n) ? [] : [fill(problem, [...best.open, n])])))
    if (!wider || !isBetter(wider, best)) break
    best = changeNodes(problem, wider)
  }
  if (best.missing > 0 || best.cost === Number.POSITIVE_INFINITY || (single && single.cost <= best.cost)) return single
  return { cost: best.cost, shipments: best.shipments }
}

interface Filling {
  open: readonly number[]
  /** Units that no open node can give. */
  missing: number
  cost: number
  shipments: readonly Shipment[]
}

const isBetter = (a: Filling, b: Filling): boolean => a.missing < b.missing || (a.missing === b.missing && a.cost < b.cost)
const bestOf = (fillings: readonly Filling[]): Filling | undefined => fillings.reduce<Filling | undefined>((best, f) => (best && !isBetter(f, best) ? best : f), undefined)

/** Puts another node in the place of an open one as long as that helps. */
function changeNodes(problem: Problem, start: Filling): Filling {
  let best = start
  for (let better: Filling | undefined = start; better; ) {
    best = better
    const { open } = best
    const changes = open.flatMap((_, i) => problem.nodes.flatMap((__, n) => (open.includes(n) ? [] : [fill(problem, open.with(i, n))])))
    const next = bestOf(changes)
    better = next && isBetter(next, best) ? next : undefined
  }
  return best
}

/** Gives every line to the open nodes, scarce lines first. */
function fill(problem: Problem, open: readonly number[]): Filling {
  const { lines, nodes } = problem
  const stock = open.map((n) => [...nodes[n]!.stock])
  const capacity = open.map((n) => nodes[n]!.capacity)
  const units = open.map(() => lines.map(() => 0))
  let missing = 0
  for (const i of byScarcity(problem, open)) {
    const { quantity, piece, sku } = lines[i]!
    let left = quantity
    for (const at of [...open.keys()].sort((a, b) => nodes[open[a]!]!.unit[i]! - nodes[open[b]!]!.unit[i]!)) {
      const take = Math.floor(Math.min(left, stock[at]![sku]!, capacity[at]!) / piece) * piece
      units[at]![i] = take
      stock[at]![sku]! -= take
      capacity[at]! -= take
      left -= take
    }
    missing += left
  }
  const shipments = open.map((node, at): Shipment => ({ node, units: units[at]! })).filter((s) => s.units.some((u) => u > 0))
  return { open, missing, cost: shipments.length ? planCost(problem, shipments) : Number.POSITIVE_INFINITY, shipments }
}

function byScarcity({ lines, nodes }: Problem, open: readonly number[]): number[] {
  const spare = lines.map((l) => open.reduce((sum, n) => sum + nodes[n]!.stock[l.sku]!, 0) - l.quantity)
  return [...lines.keys()].sort((a, b) => spare[a]! - spare[b]! || a - b)
}
