/** What a carrier's report does to a return: it is under way, it has arrived, or it never will. Applied once, under the order's lock; its thread is told. */
import { uuidv7 } from 'uuidv7'
import { afterReport, isParcelStatus, type ParcelStatus } from '../domain/delivery/tracking'
import type { WaitingOn } from '../domain/order/status'
import { hasEnded, type ReturnStatus } from '../domain/returns/status'
import { lostOnTheWay } from './collections'
import { row, run, type Transaction } from './connection'
import { refundEarly } from './early-refund'
import { record } from './events'
import { guardOf } from './guards'
import type { InboundFact, Telling } from './inbox'
import { tellNotExpected } from './not-expected'
import { refreshOrder, type OrderRow } from './orders'
import { isGone } from './return-labels'
import { lockReturn, moveReturn, type ReturnNews, type ReturnRow } from './returns'
import { comesBy, countedBy, judgedBy, receiveReturn } from './steps/receive-return'
import { deadlineOf, worthOf } from './undelivered'
import { openException } from './waiting'

interface ComingParcel {
  operationId: string
  returnId: string
  nodeId: string
  status: ParcelStatus
}
interface Report {
  order: OrderRow
  back: ReturnRow
  parcel: ComingParcel
  fact: InboundFact
  status: ParcelStatus
}

/** @returns undefined where the number is none of a return's; else what was done, and what the order's thread is to be told. */
export async function applyReturnParcel(tx: Transaction, fact: InboundFact): Promise<{ outcome: string; telling?: Telling } | undefined> {
  const parcel = await row<ComingParcel>(
    tx,
    `SELECT operation_id AS "operationId", return_id AS "returnId", node_id AS "nodeId", parcel_status AS status FROM return_labels WHERE carrier = ? AND tracking_number = ?`,
    [fact.source.slice('carrier:'.length), fact.subject],
  )
  if (!parcel) return undefined
  const { order, back } = await lockReturn(tx, parcel.returnId)
  const { parcel_status: known } = (await row<{ parcel_status: ParcelStatus }>(tx, 'SELECT parcel_status FROM return_labels WHERE operation_id = ?', [parcel.operationId]))!
  const status = towardsUs(fact.payload as { status: string; isReturn?: boolean })
  const next = isParcelStatus(status) ? afterReport(known, status) : known
  if (next === known) return { outcome: 'nothing new' }
  await run(tx, `UPDATE return_labels SET parcel_status = ?, status = CASE WHEN status = 'unknown' THEN 'succeeded' ELSE status END WHERE operation_id = ?`, [next, parcel.operationId])
  const news = await follow(tx, { order, back, parcel, fact, status: next })
  const { channel, channelOrderId } = order
  return { outcome: `the parcel is ${next}`, ...(news && { telling: { channel, channelOrderId, signal: 'returnReported', fact: news } }) }
}

/** Some carriers call the way to us the way back to the sender. */
const towardsUs = ({ status, isReturn }: { status: string; isReturn?: boolean }): string =>
  isReturn && status === 'returning' ? 'in_transit' : isReturn && status === 'returned' ? 'delivered' : status

const willNotCome = (status: ParcelStatus): status is 'lost' | 'damaged' => status === 'lost' || status === 'damaged'

async function follow(tx: Transaction, report: Report): Promise<ReturnNews | undefined> {
  const { order, back, status } = report
  if (hasEnded(back.status) || back.status === 'received') return notExpected(tx, report)
  if (willNotCome(status)) return lost(tx, report, status)
  if (status === 'in_transit' || status === 'out_for_delivery' || status === 'delivered') return underWay(tx, report)
  const data = { returnId: back.returnId, trackingNumber: report.fact.subject, status }
  await record(tx, order, { type: 'return.troubled', actor: report.fact.source, data: { ...data, at: atOf(report) } })
  const summary = status === 'returned' ? 'The carrier has brought what was to come back to the customer again: ask her' : 'The carrier reports a problem with what is to come back'
  await openException(tx, { ...order, kind: 'return.troubled', subject: back.returnId, owner: 'support', summary, data, deadline: deadlineOf(order.policy.parcels) })
  return undefined
}

const atOf = ({ fact }: Report): string => (fact.payload as { at: string }).at

/** The first scan says that the customer has given it away; the last that it is with us. */
async function underWay(tx: Transaction, report: Report): Promise<ReturnNews> {
  const { order, back, parcel, fact, status } = report
  const { returnId } = back
  const [at, arrived] = [atOf(report), status === 'delivered']
  const isCounted = back.lines.every((l) => l.quantity === l.received + l.disputed) // said late: something else was in it, and a person or its date decides about that
  const deadline = isCounted ? judgedBy(order, back.dueAt) : arrived ? countedBy(order) : await comesBy(tx, order, back, { isGuarded: (await guardOf(tx, returnId)) !== undefined })
  const wait = { what: 'return' as const, since: new Date().toISOString(), deadline }
  const now = await waitsOnTheWay(tx, back, wait)
  const scanned = { type: 'return.in_transit' as const, actor: fact.source, data: { returnId, trackingNumber: fact.subject, status, at } }
  const came = { type: 'return.arrived' as const, actor: fact.source, data: { returnId, trackingNumber: fact.subject, nodeId: parcel.nodeId, at } }
  await record(tx, order, ...(back.status === 'approved' ? [scanned] : []), ...(arrived ? [came] : []))
  if (arrived) await run(tx, 'UPDATE return_labels SET arrived_at = ? WHERE operation_id = ?', [at, parcel.operationId])
  const refunds = back.refundOn === 'scan' ? await refundEarly(tx, order, back) : []
  await refreshOrder(tx, order.orderId)
  return { returnId, status: now, wait, refunds, toSource: false, stirs: true, ...((await isGone(tx, returnId)) && { arrived: !isCounted }) }
}

/** @returns in which state */
async function waitsOnTheWay(tx: Transaction, back: ReturnRow, wait: WaitingOn): Promise<ReturnStatus> {
  if (back.status === 'approved') await moveReturn(tx, back, 'in_transit', wait)
  else await run(tx, 'UPDATE returns SET waiting_on = ?::jsonb WHERE return_id = ?', [JSON.stringify(wait), back.returnId])
  return back.status === 'approved' ? 'in_transit' : back.status
}

/** It will never come. The carrier is asked for what it was worth; the customer is paid as if it had come, or support is asked, as the policy says. */
async function lost(tx: Transaction, { order, back, parcel, fact }: Report, how: 'lost' | 'damaged'): Promise<ReturnNews> {
  const { returnId } = back
  const lines = lostOnTheWay(back.lines)
  const claimId = uuidv7()
  await run(tx, 'UPDATE return_labels SET claim_id = ?, claim_minor = ? WHERE operation_id = ?', [claimId, await worthOf(tx, order.orderId, lines), parcel.operationId])
  const units = lines.map(({ lineId, quantity }) => ({ lineId, quantity }))
  await record(tx, order, { type: 'return.lost', actor: fact.source, data: { returnId, trackingNumber: fact.subject, status: how, lines: units } })
  if (order.policy.returns.whenLost === 'ask') {
    const summary = 'The carrier has lost what was to come back: decide what the customer gets, then close the return or count it as written off'
    await openException(tx, { ...order, kind: 'return.lost', subject: returnId, owner: 'support', summary, data: { returnId, trackingNumber: fact.subject, lines: units }, deadline: deadlineOf(order.policy.parcels) })
    const wait = { what: 'return' as const, since: new Date().toISOString(), deadline: deadlineOf(order.policy.parcels) }
    const status = await waitsOnTheWay(tx, back, wait)
    await refreshOrder(tx, order.orderId)
    return { returnId, status, wait, refunds: [], toSource: false, stirs: true, arrived: true, claimId } // she has given it away, and is not charged for it
  }
  const news = await receiveReturn(tx, { commandId: `lost:${parcel.operationId}`, returnId, nodeId: parcel.nodeId, actor: fact.source, lines })
  return { ...news, stirs: true, claimId }
}

/** Nobody waits for it any more: it was closed, or came another way. */
async function notExpected(tx: Transaction, { order, back, parcel, fact, status }: Report): Promise<undefined> {
  const summary = 'A parcel of a return that has ended is on its way to us: find out what is in it'
  await tellNotExpected(tx, order, { summary, data: { returnId: back.returnId, trackingNumber: fact.subject, nodeId: parcel.nodeId, status } })
  return undefined
}
