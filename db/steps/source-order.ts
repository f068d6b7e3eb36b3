/** Gives what an order still needs to nodes: adopts the claim made at intake, or plans and claims now, and releases the work orders; or says what cannot be had. */
import { workMethodAt, type WorkMethod } from '../../domain/fulfillment/moves'
import type { WaitingOn } from '../../domain/order/status'
import type { PartMilestones } from '../../domain/promise/kept'
import { refuse } from '../../domain/refusals'
import type { Shortage, SourcingDecision } from '../../domain/sourcing/decision'
import { durationMs } from '../../domain/policy/duration'
import { defaultPolicies } from '../../domain/policy/kinds'
import { noteWaiting } from '../arrivals'
import { rows, type Transaction } from '../connection'
import type { Attempt } from '../effects'
import { record, self } from '../events'
import { releaseFulfillment } from '../fulfillments'
import { gatheredAt } from '../gathering'
import { openLines, planOfOpen, type AfterSale, type LineInNeed } from '../open-lines'
import { promiseParts } from '../order-promise'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import type { PlanMode } from '../race'
import { claimPlanned, keepDecision, lastDecision, planClaim } from '../sourcing'
import { holdsSome, releaseUnassigned } from '../stock'
import { endClaims, shipByOf } from '../supply-claims'
import { openException, settleExceptions } from '../waiting'

export interface SourceAsk extends Attempt {
  orderId: string
  /** Whose order it is; for the dates of what is sourced again. */
  channel?: string
  /** By when a node must have packed its part. */
  dueAt: string
  /** The moment of the attempt by the order's own clock: was it promised for later? */
  at?: string
  /** What each part waits on when it is released, and the order when it is short. */
  ifSourced: WaitingOn
  ifShort: WaitingOn
}
/** `held`: a hold stops it; what could be claimed is claimed, and no work has reached a node. */
export type SourceOutcome = { outcome: 'sourced'; fulfillments: SourcedPart[] } | { outcome: 'held' } | ShortOutcome

export interface ShortOutcome {
  outcome: 'short'
  short: readonly Shortage[]
  /** The date for which the order was promised what it waits for, as long as that is still to come. */
  promisedFor?: string
}

export interface SourcedPart {
  fulfillmentId: string
  nodeId: string
  method: WorkMethod
  units: number
  /** By when it must be picked, and handed over, for its promise to be kept; where one was given for this node. */
  milestones?: PartMilestones
  waitingOn: WaitingOn
}

/** What a workflow is told when work nobody had begun was given to other nodes. */
export interface WorkMoved {
  /** The fulfillments that ended by it. */
  from: string[]
  parts: SourcedPart[]
}

/** @throws `order.already_cancelled` when the order was stopped meanwhile; LostRace in hopeful mode. */
export async function sourceOrder(tx: Transaction, ask: SourceAsk, mode: PlanMode, after?: AfterSale): Promise<SourceOutcome> {
  const order = await lockOrder(tx, ask.orderId)
  if (order.stage === 'cancelled') throw refuse('order.already_cancelled', { state: 'cancelled' })
  if (order.blocked.includes('sourcing')) return { outcome: 'held' }
  const lines = await openLines(tx, order.orderId)
  const decision = lines.length ? await claimParts(tx, order, lines, mode, after) : await lastDecision(tx, order.orderId)
  if (lines.length && !decision?.chosen) return backorder(tx, order, decision!, ask)
  if (lines.length) await endClaims(tx, order.orderId, 'filled')
  if (order.blocked.includes('picking')) return heldBack(tx, order, lines.length > 0)
  const fulfillments = await releaseParts(tx, order, ask)
  await record(tx, order, { type: 'order.sourced', actor: self, data: { nodes: fulfillments.map((f) => f.nodeId), reason: decision?.chosen?.reason ?? '' } }, ...fulfillments.map((f) => ({
    type: 'fulfillment.released' as const,
    actor: self,
    data: told(f),
  })))
  if (lines.length) for (const kind of ['sourcing.short', 'supply.withdrawn']) await settleExceptions(tx, order, 'it can be had', { kind })
  await refreshOrder(tx, order.orderId, null)
  return { outcome: 'sourced', fulfillments }
}

/** Its stock is its own, and its work waits for a hold to end. */
async function heldBack(tx: Transaction, order: OrderRow, claimed: boolean): Promise<SourceOutcome> {
  if (claimed) for (const kind of ['sourcing.short', 'supply.withdrawn']) await settleExceptions(tx, order, 'it can be had', { kind })
  await refreshOrder(tx, order.orderId, { what: 'sourcing', since: new Date().toISOString(), deadline: null })
  return { outcome: 'held' }
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
  const { service, nodeId: collectedAt } = order.delivery
  const hub = await gatheredAt(tx, order, nodes.map((n) => n.nodeId))
  // Where it is gathered the rest has to come first.
  const gatheredBy = new Date(Date.parse(ask.dueAt) + durationMs(order.policy.store_work.receiveWithin ?? defaultPolicies.store_work.receiveWithin)).toISOString()
  for (const { nodeId, milestones } of nodes) {
    const patience = nodeId === hub ? gatheredBy : ask.dueAt
    const dueAt = milestones && milestones.pickBy < patience ? milestones.pickBy : patience
    const waitingOn = { ...ask.ifSourced, deadline: dueAt }
    const method = hub !== undefined && nodeId !== hub ? 'transfer' : workMethodAt(order.delivery.method, collectedAt, nodeId)
    const toNodeId = method === 'transfer' ? (hub ?? collectedAt) : undefined
    const released = await releaseFulfillment(tx, { orderId: order.orderId, nodeId, method, toNodeId, service, dueAt, handOverBy: milestones?.handOverBy, waitingOn })
    parts.push({ nodeId, method, ...released, waitingOn, ...(milestones && { milestones }) })
  }
  return parts
}

/** Plans these lines, claims what is chosen, and keeps the decision. */
export async function claimParts(tx: Transaction, order: OrderRow, lines: readonly LineInNeed[], mode: PlanMode, after?: AfterSale): Promise<SourcingDecision> {
  const alone = await planned(tx, order, lines, mode, after)
  const together = alone.chosen && (await holdsSome(tx, order.orderId))
  const decision = together ? await plannedTogether(tx, order) : alone
  if (!together && decision.chosen) await claimPlanned(tx, { orderId: order.orderId, channel: order.channel, shipments: decision.chosen.shipments, actor: self })
  await keepDecision(tx, order.orderId, decision, order.policy.versions.sourcing)
  if (after && decision.chosen) await promiseParts(tx, order, decision.chosen.shipments, after)
  return decision
}

/** What the store cannot give, where the customer fetches it, may be sent there by others. */
async function planned(tx: Transaction, order: OrderRow, lines: readonly LineInNeed[], mode: PlanMode, after?: AfterSale): Promise<SourcingDecision> {
  const decision = await planClaim(tx, await planOfOpen(tx, order, lines, after), mode)
  if (decision.chosen || order.delivery.method !== 'pickup') return decision
  const gathered = await planClaim(tx, await planOfOpen(tx, { ...order, delivery: { ...order.delivery, method: 'ship_to_store' } }, lines), mode)
  return gathered.chosen ? gathered : decision
}

class NotTogether extends Error {
  constructor(readonly decision: SourcingDecision) {
    super('it cannot be had together')
  }
}

/** What was held for the order is given back and all of it planned as one, so that it leaves as its policy wants; or everything stays as it was. */
async function plannedTogether(tx: Transaction, order: OrderRow): Promise<SourcingDecision> {
  const { orderId, channel } = order
  await rows(tx, 'SELECT 1 FROM stock_levels WHERE sku IN (SELECT sku FROM order_lines WHERE order_id = ?) ORDER BY sku, node_id FOR UPDATE', [orderId])
  const all = async (inner: Transaction): Promise<SourcingDecision> => {
    await releaseUnassigned(inner, { orderId, actor: self, reason: 'planned again' })
    const decision = await planned(inner, order, await openLines(inner, orderId), 'locked')
    if (!decision.chosen) throw new NotTogether(decision)
    await claimPlanned(inner, { orderId, channel, shipments: decision.chosen.shipments, actor: self })
    return decision
  }
  return tx.transaction(all).catch((cause: unknown) => (cause instanceof NotTogether ? cause.decision : Promise.reject(cause as Error)))
}

/** It waits for stock. Until the date that what is to come was promised for, nobody has to do anything about it. */
async function backorder(tx: Transaction, order: OrderRow, decision: SourcingDecision, ask: SourceAsk): Promise<SourceOutcome> {
  const { orderId } = order
  const newly = await rows(
    tx,
    `UPDATE order_lines SET backordered = quantity - cancelled - shipped - allocated
     WHERE order_id = ? AND backordered <> quantity - cancelled - shipped - allocated RETURNING line_id`,
    [orderId],
  )
  if (newly.length) await noteWaiting(tx, orderId)
  if (newly.length) await record(tx, order, { type: 'order.backordered', actor: self, data: { short: decision.short } })
  const shipBy = await shipByOf(tx, orderId)
  const promisedFor = shipBy !== undefined && ask.at !== undefined && shipBy > ask.at ? { promisedFor: shipBy } : undefined
  if (!promisedFor) await openShort(tx, order, decision, ask.ifShort.deadline)
  await refreshOrder(tx, orderId, promisedFor ? { ...ask.ifShort, deadline: shipBy! } : ask.ifShort)
  return { outcome: 'short', short: decision.short, ...promisedFor }
}

async function openShort(tx: Transaction, order: OrderRow, { short }: SourcingDecision, deadline: string | null): Promise<void> {
  const summary = `It cannot be had all together: ${short.map((s) => `${s.sku} ${s.available} of ${s.wanted}`).join(', ')}`
  await openException(tx, { ...order, kind: 'sourcing.short', subject: order.orderId, owner: 'operations', summary, data: { short }, deadline })
}
