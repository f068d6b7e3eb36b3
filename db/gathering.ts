/** Orders that are gathered at one node before they are sent: which parts go there first, and what that node waits for. */
import { row, rows, run, type Transaction } from './connection'
import type { OrderRow } from './orders'

/** Where the parts of an order are to be gathered; undefined where each leaves by itself. @param nodes at which stock is claimed that has no work order yet */
export async function gatheredAt(tx: Transaction, order: OrderRow, nodes: readonly string[]): Promise<string | undefined> {
  const hub = order.policy.sourcing.consolidateAt
  if (hub === undefined || order.delivery.method !== 'delivery') return undefined
  if (nodes.length > 1) return hub
  const begun = await row<{ gathers: boolean; left: boolean }>(
    tx,
    `SELECT bool_or(method = 'transfer' AND to_node_id = ? AND status NOT IN ('rejected', 'cancelled')) AS gathers,
       bool_or(method = 'delivery' AND node_id = ? AND status IN ('packed', 'handed_over', 'in_transit', 'delivered', 'returning', 'returned', 'lost')) AS left
     FROM fulfillments WHERE order_id = ?`,
    [hub, hub, order.orderId],
  )
  return begun?.gathers && !begun.left ? hub : undefined
}

/** What is still on its way to a node for an order, or has still to leave for it. */
export const awaitedAt = (tx: Transaction, orderId: string, nodeId: string): Promise<{ nodeId: string; state: string }[]> =>
  rows(
    tx,
    `SELECT node_id AS "nodeId", status AS state FROM fulfillments WHERE order_id = ? AND method = 'transfer' AND to_node_id = ? AND status IN ('released', 'picking', 'picked', 'packed', 'handed_over', 'in_transit') ORDER BY node_id`,
    [orderId, nodeId],
  )

/** The work order at the gathering node that is not packed yet; what comes joins it. */
export const gatheringWork = async (tx: Transaction, orderId: string, nodeId: string): Promise<string | undefined> =>
  (await row<{ fulfillmentId: string }>(tx, `SELECT fulfillment_id AS "fulfillmentId" FROM fulfillments WHERE order_id = ? AND node_id = ? AND method = 'delivery' AND status IN ('released', 'picking', 'picked') LIMIT 1`, [orderId, nodeId]))?.fulfillmentId

/** Units that came from another node are picked already. */
export async function joinWork(tx: Transaction, fulfillmentId: string, lines: readonly { lineId: string; sku: string; quantity: number }[]): Promise<void> {
  await run(
    tx,
    `INSERT INTO fulfillment_lines AS l (fulfillment_id, line_id, sku, quantity, picked)
     SELECT ?::uuid, "lineId", sku, quantity, quantity FROM jsonb_to_recordset(?::jsonb) AS c("lineId" text, sku text, quantity int)
     ON CONFLICT (fulfillment_id, line_id) DO UPDATE SET quantity = l.quantity + excluded.quantity, picked = l.picked + excluded.picked`,
    [fulfillmentId, JSON.stringify(lines)],
  )
}
