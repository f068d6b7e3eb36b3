/**
 * Stock that orders take and give back. Every change is a guarded statement plus a movement in the same transaction, levels in (sku, node)
 * order: two buyers cannot both win the last unit, nor wait for each other in a ring. `available` is one arithmetic everywhere:
 * max(0, on_hand − unsellable − reserved − allocated − safety_stock); a channel may sell of it what its buffer and threshold leave.
 */
import { uuidv7 } from 'uuidv7'
import type { RejectReason } from '../domain/fulfillment/pick'
import { safetyStockFor, trustAfter } from '../domain/inventory/trust'
import { invariant } from '../domain/invariant'
import { wantedPerSku, type OpenLine, type PlannedShipment } from '../domain/sourcing/decision'
import { row, rows, run, type Transaction } from './connection'

export const availableSql = 'greatest(0, on_hand - unsellable - reserved - allocated - safety_stock)'

/** What a channel may sell of a shelf, as in domain/inventory/level.ts; `c` is the channel's row. */
export const availableToSellSql = `CASE WHEN ${availableSql} < c.stock_threshold THEN 0 ELSE greatest(0, ${availableSql} - c.stock_buffer) END`

export interface StockClaim {
  orderId: string
  channel: string
  shipments: readonly PlannedShipment[]
  actor: string
}

/**
 * Takes all of `claim` or nothing. Several levels are locked in order first; then one statement takes them, each guarded, and writes allocations,
 * movements and lines only if every guard held.
 * @returns false when a level no longer has what was planned: the caller rolls back, for some levels may have been taken.
 */
export async function allocate(tx: Transaction, claim: StockClaim): Promise<boolean> {
  const taken = claim.shipments.flatMap(({ nodeId, lines }) => lines.map((l) => ({ allocationId: uuidv7(), nodeId, lineId: l.lineId, sku: l.sku, quantity: l.quantity })))
  const lines = JSON.stringify(taken)
  if (new Set(taken.map((l) => `${l.nodeId} ${l.sku}`)).size > 1) await run(tx, lockLevelsSql, [lines])
  return (await row(tx, claimSql, { lines, orderId: claim.orderId, channel: claim.channel, actor: claim.actor })) !== undefined
}

const lockLevelsSql = `
  SELECT 1 FROM stock_levels WHERE (sku, node_id) IN (SELECT sku, "nodeId" FROM jsonb_to_recordset(?::jsonb) AS r(sku text, "nodeId" text)) ORDER BY sku, node_id FOR UPDATE`

/** Every shelf of these SKUs, in the order in which all take them: whoever claims several one after the other waits for nobody who waits for him. */
export async function lockShelves(tx: Transaction, skus: readonly string[]): Promise<void> {
  await run(tx, 'SELECT 1 FROM stock_levels WHERE sku = ANY(?) ORDER BY sku, node_id FOR UPDATE', [[...new Set(skus)]])
}

const claimSql = `
  WITH line AS (SELECT * FROM jsonb_to_recordset(:lines::jsonb) AS r("allocationId" uuid, "nodeId" text, "lineId" text, sku text, quantity int)),
    wanted AS (SELECT sku, "nodeId", sum(quantity)::int AS quantity FROM line GROUP BY 1, 2),
    taken AS (UPDATE stock_levels l SET allocated = allocated + w.quantity FROM wanted w, channels c
              WHERE c.channel_id = :channel AND l.sku = w.sku AND l.node_id = w."nodeId" AND ${availableToSellSql} >= w.quantity RETURNING l.sku),
    won AS (SELECT 1 WHERE (SELECT count(*) FROM taken) = (SELECT count(*) FROM wanted)),
    allocated AS (INSERT INTO allocations (allocation_id, order_id, line_id, sku, node_id, quantity)
                  SELECT "allocationId", :orderId::uuid, "lineId", sku, "nodeId", quantity FROM line, won),
    moved AS (INSERT INTO stock_movements (sku, node_id, type, allocated_delta, order_id, actor)
              SELECT sku, "nodeId", 'allocate', quantity, :orderId::uuid, :actor FROM wanted, won),
    given AS (UPDATE order_lines l SET allocated = l.allocated + v.quantity, backordered = greatest(0, l.backordered - v.quantity)
              FROM (SELECT "lineId", sum(quantity)::int AS quantity FROM line GROUP BY 1) v, won WHERE l.order_id = :orderId::uuid AND l.line_id = v."lineId")
  SELECT 1 AS won FROM won`

/** Ends open allocations of an order (or of one of its fulfillments) without shipping them. @returns what became free. */
export async function release(tx: Transaction, ask: { orderId: string; fulfillmentId?: string; actor: string; reason: string }): Promise<Ended[]> {
  return freed(tx, ask, await endAllocations(tx, ask.orderId, 'released', ask.fulfillmentId))
}

/** The same for what belongs to no fulfillment yet. */
export async function releaseUnassigned(tx: Transaction, ask: { orderId: string; actor: string; reason: string }): Promise<Ended[]> {
  return freed(tx, ask, await endAllocations(tx, ask.orderId, 'released', null))
}

interface UnitsToRelease {
  orderId: string
  /** null: claimed for no work order yet. */
  fulfillmentId: string | null
  /** Of which node; needed where there is no work order. */
  nodeId?: string
  lineId: string
  quantity: number
  actor: string
  reason: string
}

/** Ends the claim on some units of a line at a fulfillment; what it keeps stays claimed. */
export async function releaseUnits(tx: Transaction, ask: UnitsToRelease): Promise<void> {
  const open = await rows<{ allocationId: string; quantity: number }>(
    tx,
    `SELECT allocation_id AS "allocationId", quantity FROM allocations WHERE order_id = :orderId AND fulfillment_id IS NOT DISTINCT FROM :fulfillmentId::uuid AND line_id = :lineId AND status = 'open'
       AND (:nodeId::text IS NULL OR node_id = :nodeId) ORDER BY allocation_id FOR UPDATE`,
    { orderId: ask.orderId, fulfillmentId: ask.fulfillmentId, lineId: ask.lineId, nodeId: ask.nodeId ?? null },
  )
  const ended: Ended[] = []
  let left = ask.quantity
  for (const { allocationId, quantity } of open) {
    const units = Math.min(left, quantity)
    if (units > 0) ended.push(...(await endPart(tx, allocationId, units)))
    left -= units
  }
  invariant(left === 0, `order ${ask.orderId} has claimed what is given back of line ${ask.lineId}`)
  await freed(tx, ask, ended)
}

/** A claim that is given back in part becomes two: one that ends, and one for the rest. */
const endPart = (tx: Transaction, allocationId: string, units: number): Promise<Ended[]> =>
  rows<Ended>(
    tx,
    `WITH kept AS (INSERT INTO allocations (allocation_id, order_id, line_id, sku, node_id, quantity, fulfillment_id, created_at)
                   SELECT ?, order_id, line_id, sku, node_id, quantity - ?::int, fulfillment_id, created_at FROM allocations WHERE allocation_id = ? AND quantity > ?::int)
     UPDATE allocations SET status = 'released', ended_at = now(), quantity = ?::int WHERE allocation_id = ? AND status = 'open'
     RETURNING line_id AS "lineId", sku, node_id AS "nodeId", quantity`,
    [uuidv7(), units, allocationId, units, units, allocationId],
  )

async function freed(tx: Transaction, ask: { orderId: string; actor: string; reason: string }, ended: Ended[]): Promise<Ended[]> {
  for (const level of perLevel(ended)) {
    await run(tx, 'UPDATE stock_levels SET allocated = allocated - ? WHERE sku = ? AND node_id = ?', [level.quantity, level.sku, level.nodeId])
    await move(tx, { ...ask, nodeId: level.nodeId }, 'release', [{ sku: level.sku, allocated: -level.quantity }], ask.reason)
  }
  await changeLines(tx, ask.orderId, ended, 'allocated = l.allocated - v.quantity')
  return ended
}

/** Takes the levels of several fulfillments' claims in one order, before they leave one after the other. */
export async function lockLevelsOf(tx: Transaction, fulfillmentIds: readonly string[]): Promise<void> {
  await run(
    tx,
    `SELECT 1 FROM stock_levels WHERE (sku, node_id) IN (SELECT sku, node_id FROM allocations WHERE fulfillment_id = ANY(?) AND status = 'open') ORDER BY sku, node_id FOR UPDATE`,
    [[...fulfillmentIds]],
  )
}

/** The units of a fulfillment leave the building: off the shelf and off the books in one statement each. */
export async function ship(tx: Transaction, ask: { orderId: string; fulfillmentId: string; nodeId: string; actor: string }): Promise<Ended[]> {
  const ended = await endAllocations(tx, ask.orderId, 'shipped', ask.fulfillmentId)
  const left = [...wantedPerSku(ended)].sort(bySku)
  for (const [sku, quantity] of left)
    await run(tx, 'UPDATE stock_levels SET allocated = allocated - ?, on_hand = on_hand - ? WHERE sku = ? AND node_id = ?', [quantity, quantity, sku, ask.nodeId])
  await move(tx, ask, 'ship', left.map(([sku, quantity]) => ({ sku, allocated: -quantity, onHand: -quantity })))
  await changeLines(tx, ask.orderId, ended, 'allocated = l.allocated - v.quantity, shipped = l.shipped + v.quantity')
  return ended
}

/**
 * Units that left and never arrived come back on the books of the node they left from: onto its shelf, to be looked at there, or to be written off at once,
 * since they are nowhere. They count as shipped no more.
 */
export async function undeliver(tx: Transaction, cause: { orderId: string; nodeId: string; actor: string; reason: string; goods: 'restock' | 'inspect' | 'written_off' }, units: readonly Ended[]): Promise<void> {
  const back = [...wantedPerSku(units)].sort(bySku)
  const unsellable = (quantity: number): number => (cause.goods === 'inspect' ? quantity : 0)
  if (cause.goods !== 'written_off')
    for (const [sku, quantity] of back)
      await run(tx, 'UPDATE stock_levels SET on_hand = on_hand + ?, unsellable = unsellable + ? WHERE sku = ? AND node_id = ?', [quantity, unsellable(quantity), sku, cause.nodeId])
  await move(tx, cause, 'undelivered', back.map(([sku, quantity]) => ({ sku, onHand: quantity, unsellable: unsellable(quantity) })), cause.reason)
  if (cause.goods === 'written_off') await move(tx, cause, 'write_off', back.map(([sku, quantity]) => ({ sku, onHand: -quantity })), cause.reason)
  await changeLines(tx, cause.orderId, units, 'shipped = l.shipped - v.quantity')
}

/** Units that a customer sent back are on the books of the node that counted them: for sale again, to be looked at, or written off at once. */
export async function takeBack(
  tx: Transaction,
  cause: { orderId: string; nodeId: string; actor: string },
  units: readonly { sku: string; quantity: number; disposition: 'restock' | 'refurbish' | 'write_off' | 'to_vendor' }[],
): Promise<void> {
  for (const { sku, quantity, disposition } of [...units].sort((a, b) => (a.sku < b.sku ? -1 : 1))) {
    const gone = disposition === 'write_off' || disposition === 'to_vendor'
    const unsellable = disposition === 'refurbish' ? quantity : 0
    await run(
      tx,
      `INSERT INTO stock_levels AS l (sku, node_id, on_hand, unsellable) VALUES (?, ?, ?, ?)
       ON CONFLICT (sku, node_id) DO UPDATE SET on_hand = l.on_hand + excluded.on_hand, unsellable = l.unsellable + excluded.unsellable`,
      [sku, cause.nodeId, gone ? 0 : quantity, unsellable],
    )
    await move(tx, cause, 'return', [{ sku, onHand: quantity, unsellable }], disposition)
    if (gone) await move(tx, cause, 'write_off', [{ sku, onHand: -quantity }], disposition)
  }
}

/**
 * What a rejection says about the shelf, after its allocation was released: not in stock → nothing is available there any more;
 * mismatch → the rejected units are not that SKU; damaged → they are there but unsellable; no time → nothing. Its count is believed less until the next.
 */
export async function correctAfterRejection(
  tx: Transaction,
  ask: { orderId: string; nodeId: string; actor: string; sku: string; quantity: number; reason: RejectReason },
): Promise<void> {
  if (ask.reason === 'no_time') return
  const level = await row<{ free: number; trust: number; set: number }>(
    tx,
    'SELECT on_hand - unsellable - reserved - allocated AS free, trust, safety_stock_set AS set FROM stock_levels WHERE sku = ? AND node_id = ? FOR UPDATE',
    [ask.sku, ask.nodeId],
  )
  invariant(level, `${ask.sku} has a level at ${ask.nodeId}`)
  const free = Math.max(0, level.free)
  const units = ask.reason === 'not_in_stock' ? free : Math.min(free, ask.quantity)
  const trust = trustAfter(level.trust, ask.reason)
  const damaged = ask.reason === 'damaged'
  await run(tx, `UPDATE stock_levels SET ${damaged ? 'unsellable = unsellable + ?' : 'on_hand = on_hand - ?'}, trust = ?, safety_stock = ? WHERE sku = ? AND node_id = ?`, [
    units, trust, safetyStockFor(level.set, trust), ask.sku, ask.nodeId,
  ])
  if (units > 0) await move(tx, ask, 'adjustment', [{ sku: ask.sku, ...(damaged ? { unsellable: units } : { onHand: -units }) }], ask.reason)
}

export interface Ended extends OpenLine {
  nodeId: string
}

const endAllocations = (tx: Transaction, orderId: string, status: 'released' | 'shipped', fulfillmentId?: string | null): Promise<Ended[]> =>
  rows<Ended>(
    tx,
    `UPDATE allocations SET status = ?, ended_at = now() WHERE order_id = ? AND status = 'open' ${fulfillmentId === null ? 'AND fulfillment_id IS NULL' : fulfillmentId ? 'AND fulfillment_id = ?' : ''}
     RETURNING line_id AS "lineId", sku, node_id AS "nodeId", quantity`,
    [status, orderId, ...(fulfillmentId ? [fulfillmentId] : [])],
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

/** Has some of the order been claimed while the rest had still to come? */
export const holdsSome = async (tx: Transaction, orderId: string): Promise<boolean> =>
  (await rows(tx, `SELECT 1 FROM allocations WHERE order_id = ? AND status = 'open' AND fulfillment_id IS NULL LIMIT 1`, [orderId])).length > 0
