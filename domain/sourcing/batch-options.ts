/** What an open order costs where it is and where else it could be shipped from as a whole, without breaking what was promised. */
import type { BatchOption, BatchOrder, Hold } from './batch'
import { costObjective } from './costs'
import type { Candidate, PlannedShipment, SourcingAsk } from './decision'
import type { DeliveryDays } from './delivery-days'
import { judge, type Judged } from './judged'
import { addParts, type Loaded, type Objective } from './objective'
import type { SourcingRules } from './source'

export interface OpenOrder {
  orderId: string
  ask: SourcingAsk
  /** Where it is to be shipped from now. */
  shipments: readonly PlannedShipment[]
  /** Was a date promised? */
  promised: boolean
  /** In mode `cost`. */
  policy: SourcingRules
}

/** @param nodes with what they could give if no order of the batch held anything. */
export function batchOrder({ orderId, ask, shipments, promised, policy }: OpenOrder, nodes: readonly Candidate[], days: DeliveryDays): BatchOrder {
  const objective = costObjective(policy.costs!)
  const judged = judge(ask, nodes, policy)
  const byId = new Map(judged.map((j) => [j.node.nodeId, j]))
  const present = shipments.map((s) => ({ judged: byId.get(s.nodeId)!, load: loadOf(ask, s) }))
  const slowest = Math.max(...present.map((p) => daysFrom(p.judged, days)))
  // Where nothing is known of how long it takes, a comparison with NaN says no: a promise is not risked.
  const keepsPromise = (j: Judged): boolean => !promised || daysFrom(j, days) <= slowest
  const whole = ask.lines.map((line): Loaded => ({ line, units: line.quantity }))
  const isElsewhere = (j: Judged): boolean => shipments.length > 1 || shipments[0]!.nodeId !== j.node.nodeId
  const options = judged
    .filter((j) => j.fence === undefined && j.missing.length === 0 && isElsewhere(j) && keepsPromise(j))
    .map(({ node }, i, all): BatchOption => ({ nodeId: node.nodeId, costMinor: cost(objective, [{ judged: all[i]!, load: whole }]), takes: holdsOf(node.nodeId, ask.lines) }))
  return { orderId, costMinor: cost(objective, present), holds: shipments.flatMap((s) => holdsOf(s.nodeId, s.lines)), options }
}

const daysFrom = ({ node, distanceMeters }: Judged, days: DeliveryDays): number => (distanceMeters === undefined ? undefined : days(node.nodeId, distanceMeters)) ?? Number.NaN

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
