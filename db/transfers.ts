/** Goods that travel between two of our own nodes: on no shelf, on the way, and still claimed by their order. */
import { uuidv7 } from 'uuidv7'
import { rows, run, type Transaction } from './connection'
import { changeLines } from './stock'

interface Cause {
  orderId: string
  fulfillmentId: string
  nodeId: string
  actor: string
}

/** They leave the shelf of the sending node; the order's lines keep them as allocated. */
export async function sendAway(tx: Transaction, { orderId, fulfillmentId, nodeId, actor }: Cause): Promise<void> {
  await run(
    tx,
    `WITH sent AS (UPDATE allocations SET status = 'in_transfer' WHERE fulfillment_id = :fulfillmentId AND status = 'open' RETURNING sku, quantity),
       left_shelf AS (SELECT sku, sum(quantity)::int AS quantity FROM sent GROUP BY 1),
       moved AS (INSERT INTO stock_movements (sku, node_id, type, on_hand_delta, allocated_delta, order_id, actor)
                 SELECT sku, :nodeId, 'transfer', -quantity, -quantity, :orderId::uuid, :actor FROM left_shelf)
     UPDATE stock_levels l SET on_hand = on_hand - s.quantity, allocated = allocated - s.quantity FROM left_shelf s WHERE l.sku = s.sku AND l.node_id = :nodeId`,
    { orderId, fulfillmentId, nodeId, actor },
  )
}

/** An order that is cancelled claims no more what is on its way; the goods arrive as stock of the other node. */
export async function unclaimInTransfer(tx: Transaction, orderId: string): Promise<void> {
  const ended = await rows<{ lineId: string; quantity: number }>(
    tx,
    `UPDATE allocations SET status = 'released', ended_at = now() WHERE order_id = ? AND status = 'in_transfer' RETURNING line_id AS "lineId", quantity`,
    [orderId],
  )
  await changeLines(tx, orderId, ended, 'allocated = l.allocated - v.quantity')
}

export interface ReceivedLine {
  lineId: string
  sku: string
  /** Counted by the receiving node. */
  quantity: number
}

export interface TakenIn {
  /** Of what was counted, what the order still claims; the rest is stock like any other. */
  claimed: ReceivedLine[]
  /** Claimed, and not in the parcel. */
  missing: ReceivedLine[]
}

/** The order's claim on what is on its way ends; what was counted of it is claimed anew by `takeIn`. */
export async function endTransfer(tx: Transaction, { orderId, fulfillmentId }: Pick<Cause, 'orderId' | 'fulfillmentId'>, counted: readonly ReceivedLine[]): Promise<TakenIn> {
  const ended = await rows<ReceivedLine>(
    tx,
    `UPDATE allocations SET status = 'released', ended_at = now() WHERE fulfillment_id = ? AND status = 'in_transfer' RETURNING line_id AS "lineId", sku, quantity`,
    [fulfillmentId],
  )
  const wanted = summed(ended)
  const claimed = counted.map((l) => ({ ...l, quantity: Math.min(l.quantity, wanted.get(l.lineId) ?? 0) })).filter((l) => l.quantity > 0)
  const came = summed(claimed)
  const missing = [...wanted].map(([lineId, quantity]) => ({ lineId, sku: ended.find((l) => l.lineId === lineId)!.sku, quantity: quantity - (came.get(lineId) ?? 0) })).filter((l) => l.quantity > 0)
  await changeLines(tx, orderId, missing, 'allocated = l.allocated - v.quantity')
  return { claimed, missing }
}

/** All that was counted comes onto the shelf of the receiving node; what is `claimed` of it belongs to the work order `next`. */
export async function takeIn(tx: Transaction, { orderId, nodeId, actor }: Omit<Cause, 'fulfillmentId'>, { counted, claimed, next }: { counted: readonly ReceivedLine[]; claimed: readonly ReceivedLine[]; next?: string }): Promise<void> {
  const kept = summed(claimed)
  const arrived = counted.filter((l) => l.quantity > 0).map((l) => ({ ...l, claimed: kept.get(l.lineId) ?? 0, allocationId: uuidv7() }))
  await run(tx, takeInSql, { lines: JSON.stringify(arrived), orderId, nodeId, actor, next: next ?? null })
}

const takeInSql = `
  WITH line AS (SELECT * FROM jsonb_to_recordset(:lines::jsonb) AS r("allocationId" uuid, "lineId" text, sku text, quantity int, claimed int)),
    per_sku AS (SELECT sku, sum(quantity)::int AS quantity, sum(claimed)::int AS claimed FROM line GROUP BY 1 ORDER BY 1),
    allocated AS (INSERT INTO allocations (allocation_id, order_id, line_id, sku, node_id, quantity, fulfillment_id)
                  SELECT "allocationId", :orderId::uuid, "lineId", sku, :nodeId, claimed, :next::uuid FROM line WHERE claimed > 0),
    moved AS (INSERT INTO stock_movements (sku, node_id, type, on_hand_delta, allocated_delta, order_id, actor)
              SELECT sku, :nodeId, 'transfer', quantity, claimed, :orderId::uuid, :actor FROM per_sku)
  INSERT INTO stock_levels AS l (sku, node_id, on_hand, allocated) SELECT sku, :nodeId, quantity, claimed FROM per_sku
  ON CONFLICT (sku, node_id) DO UPDATE SET on_hand = l.on_hand + excluded.on_hand, allocated = l.allocated + excluded.allocated`

function summed(lines: readonly ReceivedLine[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { lineId, quantity } of lines) sums.set(lineId, (sums.get(lineId) ?? 0) + quantity)
  return sums
}
