/** The shelves that a batch of open orders shares: what is free, and what the orders themselves hold and may give to each other. */
import type { Hold } from './batch'
import type { OpenOrder } from './batch-options'
import type { Candidate } from './decision'
import type { Shelf } from './shelves'

export interface BatchPool {
  /** Nodes with what they could give if none of the orders held anything. */
  candidates: readonly Candidate[]
  free: readonly Hold[]
}

/**
 * @param keep units that stay on every shelf: a channel's buffer, or one less than its threshold. A shelf with less than that gives to nobody,
 * whoever leaves it.
 */
export function batchPool({ nodes, free, orders, keep = 0 }: { nodes: readonly Omit<Candidate, 'available'>[]; free: readonly Shelf[]; orders: readonly OpenOrder[]; keep?: number }): BatchPool {
  const pool = new Map<string, Record<string, number>>(nodes.map((n) => [n.nodeId, {}]))
  const given = free.filter((shelf) => shelf.units >= keep).map((shelf) => ({ ...shelf, units: shelf.units - keep }))
  for (const { sku, nodeId, units } of given) pool.get(nodeId)![sku] = units
  for (const { shipments } of orders)
    for (const { nodeId, lines } of shipments)
      for (const { sku, quantity } of lines) {
        const shelf = pool.get(nodeId)
        if (shelf?.[sku] !== undefined) shelf[sku] += quantity
      }
  return { candidates: nodes.map((node) => ({ ...node, available: pool.get(node.nodeId)! })), free: given }
}
