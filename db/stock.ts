/**
 * Stock that orders take and give back. Every change is a guarded statement plus a movement in the same transaction, levels in (sku, node)
 * order: two buyers cannot both win the last unit, nor wait for each other in a ring. `available` is one arithmetic everywhere:
 * max(0, on_hand − unsellable − reserved − allocated − safety_stock); a channel may sell of it what its buffer and threshold leave.
 */
import { uuidv7 } from 'uuidv7'
import { invariant } from '../domain/invariant'
import { wantedPerSku, type OpenLine } from '../domain/sourcing/simple'
import { row, rows, run, type Transaction } from './connection'

export const availableSql = 'greatest(0, on_hand - unsellable - reserved - allocated - safety_stock)'

/** What a channel may sell of a shelf, as in domain/inventory/level.ts; `c` is the channel's row. */
export const availableToSellSql = `CASE WHEN ${availableSql} < c.stock_threshold THEN 0 ELSE greatest(0, ${availableSql} - c.stock_buffer) END`

export interface StockClaim {
  orderId: string
  channel: string
  nodeId: string
  lines: readonly OpenLine[]
  actor: string
}

/**
 * Takes all of `claim` or nothing. Several levels are locked in order first; then one statement takes them, each guarded, and writes allocations,
 * movements and lines only if every guard held.
 * @returns false when a level no longer has what was planned: the caller rolls back, for some levels may have been taken.
 */
export async function allocate(tx: Transaction, claim: StockClaim): Promise<boolean> {
  const skus = [...new Set(claim.lines.map((l) => l.sku))]
  if (skus.length > 1) await run(tx, 'SELECT 1 FROM stock_levels WHERE node_id = ? AND sku = ANY(?) ORDER BY sku FOR UPDATE', [claim.nodeId, skus])
  const lines = JSON.stringify(claim.lines.map((l) => ({ allocationId: uuidv7(), lineId: l.lineId, sku: l.sku, quantity: l.quantity })))
  return (await row(tx, claimSql, { lines, orderId: claim.orderId, channel: claim.channel, nodeId: claim.nodeId, actor: claim.actor })) !== undefined
}

const claimSql = `
  WITH line AS (SELECT * FROM jsonb_to_recordset(:lines::jsonb) AS r("allocationId" uuid, "lineId" text, sku text, quantity int)),
    wanted AS (SELECT sku, sum(quantity)::int AS quantity FROM line GROUP BY sku),
    taken AS (UPDATE stock_levels l SET allocated = allocated + w.quantity FROM wanted w, channels c
              WHERE c.channel_id = :channel AND l.sku = w.sku AND l.node_id = :nodeId AND ${availableToSellSql} >= w.quantity RETURNING l.sku),
    won AS (SELECT 1 WHERE (SELECT count(*) FROM taken) = (SELECT count(*) FROM wanted)),
    allocated AS (INSERT INTO allocations (allocation_id, order_id, line_id, sku, node_id, quantity)
                  SELECT "allocationId", :orderId::uuid, "lineId", sku, :nodeId, quantity FROM line, won),
    moved AS (INSERT INTO stock_movements (sku, node_id, type, allocated_delta, order_id, actor)
              SELECT sku, :nodeId, 'allocate', quantity, :orderId::uuid, :actor FROM wanted, won),
    given AS (UPDATE order_lines l SET allocated = l.allocated + line.quantity, backordered = greatest(0, l.backordered - line.quantity)
              FROM line, won WHERE l.order_id = :orderId::uuid AND l.line_id = line."lineId")
  SELECT 1 AS won FROM won`

/** Ends open allocations of an order at a node (or everywhere) without shipping them. @returns what became free. */
export async function release(tx: Transaction, ask: { orderId: string; nodeId?: string; actor: string; reason: string }): Promise<Ended[]> {
  const ended = await endAllocations(tx, ask.orderId, 'released', ask.nodeId)
  for (const freed of perLevel(ended)) {
    await run(tx, 'UPDATE stock_levels SET allocated = allocated - ? WHERE sku = ? AND node_id = ?', [freed.quantity, freed.sku, freed.nodeId])
    await move(tx, { ...ask, nodeId: freed.nodeId }, 'release', [{ sku: freed.sku, allocated: -freed.quantity }], ask.reason)
  }
  await changeLines(tx, ask.orderId, ended, 'allocated = l.allocated - v.quantity')
  return ended
}

/** The units of an order at a node leave the building: off the shelf and off the books in one statement each. */
export async function ship(tx: Transaction, ask: { orderId: string; nodeId: string; actor: string }): Promise<Ended[]> {
  const ended = await endAllocations(tx, ask.orderId, 'shipped', ask.nodeId)
  const left = [...wantedPerSku(ended)].sort(bySku)
  for (const [sku, quantity] of left)
    await run(tx, 'UPDATE stock_levels SET allocated = allocated - ?, on_hand = on_hand - ? WHERE sku = ? AND node_id = ?', [quantity, quantity, sku, ask.nodeId])
  await move(tx, ask, 'ship', left.map(([sku, quantity]) => ({ sku, allocated: -quantity, onHand: -quantity })))
  await changeLines(tx, ask.orderId, ended, 'allocated = l.allocated - v.quantity, shipped = l.shipped + v.quantity')
  return ended
}

/**
 * What a rejection says about the shelf, after its allocation was released: not in stock → nothing is available there any more;
 * mismatch → the rejected units are not that SKU; damaged → they are there but unsellable; no time → nothing.
 */
export async function correctAfterRejection(
  tx: Transaction,
  ask: { orderId: string; nodeId: string; actor: string; sku: string; quantity: number; reason: string },
): Promise<void> {
  if (ask.reason === 'no_time') return
  const level = await row<{ free: number }>(
    tx,
    'SELECT on_hand - unsellable - reserved - allocated AS free FROM stock_levels WHERE sku = ? AND node_id = ? FOR UPDATE',
    [ask.sku, ask.nodeId],
  )
  const free = Math.max(0, level?.free ?? 0)
  const units = ask.reason === 'not_in_stock' ? free : Math.min(free, ask.quantity)
  if (units === 0) return
  const damaged = ask.reason === 'damaged'
  await run(tx, `UPDATE stock_levels SET ${damaged ? 'unsellable = unsellable + ?' : 'on_hand = on_hand - ?'} WHERE sku = ? AND node_id = ?`, [units, ask.sku, ask.nodeId])
  await move(tx, ask, 'adjustment', [{ sku: ask.sku, ...(damaged ? { unsellable: units } : { onHand: -units }) }], ask.reason)
}

export interface Ended extends OpenLine {
  nodeId: string
}

const endAllocations = (tx: Transaction, orderId: string, status: 'released' | 'shipped', nodeId?: string): Promise<Ended[]> =>
  rows<Ended>(
    tx,
    `UPDATE allocations SET status = ?, ended_at = now() WHERE order_id = ? AND status = 'open' ${nodeId ? 'AND node_id = ?' : ''}
     RETURNING line_id AS "lineId", sku, node_id AS "nodeId", quantity`,
    [status, orderId, ...(nodeId ? [nodeId] : [])],
  )

interface LevelChange {
  sku: string
  onHand?: number
  unsellable?: number
  allocated?: number
}

async function move(
  tx: Transaction,
  cause: { orderId: string; nodeId: string; actor: string },
  type: string,
  changes: readonly LevelChange[],
  reason: string | null = null,
): Promise<void> {
  if (changes.length === 0) return
  await run(
    tx,
    `INSERT INTO stock_movements (sku, node_id, type, on_hand_delta, unsellable_delta, allocated_delta, order_id, actor, reason)
     SELECT sku, ?, ?, coalesce("onHand", 0), coalesce(unsellable, 0), coalesce(allocated, 0), ?::uuid, ?, ?
     FROM jsonb_to_recordset(?::jsonb) AS c(sku text, "onHand" int, unsellable int, allocated int)`,
    [cause.nodeId, type, cause.orderId, cause.actor, reason, JSON.stringify(changes)],
  )
}

/** Applies one change to several lines of an order; `v` is (lineId, quantity). */
export async function changeLines(tx: Transaction, orderId: string, lines: readonly { lineId: string; quantity: number }[], change: string): Promise<void> {
  if (lines.length === 0) return
  const changed = await rows(
    tx,
    `UPDATE order_lines l SET ${change}
     FROM (SELECT "lineId", sum(quantity)::int AS quantity FROM jsonb_to_recordset(?::jsonb) AS r("lineId" text, quantity int) GROUP BY 1) v
     WHERE l.order_id = ? AND l.line_id = v."lineId" RETURNING l.line_id`,
    [JSON.stringify(lines), orderId],
  )
  invariant(changed.length === new Set(lines.map((l) => l.lineId)).size, `all lines of order ${orderId} are there`)
}

/** Sums per level, in (sku, node) order. */
function perLevel(lines: readonly Ended[]): { sku: string; nodeId: string; quantity: number }[] {
  const levels = new Map<string, { sku: string; nodeId: string; quantity: number }>()
  for (const { sku, nodeId, quantity } of lines) {
    const key = JSON.stringify([sku, nodeId])
    levels.set(key, { sku, nodeId, quantity: (levels.get(key)?.quantity ?? 0) + quantity })
  }
  return [...levels.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, level]) => level)
}

const bySku = (a: readonly [string, number], b: readonly [string, number]): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)
