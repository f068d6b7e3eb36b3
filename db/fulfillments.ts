/** The work order at a node: its status only moves along domain/fulfillment/moves.ts, guarded in the UPDATE itself. */
import { uuidv7 } from 'uuidv7'
import { fulfillmentActions, mayBecome, type FulfillmentStatus, type WorkMethod } from '../domain/fulfillment/moves'
import { isAllPicked, type WorkLine } from '../domain/fulfillment/pick'
import type { PackagePlan } from '../domain/messages'
import { refuse } from '../domain/refusals'
import type { WaitingOn } from '../domain/order/status'
import { row, rows, run, type Db, type Transaction } from './connection'
import { lockOrderOfFulfillment, type OrderRow } from './orders'

export interface FulfillmentRow {
  fulfillmentId: string
  orderId: string
  nodeId: string
  method: WorkMethod
  /** Of a transfer: the node that receives it. */
  toNodeId: string | null
  service: string | null
  status: FulfillmentStatus
  assignee: string | null
  labelled: boolean
}

const columns = `f.fulfillment_id AS "fulfillmentId", f.order_id AS "orderId", f.node_id AS "nodeId", f.method, f.to_node_id AS "toNodeId", f.service, f.status, f.assignee,
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

/** Takes the lock of the order that a fulfillment belongs to, and reads the fulfillment under it. @throws `fulfillment.unknown` */
export async function lockWork(tx: Transaction, fulfillmentId: string): Promise<{ order: OrderRow; fulfillment: FulfillmentRow }> {
  const order = await lockOrderOfFulfillment(tx, fulfillmentId)
  if (!order) throw refuse('fulfillment.unknown')
  return { order, fulfillment: await needFulfillment(tx, fulfillmentId) }
}

export interface NewWork {
  orderId: string
  nodeId: string
  method: WorkMethod
  toNodeId?: string
  service?: string
  /** By when it is to be picked and packed. */
  dueAt: string
  /** The latest hand-over that keeps the promise. */
  handOverBy?: string
  waitingOn: WaitingOn
}

/** Creates the work order for what is claimed at `nodeId` and belongs to no work order yet. @returns its id and how many units it has. */
export async function releaseFulfillment(
  tx: Transaction,
  work: NewWork,
): Promise<{ fulfillmentId: string; units: number }> {
  const fulfillmentId = uuidv7()
  const released = await row<{ units: number }>(tx, releaseSql, { ...boundOf(work), fulfillmentId })
  return { fulfillmentId, units: released!.units }
}

const boundOf = (work: NewWork): Record<string, unknown> => ({
  ...work, toNodeId: work.toNodeId ?? null, service: work.service ?? '', handOverBy: work.handOverBy ?? null, waitingOn: JSON.stringify(work.waitingOn),
})

/** Priority 9 is the most urgent order: its work comes first among what is due at the same time. */
const newWorkSql = (status: FulfillmentStatus): string =>
  `SELECT :fulfillmentId::uuid, order_id, :nodeId, :method, :toNodeId, :service, '${status}', :dueAt::timestamptz, :handOverBy::timestamptz, 9 - priority, :waitingOn::jsonb FROM orders WHERE order_id = :orderId::uuid`

const releaseSql = `
  WITH f AS (INSERT INTO fulfillments (fulfillment_id, order_id, node_id, method, to_node_id, service, status, due_at, hand_over_by, urgency, waiting_on)
             ${newWorkSql('released')} RETURNING fulfillment_id, order_id, node_id),
    given AS (UPDATE allocations a SET fulfillment_id = f.fulfillment_id FROM f
              WHERE a.order_id = f.order_id AND a.node_id = f.node_id AND a.status = 'open' AND a.fulfillment_id IS NULL RETURNING a.line_id, a.sku, a.quantity),
    work AS (INSERT INTO fulfillment_lines (fulfillment_id, line_id, sku, quantity)
             SELECT f.fulfillment_id, line_id, sku, sum(quantity)::int FROM f, given GROUP BY 1, 2, 3 RETURNING quantity)
  SELECT coalesce(sum(quantity), 0)::int AS units FROM work`

/** A work order whose goods are at hand already: they came from another node. @returns its id. */
export async function insertPicked(tx: Transaction, work: NewWork, lines: readonly { lineId: string; sku: string; quantity: number }[]): Promise<string> {
  const fulfillmentId = uuidv7()
  await run(
    tx,
    `WITH f AS (INSERT INTO fulfillments (fulfillment_id, order_id, node_id, method, to_node_id, service, status, due_at, hand_over_by, urgency, waiting_on)
                ${newWorkSql('picked')} RETURNING fulfillment_id)
     INSERT INTO fulfillment_lines (fulfillment_id, line_id, sku, quantity, picked)
     SELECT fulfillment_id, "lineId", sku, quantity, quantity FROM f, jsonb_to_recordset(:lines::jsonb) AS l("lineId" text, sku text, quantity int)`,
    { ...boundOf(work), fulfillmentId, lines: JSON.stringify(lines) },
  )
  return fulfillmentId
}

/** Where the instant of a move is kept. What is collected leaves and arrives at once. */
const reachedAt: Partial<Record<FulfillmentStatus, readonly string[]>> = {
  packed: ['packed_at'],
  ready: ['ready_at'],
  handed_over: ['handed_over_at'],
  delivered: ['ended_at'],
  collected: ['handed_over_at', 'ended_at'],
  rejected: ['ended_at'],
  cancelled: ['ended_at'],
  expired: ['ended_at'],
  returned: ['ended_at'],
  lost: ['ended_at'],
}

/** Nothing more is waited for once the work has gone back. */
const isOver: readonly FulfillmentStatus[] = ['rejected', 'cancelled', 'expired']

/**
 * Moves a fulfillment if its present status allows it.
 * @throws `fulfillment.state` with the present status and what is allowed now.
 */
export async function moveFulfillment(tx: Transaction, fulfillmentId: string, to: FulfillmentStatus, set: { at?: string } = {}): Promise<void> {
  const reached = reachedAt[to] ?? []
  const moved = await row(
    tx,
    `UPDATE fulfillments SET status = ? ${isOver.includes(to) ? ', waiting_on = NULL' : ''} ${reached.map((column) => `, ${column} = coalesce(?, now())`).join('')}
     WHERE fulfillment_id = ? AND status = ANY(?) RETURNING 1`,
    [to, ...reached.map(() => set.at ?? null), fulfillmentId, mayBecome(to)],
  )
  if (!moved) throw refusedMove(await needFulfillment(tx, fulfillmentId))
}

export async function setAssignee(tx: Transaction, fulfillmentId: string, assignee: string | null): Promise<void> {
  await tx('fulfillments').where({ fulfillment_id: fulfillmentId }).update({ assignee })
}

export const refusedMove = (f: FulfillmentRow): Error =>
  refuse('fulfillment.state', { state: f.status, assignee: f.assignee, allowedActions: fulfillmentActions(f, f.labelled) }, `The fulfillment is ${f.status}`)

/** What the rows know already is refused before the order is asked. @throws `fulfillment.state` unless it is one of `statuses`, `fulfillment.unknown` */
export async function needStatus(db: Db, fulfillmentId: string, statuses: readonly FulfillmentStatus[]): Promise<FulfillmentRow> {
  const found = await needFulfillment(db, fulfillmentId)
  if (!statuses.includes(found.status)) throw refusedMove(found)
  return found
}

export const workLines = (db: Db | Transaction, fulfillmentId: string): Promise<WorkLine[]> =>
  rows<WorkLine>(
    db,
    'SELECT line_id AS "lineId", sku, quantity, picked, rejected FROM fulfillment_lines WHERE fulfillment_id = ? ORDER BY line_id',
    [fulfillmentId],
  )

/** Grams of one unit, by line. */
export async function unitWeights(db: Db | Transaction, fulfillmentId: string): Promise<Map<string, number>> {
  const found = await rows<{ lineId: string; grams: number }>(db, 'SELECT line_id AS "lineId", weight_grams AS grams FROM fulfillment_lines JOIN skus USING (sku) WHERE fulfillment_id = ?', [fulfillmentId])
  return new Map(found.map((l) => [l.lineId, l.grams]))
}

/** @returns the lines of the work. @throws `fulfillment.not_all_picked` while some are still to be picked */
export async function needAllPicked(tx: Transaction, { fulfillmentId, status }: FulfillmentRow): Promise<WorkLine[]> {
  const lines = await workLines(tx, fulfillmentId)
  if (['released', 'picking'].includes(status) && !isAllPicked(lines))
    throw refuse('fulfillment.not_all_picked', { open: lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.picked - l.rejected })).filter((l) => l.quantity > 0) })
  return lines
}

export async function saveWorkLines(tx: Transaction, fulfillmentId: string, lines: readonly WorkLine[]): Promise<void> {
  await run(
    tx,
    `UPDATE fulfillment_lines l SET picked = v.picked, rejected = v.rejected FROM jsonb_to_recordset(?::jsonb) AS v("lineId" text, picked int, rejected int)
     WHERE l.fulfillment_id = ? AND l.line_id = v."lineId"`,
    [JSON.stringify(lines), fulfillmentId],
  )
}

/** Units leave a work order because nobody wants them any more; those of them that were picked go back to the shelf. */
export async function takeOutUnits(tx: Transaction, fulfillmentId: string, units: readonly { lineId: string; quantity: number; picked: number }[]): Promise<void> {
  await run(
    tx,
    `UPDATE fulfillment_lines l SET quantity = l.quantity - v.quantity, cancelled = l.cancelled + v.quantity, picked = l.picked - v.picked
     FROM (SELECT "lineId", sum(quantity)::int AS quantity, sum(picked)::int AS picked FROM jsonb_to_recordset(?::jsonb) AS u("lineId" text, quantity int, picked int) GROUP BY 1) v
     WHERE l.fulfillment_id = ? AND l.line_id = v."lineId"`,
    [JSON.stringify(units), fulfillmentId],
  )
}

/** Work of an order at a node that can still take something in. */
export const openWorkAt = async (tx: Transaction, orderId: string, nodeId: string): Promise<FulfillmentRow | undefined> =>
  (await fulfillmentsOf(tx, orderId)).find((f) => f.nodeId === nodeId && f.method !== 'transfer' && ['released', 'picking', 'picked'].includes(f.status))

/** What is claimed at the node for these lines and belongs to no work order yet joins one; what was all picked is being picked again. @returns how many units */
export async function extendWork(tx: Transaction, ask: { orderId: string; nodeId: string; fulfillmentId: string; lineIds: readonly string[] }): Promise<number> {
  const joined = await row<{ units: number }>(
    tx,
    `WITH given AS (UPDATE allocations SET fulfillment_id = :fulfillmentId::uuid WHERE order_id = :orderId AND node_id = :nodeId AND status = 'open' AND fulfillment_id IS NULL AND line_id = ANY(:lineIds)
                    RETURNING line_id, sku, quantity),
       work AS (INSERT INTO fulfillment_lines AS l (fulfillment_id, line_id, sku, quantity) SELECT :fulfillmentId::uuid, line_id, sku, sum(quantity)::int FROM given GROUP BY 2, 3
                ON CONFLICT (fulfillment_id, line_id) DO UPDATE SET quantity = l.quantity + excluded.quantity),
       again AS (UPDATE fulfillments SET status = 'picking' WHERE fulfillment_id = :fulfillmentId::uuid AND status = 'picked')
     SELECT coalesce(sum(quantity), 0)::int AS units FROM given`,
    { ...ask, lineIds: [...ask.lineIds] },
  )
  return joined!.units
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
  await run(
    tx,
    `INSERT INTO packages (package_id, fulfillment_id, number, weight_grams, length_mm, width_mm, height_mm, lines)
     SELECT "packageId", ?::uuid, number, "weightGrams", "lengthMm", "widthMm", "heightMm", lines
     FROM jsonb_to_recordset(?::jsonb) AS p("packageId" uuid, number int, "weightGrams" int, "lengthMm" int, "widthMm" int, "heightMm" int, lines jsonb)`,
    [fulfillmentId, JSON.stringify(packages.map((p, i) => ({ ...p, packageId: ids[i], number: i + 1 })))],
  )
  return ids
}

/** Fulfillments of an order, oldest first. */
export const fulfillmentsOf = (db: Db | Transaction, orderId: string): Promise<FulfillmentRow[]> =>
  rows<FulfillmentRow>(db, `SELECT ${columns} FROM fulfillments f WHERE f.order_id = ? ORDER BY f.fulfillment_id`, [orderId])
