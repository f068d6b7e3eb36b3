/** The driver leaves: every parcel on board leaves the books as by any other hand-over, together with the captures that take its money. What may not leave stays. */
import { arrivals } from '../../domain/delivery/run'
import type { Gone, RunReported } from '../../domain/messages'
import { durationMs } from '../../domain/policy/duration'
import type { LastMilePolicy } from '../../domain/policy/kinds'
import type { WaitingOn } from '../../domain/order/status'
import { collectsOf, dropCollects, dropEnded } from '../collections'
import { row, run, type Transaction } from '../connection'
import { leaveDispatch, waitAgain } from '../dispatch'
import { record } from '../events'
import { moveFulfillment } from '../fulfillments'
import { lockOrders, refreshOrder, setPartWait, type OrderRow } from '../orders'
import { mayShip } from '../part-payments'
import { activePolicies } from '../policies'
import { endStop, endTask, lockRun, moveRun, report, setEtas, stopsOf, tasksOf, type OrderTelling, type RunRow, type TaskRow } from '../runs'
import { lockLevelsOf, ship } from '../stock'
import { markResent } from '../undelivered'
import { openException, settleExceptions } from '../waiting'
import { goesAway } from './collect'
import { etaWindow } from './write-run'

/** @throws `run.unknown`, `run.state` */
export async function departRun(tx: Transaction, { runId, actor }: { runId: string; actor: string }): Promise<void> {
  const found = await lockRun(tx, runId)
  const at = new Date().toISOString()
  await moveRun(tx, found, 'departed', at)
  const tasks = await tasksOf(tx, runId)
  const orders = await lockOrders(tx, tasks.map((t) => t.orderId))
  await lockLevelsOf(tx, tasks.map((t) => t.fulfillmentId))
  const tellings: OrderTelling[] = []
  for (const task of await tasksOf(tx, runId)) {
    const order = orders.get(task.orderId)!
    const why = await whyNot(tx, task, order)
    if (why) await dropTask(tx, task, order, why, at)
    else tellings.push(await leave(tx, { task, order, found, actor, at }))
  }
  await dropEnded(tx, runId, at)
  await dropEmptyStops(tx, runId, at)
  await dropCollects(tx, runId, at)
  const { last_mile } = (await activePolicies(tx)).documents
  await expectFrom(tx, found, last_mile, Date.parse(at))
  await report(tx, runId, 'departed', tellings)
}

/** Cancelled meanwhile, held, or not paid for any more. */
type WhyNot = 'cancelled' | 'held' | 'not_authorized'

async function whyNot(tx: Transaction, { fulfillmentStatus, fulfillmentId, orderId }: TaskRow, order: OrderRow): Promise<WhyNot | undefined> {
  if (fulfillmentStatus === 'in_transit') return undefined // another attempt: it has left us before
  if (order.stage === 'cancelled' || fulfillmentStatus !== 'packed') return 'cancelled'
  if (order.blocked.includes('shipping')) return 'held'
  return (await mayShip(tx, orderId, fulfillmentId)) ? undefined : 'not_authorized'
}

async function dropTask(tx: Transaction, { taskId, fulfillmentId }: TaskRow, order: OrderRow, why: WhyNot, at: string): Promise<void> {
  await endTask(tx, { taskId, outcome: 'dropped', reason: why, at })
  if (why === 'cancelled') return leaveDispatch(tx, [fulfillmentId])
  await waitAgain(tx, { fulfillmentId, attempted: false, notBefore: at })
  if (why === 'held') return // it waits on a hold, which has an owner
  await openException(tx, { ...order, kind: 'dispatch.not_authorized', subject: fulfillmentId, owner: 'support', summary: 'It stayed behind: the money for it is not held any more. Ask for another card, or cancel', data: { fulfillmentId } })
}

interface Leaving {
  task: TaskRow
  order: OrderRow
  found: RunRow
  actor: string
  at: string
}

async function leave(tx: Transaction, { task, order, found, actor, at }: Leaving): Promise<OrderTelling> {
  const { fulfillmentId } = task
  const { orderId } = order
  await settleExceptions(tx, order, 'it left', { kind: 'dispatch.not_authorized', subject: fulfillmentId })
  const again = task.fulfillmentStatus === 'in_transit'
  const gone = again ? undefined : await firstHandOver(tx, { orderId, fulfillmentId, nodeId: found.nodeId, actor }, at)
  await run(tx, `UPDATE packages SET status = 'out_for_delivery' WHERE fulfillment_id = ?`, [fulfillmentId])
  await run(tx, `UPDATE shipments SET status = 'out_for_delivery', handed_over_at = coalesce(handed_over_at, ?) WHERE fulfillment_id = ?`, [at, fulfillmentId])
  const parcels = (await row<{ numbers: string[] }>(tx, 'SELECT array_agg(tracking_number ORDER BY number) AS numbers FROM packages WHERE fulfillment_id = ?', [fulfillmentId]))!.numbers
  const data = { fulfillmentId, nodeId: found.nodeId, runId: found.runId, driverId: found.driverId, trackingNumbers: parcels }
  await record(tx, order, ...(again ? [] : [{ type: 'shipment.handed_over' as const, actor, data }]), ...parcels.map((trackingNumber) => ({ type: 'shipment.out_for_delivery' as const, actor, data: { trackingNumber, status: 'out_for_delivery', at, runId: found.runId } })))
  const delivery: WaitingOn = { what: 'delivery', since: at, deadline: new Date(Date.parse(at) + durationMs(order.policy.last_mile.deliverWithin)).toISOString() }
  const part: WaitingOn = gone?.captures.length ? { what: 'capture', since: at, deadline: null } : delivery
  await setPartWait(tx, fulfillmentId, part)
  await refreshOrder(tx, orderId)
  return tellingOf(order, { fulfillmentId, status: 'in_transit', at, ...(gone && { gone }), waits: { part } })
}

async function firstHandOver(tx: Transaction, leaving: { orderId: string; fulfillmentId: string; nodeId: string; actor: string }, at: string): Promise<Gone> {
  await moveFulfillment(tx, leaving.fulfillmentId, 'handed_over', { at })
  await moveFulfillment(tx, leaving.fulfillmentId, 'in_transit')
  await markResent(tx, leaving.fulfillmentId)
  await ship(tx, leaving)
  return goesAway(tx, leaving.orderId, leaving.fulfillmentId, at)
}

export const tellingOf = ({ channel, channelOrderId }: OrderRow, fact: RunReported): OrderTelling => ({ channel, channelOrderId, signal: 'runReported', fact })

/** Nothing is brought there any more, and nothing fetched: what was to be taken along in exchange waits with what stays behind. */
async function dropEmptyStops(tx: Transaction, runId: string, at: string): Promise<void> {
  const brought = await tasksOf(tx, runId)
  const fetched = (await collectsOf(tx, runId)).filter((c) => !brought.some((t) => t.stopId === c.stopId && t.fulfillmentId === c.fulfillmentId))
  const byStop = new Map<string, boolean>()
  for (const task of [...brought, ...fetched]) byStop.set(task.stopId, (byStop.get(task.stopId) ?? true) && task.outcome === 'dropped')
  for (const [stopId, isEmpty] of byStop) if (isEmpty) await endStop(tx, stopId, 'dropped', at)
}

/** When the doors that are left are reached by a driver who leaves the last place at `now`. */
export async function expectFrom(tx: Transaction, { runId, nodeId, pace }: RunRow, policy: LastMilePolicy, now: number): Promise<void> {
  const stops = await stopsOf(tx, runId)
  const pending = stops.filter((s) => s.status === 'pending')
  const done = stops.filter((s) => s.status === 'completed').at(-1)
  const from = done ?? (await row<{ latitude: number; longitude: number }>(tx, 'SELECT latitude, longitude FROM nodes WHERE node_id = ?', [nodeId]))!
  const at = arrivals(pending, from, now, pace ?? policy)
  await setEtas(tx, pending.map((stop, i) => ({ stopId: stop.stopId, ...etaWindow(at[i]!, policy) })))
}
