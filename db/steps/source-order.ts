/** Gives what an order still needs to nodes: adopts the claim made at intake, or plans and claims now, and releases the work orders; or says what cannot be had. */
import type { WaitingOn } from '../../domain/order/status'
import type { PartMilestones } from '../../domain/promise/kept'
import { refuse } from '../../domain/refusals'
import type { OpenLine, Shortage, SourcingDecision } from '../../domain/sourcing/decision'
import { row, rows, type Transaction } from '../connection'
import { record, self } from '../events'
import { releaseFulfillment } from '../fulfillments'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import type { PlanMode } from '../race'
import { claimPlanned, keepDecision, lastDecision, planClaim, type Plan } from '../sourcing'
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
  /** By when it must be picked, and handed over, for its promise to be kept; where one was given for this node. */
  milestones?: PartMilestones
  waitingOn: WaitingOn
}

/** @throws `order.already_cancelled` when the order was stopped meanwhile; LostRace in hopeful mode. */
export async function sourceOrder(tx: Transaction, ask: SourceAsk, mode: PlanMode): Promise<SourceOutcome> {
  const order = await lockOrder(tx, ask.orderId)
  if (order.stage !== 'open') throw refuse('order.already_cancelled', { state: order.stage })
  const lines = await openLines(tx, order.orderId)
  const decision = lines.length ? await claimParts(tx, order, lines, mode) : await lastDecision(tx, order.orderId)
  if (lines.length && !decision?.chosen) return backorder(tx, order, decision!, ask)
  const fulfillments = await releaseParts(tx, order, ask)
  await record(tx, order, { type: 'order.sourced', actor: self, data: { nodes: fulfillments.map((f) => f.nodeId), reason: decision?.chosen?.reason ?? '' } }, ...fulfillments.map((f) => ({
    type: 'fulfillment.released' as const,
    actor: self,
    data: told(f),
  })))
  if (order.waitingOn?.what === 'stock') await settleExceptions(tx, order, 'it can be had', 'sourcing.short')
  await refreshOrder(tx, order.orderId, null)
  return { outcome: 'sourced', fulfillments }
}

/** As the timeline tells it. */
export const told = ({ fulfillmentId, nodeId, units, waitingOn }: SourcedPart): Record<string, unknown> => ({ fulfillmentId, nodeId, units, dueAt: waitingOn.deadline })

/** Work orders for every node at which stock is claimed that belongs to none yet; each is due when its promise or the policy wants it, whichever comes first. */
export async function releaseParts(tx: Transaction, order: OrderRow, ask: Pick<SourceAsk, 'dueAt' | 'ifSourced'>): Promise<SourcedPart[]> {
  const nodes = await rows<{ nodeId: string; milestones: PartMilestones | null }>(
    tx,
    `SELECT DISTINCT node_id AS "nodeId", o.promise->'milestones'->node_id AS milestones FROM allocations a JOIN orders o USING (order_id)
     WHERE order_id = ? AND a.status = 'open' AND fulfillment_id IS NULL ORDER BY node_id`,
    [order.orderId],
  )
  const parts: SourcedPart[] = []
  const { method, service } = order.delivery
  for (const { nodeId, milestones } of nodes) {
    const dueAt = milestones && milestones.pickBy < ask.dueAt ? milestones.pickBy : ask.dueAt
    const waitingOn = { ...ask.ifSourced, deadline: dueAt }
    const released = await releaseFulfillment(tx, { orderId: order.orderId, nodeId, method, service, dueAt, waitingOn })
    parts.push({ nodeId, ...released, waitingOn, ...(milestones && { milestones }) })
  }
  return parts
}

interface LineInNeed extends OpenLine {
  valueMinor: number
}

const openLines = (tx: Transaction, orderId: string): Promise<LineInNeed[]> =>
  rows(
    tx,
    `SELECT line_id AS "lineId", sku, quantity - cancelled - shipped - allocated AS quantity, unit_price_minor AS "valueMinor" FROM order_lines
     WHERE order_id = ? AND quantity > cancelled + shipped + allocated ORDER BY position`,
    [orderId],
  )

/** Plans these lines, claims what is chosen, and keeps the decision. */
export async function claimParts(tx: Transaction, order: OrderRow, lines: readonly LineInNeed[], mode: PlanMode): Promise<SourcingDecision> {
  const before = await row<Pick<Plan, 'destination' | 'excluded' | 'shipmentsBefore'> & { country: string | null }>(tx, beforeSql, { orderId: order.orderId, lines: lines.map((l) => l.lineId) })
  const { country, destination, excluded, shipmentsBefore } = before!
  const { method, nodeId } = order.delivery
  const ask: Plan = { channel: order.channel, lines, method, nodeId, destination: destination ?? undefined, country: country ?? undefined, excluded, shipmentsBefore, policy: order.policy.sourcing }
  const decision = await planClaim(tx, ask, mode)
  if (decision.chosen) await claimPlanned(tx, { orderId: order.orderId, channel: order.channel, shipments: decision.chosen.shipments, actor: self })
  await keepDecision(tx, order.orderId, decision, order.policy.versions.sourcing)
  return decision
}

/** Where it goes, which nodes have rejected some of these lines, and how many shipments are under way. */
const beforeSql = `
  SELECT ship_to->>'country' AS country,
    CASE WHEN ship_to->>'latitude' IS NOT NULL AND ship_to->>'longitude' IS NOT NULL
         THEN json_build_object('latitude', (ship_to->>'latitude')::float8, 'longitude', (ship_to->>'longitude')::float8) END AS destination,
    ARRAY(SELECT DISTINCT f.node_id FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id)
          WHERE f.order_id = o.order_id AND l.line_id = ANY(:lines) AND (l.rejected > 0 OR f.status = 'rejected')) AS excluded,
    (SELECT count(*)::int FROM fulfillments f WHERE f.order_id = o.order_id AND f.status NOT IN ('rejected', 'cancelled', 'expired')) AS "shipmentsBefore"
  FROM orders o WHERE order_id = :orderId`

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
    summary: `It cannot be had all together: ${decision.short.map((s) => `${s.sku} ${s.available} of ${s.wanted}`).join(', ')}`,
    data: { short: decision.short },
    deadline: ask.ifShort.deadline,
  })
  await refreshOrder(tx, order.orderId, ask.ifShort)
  return { outcome: 'short', short: decision.short }
}
