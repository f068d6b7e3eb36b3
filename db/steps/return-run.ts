/** The driver is back: what he could not deliver waits for another attempt, or is stock again; what he does not have any more is a loss that somebody looks into. */
import { mayTryAgain } from '../../domain/delivery/run'
import { durationMs } from '../../domain/policy/duration'
import type { LastMilePolicy } from '../../domain/policy/kinds'
import type { Transaction } from '../connection'
import { run } from '../connection'
import { leaveDispatch, waitAgain } from '../dispatch'
import { record } from '../events'
import { moveFulfillment } from '../fulfillments'
import { lockOrders, refreshOrder, setPartWait, type OrderRow } from '../orders'
import { activePolicies } from '../policies'
import { endStop, lockRun, moveRun, report, tasksOf, type OrderTelling, type RunRow, type TaskRow } from '../runs'
import { bringBack } from '../stock'
import { openException } from '../waiting'
import { tellingOf } from './depart-run'

export interface ReturnAsk {
  runId: string
  actor: string
  /** Of what should have come back, the fulfillments that did not. */
  missing?: readonly string[]
}

/** @throws `run.unknown`, `run.state` */
export async function returnRun(tx: Transaction, ask: ReturnAsk): Promise<void> {
  const found = await lockRun(tx, ask.runId)
  const at = new Date().toISOString()
  await moveRun(tx, found, 'returned', at)
  const back = (await tasksOf(tx, ask.runId)).filter((t) => t.type === 'deliver' && t.outcome !== 'done' && t.outcome !== 'dropped')
  const orders = await lockOrders(tx, back.map((t) => t.orderId))
  const { last_mile } = (await activePolicies(tx)).documents
  const tellings: OrderTelling[] = []
  for (const task of back) {
    const order = orders.get(task.orderId)!
    const told = await broughtBack(tx, { task, order, found, ask, policy: last_mile, at })
    if (told) tellings.push(told)
  }
  for (const stopId of new Set(back.filter((t) => t.stopStatus === 'pending').map((t) => t.stopId))) await endStop(tx, stopId, 'dropped', at)
  await run(tx, `UPDATE dispatch_queue SET told_at = NULL WHERE node_id = ? AND status = 'waiting'`, [found.nodeId]) // a driver is free again
  await report(tx, ask.runId, 'returned', tellings)
}

interface Back {
  task: TaskRow
  order: OrderRow
  found: RunRow
  ask: ReturnAsk
  policy: LastMilePolicy
  at: string
}

async function broughtBack(tx: Transaction, { task, order, found, ask, policy, at }: Back): Promise<OrderTelling | undefined> {
  const { fulfillmentId } = task
  if (ask.missing?.includes(fulfillmentId)) return lost(tx, { task, order, found, at })
  const outcome = task.outcome === 'dropped' ? null : task.outcome
  if (mayTryAgain(outcome, task.attempt, policy.attempts)) {
    const attempted = outcome !== null
    await waitAgain(tx, { fulfillmentId, attempted, notBefore: attempted ? new Date(Date.parse(at) + durationMs(policy.nextAttemptAfter)).toISOString() : at })
    return undefined
  }
  await leaveDispatch(tx, [fulfillmentId])
  await moveFulfillment(tx, fulfillmentId, 'returning')
  await moveFulfillment(tx, fulfillmentId, 'returned', { at })
  await bringBack(tx, { orderId: order.orderId, fulfillmentId, nodeId: found.nodeId, actor: ask.actor, sellable: outcome !== 'damaged' })
  await settle(tx, fulfillmentId, 'returned')
  await record(tx, order, { type: 'shipment.returned', actor: ask.actor, data: { fulfillmentId, nodeId: found.nodeId, runId: found.runId, outcome } })
  const summary = `It could not be delivered (${outcome}) and is back in ${found.nodeId}: agree with the customer on another way, or on her money`
  return ended(tx, order, { fulfillmentId, status: 'returned', at, kind: 'delivery.undelivered', summary })
}

async function lost(tx: Transaction, { task: { fulfillmentId }, order, found, at }: Pick<Back, 'task' | 'order' | 'found' | 'at'>): Promise<OrderTelling> {
  await leaveDispatch(tx, [fulfillmentId])
  await moveFulfillment(tx, fulfillmentId, 'lost', { at })
  await settle(tx, fulfillmentId, 'lost')
  await record(tx, order, { type: 'shipment.troubled', actor: `run:${found.runId}`, data: { fulfillmentId, status: 'lost', at } })
  return ended(tx, order, { fulfillmentId, status: 'lost', at, kind: 'delivery.lost', summary: `The driver came back to ${found.nodeId} without it and had not delivered it: look for it, and help the customer` })
}

async function settle(tx: Transaction, fulfillmentId: string, status: 'returned' | 'lost'): Promise<void> {
  await run(tx, 'UPDATE packages SET status = ? WHERE fulfillment_id = ?', [status, fulfillmentId])
  await run(tx, 'UPDATE shipments SET status = ? WHERE fulfillment_id = ?', [status, fulfillmentId])
}

async function ended(tx: Transaction, order: OrderRow, { fulfillmentId, status, at, kind, summary }: { fulfillmentId: string; status: 'returned' | 'lost'; at: string; kind: 'delivery.undelivered' | 'delivery.lost'; summary: string }): Promise<OrderTelling> {
  const part = { what: 'decision' as const, since: at, deadline: null }
  await setPartWait(tx, fulfillmentId, part)
  await openException(tx, { ...order, kind, subject: fulfillmentId, owner: 'support', summary, data: { fulfillmentId } })
  await refreshOrder(tx, order.orderId)
  return tellingOf(order, { fulfillmentId, status, at, waits: { part } })
}
