/** What an open order costs where it is and where else it could be shipped from as a whole, without breaking what was promised. */
import type { BatchOption, BatchOrder, Hold } from './batch'
import { costObjective } from './costs'
import type { Candidate, PlannedShipment, SourcingAsk } from './decision'
import { judge, type Judged } from './judged'
import { addParts, type Loaded, type Objective } from './objective'
import type { SourcingRules } from './source'

export interface OpenOrder {
  orderId: string
  ask: SourcingAsk
  /** Where it is to be shipped from now. */
  shipments: readonly PlannedShipment[]
  /** In mode `cost`. */
  policy: SourcingRules
}

/**
 * @param nodes with what they could give if no order of the batch held anything
 * @param keeps whether the order would keep what it was promised if that node shipped it
 */
export function batchOrder({ orderId, ask, shipments, policy }: OpenOrder, nodes: readonly Candidate[], keeps: (nodeId: string) => boolean): BatchOrder {
  const objective = costObjective(policy.costs!)
  const judged = judge(ask, nodes, policy)
  const byId = new Map(judged.map((j) => [j.node.nodeId, j]))
  const present = shipments.map((s) => ({ judged: byId.get(s.nodeId)!, load: loadOf(ask, s) }))
  const whole = ask.lines.map((line): Loaded => ({ line, units: line.quantity }))
  const isElsewhere = (j: Judged): boolean => shipments.length > 1 || shipments[0]!.nodeId !== j.node.nodeId
  const costMinor = cost(objective, present)
  const options = judged
    .filter((j) => j.fence === undefined && j.missing.length === 0 && isElsewhere(j))
    .map((j): BatchOption => ({ nodeId: j.node.nodeId, costMinor: cost(objective, [{ judged: j, load: whole }]), takes: holdsOf(j.node.nodeId, ask.lines) }))
    .filter((option) => keeps(option.nodeId))
  return { orderId, costMinor, holds: shipments.flatMap((s) => holdsOf(s.nodeId, s.lines)), options }
}

function cost(objective: Objective, shipments: readonly { judged: Judged; load: readonly Loaded[] }[]): number {
  const parts = addParts([...shipments.map(({ judged, load }) => objective.partsOf(judged, load)), ...shipments.slice(1).map(() => objective.splitParts)])
  return Object.values(parts).reduce((a, b) => a + b, 0)
}

const loadOf = (ask: SourcingAsk, { lines }: PlannedShipment): Loaded[] =>
  ask.lines.map((line) => ({ line, units: lines.filter((l) => l.lineId === line.lineId).reduce((sum, l) => sum + l.quantity, 0) }))

/** Several lines on one SKU hold their sum. */
function holdsOf(nodeId: string, lines: readonly { sku: string; quantity: number }[]): Hold[] {
  const units = new Map<string, number>()
  for (const { sku, quantity } of lines) units.set(sku, (units.get(sku) ?? 0) + quantity)
  return [...units].map(([sku, count]) => ({ sku, nodeId, units: count }))
}
