/**
 * Simple mode: one node ships the whole order. Fences first (active, offers the method, has every unit), then the ranked rules;
 * the first rule that does not tie decides. Every node that lost keeps the reason why.
 */
import type { SourcingPolicy, SourcingRule } from '../policy/kinds'
import { distanceMeters, type Position } from '../delivery/distance'

export interface OpenLine {
  lineId: string
  sku: string
  quantity: number
}
export interface Candidate {
  nodeId: string
  type: string
  position: Position
  active: boolean
  methods: readonly string[]
  /** Units available to this order per SKU, this order's own claim included. */
  available: Readonly<Record<string, number>>
}
export interface SourcingAsk {
  lines: readonly OpenLine[]
  method: string
  /** Where the goods go; absent when the address has no position. */
  destination?: Position
  /** Nodes that already said no to this order. */
  excluded: readonly string[]
}
export interface SourcingDecision {
  chosen?: { nodeId: string; reason: string }
  candidates: readonly CandidateVerdict[]
  /** What is missing when no node has it all: per SKU, the most any single node that passed the other fences could give. */
  short: readonly { sku: string; wanted: number; available: number }[]
}
export interface CandidateVerdict {
  nodeId: string
  distanceMeters?: number
  /** Why it lost, or `chosen`. */
  verdict: string
  missing?: readonly { sku: string; wanted: number; available: number }[]
}

/** Chooses the one node that fills `ask`, and explains itself. Deterministic: ties end with the smallest node id. */
export function sourceSimply(ask: SourcingAsk, nodes: readonly Candidate[], policy: Pick<SourcingPolicy, 'rules'>): SourcingDecision {
  const wanted = wantedPerSku(ask.lines)
  const judged = nodes.map((node) => judge(node, ask, wanted)).sort((a, b) => a.node.nodeId.localeCompare(b.node.nodeId))
  const able = judged.filter((j) => j.fence === undefined)
  const [best, second] = rank(able, policy.rules)
  return {
    chosen: best && { nodeId: best.node.nodeId, reason: whyChosen(best, second, policy.rules) },
    candidates: judged.map((j) => ({
      nodeId: j.node.nodeId,
      ...(j.distanceMeters === undefined ? {} : { distanceMeters: j.distanceMeters }),
      verdict: j === best ? 'chosen' : (j.fence ?? whyLost(j, best!, policy.rules)),
      ...(j.missing.length ? { missing: j.missing } : {}),
    })),
    short: best ? [] : shortage(wanted, judged),
  }
}

interface Judged {
  node: Candidate
  distanceMeters?: number
  /** Units of the wanted SKUs, for the rule `most_stock`. */
  stock: number
  missing: { sku: string; wanted: number; available: number }[]
  fence?: string
  /** Passed every fence but stock. */
  reachable: boolean
}

function judge(node: Candidate, ask: SourcingAsk, wanted: ReadonlyMap<string, number>): Judged {
  const missing = [...wanted].map(([sku, quantity]) => ({ sku, wanted: quantity, available: node.available[sku] ?? 0 })).filter((m) => m.available < m.wanted)
  const shut = closedTo(node, ask)
  return {
    node,
    distanceMeters: ask.destination && distanceMeters(ask.destination, node.position),
    stock: [...wanted.keys()].reduce((sum, sku) => sum + (node.available[sku] ?? 0), 0),
    missing,
    fence: shut ?? (missing.length ? `short of ${missing.map((m) => `${m.sku} (${m.available} of ${m.wanted})`).join(', ')}` : undefined),
    reachable: shut === undefined,
  }
}

function closedTo(node: Candidate, ask: SourcingAsk): string | undefined {
  if (!node.active) return 'not active'
  if (ask.excluded.includes(node.nodeId)) return 'rejected this order before'
  if (!node.methods.includes(ask.method)) return `does not offer ${ask.method}`
  return undefined
}

/** How a node scores by a rule: the smaller, the better. */
const scores: Record<SourcingRule, (j: Judged) => number> = {
  nearest: (j) => j.distanceMeters ?? 0,
  stores_first: (j) => (j.node.type === 'store' ? 0 : 1),
  warehouses_first: (j) => (j.node.type === 'warehouse' ? 0 : 1),
  most_stock: (j) => -j.stock,
}

const rank = (able: readonly Judged[], rules: readonly SourcingRule[]): Judged[] =>
  [...able].sort((a, b) => {
    const rule = decides(a, b, rules)
    return rule ? scores[rule](a) - scores[rule](b) : a.node.nodeId.localeCompare(b.node.nodeId)
  })

const decides = (a: Judged, b: Judged, rules: readonly SourcingRule[]): SourcingRule | undefined => rules.find((rule) => scores[rule](a) !== scores[rule](b))

function whyChosen(best: Judged, second: Judged | undefined, rules: readonly SourcingRule[]): string {
  if (!second) return 'the only node that has it all'
  const rule = decides(best, second, rules)
  return rule ? `${words(rule, best)}, the next best ${second.node.nodeId} ${words(rule, second)}` : `ties with ${second.node.nodeId}, first by name`
}

function whyLost(loser: Judged, best: Judged, rules: readonly SourcingRule[]): string {
  const rule = decides(loser, best, rules)
  return rule ? `lost by ${rule}: ${words(rule, loser)}, ${best.node.nodeId} ${words(rule, best)}` : `ties with ${best.node.nodeId}, later by name`
}

function words(rule: SourcingRule, j: Judged): string {
  switch (rule) {
    case 'nearest':
      return j.distanceMeters === undefined ? 'at an unknown distance' : `${(j.distanceMeters / 1000).toFixed(1)} km away`
    case 'most_stock':
      return `has ${j.stock} units`
    case 'stores_first':
    case 'warehouses_first':
      return `is a ${j.node.type}`
  }
}

function shortage(wanted: ReadonlyMap<string, number>, judged: readonly Judged[]): SourcingDecision['short'] {
  const most = (sku: string): number => Math.max(0, ...judged.filter((j) => j.reachable).map((j) => j.node.available[sku] ?? 0))
  const short = [...wanted].map(([sku, quantity]) => ({ sku, wanted: quantity, available: most(sku) })).filter((s) => s.available < s.wanted)
  // Every SKU can be had somewhere, but not together: then all of them are what no single node has.
  return short.length ? short : [...wanted].map(([sku, quantity]) => ({ sku, wanted: quantity, available: most(sku) }))
}

/** Several lines on one SKU are checked on their sum. */
export function wantedPerSku(lines: readonly OpenLine[]): Map<string, number> {
  const wanted = new Map<string, number>()
  for (const line of lines) wanted.set(line.sku, (wanted.get(line.sku) ?? 0) + line.quantity)
  return wanted
}
