/** The driver is back: what he could not deliver waits for another attempt, or ends as a parcel that never arrives; and so does what he does not have any more. */
import { mayTryAgain } from '../../domain/delivery/run'
import { durationMs } from '../../domain/policy/duration'
import type { LastMilePolicy } from '../../domain/policy/kinds'
import { dropCollects } from '../collections'
import { rows, run, type Transaction } from '../connection'
import { leaveDispatch, waitAgain } from '../dispatch'
import { followParcel } from '../facts'
import { lockOrders, type OrderRow } from '../orders'
import { activePolicies } from '../policies'
import { dropPending, lockRun, moveRun, report, tasksOf, type OrderTelling, type TaskRow } from '../runs'
import { findTracked } from '../shipments'
import { lostOnRun } from './collect-old'
import { ownFleet } from '../../domain/delivery/own-fleet'

export interface ReturnAsk {
  runId: string
  actor: string
  /** Of what should have come back, the fulfillments and returns that did not. */
  missing?: readonly string[]
}

/** @throws `run.unknown`, `run.state` */
export async function returnRun(tx: Transaction, ask: ReturnAsk): Promise<void> {
  const found = await lockRun(tx, ask.runId)
  const at = new Date().toISOString()
  await moveRun(tx, found, 'returned', at)
  const back = (await tasksOf(tx, ask.runId)).filter((t) => t.outcome !== 'done' && t.outcome !== 'dropped')
  const orders = await lockOrders(tx, back.map((t) => t.orderId))
  const { last_mile } = (await activePolicies(tx)).documents
  const tellings: OrderTelling[] = []
  for (const task of back) tellings.push(...(await broughtBack(tx, { task, order: orders.get(task.orderId)!, ask, policy: last_mile, at })))
  await dropPending(tx, ask.runId, at)
  tellings.push(...(await lostOnRun(tx, { runId: ask.runId, nodeId: found.nodeId, missing: ask.missing ?? [], actor: ask.actor })))
  await dropCollects(tx, ask.runId, at)
  for (const table of ['dispatch_queue', 'collections']) await run(tx, `UPDATE ${table} SET told_at = NULL WHERE node_id = ? AND status = 'waiting'`, [found.nodeId]) // a driver is free again
  await report(tx, ask.runId, 'returned', tellings)
}

interface Back {
  task: TaskRow
  order: OrderRow
  ask: ReturnAsk
  policy: LastMilePolicy
  at: string
}

async function broughtBack(tx: Transaction, { task, order, ask, policy, at }: Back): Promise<OrderTelling[]> {
  const { fulfillmentId } = task
  const outcome = task.outcome === 'dropped' ? null : task.outcome
  const isMissing = ask.missing?.includes(fulfillmentId) ?? false
  if (!isMissing && mayTryAgain(outcome, task.attempt, policy.attempts)) {
    const attempted = outcome !== null
    await waitAgain(tx, { fulfillmentId, attempted, notBefore: attempted ? new Date(Date.parse(at) + durationMs(policy.nextAttemptAfter)).toISOString() : at })
    return []
  }
  await leaveDispatch(tx, [fulfillmentId])
  return neverArrives(tx, { order, fulfillmentId, actor: ask.actor, at, status: isMissing ? 'lost' : outcome === 'damaged' ? 'damaged' : 'returned' })
}

/** The same end as at any carrier: goods accounted for, sent again or given up by policy. */
async function neverArrives(tx: Transaction, ask: { order: OrderRow; fulfillmentId: string; actor: string; at: string; status: 'lost' | 'damaged' | 'returned' }): Promise<OrderTelling[]> {
  const { order, fulfillmentId, status, at, actor } = ask
  const parcels = await rows<{ trackingNumber: string }>(tx, 'SELECT tracking_number AS "trackingNumber" FROM packages WHERE fulfillment_id = ? ORDER BY number', [fulfillmentId])
  const tellings: OrderTelling[] = []
  for (const { trackingNumber } of parcels) {
    const fact = await followParcel(tx, order, (await findTracked(tx, ownFleet, trackingNumber))!, { status, at, actor, trackingNumber })
    if (fact) tellings.push({ channel: order.channel, channelOrderId: order.channelOrderId, signal: 'carrierReported', fact })
  }
  return tellings
}
