/** The work order at a node: its status only moves along domain/fulfillment/moves.ts, guarded in the UPDATE itself. */
import { uuidv7 } from 'uuidv7'
import { fulfillmentActions, mayBecome, type FulfillmentStatus } from '../domain/fulfillment/moves'
import type { WorkLine } from '../domain/fulfillment/pick'
import type { PackagePlan } from '../domain/messages'
import { refuse } from '../domain/refusals'
import { row, rows, run, type Db, type Transaction } from './connection'

export interface FulfillmentRow {
  fulfillmentId: string
  orderId: string
  nodeId: string
  method: string
  service: string | null
  status: FulfillmentStatus
  labelled: boolean
}

const columns = `f.fulfillment_id AS "fulfillmentId", f.order_id AS "orderId", f.node_id AS "nodeId", f.method, f.service, f.status,
  (EXISTS (SELECT 1 FROM packages p WHERE p.fulfillment_id = f.fulfillment_id)
   AND NOT EXISTS (SELECT 1 FROM packages p WHERE p.fulfillment_id = f.fulfillment_id AND p.tracking_number IS NULL)) AS labelled`

export const findFulfillment = (db: Db | Transaction, fulfillmentId: string): Promise<FulfillmentRow | undefined> =>
  row<FulfillmentRow>(db, `SELECT ${columns} FROM fulfillments f WHERE f.fulfillment_id = ?`, [fulfillmentId])

/** @throws `fulfillment.unknown` */
export async function needFulfillment(db: Db | Transaction, fulfillmentId: string): Promise<FulfillmentRow> {
  const found = await findFulfillment(db, fulfillmentId)
  if (!found) throw refuse('fulfillment.unknown')
  return found
}

/** Creates the work order for lines that are allocated at `nodeId`. */
export async function releaseFulfillment(
  tx: Transaction,
  work: { orderId: string; nodeId: string; method: string; service?: string; dueAt: string; lines: readonly { lineId: string; sku: string; quantity: number }[] },
): Promise<string> {
  const fulfillmentId = uuidv7()
  await tx('fulfillments').insert({
    fulfillment_id: fulfillmentId,
    order_id: work.orderId,
    node_id: work.nodeId,
    method: work.method,
    service: work.service ?? '',
    status: 'released',
    due_at: work.dueAt,
  })
  await tx('fulfillment_lines').insert(work.lines.map((l) => ({ fulfillment_id: fulfillmentId, line_id: l.lineId, sku: l.sku, quantity: l.quantity })))
  return fulfillmentId
}

/**
 * Moves a fulfillment if its present status allows it.
 * @throws `fulfillment.state` with the present status and what is allowed now.
 */
export async function moveFulfillment(tx: Transaction, fulfillmentId: string, to: FulfillmentStatus, set: Record<string, unknown> = {}): Promise<void> {
  const moved = await tx('fulfillments')
    .where({ fulfillment_id: fulfillmentId })
    .whereIn('status', mayBecome(to))
    .update({ status: to, ...set })
  if (moved === 0) throw refusedMove(await needFulfillment(tx, fulfillmentId))
}

export async function setAssignee(tx: Transaction, fulfillmentId: string, assignee: string): Promise<void> {
  await tx('fulfillments').where({ fulfillment_id: fulfillmentId }).update({ assignee })
}

export const refusedMove = (f: FulfillmentRow): Error =>
  refuse('fulfillment.state', { state: f.status, allowedActions: fulfillmentActions(f.status, f.labelled) }, `The fulfillment is ${f.status}`)

export const workLines = (db: Db | Transaction, fulfillmentId: string): Promise<WorkLine[]> =>
  rows<WorkLine>(
    db,
    'SELECT line_id AS "lineId", sku, quantity, picked, rejected FROM fulfillment_lines WHERE fulfillment_id = ? ORDER BY line_id',
    [fulfillmentId],
  )

export async function saveWorkLines(tx: Transaction, fulfillmentId: string, lines: readonly WorkLine[]): Promise<void> {
  for (const line of lines)
    await tx('fulfillment_lines').where({ fulfillment_id: fulfillmentId, line_id: line.lineId }).update({ picked: line.picked, rejected: line.rejected })
}

/** Brings the order's picked counts in step with its work orders that are still going on or done. */
export async function refreshPicked(tx: Transaction, orderId: string): Promise<void> {
  await run(tx, 
    `UPDATE order_lines l SET picked = coalesce((SELECT sum(fl.picked) FROM fulfillment_lines fl JOIN fulfillments f USING (fulfillment_id)
       WHERE f.order_id = l.order_id AND fl.line_id = l.line_id AND f.status NOT IN ('rejected', 'cancelled', 'expired')), 0) WHERE l.order_id = ?`,
    [orderId],
  )
}

/** The boxes as packed, with no label yet. @returns their ids in the order given. */
export async function insertPackages(tx: Transaction, fulfillmentId: string, packages: readonly PackagePlan[]): Promise<string[]> {
  const ids = packages.map(() => uuidv7())
  await tx('packages').insert(
    packages.map((p, i) => ({
      package_id: ids[i],
      fulfillment_id: fulfillmentId,
      number: i + 1,
      weight_grams: p.weightGrams,
      length_mm: p.lengthMm ?? null,
      width_mm: p.widthMm ?? null,
      height_mm: p.heightMm ?? null,
      lines: JSON.stringify(p.lines),
    })),
  )
  return ids
}

/** Fulfillments of an order, oldest first. */
export const fulfillmentsOf = (db: Db | Transaction, orderId: string): Promise<FulfillmentRow[]> =>
  rows<FulfillmentRow>(db, `SELECT ${columns} FROM fulfillments f WHERE f.order_id = ? ORDER BY f.fulfillment_id`, [orderId])
