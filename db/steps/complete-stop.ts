/** What happened at a door: delivered with its proof, or not and why; the customers after it are told anew when to expect the driver. */
import type { TaskOutcome } from '../../domain/delivery/run'
import { mayTryAgain } from '../../domain/delivery/run'
import { refuse } from '../../domain/refusals'
import { collectsOf } from '../collections'
import { run, type Transaction } from '../connection'
import { leaveDispatch } from '../dispatch'
import { record } from '../events'
import { lockOrders, refreshOrder, type OrderRow } from '../orders'
import { activePolicies } from '../policies'
import { endStop, endTask, lockRun, refusedRun, report, tasksOf, type OrderTelling, type RunRow, type TaskRow } from '../runs'
import { arrive } from '../shipments'
import { collectOld } from './collect-old'
import { expectFrom, tellingOf } from './depart-run'

export interface TaskReport {
  taskId: string
  outcome: TaskOutcome
  reason?: string
  proof?: { name?: string; photoRef?: string; code?: string }
}
export interface StopReport {
  runId: string
  stopId: string
  actor: string
  tasks: readonly TaskReport[]
}

/** @throws `run.unknown`, `run.state`, `stop.unknown`, `stop.completed`, `task.unknown`, `request.invalid` where a task is left out */
export async function completeStop(tx: Transaction, ask: StopReport): Promise<void> {
  const found = await lockRun(tx, ask.runId)
  const all = await tasksOf(tx, ask.runId)
  const here = all.filter((t) => t.stopId === ask.stopId)
  const collects = (await collectsOf(tx, ask.runId)).filter((t) => t.stopId === ask.stopId)
  const first = here[0] ?? collects[0]
  if (!first) throw refuse('stop.unknown')
  if (first.stopStatus !== 'pending') throw refuse('stop.completed', { state: first.stopStatus })
  if (found.status !== 'departed') throw refusedRun(found)
  checkReport([...here, ...collects], ask.tasks)
  const orders = await lockOrders(tx, here.map((t) => t.orderId))
  const at = new Date().toISOString()
  const { last_mile } = (await activePolicies(tx)).documents
  const tellings: OrderTelling[] = []
  for (const task of here) {
    const told = ask.tasks.find((t) => t.taskId === task.taskId)
    if (!told) continue // dropped before
    const order = orders.get(task.orderId)!
    await endTask(tx, { ...told, at })
    if (told.outcome === 'done') tellings.push(await delivered(tx, { task, order, actor: ask.actor, at }))
    else await notDelivered(tx, { task, order, told, found, actor: ask.actor, attempts: last_mile.attempts })
  }
  for (const task of collects) {
    const told = ask.tasks.find((t) => t.taskId === task.taskId)
    const brought = here.find((t) => t.fulfillmentId === task.fulfillmentId)
    const outcome = brought && ask.tasks.find((t) => t.taskId === brought.taskId)?.outcome
    const telling = told && (await collectOld(tx, { task, told, brought: brought && outcome && { task: brought, outcome }, policy: last_mile, runId: ask.runId, nodeId: found.nodeId, actor: ask.actor, at }))
    if (telling) tellings.push(telling)
  }
  await endStop(tx, ask.stopId, 'completed', at)
  await expectFrom(tx, found, last_mile, Date.parse(at))
  await report(tx, ask.runId, `stop ${first.sequence} completed`, tellings)
}

function checkReport(here: readonly Pick<TaskRow, 'taskId' | 'outcome'>[], told: readonly TaskReport[]): void {
  const open = here.filter((t) => t.outcome === null)
  for (const [i, { taskId }] of told.entries()) {
    if (!open.some((t) => t.taskId === taskId)) throw refuse('task.unknown', { taskId }, undefined, [{ pointer: `/tasks/${i}/taskId`, message: 'No open task of this stop' }])
    if (told.findIndex((t) => t.taskId === taskId) < i) throw refuse('request.invalid', {}, undefined, [{ pointer: `/tasks/${i}/taskId`, message: 'Named twice' }])
  }
  const missing = open.filter((t) => !told.some((r) => r.taskId === t.taskId))
  if (missing.length) throw refuse('request.invalid', {}, undefined, [{ pointer: '/tasks', message: `Say of every task how it ended: ${missing.map((t) => t.taskId).join(', ')}` }])
}

async function delivered(tx: Transaction, { task, order, actor, at }: { task: TaskRow; order: OrderRow; actor: string; at: string }): Promise<OrderTelling> {
  const { fulfillmentId } = task
  await run(tx, `UPDATE packages SET status = 'delivered' WHERE fulfillment_id = ?`, [fulfillmentId])
  await run(tx, `UPDATE shipments SET status = 'delivered', delivered_at = ? WHERE fulfillment_id = ?`, [at, fulfillmentId])
  await leaveDispatch(tx, [fulfillmentId])
  await record(tx, order, { type: 'shipment.delivered', actor, data: { fulfillmentId, status: 'delivered', at } })
  const waits = await arrive(tx, order, { fulfillmentId, to: 'delivered', at })
  return tellingOf(order, { fulfillmentId, status: 'delivered', at, waits })
}

interface NotDelivered {
  task: TaskRow
  order: OrderRow
  told: TaskReport
  found: RunRow
  actor: string
  attempts: number
}

/** It stays with the driver until he is back; what becomes of it is known already. */
async function notDelivered(tx: Transaction, { task, order, told, found, actor, attempts }: NotDelivered): Promise<void> {
  const next = mayTryAgain(told.outcome, task.attempt, attempts) ? 'another attempt' : 'back to the node'
  await run(tx, `UPDATE packages SET status = 'exception' WHERE fulfillment_id = ?`, [task.fulfillmentId])
  await run(tx, `UPDATE shipments SET status = 'exception' WHERE fulfillment_id = ?`, [task.fulfillmentId])
  const data = { fulfillmentId: task.fulfillmentId, runId: found.runId, outcome: told.outcome, attempt: task.attempt, next, ...(told.reason !== undefined && { reason: told.reason }) }
  await record(tx, order, { type: 'shipment.attempt_failed', actor, data })
  await refreshOrder(tx, order.orderId)
}
