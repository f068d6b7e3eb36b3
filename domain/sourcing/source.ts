/**
 * Chooses the nodes that fill an order and explains itself: fences first, then the plan that the policy prefers among all there are, exactly
 * (`optimum.ts`). Pure and deterministic: ties end with the smallest node ids.
 */
import type { SourcingPolicy } from '../policy/sourcing'
import { allTiers, costObjective } from './costs'
import { wantedPerSku, type Candidate, type ChosenPlan, type PlannedShipment, type Shortage, type SourcingAsk, type SourcingDecision } from './decision'
import { compareText, judge, type Judged } from './judged'
import type { Objective } from './objective'
import { cheapestPlan } from './optimum'
import type { Optimum, Problem } from './problem'
import { ruleObjective } from './rules'
import { priceOf } from './tariff'
import { verdicts, weighing } from './verdicts'

export type SourcingRules = Pick<SourcingPolicy, 'mode' | 'rules' | 'maxShipments' | 'splitLines' | 'splitGuardMinor' | 'fences' | 'costs' | 'consolidateAt' | 'appliedRules'>

/** @returns a decision without `chosen` when no plan within the policy ships all of `ask.lines`. */
export function source(ask: SourcingAsk, nodes: readonly Candidate[], policy: SourcingRules): SourcingDecision {
  const choice = choose(ask, nodes, policy)
  const { judged, able, objective, optimum } = choice
  const said = verdicts({ ...choice, ask })
  const by = { mode: policy.mode, ...(policy.appliedRules && { channelRules: policy.appliedRules }) }
  if (!optimum) return { ...by, candidates: said.candidates, short: shortage(ask, judged, choice.problem.maxShipments) }
  const chosen: ChosenPlan = {
    shipments: shipmentsOf(ask, choice),
    ...(ask.method === 'delivery' && policy.consolidateAt !== undefined && optimum.shipments.length > 1 && { gatheredAt: policy.consolidateAt }),
    reason: said.reason,
    parts: weighing({ ask, able, objective })(optimum.shipments),
    ...(policy.mode === 'cost' ? { costMinor: optimum.cost, atLeastMinor: optimum.atLeast } : {}),
  }
  return { ...by, chosen, candidates: said.candidates, short: [] }
}

export interface Choice {
  judged: readonly Judged[]
  /** Those that may ship and have something; the problem and the optimum count by them. */
  able: readonly Judged[]
  objective: Objective
  problem: Problem
  optimum?: Optimum
}

/** The decision without its reasons, for those who replay a great many. */
export function choose(ask: SourcingAsk, nodes: readonly Candidate[], policy: SourcingRules): Choice {
  const judged = judge(ask, nodes, policy)
  const able = judged.filter((j) => j.fence === undefined && [...j.stock.values()].some((units) => units > 0))
  const maxShipments = Math.max(1, policy.maxShipments - (ask.shipmentsBefore ?? 0))
  const objective = policy.mode === 'cost' ? costObjective(policy.costs!) : ruleObjective(policy.rules, able, maxShipments)
  const problem = pose(ask, able, objective, { ...policy, maxShipments })
  const optimum = able.length ? cheapestPlan(problem) : undefined
  return { judged, able, objective, problem, ...(optimum && { optimum }) }
}

/** The plan that was chosen, by node id; empty where there is none. */
export const shipmentsOf = (ask: SourcingAsk, { able, optimum }: Choice): PlannedShipment[] =>
  (optimum?.shipments ?? []).map((s) => shipmentOf(ask, able, s)).sort((a, b) => compareText(a.nodeId, b.nodeId))

/** The same in plain numbers. */
function pose(ask: SourcingAsk, able: readonly Judged[], objective: Objective, policy: SourcingRules): Problem {
  const skus = [...wantedPerSku(ask.lines).keys()]
  return {
    lines: ask.lines.map((l) => ({ quantity: l.quantity, piece: policy.splitLines ? 1 : l.quantity, sku: skus.indexOf(l.sku), grams: l.weightGrams, value: l.valueMinor })),
    nodes: able.map((node) => ({
      fixed: objective.fixed(node),
      price: priceOf(objective.tariff(node)),
      unit: ask.lines.map((line) => objective.unit(node, line)),
      stock: skus.map((sku) => node.stock.get(sku)!),
      capacity: Number.MAX_SAFE_INTEGER,
    })),
    maxShipments: policy.maxShipments,
    splitPenalty: objective.splitPenalty,
    splitGuard: policy.splitGuardMinor,
    priceAtLeast: policy.mode === 'cost' ? priceOf(allTiers(policy.costs!)) : () => 0,
  }
}

const shipmentOf = (ask: SourcingAsk, able: readonly Judged[], { node, units }: Optimum['shipments'][number]): PlannedShipment => ({
  nodeId: able[node]!.node.nodeId,
  lines: ask.lines.flatMap(({ lineId, sku }, i) => (units[i]! > 0 ? [{ lineId, sku, quantity: units[i]! }] : [])),
})

/** What could be had of each SKU: from all nodes that passed the fences together where an order may be split, else the most that one of them has. */
function shortage(ask: SourcingAsk, judged: readonly Judged[], maxShipments: number): Shortage[] {
  const open = judged.filter((j) => j.fence === undefined)
  const most = (sku: string): number => {
    const stocks = open.map((j) => j.stock.get(sku)!)
    return maxShipments > 1 ? stocks.sort((a, b) => b - a).slice(0, maxShipments).reduce((a, b) => a + b, 0) : Math.max(0, ...stocks)
  }
  // There, but nobody may send it.
  const barred = (sku: string): string | undefined => judged.filter((j) => (j.node.available[sku] ?? 0) > 0).map((j) => j.node.barred?.[sku]).reduce((a, b, i) => (i === 0 ? b : a && b), undefined)
  const all = [...wantedPerSku(ask.lines)].map(([sku, wanted]): Shortage => {
    const why = most(sku) > 0 ? undefined : barred(sku)
    return { sku, wanted, available: Math.min(wanted, most(sku)), ...(why !== undefined && { why: `Every node that has it ${why}` }) }
  })
  // Every SKU can be had, but not together within the policy: then all of them are what is missing.
  const short = all.filter((s) => s.available < s.wanted)
  return short.length ? short : all
}
