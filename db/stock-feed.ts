/**
 * Stock as the shelves report it: absolute counts and adjustments. Levels are locked in (sku, node) order, and every change is a movement in
 * the same transaction, so levels always equal the replay of their movements.
 */
import { onHandAfterCount } from '../domain/inventory/level'
import { safetyStockFor } from '../domain/inventory/trust'
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import { row, rows, run, type Transaction } from './connection'
import { receiveSupply } from './supply'

export interface StockCount {
  sku: string
  nodeId: string
  onHand: number
  /** The moment the shelf was counted; what moved after it is added to the count. */
  asOf: string
}

/** Takes counts of known SKUs and nodes. A count older than one already taken of the same shelf is left out. @returns for each count, whether it was taken. */
export async function takeCounts(tx: Transaction, counts: readonly StockCount[], actor: string): Promise<boolean[]> {
  const inOrder = counts.map((count, index) => ({ ...count, index })).sort((a, b) => Date.parse(a.asOf) - Date.parse(b.asOf))
  const newest = new Map(inOrder.map((count) => [levelKey(count), count]))
  const first = await insertLevels(tx, [...newest.values()])
  const levels = await lockLevels(tx, [...newest].flatMap(([key, count]) => (first.has(key) ? [] : [count])))
  const taken = [...newest].flatMap(([key, count]) => {
    const level = levels.get(key)
    return first.has(key) || level!.countedAsOf === null || Date.parse(count.asOf) > Date.parse(level!.countedAsOf) ? [count] : []
  })
  const again = taken.filter((count) => !first.has(levelKey(count)))
  const moved = await movedSince(tx, again)
  const changes = again.map((count) => {
    const onHand = onHandAfterCount(count.onHand, moved.get(levelKey(count)) ?? 0)
    return { ...count, onHand, delta: onHand - levels.get(levelKey(count))!.onHand }
  })
  await writeLevels(tx, changes)
  await writeMovements(tx, taken.length === changes.length ? changes : [...changes, ...taken.filter((count) => first.has(levelKey(count))).map((count) => ({ ...count, delta: count.onHand }))], actor)
  await noteCounted(tx, new Set(taken.map((c) => c.sku)))
  const takenIndexes = new Set(taken.map((count) => count.index))
  return counts.map((_, index) => takenIndexes.has(index))
}

interface LockedLevel {
  sku: string
  nodeId: string
  onHand: number
  countedAsOf: string | null
}

const levelKey = (of: { sku: string; nodeId: string }): string => JSON.stringify([of.sku, of.nodeId])

/** Shelves that nobody has named before begin with their count: nothing can have moved there. @returns which they are. */
async function insertLevels(tx: Transaction, counts: readonly StockCount[]): Promise<Set<string>> {
  const fresh = await rows<{ sku: string; nodeId: string }>(
    tx,
    `INSERT INTO stock_levels (sku, node_id, on_hand, counted_as_of) SELECT * FROM unnest(?::text[], ?::text[], ?::int[], ?::timestamptz[]) AS c(sku, node_id, on_hand, as_of)
     WHERE NOT EXISTS (SELECT 1 FROM stock_levels l WHERE l.sku = c.sku AND l.node_id = c.node_id) ORDER BY sku, node_id ON CONFLICT DO NOTHING RETURNING sku, node_id AS "nodeId"`,
    [counts.map((c) => c.sku), counts.map((c) => c.nodeId), counts.map((c) => c.onHand), counts.map((c) => c.asOf)],
  )
  return new Set(fresh.map(levelKey))
}

/** Locks all others in one order. */
async function lockLevels(tx: Transaction, counts: readonly StockCount[]): Promise<Map<string, LockedLevel>> {
  if (counts.length === 0) return new Map()
  const locked = await rows<LockedLevel>(
    tx,
    `SELECT l.sku, l.node_id AS "nodeId", l.on_hand AS "onHand", l.counted_as_of AS "countedAsOf" FROM stock_levels l
     WHERE (l.sku, l.node_id) IN (SELECT * FROM unnest(?::text[], ?::text[]) AS c(sku, node_id)) ORDER BY l.sku, l.node_id FOR UPDATE OF l`,
    [counts.map((c) => c.sku), counts.map((c) => c.nodeId)],
  )
  return new Map(locked.map((level) => [levelKey(level), level]))
}

/** Units that physically came or went after each count was made. Earlier counts are corrections of the books, not movements of goods. */
async function movedSince(tx: Transaction, counts: readonly StockCount[]): Promise<Map<string, number>> {
  const sums = await rows<{ sku: string; nodeId: string; units: number }>(
    tx,
    `SELECT c.sku, c.node_id AS "nodeId", sum(m.on_hand_delta)::int AS units
     FROM unnest(?::text[], ?::text[], ?::timestamptz[]) AS c(sku, node_id, as_of)
     JOIN stock_movements m ON m.sku = c.sku AND m.node_id = c.node_id AND m.at > c.as_of AND m.type <> 'count' GROUP BY 1, 2`,
    [counts.map((c) => c.sku), counts.map((c) => c.nodeId), counts.map((c) => c.asOf)],
  )
  return new Map(sums.map((s) => [levelKey(s), s.units]))
}

type Change = StockCount & { delta: number }

async function writeLevels(tx: Transaction, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return
  await run(
    tx,
    `UPDATE stock_levels l SET on_hand = c.on_hand, counted_as_of = c.as_of, trust = 1, safety_stock = safety_stock_set
     FROM unnest(?::text[], ?::text[], ?::int[], ?::timestamptz[]) AS c(sku, node_id, on_hand, as_of) WHERE l.sku = c.sku AND l.node_id = c.node_id`,
    [changes.map((c) => c.sku), changes.map((c) => c.nodeId), changes.map((c) => c.onHand), changes.map((c) => c.asOf)],
  )
}

async function writeMovements(tx: Transaction, changes: readonly Change[], actor: string): Promise<void> {
  const moved = changes.filter((c) => c.delta !== 0).sort(byLevel)
  if (moved.length === 0) return
  await run(
    tx,
    `INSERT INTO stock_movements (sku, node_id, type, on_hand_delta, reason, actor)
     SELECT sku, node_id, 'count', delta, 'counted as of ' || to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ?
     FROM unnest(?::text[], ?::text[], ?::timestamptz[], ?::int[]) AS c(sku, node_id, as_of, delta)`,
    [actor, moved.map((c) => c.sku), moved.map((c) => c.nodeId), moved.map((c) => c.asOf), moved.map((c) => c.delta)],
  )
}

const byLevel = (a: StockCount, b: StockCount): number => (a.sku < b.sku ? -1 : a.sku > b.sku ? 1 : a.nodeId < b.nodeId ? -1 : 1)

/** Orders that wait for one of these look again. A count that raised nothing only makes them look for nothing. */
async function noteCounted(tx: Transaction, skus: ReadonlySet<string>): Promise<void> {
  await run(tx, 'INSERT INTO stock_arrivals (sku) SELECT sku FROM unnest(?::text[]) AS c(sku) WHERE EXISTS (SELECT 1 FROM order_lines l WHERE l.sku = c.sku AND l.backordered > 0)', [[...skus]])
}

/** Which of the SKUs and nodes that counts name exist. */
export async function knownPlaces(tx: Transaction, counts: readonly StockCount[]): Promise<{ skus: Set<string>; nodes: Set<string> }> {
  const skus = await rows<{ sku: string }>(tx, 'SELECT sku FROM skus WHERE sku = ANY(?)', [[...new Set(counts.map((c) => c.sku))]])
  const nodes = await rows<{ nodeId: string }>(tx, 'SELECT node_id AS "nodeId" FROM nodes WHERE node_id = ANY(?)', [[...new Set(counts.map((c) => c.nodeId))]])
  return { skus: new Set(skus.map((s) => s.sku)), nodes: new Set(nodes.map((n) => n.nodeId)) }
}

export interface Adjustment {
  sku: string
  nodeId: string
  delta: number
  reason: string
  /** The announcement these units were delivered on. */
  supplyReference?: string
}

/**
 * Adds or takes units. One guarded statement: the shelf never goes below zero. Units that were announced are a receipt: as many fewer are still expected.
 * @throws `stock.negative`, `supply.unknown`
 */
export async function adjustStock(tx: Transaction, ask: Adjustment, actor: string): Promise<void> {
  await run(tx, 'INSERT INTO stock_levels (sku, node_id) VALUES (?, ?) ON CONFLICT DO NOTHING', [ask.sku, ask.nodeId])
  const changed = await row(
    tx,
    'UPDATE stock_levels SET on_hand = on_hand + ? WHERE sku = ? AND node_id = ? AND on_hand + ? >= 0 RETURNING sku',
    [ask.delta, ask.sku, ask.nodeId, ask.delta],
  )
  if (!changed) {
    const level = await row<{ onHand: number }>(tx, 'SELECT on_hand AS "onHand" FROM stock_levels WHERE sku = ? AND node_id = ?', [ask.sku, ask.nodeId])
    throw refuse('stock.negative', { onHand: level?.onHand ?? 0, delta: ask.delta })
  }
  if (ask.supplyReference !== undefined) await receiveSupply(tx, { ...ask, reference: ask.supplyReference, units: ask.delta })
  await run(tx, 'INSERT INTO stock_movements (sku, node_id, type, on_hand_delta, reason, actor) VALUES (?, ?, ?, ?, ?, ?)', [
    ask.sku,
    ask.nodeId,
    ask.supplyReference === undefined ? 'adjustment' : 'receipt',
    ask.delta,
    ask.reason,
    actor,
  ])
  await writeAudit(tx, { actor, action: 'stock.adjust', subject: `${ask.sku}@${ask.nodeId}`, cause: ask.reason })
}

/** Keeps units of a shelf from being sold by anybody; not a movement, for nothing moves. */
export async function setSafetyStock(tx: Transaction, shelf: { sku: string; nodeId: string; safetyStock: number }, actor: string, cause: string): Promise<void> {
  await run(tx, 'INSERT INTO stock_levels (sku, node_id) VALUES (?, ?) ON CONFLICT DO NOTHING', [shelf.sku, shelf.nodeId])
  const level = await row<{ trust: number }>(tx, 'SELECT trust FROM stock_levels WHERE sku = ? AND node_id = ? FOR UPDATE', [shelf.sku, shelf.nodeId])
  const applies = safetyStockFor(shelf.safetyStock, level!.trust)
  await run(tx, 'UPDATE stock_levels SET safety_stock_set = ?, safety_stock = ? WHERE sku = ? AND node_id = ?', [shelf.safetyStock, applies, shelf.sku, shelf.nodeId])
  await writeAudit(tx, { actor, action: 'stock.safety', subject: `${shelf.sku}@${shelf.nodeId}`, cause })
}
