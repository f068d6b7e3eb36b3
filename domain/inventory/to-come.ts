/** Orders on stock that is still to come: what of a plan is there now, and what is claimed of announced supply or as a pre-order, each with its ship-by date. */
import type { Candidate, OpenLine, PlannedShipment } from '../sourcing/decision'

/** Announced for a shelf, and promised to nobody yet. */
export interface Announced {
  sku: string
  nodeId: string
  reference: string
  quantity: number
  expectedAt: string
}
/** What may still be pre-ordered of a SKU, wherever it will come. */
export interface Preorder {
  sku: string
  quantity: number
  shipBy: string
}
export interface ToCome {
  announced: readonly Announced[]
  preorders: readonly Preorder[]
}
export interface ClaimAhead extends OpenLine {
  shipBy: string
  /** Absent for a pre-order. */
  supply?: { nodeId: string; reference: string }
}

/** The node as if everything that is to come were there. */
export function withToCome(node: Candidate, { announced, preorders }: ToCome): Candidate {
  const available: Record<string, number> = { ...node.available }
  for (const { sku, quantity } of [...announced.filter((a) => a.nodeId === node.nodeId), ...preorders]) available[sku] = (available[sku] ?? 0) + quantity
  return { ...node, available }
}

/**
 * Splits a plan that was made on nodes `withToCome`: what is there is taken first, then the announcement that comes first, then pre-orders.
 * @returns undefined when the plan counts the same pre-order at several nodes and there are not enough.
 */
export function splitPlan(shipments: readonly PlannedShipment[], nodes: readonly Candidate[], toCome: ToCome): { now: PlannedShipment[]; ahead: ClaimAhead[] } | undefined {
  const left = new Map<string, number>()
  const take = (key: readonly string[], has: number, wanted: number): number => {
    const name = JSON.stringify(key)
    const units = Math.min(left.get(name) ?? has, wanted)
    left.set(name, (left.get(name) ?? has) - units)
    return units
  }
  const announced = [...toCome.announced].sort((a, b) => (a.expectedAt < b.expectedAt ? -1 : 1))
  const ahead: ClaimAhead[] = []
  let missing = 0
  const now = shipments.map(({ nodeId, lines }): PlannedShipment => {
    const node = nodes.find((n) => n.nodeId === nodeId)
    const here = lines.map((line): OpenLine => {
      const { lineId, sku } = line
      const there = take(['shelf', nodeId, sku], node?.available[sku] ?? 0, line.quantity)
      let open = line.quantity - there
      const claim = (units: number, shipBy: string, supply?: ClaimAhead['supply']): void => {
        if (units > 0) ahead.push({ lineId, sku, quantity: units, shipBy, ...(supply && { supply }) })
        open -= units
      }
      for (const a of announced.filter((one) => one.sku === sku && one.nodeId === nodeId))
        claim(take(['supply', nodeId, sku, a.reference], a.quantity, open), a.expectedAt, { nodeId, reference: a.reference })
      for (const p of toCome.preorders.filter((one) => one.sku === sku)) claim(take(['preorder', sku], p.quantity, open), p.shipBy)
      missing += open
      return { lineId, sku, quantity: there }
    })
    return { nodeId, lines: here.filter((l) => l.quantity > 0) }
  })
  return missing > 0 ? undefined : { now: now.filter((s) => s.lines.length > 0), ahead }
}
