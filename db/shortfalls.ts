/** A count is taken as true also where more is claimed than is there: noted with the count, settled claim by claim, each under the lock of its order. */
import { rows, row, run, type Db, type Transaction } from './connection'

interface Shelf {
  sku: string
  nodeId: string
}

/** To be called with the statement that lowered them; a shelf that holds enough after all is left out. */
export async function noteShortfalls(tx: Transaction, shelves: readonly Shelf[]): Promise<void> {
  if (shelves.length === 0) return
  await run(
    tx,
    `INSERT INTO stock_shortfalls (sku, node_id) SELECT sku, node_id FROM stock_levels JOIN unnest(?::text[], ?::text[]) AS s(sku, node_id) USING (sku, node_id)
     WHERE on_hand - unsellable < allocated ORDER BY sku, node_id ON CONFLICT DO NOTHING`,
    [shelves.map((s) => s.sku), shelves.map((s) => s.nodeId)],
  )
}

export const leaseShortfalls = (db: Db, limit: number, leaseMs: number): Promise<Shelf[]> =>
  rows(
    db,
    `UPDATE stock_shortfalls SET leased_until = now() + ? * interval '1 millisecond' WHERE (sku, node_id) IN (
       SELECT sku, node_id FROM stock_shortfalls WHERE leased_until IS NULL OR leased_until < now() ORDER BY noted_at LIMIT ? FOR UPDATE SKIP LOCKED)
     RETURNING sku, node_id AS "nodeId"`,
    [leaseMs, limit],
  )

export async function shortfallSettled(tx: Transaction, { sku, nodeId }: Shelf): Promise<void> {
  await run(tx, 'DELETE FROM stock_shortfalls WHERE sku = ? AND node_id = ?', [sku, nodeId])
}

/** Units that are claimed and not there. `lock`: nobody changes the shelf until the end of the transaction. */
export const shortfallOf = async (tx: Transaction, { sku, nodeId }: Shelf, lock = false): Promise<number> =>
  Math.max(0, (await row<{ units: number }>(tx, `SELECT allocated - (on_hand - unsellable) AS units FROM stock_levels WHERE sku = ? AND node_id = ?${lock ? ' FOR UPDATE' : ''}`, [sku, nodeId]))?.units ?? 0)

export interface UnpickedClaim {
  orderId: string
  lineId: string
  fulfillmentId: string | null
  /** Of the line at this node, claimed and not picked. */
  units: number
}

/** The newest claim on a shelf of which units are not picked yet; of one order, or of any. */
export const newestUnpicked = (tx: Transaction, { sku, nodeId }: Shelf, orderId?: string): Promise<UnpickedClaim | undefined> =>
  row<UnpickedClaim>(
    tx,
    `SELECT a.order_id AS "orderId", a.line_id AS "lineId", a.fulfillment_id AS "fulfillmentId", (a.quantity - coalesce(fl.picked, 0))::int AS units
     FROM (SELECT order_id, line_id, fulfillment_id, sum(quantity)::int AS quantity, max(created_at) AS at FROM allocations
           WHERE sku = :sku AND node_id = :nodeId AND status = 'open' AND (:orderId::uuid IS NULL OR order_id = :orderId::uuid) GROUP BY 1, 2, 3) a
     LEFT JOIN fulfillments f ON f.fulfillment_id = a.fulfillment_id LEFT JOIN fulfillment_lines fl ON fl.fulfillment_id = a.fulfillment_id AND fl.line_id = a.line_id
     WHERE a.quantity > coalesce(fl.picked, 0) AND (f.status IS NULL OR f.status IN ('released', 'picking')) ORDER BY a.at DESC, a.order_id DESC LIMIT 1`,
    { sku, nodeId, orderId: orderId ?? null },
  )
