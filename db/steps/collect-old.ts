/** Old goods at a door: taken along, or left with the customer; what follows is the table in domain/returns/door.ts. And back at the node, or lost on the way. */
import { mayTryAgain, type TaskOutcome } from '../../domain/delivery/run'
import { durationMs } from '../../domain/policy/duration'
import type { LastMilePolicy } from '../../domain/policy/kinds'
import { atTheDoor } from '../../domain/returns/door'
import { isExpected } from '../../domain/returns/status'
import { collectsOf, endCollection, lostOnTheWay, type CollectRow } from '../collections'
import type { Transaction } from '../connection'
import { refundEarly } from '../early-refund'
import { record } from '../events'
import { tellNotExpected } from '../not-expected'
import type { OrderRow } from '../orders'
import { refreshOrder } from '../orders'
import { lockReturn, moveReturn, type ReturnNews, type ReturnRow } from '../returns'
import { endTask, type OrderTelling, type TaskRow } from '../runs'
import { deadlineOf } from '../undelivered'
import { openException } from '../waiting'
import { receiveReturn } from './receive-return'

export interface AtDoor {
  task: CollectRow
  told: { taskId: string; outcome: TaskOutcome; reason?: string; proof?: object }
  /** How bringing the new goods ended at the same door. */
  brought: { task: TaskRow; outcome: TaskOutcome } | undefined
  policy: LastMilePolicy
  runId: string
  /** Where the driver comes back to. */
  nodeId: string
  actor: string
  at: string
}

/** @returns what the order's thread is told; undefined where nothing of the return has changed. */
export async function collectOld(tx: Transaction, { task, told, brought, policy, ...where }: AtDoor): Promise<OrderTelling | undefined> {
  await endTask(tx, { ...told, at: where.at })
  const row = atTheDoor(brought?.outcome ?? 'failed', told.outcome)
  const { order, back } = await lockReturn(tx, task.returnId)
  const expected = isExpected(back.status) && back.status !== 'collected'
  const again = expected && !row.taken && triesAgain(task, told.outcome, brought, policy)
  const notBefore = new Date(Date.parse(where.at) + durationMs(policy.nextAttemptAfter)).toISOString()
  await endCollection(tx, task.returnId, again ? { notBefore } : undefined)
  if (!expected && row.taken && back.status !== 'collected') await notExpected(tx, order, back, { ...where, outcome: told.outcome })
  if (!expected) return undefined
  if (row.taken) return collected(tx, task, { ...where, outcome: told.outcome })
  const data = { returnId: task.returnId, runId: where.runId, outcome: told.outcome, door: brought ? row.says : 'not collected', next: again ? 'another attempt' : 'support asks', ...(told.reason !== undefined && { reason: told.reason }) }
  await record(tx, order, { type: 'return.not_collected', actor: where.actor, data })
  if (!again) await askCustomer(tx, order, { returnId: task.returnId, deadline: back.dueAt, data })
  await refreshOrder(tx, order.orderId)
  return undefined
}

/** With the new goods, as often as those; by itself, as often as the policy says while nobody is in. */
const triesAgain = (task: CollectRow, outcome: TaskOutcome, brought: AtDoor['brought'], { attempts }: LastMilePolicy): boolean =>
  brought ? atTheDoor(brought.outcome, outcome).next === 'try_again' && mayTryAgain(brought.outcome, brought.task.attempt, attempts) : task.fulfillmentId === null && mayTryAgain(outcome, task.attempt, attempts)

async function collected(tx: Transaction, { returnId }: CollectRow, { runId, outcome, actor }: { runId: string; outcome: TaskOutcome; actor: string }): Promise<OrderTelling> {
  const { order, back } = await lockReturn(tx, returnId)
  const wait = { what: 'return' as const, since: new Date().toISOString(), deadline: back.dueAt }
  await moveReturn(tx, back, 'collected', wait)
  await record(tx, order, { type: 'return.collected', actor, data: { returnId, runId, ...(outcome !== 'done' && { outcome }) } })
  const refunds = ['collection', 'scan'].includes(back.refundOn) ? await refundEarly(tx, order, back) : []
  await refreshOrder(tx, order.orderId)
  return telling(order, { returnId, status: 'collected', wait, refunds, toSource: false })
}

/** Taken back or counted elsewhere meanwhile, and the driver has something all the same: it is on its way to his node, and somebody has to count it there. */
async function notExpected(tx: Transaction, order: OrderRow, back: ReturnRow, { runId, nodeId, actor, outcome }: Pick<AtDoor, 'runId' | 'nodeId' | 'actor'> & { outcome: TaskOutcome }): Promise<void> {
  const { returnId, status } = back
  const lines = back.lines.map(({ lineId, quantity }) => ({ lineId, quantity }))
  const data = { returnId, runId, nodeId, status, outcome, lines }
  await record(tx, order, { type: 'return.not_expected', actor, data })
  const summary = 'A driver has taken goods of a return that has ended: see what he brings, and have his node count it as brought to its counter'
  await tellNotExpected(tx, order, { summary, data })
}

const askCustomer = async (tx: Transaction, order: OrderRow, { returnId, deadline, data }: { returnId: string; deadline: string; data: object }): Promise<void> => {
  const summary = 'The driver was at the door and does not have the old goods: ask the customer to send or bring them'
  await openException(tx, { ...order, kind: 'return.not_collected', subject: returnId, owner: 'support', summary, data: { ...data }, deadline })
}

/** The driver is back without what he took: the customer is not to suffer for it, the goods are written off at his node. */
export async function lostOnRun(tx: Transaction, { runId, nodeId, missing, actor }: { runId: string; nodeId: string; missing: readonly string[]; actor: string }): Promise<OrderTelling[]> {
  const tellings: OrderTelling[] = []
  for (const { returnId } of (await collectsOf(tx, runId)).filter((t) => missing.includes(t.returnId))) {
    const { order, back } = await lockReturn(tx, returnId)
    if (back.status !== 'collected') continue
    const news = await receiveReturn(tx, { commandId: `lost:${runId}:${returnId}`, returnId, nodeId, actor, lines: lostOnTheWay(back.lines) })
    await openException(tx, { ...order, kind: 'return.lost_on_run', subject: returnId, owner: 'operations', summary: 'A driver took these goods at a door and did not bring them back: they are written off', data: { returnId, runId }, deadline: deadlineOf(order.policy.parcels) })
    tellings.push(telling(order, news))
  }
  return tellings
}

const telling = ({ channel, channelOrderId }: OrderRow, fact: ReturnNews): OrderTelling => ({ channel, channelOrderId, signal: 'returnReported', fact })
