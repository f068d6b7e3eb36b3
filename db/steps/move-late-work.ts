/** A node that has not begun in time loses the work to the next best, if there is one: nothing is given up for nothing. */
import type { WaitingOn } from '../../domain/order/status'
import type { Transaction } from '../connection'
import { record, self } from '../events'
import { lockWork, moveFulfillment, workLines } from '../fulfillments'
import type { AfterSale } from '../open-lines'
import { refreshOrder } from '../orders'
import type { PlanMode } from '../race'
import { release } from '../stock'
import { leaveWave } from '../waves'
import { claimParts, releaseParts, told, type SourcedPart } from './source-order'

export interface MoveAsk {
  fulfillmentId: string
  channel?: string
  dueAt: string
  /** Somebody asked for it; absent: its node is late. */
  asked?: { actor: string; reason: string }
  /** What each new part waits on. */
  ifSourced: WaitingOn
}
export type MoveOutcome = { outcome: 'moved'; fulfillments: SourcedPart[] } | { outcome: 'stays' }

/** Only work nobody has touched is moved. @throws LostRace in hopeful mode */
export async function moveLateWork(tx: Transaction, ask: MoveAsk, mode: PlanMode, after?: AfterSale): Promise<MoveOutcome> {
  const { order, fulfillment } = await lockWork(tx, ask.fulfillmentId)
  const held = order.blocked.includes('picking') || order.blocked.includes('sourcing')
  if (held || order.stage === 'cancelled' || fulfillment.status !== 'released') return { outcome: 'stays' }
  const lines = (await workLines(tx, ask.fulfillmentId)).filter((l) => l.quantity > l.rejected).map((l) => ({ lineId: l.lineId, sku: l.sku, quantity: l.quantity - l.rejected, valueMinor: 0 }))
  await moveFulfillment(tx, ask.fulfillmentId, 'rejected')
  await leaveWave(tx, order, { fulfillmentId: ask.fulfillmentId, why: 'rejected', actor: self })
  await release(tx, { orderId: order.orderId, fulfillmentId: ask.fulfillmentId, actor: self, reason: ask.asked ? 'moved' : 'late' })
  const decision = await claimParts(tx, order, lines, mode, after)
  if (!decision.chosen) throw new NobodyElse()
  const fulfillments = await releaseParts(tx, order, ask)
  const nodes = fulfillments.map((f) => f.nodeId)
  const gone = { fulfillmentId: ask.fulfillmentId, nodeId: fulfillment.nodeId, nodes, reason: decision.chosen.reason, costMinor: decision.chosen.costMinor ?? null }
  await record(tx, order, ask.asked ? { type: 'fulfillment.moved', actor: ask.asked.actor, data: { ...gone, cause: ask.asked.reason } } : {
    type: 'promise.at_risk',
    actor: self,
    data: { ...gone, milestone: 'pick', action: 're_source' },
  }, ...fulfillments.map((f) => ({ type: 'fulfillment.released' as const, actor: self, data: told(f) })))
  await refreshOrder(tx, order.orderId)
  return { outcome: 'moved', fulfillments }
}

/** Rolls everything back: the work stays where it is. */
export class NobodyElse extends Error {
  override name = 'NobodyElse'
}
