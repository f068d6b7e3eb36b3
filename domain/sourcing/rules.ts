/**
 * Simple mode: ranked rules, the first by which two plans differ decides. Each rule is a digit of a number, the first rule the highest digit, so that
 * the same search that finds the cheapest plan finds the best ranked one.
 */
import type { SourcingRule } from '../policy/sourcing'
import type { Parts } from './decision'
import { km, type Judged } from './judged'
import type { Objective, Rival } from './objective'
import type { Tariff } from './tariff'

export function ruleObjective(rules: readonly SourcingRule[], nodes: readonly Judged[], maxShipments: number): Objective {
  const scores = (node: Judged): number[] => rules.map((rule) => score(rule, node))
  const rank = ranking(rules, nodes, maxShipments)
  const decides = (a: Parts, b: Parts): SourcingRule | undefined => rules.find((rule) => a[rule] !== b[rule])
  return {
    fixed: (node) => scores(node).reduce((sum, s, i) => sum + s * rank[i]!, 0),
    unit: () => 0,
    tariff: () => free,
    splitPenalty: 0,
    splitParts: {},
    partsOf: (node) => Object.fromEntries(rules.map((rule) => [rule, measure[rule](node)])),
    whyChosen: (chosen, other) => {
      const rule = decides(chosen, other.parts)
      return rule ? `${words(rule, chosen[rule]!)}, the next best ${other.name} ${words(rule, other.parts[rule]!)}` : `ties with ${other.name}, first by name`
    },
    whyLost: (other, chosen: Rival) => {
      const rule = decides(other, chosen.parts)
      return rule ? `lost by ${rule}: ${words(rule, other[rule]!)}, ${chosen.name} ${words(rule, chosen.parts[rule]!)}` : `ties with ${chosen.name}, later by name`
    },
  }
}

/** What each digit counts: one more than the largest sum a plan can have of it. Six rules and ten shipments at most: the number stays exact. */
function ranking(rules: readonly SourcingRule[], nodes: readonly Judged[], maxShipments: number): number[] {
  const rank: number[] = []
  let worth = 1
  for (const rule of [...rules].reverse()) {
    rank.unshift(worth)
    worth *= maxShipments * Math.max(0, ...nodes.map((j) => score(rule, j))) + 1
  }
  return rank
}

const free: Tariff = [{ upToGrams: Number.MAX_SAFE_INTEGER, priceMinor: 0 }]

const mostCounted = 999

/** What a rule looks at, in numbers that add up over the nodes of a plan. */
const measure: Record<SourcingRule, (j: Judged) => number> = {
  fewest_shipments: () => 1,
  nearest: (j) => Math.round((j.distanceMeters ?? 0) / 100),
  stores_first: (j) => (j.node.type === 'store' ? 0 : 1),
  warehouses_first: (j) => (j.node.type === 'warehouse' ? 0 : 1),
  most_stock: (j) => Math.min(mostCounted, [...j.stock.values()].reduce((a, b) => a + b, 0)),
  most_capacity: (j) => (j.node.work ? Math.ceil((100 * j.node.work.taken) / j.node.work.limit) : 0),
}

/** The smaller the better. */
const score = (rule: SourcingRule, j: Judged): number => (rule === 'most_stock' ? mostCounted - measure[rule](j) : measure[rule](j))

function words(rule: SourcingRule, value: number): string {
  switch (rule) {
    case 'fewest_shipments':
      return `in ${value} ${value === 1 ? 'shipment' : 'shipments'}`
    case 'nearest':
      return `${km(value * 100)} away`
    case 'stores_first':
      return value === 0 ? 'is a store' : 'is no store'
    case 'warehouses_first':
      return value === 0 ? 'is a warehouse' : 'is no warehouse'
    case 'most_stock':
      return `has ${value === mostCounted ? 'plenty of' : value} units`
    case 'most_capacity':
      return `is ${value} % busy`
  }
}
