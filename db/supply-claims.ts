/**
 * What orders were promised of stock that is still to come. Every claim counts in `promised` of its announcement, or of the SKU's pre-orders, by guarded
 * updates under a lock: levels first, then supply in (sku, node, reference) order, then SKUs. Never more is promised than is announced or allowed.
 */
import { uuidv7 } from 'uuidv7'
import { invariant } from '../domain/invariant'
import { splitPlan, withToCome, type ClaimAhead, type ToCome } from '../domain/inventory/to-come'
import type { PlannedShipment } from '../domain/sourcing/decision'
import { noteWaiting } from './arrivals'
import { row, rows, run, type Transaction } from './connection'
import { record, self } from './events'
import { candidates, claimPlanned, planOn, type Plan } from './sourcing'

/** Of an order: what is taken from shelves now, and what waits for stock. */
export interface PlanAhead {
  now: readonly PlannedShipment[]
  ahead: readonly ClaimAhead[]
}

/** May orders be accepted on what is to come of any of these? */
export const mayWait = async (tx: Transaction, skus: readonly string[]): Promise<boolean> =>
  (await row(tx, 'SELECT 1 FROM skus WHERE sku = ANY(?) AND (backorder OR preorder_ship_by > now()) LIMIT 1', [[...skus]])) !== undefined

/** A plan on what is there and what is to come, when the levels are locked already. @returns undefined when even that is not enough. */
export async function planAhead(tx: Transaction, ask: Plan): Promise<PlanAhead | undefined> {
  const toCome = await lockToCome(tx, [...new Set(ask.lines.map((l) => l.sku))])
  const nodes = await candidates(tx, ask, 'hopeful')
  const { chosen } = await planOn(tx, ask, nodes.map((node) => withToCome(node, toCome)))
  return chosen && splitPlan(chosen.shipments, nodes, toCome)
}

async function lockToCome(tx: Transaction, skus: readonly string[]): Promise<ToCome> {
  const announced = await rows<ToCome['announced'][number]>(
    tx,
    `SELECT s.sku, s.node_id AS "nodeId", s.reference, s.quantity - s.promised AS quantity, s.expected_at AS "expectedAt" FROM supply s JOIN skus USING (sku)
     WHERE s.sku = ANY(?) AND backorder AND s.quantity > s.promised AND s.expected_at > now() ORDER BY s.sku, s.node_id, s.reference FOR UPDATE OF s`,
    [[...skus]],
  )
  const preorders = await rows<ToCome['preorders'][number]>(
    tx,
    `SELECT sku, preorder_cap - preorder_promised AS quantity, preorder_ship_by AS "shipBy" FROM skus
     WHERE sku = ANY(?) AND preorder_cap > preorder_promised AND preorder_ship_by > now() ORDER BY sku FOR NO KEY UPDATE`,
    [[...skus]],
  )
  return { announced, preorders }
}

/** Writes what was planned for an order that has just been accepted: its stock is taken, the rest counts as promised. */
export async function claimAhead(tx: Transaction, order: { orderId: string; channel: string; actor: string }, { now, ahead }: PlanAhead): Promise<void> {
  if (now.length) await claimPlanned(tx, { ...order, shipments: now })
  for (const claim of ahead) invariant(await promise(tx, claim), `what was planned of ${claim.sku} can be promised`)
  const claims = ahead.map(({ supply, ...claim }) => ({ ...claim, ...supply, claimId: uuidv7() }))
  await run(
    tx,
    `INSERT INTO supply_claims (claim_id, order_id, line_id, sku, node_id, reference, quantity, ship_by)
     SELECT "claimId", ?::uuid, "lineId", sku, "nodeId", reference, quantity, "shipBy" FROM jsonb_to_recordset(?::jsonb)
       AS c("claimId" uuid, "lineId" text, sku text, "nodeId" text, reference text, quantity int, "shipBy" timestamptz)`,
    [order.orderId, JSON.stringify(claims)],
  )
  await run(tx, 'UPDATE order_lines SET backordered = quantity - allocated WHERE order_id = ?', [order.orderId])
  const lines = ahead.map(({ lineId, sku, quantity, shipBy }) => ({ lineId, sku, quantity, shipBy }))
  await record(tx, order, { type: 'order.backordered', actor: self, data: { lines } })
  await noteWaiting(tx, order.orderId)
}

/** @returns false when it is more than is announced, or allowed. */
const promise = async (tx: Transaction, { sku, quantity, supply }: ClaimAhead): Promise<boolean> =>
  (supply
    ? await row(tx, 'UPDATE supply SET promised = promised + :quantity WHERE sku = :sku AND node_id = :nodeId AND reference = :reference AND promised + :quantity <= quantity RETURNING 1', { sku, quantity, ...supply })
    : await row(tx, 'UPDATE skus SET preorder_promised = preorder_promised + :quantity WHERE sku = :sku AND preorder_promised + :quantity <= preorder_cap RETURNING 1', { sku, quantity })) !== undefined

/** The order has its stock, or wants none any more: what it was promised may be promised to others. */
export async function endClaims(tx: Transaction, orderId: string, status: 'filled' | 'cancelled'): Promise<void> {
  if (await lockClaimed(tx, orderId)) await run(tx, endSql, { orderId, status })
}

/** Locks what an order was promised, in the order that everybody does. @returns whether it was promised anything. */
async function lockClaimed(tx: Transaction, orderId: string): Promise<boolean> {
  const open = `FROM supply_claims WHERE order_id = :orderId AND status = 'open'`
  if (!(await row(tx, `SELECT 1 ${open} LIMIT 1`, { orderId }))) return false
  await run(tx, `SELECT 1 FROM supply WHERE (sku, node_id, reference) IN (SELECT sku, node_id, reference ${open}) ORDER BY sku, node_id, reference FOR UPDATE`, { orderId })
  await run(tx, `SELECT 1 FROM skus WHERE sku IN (SELECT sku ${open} AND reference IS NULL) ORDER BY sku FOR NO KEY UPDATE`, { orderId })
  return true
}

/** Lines that wait for fewer units than they were promised keep the earliest; what is too much may be promised to others. */
export async function trimClaims(tx: Transaction, orderId: string): Promise<void> {
  if (!(await lockClaimed(tx, orderId))) return
  const open = await rows<CutClaim & { lineId: string; sku: string; nodeId: string | null; reference: string | null; waits: number }>(
    tx,
    `SELECT c.claim_id AS "claimId", c.order_id AS "orderId", '' AS channel, c.quantity, c.line_id AS "lineId", c.sku, c.node_id AS "nodeId", c.reference,
       greatest(0, l.quantity - l.cancelled - l.shipped - l.allocated) AS waits
     FROM supply_claims c JOIN order_lines l ON l.order_id = c.order_id AND l.line_id = c.line_id WHERE c.order_id = ? AND c.status = 'open' ORDER BY c.line_id, c.ship_by, c.claim_id`,
    [orderId],
  )
  const kept = new Map<string, number>()
  for (const claim of open) {
    const before = kept.get(claim.lineId) ?? 0
    const keeps = Math.min(claim.quantity, claim.waits - before)
    kept.set(claim.lineId, before + keeps)
    const units = claim.quantity - keeps
    if (units === 0) continue
    await endPart(tx, { ...claim, quantity: units }, 'cancelled')
    if (claim.reference === null) await run(tx, 'UPDATE skus SET preorder_promised = preorder_promised - ? WHERE sku = ?', [units, claim.sku])
    else await run(tx, 'UPDATE supply SET promised = promised - ? WHERE sku = ? AND node_id = ? AND reference = ?', [units, claim.sku, claim.nodeId, claim.reference])
  }
}

const endSql = `
  WITH ended AS (UPDATE supply_claims SET status = :status, ended_at = now() WHERE order_id = :orderId AND status = 'open' RETURNING sku, node_id, reference, quantity),
    supplied AS (UPDATE supply s SET promised = promised - e.quantity
                 FROM (SELECT sku, node_id, reference, sum(quantity)::int AS quantity FROM ended WHERE reference IS NOT NULL GROUP BY 1, 2, 3) e
                 WHERE s.sku = e.sku AND s.node_id = e.node_id AND s.reference = e.reference)
  UPDATE skus s SET preorder_promised = preorder_promised - e.quantity
  FROM (SELECT sku, sum(quantity)::int AS quantity FROM ended WHERE reference IS NULL GROUP BY 1) e WHERE s.sku = e.sku`

/** By when everything should have come that the order waits for; undefined when it was promised nothing, or no longer. */
export const shipByOf = async (tx: Transaction, orderId: string): Promise<string | undefined> =>
  (await row<{ shipBy: string | null }>(tx, `SELECT max(ship_by) AS "shipBy" FROM supply_claims WHERE order_id = ? AND status IN ('open', 'arrived')`, [orderId]))!.shipBy ?? undefined

export interface CutClaim {
  claimId: string
  orderId: string
  channel: string
  quantity: number
}

/**
 * Ends as much of the claims on an announcement, whose row is locked, as goes beyond `quantity`: when units have arrived, of those who will be served
 * first; when they will not come, of those who would have been served last. @returns what was ended.
 */
export async function cutClaims(tx: Transaction, supply: { sku: string; nodeId: string; reference: string; promised: number }, quantity: number, status: 'arrived' | 'withdrawn'): Promise<CutClaim[]> {
  let excess = supply.promised - quantity
  if (excess <= 0) return []
  const [way, when] = status === 'arrived' ? ['DESC', 'ASC'] : ['ASC', 'DESC']
  const open = await rows<CutClaim>(
    tx,
    `SELECT c.claim_id AS "claimId", c.order_id AS "orderId", o.channel, c.quantity FROM supply_claims c JOIN orders o USING (order_id)
     WHERE c.sku = ? AND c.node_id = ? AND c.reference = ? AND c.status = 'open' ORDER BY o.priority ${way}, o.accepted_at ${when}, c.claim_id ${when} FOR UPDATE OF c`,
    [supply.sku, supply.nodeId, supply.reference],
  )
  const cut: CutClaim[] = []
  for (const claim of open) {
    const units = Math.min(excess, claim.quantity)
    if (units > 0) cut.push(await endPart(tx, { ...claim, quantity: units }, status))
    excess -= units
  }
  invariant(excess === 0, `what is promised of ${supply.reference} has its claims`)
  await run(tx, 'UPDATE supply SET promised = ? WHERE sku = ? AND node_id = ? AND reference = ?', [quantity, supply.sku, supply.nodeId, supply.reference])
  return cut
}

/** A claim that ends in part becomes two: one that ends, and one for the rest. */
async function endPart(tx: Transaction, part: CutClaim, status: string): Promise<CutClaim> {
  await run(
    tx,
    `WITH kept AS (INSERT INTO supply_claims (claim_id, order_id, line_id, sku, node_id, reference, quantity, ship_by, created_at)
                   SELECT :rest, order_id, line_id, sku, node_id, reference, quantity - :units::int, ship_by, created_at FROM supply_claims WHERE claim_id = :claimId AND quantity > :units::int)
     UPDATE supply_claims SET status = :status, ended_at = now(), quantity = :units::int WHERE claim_id = :claimId`,
    { rest: uuidv7(), units: part.quantity, claimId: part.claimId, status },
  )
  return part
}
