/** A date of a return has passed: a request that nobody decided, goods that nobody counted, goods that have not come; and those again, after a second period. Every date has what follows on it. */
import { durationMs } from '../../domain/policy/duration'
import { chargeOf } from '../../domain/returns/guard'
import { lateNotices } from '../../domain/returns/late'
import { isExpected, type ReturnStatus } from '../../domain/returns/status'
import type { WaitingOn } from '../../domain/order/status'
import { leaveFetching } from '../collections'
import { row, run, type Transaction } from '../connection'
import { record, self } from '../events'
import { letGoOfExchange } from '../exchange-payments'
import { guardedLines } from '../guards'
import { refreshOrder, setWait, type OrderRow } from '../orders'
import { isWithUs } from '../return-labels'
import { lockReturn, moveReturn, type ReturnNews, type ReturnRow } from '../returns'
import { deadlineOf } from '../undelivered'
import { openException, settleExceptions, type OpenException } from '../waiting'
import { tellNotCharged } from './guard-return'
import { endReturn } from './receive-return'
import { sourcingNow } from './send-replacements'
import { lateReturn, outstanding, sendShort } from './unreturned'

export interface OverdueNews extends ReturnNews {
  /** Somebody was told; settled once there is news of it. */
  told?: { kind: string; summary: string }
}

/** What its thread knows of it: the date is over, in this state. */
export interface PassedDate {
  returnId: string
  status: ReturnStatus
  deadline: string
}

/** @returns its other date, where it has one by now; undefined where it is in another state: whoever moved it on tells its thread */
export async function overdueReturn(tx: Transaction, { returnId, status, deadline }: PassedDate): Promise<OverdueNews | undefined> {
  const { order, back } = await lockReturn(tx, returnId)
  if (back.status !== status) return undefined
  if (back.wait?.deadline !== deadline) return { returnId, status, wait: back.wait, refunds: [], toSource: false }
  if (back.status === 'requested') return undecided(tx, order, back)
  if (!isExpected(back.status)) return undefined
  if (back.status === 'collected') return goesOn(tx, order, back, taken)
  if (await isWithUs(tx, returnId)) return goesOn(tx, order, back, lateNotices.notCounted)
  const { lateAt } = (await row<{ lateAt: string | null }>(tx, 'SELECT late_at AS "lateAt" FROM returns WHERE return_id = ?', [returnId]))!
  return lateAt === null ? late(tx, order, back) : neverCame(tx, order, back)
}

type Told = Pick<OpenException, 'kind' | 'owner' | 'summary'>

/** As the policy says: refused, so that the customer may ask again; or a person is told that she still waits. */
async function undecided(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<OverdueNews> {
  const { returnId } = back
  const before = { subject: returnId, kind: 'return.to_approve' }
  if (order.policy.returns.whenUndecided === 'reject') return endReturn(tx, { returnId, to: 'rejected', reason: 'nobody decided in time' })
  await settleExceptions(tx, order, 'nobody decided in time', before)
  return goesOn(tx, order, back, { kind: 'return.undecided', owner: 'support', summary: 'A customer has asked to send something back and nobody has answered her in time: agree or refuse' })
}

/** The first time: somebody is told, what was paid before is proposed to be charged, and others leave for what is there. What is still with the customer has a second period. */
async function late(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<OverdueNews> {
  const { returnId } = back
  await run(tx, 'UPDATE returns SET late_at = now() WHERE return_id = ?', [returnId])
  const news = await lateReturn(tx, returnId)
  if (news?.status === 'received') return news
  const closesAt = new Date(Date.now() + durationMs(order.policy.returns.closeAfter ?? 'P30D')).toISOString()
  const told = back.status === 'approved' ? await goesOn(tx, order, back, lateNotices.overdue, closesAt) : await goesOn(tx, order, back, underWay)
  return { ...told, refunds: news?.refunds ?? [], toSource: news?.toSource ?? false, ...(news?.remainder && { remainder: true }) }
}

const underWay: Told = { ...lateNotices.overdue, summary: 'What was to come back is under way and has not come in time: ask the carrier' }
const taken: Told = { ...lateNotices.notCounted, summary: 'A driver took it and nobody has counted it: count it, or find it' }

/** The second time: what is there is settled, for the rest nothing is paid or sent. What others were sent for already is a person's to ask for. */
async function neverCame(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<OverdueNews> {
  const { returnId } = back
  if (back.status !== 'approved') return goesOn(tx, order, back, underWay)
  for (const kind of ['return.overdue', 'return.not_collected', 'return.troubled']) await settleExceptions(tx, order, 'it never came', { subject: returnId, kind })
  const charge = chargeOf(await guardedLines(tx, back))
  if (charge.lines.length > 0) return waitsOn(tx, order, back, await tellNotCharged(tx, order, { back, charge, heldMinor: 0 }))
  const sent = await sendShort(tx, order, back, self)
  await moveReturn(tx, back, 'closed')
  await leaveFetching(tx, returnId)
  await record(tx, order, { type: 'return.closed', actor: self, data: { returnId, reason: 'it never came', missing: outstanding(back) } })
  const voids = await letGoOfExchange(tx, returnId)
  await refreshOrder(tx, order.orderId, sent && sourcingNow())
  return { returnId, status: 'closed', wait: null, refunds: [], toSource: false, ...sent?.news, ...(voids.length && { voids }) }
}

/** Somebody is told, by when to have answered, and it is waited for further. */
async function goesOn(tx: Transaction, order: OrderRow, back: ReturnRow, told: Told, deadline: string | null = null): Promise<OverdueNews> {
  await openException(tx, { ...order, subject: back.returnId, deadline: deadline ?? deadlineOf(order.policy.parcels), data: { returnId: back.returnId }, ...told })
  return waitsOn(tx, order, back, told, deadline)
}

async function waitsOn(tx: Transaction, order: OrderRow, { returnId, status }: ReturnRow, { kind, summary }: NonNullable<OverdueNews['told']>, deadline: string | null = null): Promise<OverdueNews> {
  const wait: WaitingOn = { what: status === 'requested' ? 'approval' : 'return', since: new Date().toISOString(), deadline }
  await setWait(tx, order.orderId, { returnId, waitingOn: wait })
  return { returnId, status, wait, refunds: [], toSource: false, told: { kind, summary } }
}
