/** Gives what an order still needs to nodes: adopts the claim made at intake, or plans and claims now, and releases the work orders; or says what cannot be had. */
import type { WaitingOn } from '../../domain/order/status'
import { refuse } from '../../domain/refusals'
import type { Shortage, SourcingDecision } from '../../domain/sourcing/decision'
import { noteWaiting } from '../arrivals'
import { rows, type Transaction } from '../connection'
import { record, self } from '../events'
import { releaseFulfillment } from '../fulfillments'
import { openLines, planOfOpen, type LineInNeed } from '../open-lines'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import type { PlanMode } from '../race'
import { claimPlanned, keepDecision, lastDecision, planClaim } from '../sourcing'
import { openException, settleExceptions } from '../waiting'

export interface SourceAsk {
  orderId: string
  attempt: number
  /** By when a node must have packed its part. */
  dueAt: string
  /** What each part waits on when it is released, and the order when it is short. */
  ifSourced: WaitingOn
  ifShort: WaitingOn
}
export type SourceOutcome = { outcome: 'sourced'; fulfillments: SourcedPart[] } | { outcome: 'short'; short: readonly Shortage[] }

export interface SourcedPart {
  fulfillmentId: string
  nodeId: string
  units: number
}

/** @throws `order.already_cancelled` when the order was stopped meanwhile; LostRace in hopeful mode. */
export async function sourceOrder(tx: Transaction, ask: SourceAsk, mode: PlanMode): Promise<SourceOutcome> {
  const order = await lockOrder(tx, ask.orderId)
  if (order.stage !== 'open') throw refuse('order.already_cancelled', { state: order.stage })
  const lines = await openLines(tx, order.orderId)
  const decision = lines.length ? await planned(tx, order, lines, mode) : await lastDecision(tx, order.orderId)
  if (lines.length && !decision?.chosen) return backorder(tx, order, decision!, ask)
  const fulfillments = await releaseParts(tx, order, ask)
  await record(tx, order, { type: 'order.sourced', actor: self, data: { nodes: fulfillments.map((f) => f.nodeId), reason: decision?.chosen?.reason ?? '' } }, ...fulfillments.map((f) => ({
    type: 'fulfillment.released' as const,
    actor: self,
    data: { ...f, dueAt: ask.dueAt },
  })))
  if (order.waitingOn?.what === 'stock') await settleExceptions(tx, order, 'it can be had', 'sourcing.short')
  await refreshOrder(tx, order.orderId, null)
  return { outcome: 'sourced', fulfillments }
}

/** Work orders for every node at which stock is claimed that belongs to none yet. */
async function releaseParts(tx: Transaction, order: OrderRow, ask: SourceAsk): Promise<SourcedPart[]> {
  const nodes = await rows<{ nodeId: string }>(
    tx,
    `SELECT DISTINCT node_id AS "nodeId" FROM allocations WHERE order_id = ? AND status = 'open' AND fulfillment_id IS NULL ORDER BY node_id`,
    [order.orderId],
  )
  const parts: SourcedPart[] = []
  const { method, service } = order.delivery
  for (const { nodeId } of nodes)
    parts.push({ nodeId, ...(await releaseFulfillment(tx, { orderId: order.orderId, nodeId, method, service, dueAt: ask.dueAt, waitingOn: ask.ifSourced })) })
  return parts
}

async function planned(tx: Transaction, order: OrderRow, lines: readonly LineInNeed[], mode: PlanMode): Promise<SourcingDecision> {
  const decision = await planClaim(tx, await planOfOpen(tx, order, lines), mode)
  if (decision.chosen) await claimPlanned(tx, { orderId: order.orderId, channel: order.channel, shipments: decision.chosen.shipments, actor: self })
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
  if (newly.length) await noteWaiting(tx, order.orderId)
  if (newly.length) await record(tx, order, { type: 'order.backordered', actor: self, data: { short: decision.short } })
  await openException(tx, {
    ...order,
    kind: 'sourcing.short',
    subject: order.orderId,
    owner: 'operations',
    summary: `It cannot be had all together: ${decision.short.map((s) => `${s.sku} ${s.available} of ${s.wanted}`).join(', ')}`,
    data: { short: decision.short },
    deadline: ask.ifShort.deadline,
  })
  await refreshOrder(tx, order.orderId, ask.ifShort)
  return { outcome: 'short', short: decision.short }
}
