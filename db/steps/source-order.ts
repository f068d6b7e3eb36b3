/** Gives an order to a node: adopts the claim made at intake, or plans and claims now, and releases the work order; or says what no node has. */
import type { WaitingOn } from '../../domain/order/status'
import { refuse } from '../../domain/refusals'
import type { OpenLine, SourcingDecision } from '../../domain/sourcing/simple'
import { row, rows, type Transaction } from '../connection'
import { record, self } from '../events'
import { fulfillmentsOf, releaseFulfillment } from '../fulfillments'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { claimPlanned, keepDecision, lastDecision, plan, type PlanMode } from '../sourcing'
import { openException, settleExceptions } from '../waiting'

export interface SourceAsk {
  orderId: string
  attempt: number
  /** By when the node must have packed it. */
  dueAt: string
  ifSourced: WaitingOn
  ifShort: WaitingOn
}
export type SourceOutcome =
  | { outcome: 'sourced'; fulfillment: { fulfillmentId: string; nodeId: string; units: number } }
  | { outcome: 'short'; short: SourcingDecision['short'] }

/** @throws `order.already_cancelled` when the order was stopped meanwhile; LostRace in hopeful mode. */
export async function sourceOrder(tx: Transaction, ask: SourceAsk, mode: PlanMode): Promise<SourceOutcome> {
  const order = await lockOrder(tx, ask.orderId)
  if (order.stage !== 'open') throw refuse('order.already_cancelled', { state: order.stage })
  const decision = (await adopted(tx, order)) ?? (await planned(tx, order, mode))
  if (!decision.chosen) return backorder(tx, order, decision, ask)
  const { nodeId, reason } = decision.chosen
  const lines = await rows<OpenLine>(
    tx,
    `SELECT line_id AS "lineId", sku, quantity FROM allocations WHERE order_id = ? AND status = 'open' AND node_id = ? ORDER BY line_id`,
    [order.orderId, nodeId],
  )
  const units = lines.reduce((sum, l) => sum + l.quantity, 0)
  const fulfillmentId = await releaseFulfillment(tx, { orderId: order.orderId, nodeId, method: order.delivery.method, service: order.delivery.service, dueAt: ask.dueAt, lines })
  await record(
    tx,
    order,
    { type: 'order.sourced', actor: self, data: { nodeId, reason } },
    { type: 'fulfillment.released', actor: self, data: { fulfillmentId, nodeId, units, dueAt: ask.dueAt } },
  )
  if (order.waitingOn?.what === 'stock') await settleExceptions(tx, order, 'a node has it', 'sourcing.short')
  await refreshOrder(tx, order.orderId, ask.ifSourced)
  return { outcome: 'sourced', fulfillment: { fulfillmentId, nodeId, units } }
}

/** Stock claimed before and not yet given to a node as work: the decision that claimed it stands. */
async function adopted(tx: Transaction, order: OrderRow): Promise<SourcingDecision | undefined> {
  const claim = await row<{ nodeId: string }>(tx, `SELECT node_id AS "nodeId" FROM allocations WHERE order_id = ? AND status = 'open' LIMIT 1`, [order.orderId])
  return claim && (await lastDecision(tx, order.orderId))
}

async function planned(tx: Transaction, order: OrderRow, mode: PlanMode): Promise<SourcingDecision> {
  const lines = await rows<OpenLine>(
    tx,
    `SELECT line_id AS "lineId", sku, quantity - cancelled - shipped - allocated AS quantity FROM order_lines
     WHERE order_id = ? AND quantity > cancelled + shipped + allocated ORDER BY position`,
    [order.orderId],
  )
  const excluded = (await fulfillmentsOf(tx, order.orderId)).filter((f) => f.status === 'rejected').map((f) => f.nodeId)
  const destination = await row<{ latitude: number; longitude: number }>(
    tx,
    `SELECT (ship_to->>'latitude')::float8 AS latitude, (ship_to->>'longitude')::float8 AS longitude FROM orders
     WHERE order_id = ? AND ship_to->>'latitude' IS NOT NULL AND ship_to->>'longitude' IS NOT NULL`,
    [order.orderId],
  )
  const decision = await plan(tx, { channel: order.channel, lines, method: order.delivery.method, nodeId: order.delivery.nodeId, destination, excluded, policy: order.policy.sourcing }, mode)
  if (decision.chosen) await claimPlanned(tx, { orderId: order.orderId, channel: order.channel, nodeId: decision.chosen.nodeId, lines, actor: self })
  await keepDecision(tx, order.orderId, decision, order.policy.versions.sourcing)
  return decision
}

async function backorder(tx: Transaction, order: OrderRow, decision: SourcingDecision, ask: SourceAsk): Promise<SourceOutcome> {
  const newly = await rows(
    tx,
    `UPDATE order_lines SET backordered = quantity - cancelled - shipped - allocated
     WHERE order_id = ? AND backordered <> quantity - cancelled - shipped - allocated RETURNING line_id`,
    [order.orderId],
  )
  if (newly.length) await record(tx, order, { type: 'order.backordered', actor: self, data: { short: decision.short } })
  await openException(tx, {
    ...order,
    kind: 'sourcing.short',
    subject: order.orderId,
    owner: 'operations',
    summary: `No node has it all: ${decision.short.map((s) => `${s.sku} ${s.available} of ${s.wanted}`).join(', ')}`,
    data: { short: decision.short },
    deadline: ask.ifShort.deadline,
  })
  await refreshOrder(tx, order.orderId, ask.ifShort)
  return { outcome: 'short', short: decision.short }
}
