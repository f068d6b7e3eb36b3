/** What an open order costs as it is, and by which other plans it could be shipped, from one node or from two, without breaking what was promised. */
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
 * @param keeps whether the order would keep what it was promised by that plan
 */
export function batchOrder({ orderId, ask, shipments, policy }: OpenOrder, nodes: readonly Candidate[], keeps: (shipments: readonly PlannedShipment[]) => boolean): BatchOrder {
  const objective = costObjective(policy.costs!)
  const judged = judge(ask, nodes, policy)
  const byId = new Map(judged.map((j) => [j.node.nodeId, j]))
  const present = shipments.map((s) => ({ judged: byId.get(s.nodeId)!, load: loadOf(ask, s) }))
  const able = judged.filter((j) => j.fence === undefined)
  const mayPart = policy.maxShipments > 1 && ask.lines.length > 1
  const plans = [...wholePlans(ask, able), ...(mayPart ? partedPlans(ask, able, objective) : [])]
  const isOther = (option: BatchOption): boolean => holding(option.shipments) !== holding(shipments)
  const options = plans
    .map((plan): BatchOption => ({ shipments: shipmentsOf(plan), costMinor: cost(objective, plan), takes: shipmentsOf(plan).flatMap((s) => holdsOf(s.nodeId, s.lines)) }))
    .filter((option) => isOther(option) && keeps(option.shipments))
  return { orderId, costMinor: cost(objective, present), holds: shipments.flatMap((s) => holdsOf(s.nodeId, s.lines)), options }
}

type Plan = readonly { judged: Judged; load: readonly Loaded[] }[]

/** From one node. */
const wholePlans = (ask: SourcingAsk, able: readonly Judged[]): Plan[] =>
  able.filter((j) => j.missing.length === 0).map((judged) => [{ judged, load: ask.lines.map((line): Loaded => ({ line, units: line.quantity })) }])

/** Ways to share the lines that are tried; beyond that many lines, the rest goes with the last of them. */
const mostSharedLines = 5
/** Kept of an order: what is dearer than these is not worth making way for. */
const mostPartedPlans = 8

/** From two nodes, every line whole from one of them: the cheapest ones. */
function partedPlans(ask: SourcingAsk, able: readonly Judged[], objective: Objective): Plan[] {
  const shared = Math.min(ask.lines.length, mostSharedLines)
  const found: { plan: Plan; costMinor: number }[] = []
  for (let a = 0; a < able.length; a += 1)
    for (let b = a + 1; b < able.length; b += 1)
      for (let mask = 1; mask < 2 ** shared - 1; mask += 1) {
        const plan = [able[a]!, able[b]!].map((judged, side) => ({ judged, load: ask.lines.filter((_, i) => ((mask >> Math.min(i, shared - 1)) & 1) === side).map((line): Loaded => ({ line, units: line.quantity })) }))
        if (plan.every(({ judged, load }) => hasAll(judged, load))) found.push({ plan, costMinor: cost(objective, plan) })
      }
  return found.sort((x, y) => x.costMinor - y.costMinor).slice(0, mostPartedPlans).map((f) => f.plan)
}

const hasAll = ({ stock }: Judged, load: readonly Loaded[]): boolean => {
  const wanted = new Map<string, number>()
  for (const { line, units } of load) wanted.set(line.sku, (wanted.get(line.sku) ?? 0) + units)
  return [...wanted].every(([sku, units]) => (stock.get(sku) ?? 0) >= units)
}

const shipmentsOf = (plan: Plan): PlannedShipment[] => plan.map(({ judged, load }) => ({ nodeId: judged.node.nodeId, lines: load.filter((l) => l.units > 0).map(({ line, units }) => ({ lineId: line.lineId, sku: line.sku, quantity: units })) }))

const holding = (shipments: readonly PlannedShipment[]): string => shipments.flatMap(({ nodeId, lines }) => lines.map((l) => `${nodeId} ${l.lineId} ${l.quantity}`)).sort().join('; ')

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
