/** A group of moves that need each other: every order is looked at again, all give back what they hold, all claim where they go; or nothing happens. */
import type { PlannedShipment } from '../../domain/sourcing/decision'
import type { WaitingOn } from '../../domain/order/status'
import { durationMs } from '../../domain/policy/duration'
import { rows, run, type Transaction } from '../connection'
import { record, self } from '../events'
import { fulfillmentsOf, moveFulfillment } from '../fulfillments'
import { tellLater } from '../inbox'
import { lockOrders, refreshOrder, type OrderRow } from '../orders'
import { findReOptimisation, movesOf, settleGroup, type MoveRow } from '../re-optimisations'
import { allocate, release } from '../stock'
import { keepDecision } from '../sourcing'
import { unpickedOrders } from '../views/open-orders'
import { releaseParts, told } from './source-order'

/** @returns whether the group was moved. */
export async function applyMoves(tx: Transaction, ask: { reOptimisationId: string; group: number }): Promise<'moved' | 'skipped'> {
  const job = (await findReOptimisation(tx, ask.reOptimisationId))!
  const moves = (await movesOf(tx, ask.reOptimisationId, ask.group)).filter((m) => m.outcome === 'proposed')
  if (moves.length === 0) return 'skipped'
  const orders = await lockOrders(tx, moves.map((m) => m.orderId))
  for (const move of moves) if (!(await isAsPlanned(tx, job.channel, move))) return skip(tx, ask, 'an order has gone on or changed since')
  await lockShelves(tx, moves)
  const done = await tx.transaction(async (inner) => {
    for (const { orderId } of moves) await giveBack(inner, orderId)
    for (const move of moves) if (!(await take(inner, orders.get(move.orderId)!, move))) throw new NotAll()
    for (const move of moves) await goOn(inner, orders.get(move.orderId)!, move, { ...ask, policyVersion: job.policyVersion, others: moves.length - 1 })
    return true
  }).catch((cause: unknown) => (cause instanceof NotAll ? false : Promise.reject(cause as Error)))
  if (!done) return skip(tx, ask, 'a shelf no longer has it')
  await settleGroup(tx, ask.reOptimisationId, ask.group, 'moved', null)
  return 'moved'
}

class NotAll extends Error {}

async function skip(tx: Transaction, { reOptimisationId, group }: { reOptimisationId: string; group: number }, reason: string): Promise<'skipped'> {
  await settleGroup(tx, reOptimisationId, group, 'skipped', reason)
  return 'skipped'
}

/** Still unpicked, and still holding exactly what it held. */
async function isAsPlanned(tx: Transaction, channel: string, { orderId, from }: MoveRow): Promise<boolean> {
  const [now] = await unpickedOrders(tx, { channel, orderId, limit: 1 })
  return now !== undefined && holding(now.shipments) === holding(from)
}

const holding = (shipments: readonly PlannedShipment[]): string =>
  shipments.flatMap(({ nodeId, lines }) => lines.map((l) => `${nodeId} ${l.lineId} ${l.quantity}`)).sort().join('; ')

/** Every shelf that is left or gone to, in one order. */
async function lockShelves(tx: Transaction, moves: readonly MoveRow[]): Promise<void> {
  const shelves = moves.flatMap(({ from, to }) => [...from, ...to].flatMap(({ nodeId, lines }) => lines.map(({ sku }) => ({ sku, nodeId }))))
  await run(tx, `SELECT 1 FROM stock_levels WHERE (sku, node_id) IN (SELECT sku, "nodeId" FROM jsonb_to_recordset(?::jsonb) AS s(sku text, "nodeId" text)) ORDER BY sku, node_id FOR UPDATE`, [JSON.stringify(shelves)])
}

async function giveBack(tx: Transaction, orderId: string): Promise<void> {
  for (const f of (await fulfillmentsOf(tx, orderId)).filter((f) => f.status === 'released')) await moveFulfillment(tx, f.fulfillmentId, 'cancelled')
  await release(tx, { orderId, actor: self, reason: 'planned together with others' })
}

const take = (tx: Transaction, { orderId, channel }: OrderRow, { to }: MoveRow): Promise<boolean> => allocate(tx, { orderId, channel, shipments: to, actor: self })

/** New work orders where there were some, the decision with its reason, and word to the order's workflow. */
async function goOn(tx: Transaction, order: OrderRow, move: MoveRow, { reOptimisationId, group, policyVersion, others }: { reOptimisationId: string; group: number; policyVersion: number; others: number }): Promise<void> {
  const { orderId } = order
  const reason = `planned together with other open orders${others ? `, with which it changes places (${others})` : ''}: saves ${move.savesMinor}`
  const chosen = { shipments: move.to, reason, parts: {}, costMinor: move.costMinor }
  await keepDecision(tx, orderId, { mode: 'cost', chosen, candidates: [], short: [] }, policyVersion)
  const left = await rows<{ fulfillmentId: string }>(tx, `SELECT fulfillment_id AS "fulfillmentId" FROM fulfillments WHERE order_id = ? AND status = 'cancelled'`, [orderId])
  const data = { reOptimisationId, from: move.from.map((s) => s.nodeId), to: move.to.map((s) => s.nodeId), savesMinor: move.savesMinor, costMinor: move.costMinor }
  await record(tx, order, { type: 'order.re_sourced', actor: self, data })
  if (left.length > 0) {
    const since = new Date()
    const ifSourced: WaitingOn = { what: 'picking', since: since.toISOString(), deadline: new Date(since.getTime() + durationMs(order.policy.store_work.acceptWithin)).toISOString() }
    const parts = await releaseParts(tx, order, { dueAt: ifSourced.deadline!, ifSourced })
    await record(tx, order, ...parts.map((f) => ({ type: 'fulfillment.released' as const, actor: self, data: told(f) })))
    const { channel, channelOrderId } = order
    await tellLater(tx, { source: 'lab', eventId: `${reOptimisationId}:${group}:${orderId}`, kind: 'lab', subject: orderId, payload: {} }, { channel, channelOrderId, signal: 'workMoved', fact: { from: left.map((f) => f.fulfillmentId), parts } })
  }
  await refreshOrder(tx, orderId)
}
