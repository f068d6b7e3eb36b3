/** What came back is counted at a counter: the stock it becomes, the money it gives back, what is sent in its place. Any number of times until all of it is there. */
import type { DecideReturn, ReceiveReturn } from '../../domain/messages'
import { durationMs } from '../../domain/policy/duration'
import { refuse } from '../../domain/refusals'
import { hasEnded, isDisputed, isExpected } from '../../domain/returns/status'
import { leaveFetching, queueFetching } from '../collections'
import { row, run, type Transaction } from '../connection'
import { refundEarly } from '../early-refund'
import { holdAgain } from '../disputes'
import { record, self } from '../events'
import { letGoOfExchange } from '../exchange-payments'
import { countNeverSent } from '../exchanges'
import { exchangeRefunds } from '../exchange-refunds'
import { giveBackLate, guardedLines, guardOf, hasMissing, holdsNow, isOwed } from '../guards'
import { leftOfReturns } from '../left-undone'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { isWithUs } from '../return-labels'
import { refundReturn } from '../return-refund'
import { countAhead } from '../paid-ahead'
import { insertReceipts, lockReturn, moveReturn, openReturns, receiptsOf, withHer, type CountedLine, type ReturnNews, type ReturnRow } from '../returns'
import { changeLines, takeBack } from '../stock'
import { deadlineOf } from '../undelivered'
import { openException, settleExceptions } from '../waiting'
import { chargeReturn, waiveReturn } from './guard-return'
import { sendForReceived, sourcingNow } from './send-replacements'
import { closeShort, proposeCharge, proposeRest, remindReturn, wantsLabel } from './unreturned'

/** @throws `return.unknown`, `return.state`, `return.quantity` */
export async function receiveReturn(tx: Transaction, ask: ReceiveReturn): Promise<ReturnNews> {
  const { order, back } = await lockReturn(tx, ask.returnId)
  const { orderId } = order
  const late = !isExpected(back.status)
  if (late && !(await mayComeLate(tx, back))) throw refuse('return.state', { state: back.status })
  const received = ask.lines.filter((l) => !isDisputed(l.grade))
  const disputed = ask.lines.filter((l) => isDisputed(l.grade))
  if (late) await refuseOthers(tx, back, received)
  const earlier = await receiptsOf(tx, back.returnId)
  if (await insertReceipts(tx, back, { ...ask, received, disputed })) await settleExceptions(tx, order, 'what was sent has come', { subject: back.returnId, kind: 'return.disputed' })
  const units = received.map(({ lineId, quantity }) => ({ lineId, quantity }))
  const { due, paidBy } = await countAhead(tx, back, units)
  for (const returnId of paidBy) await proposeRest(tx, order, returnId)
  await takeBack(tx, { orderId, nodeId: ask.nodeId, actor: ask.actor }, received.map((l) => ({ ...l, sku: skuOf(back, l.lineId) })))
  await changeLines(tx, orderId, received, 'returned = l.returned + v.quantity')
  for (const kind of ['return.not_collected', 'return.not_expected']) await settleExceptions(tx, order, 'it is back', { subject: back.returnId, kind })
  await record(tx, order, { type: 'return.received', actor: ask.actor, data: { returnId: back.returnId, nodeId: ask.nodeId, lines: ask.lines } })
  if (disputed.length) await tellDisputed(tx, { order, back, disputed })
  const refunds = await refundReturn(tx, order, back, { units: due, number: earlier + 1 })
  const sent = isComplete(back, ask.lines) ? await sendForReceived(tx, order, { ...back, lines: countedIn(back, received), actor: ask.actor }) : undefined
  if (back.remedy === 'replacement') {
    await countNeverSent(tx, back.returnId, units)
    refunds.push(...(await exchangeRefunds(tx, order, { ...back, lines: countedIn(back, received) }, `refund:${back.returnId}:${earlier + 1}`)))
  }
  if (late) refunds.push(...(await giveBackLate(tx, order, back, `refund:${back.returnId}:${earlier + 1}`)))
  const isCounted = !late && isComplete(back, ask.lines)
  const isJudged = isCounted && (await isToBeJudged(tx, back))
  const complete = isCounted && !isJudged
  const again = isJudged ? await goesByDateAgain(tx, order, back) : late || complete ? undefined : await waitsForRest(tx, order, back)
  const wait = complete ? null : (again?.wait ?? back.wait)
  if (complete) await moveReturn(tx, back, 'received')
  if (complete) await leaveFetching(tx, back.returnId)
  const voids = complete ? await letGoOfExchange(tx, back.returnId) : []
  await refreshOrder(tx, orderId, sent && sourcingNow())
  return { returnId: back.returnId, status: complete ? 'received' : back.status, wait, refunds, toSource: sent !== undefined, ...sent, ...(voids.length && { voids }), ...again }
}

const countedIn = ({ lines }: ReturnRow, counted: readonly CountedLine[]): ReturnRow['lines'] => lines.map((l) => ({ ...l, received: l.received + counted.reduce((sum, c) => (c.lineId === l.lineId ? sum + c.quantity : sum), 0) }))

const skuOf = (back: ReturnRow, lineId: string): string => back.lines.find((l) => l.lineId === lineId)!.sku

/** Others were sent for them: no other return is to bring them, and what was charged for them goes back. */
const mayComeLate = async (tx: Transaction, back: ReturnRow): Promise<boolean> => hasEnded(back.status) && back.method !== 'none' && isOwed(await guardedLines(tx, back))

/** What comes after its return has ended is not what she has asked another return for, or has sent back with it: that is counted there. @throws `return.quantity` */
async function refuseOthers(tx: Transaction, back: ReturnRow, received: readonly CountedLine[]): Promise<void> {
  const has = await withHer(tx, back.orderId)
  for (const { lineId, quantity } of back.lines) {
    const given = received.reduce((sum, l) => (l.lineId === lineId ? sum + l.quantity : sum), 0)
    const open = Math.min(quantity, Math.max(0, has.find((l) => l.lineId === lineId)!.quantity))
    if (given > open) throw refuse('return.quantity', { lineId, open, given }, 'Another return waits for it, or has it: count it there')
  }
}

/** All of it was counted, but not all was what was sent, and others were sent for it: a person decides whether that is charged, or its date does. */
const isToBeJudged = async (tx: Transaction, back: ReturnRow): Promise<boolean> => (await guardOf(tx, back.returnId)) !== undefined && hasMissing(await guardedLines(tx, back))

/** Nothing more is expected. */
const isComplete = ({ lines }: ReturnRow, counted: readonly CountedLine[]): boolean =>
  lines.every((l) => l.quantity <= l.received + l.disputed + counted.filter((c) => c.lineId === l.lineId).reduce((sum, c) => sum + c.quantity, 0))

/** Its parcel was with us, and while nobody had counted it nothing was charged. Now it is, and not what was sent: its date charges that again. */
async function goesByDateAgain(tx: Transaction, order: OrderRow, { returnId, dueAt }: ReturnRow): Promise<Pick<ReturnNews, 'wait' | 'arrived' | 'stirs'> | undefined> {
  if (!(await isWithUs(tx, returnId))) return undefined
  const wait = { what: 'return' as const, since: new Date().toISOString(), deadline: judgedBy(order, dueAt) }
  await run(tx, 'UPDATE returns SET waiting_on = ?::jsonb WHERE return_id = ?', [JSON.stringify(wait), returnId])
  return { wait, arrived: false, stirs: true }
}

/** Its dates were over, and somebody was told. That is settled with what is here; what is not has another date, and is told again then. */
async function waitsForRest(tx: Transaction, order: OrderRow, { returnId, wait: before }: ReturnRow): Promise<Pick<ReturnNews, 'wait' | 'stirs'> | undefined> {
  if (before?.deadline !== null) return undefined
  const wait = { what: 'return' as const, since: new Date().toISOString(), deadline: countedBy(order) }
  await run(tx, 'UPDATE returns SET waiting_on = ?::jsonb WHERE return_id = ?', [JSON.stringify(wait), returnId])
  return { wait, stirs: true }
}

/** Until when what is with us is to be counted. */
export const countedBy = ({ policy }: OrderRow): string => new Date(Date.now() + durationMs(policy.returns.countWithin ?? 'P3D')).toISOString()

/** Until when a person may decide about something else that came: its date, but not before she had the time to look. */
export const judgedBy = ({ policy }: OrderRow, dueAt: string): string => new Date(Math.max(Date.parse(deadlineOf(policy.parcels)), Date.parse(dueAt))).toISOString()

async function tellDisputed(tx: Transaction, { order, back, disputed }: { order: OrderRow; back: ReturnRow; disputed: readonly CountedLine[] }): Promise<void> {
  await openException(tx, {
    ...order, kind: 'return.disputed', subject: back.returnId, owner: 'support', summary: 'What came back is not what was sent: ask the customer, refund by hand or leave it', data: { returnId: back.returnId, lines: disputed },
    deadline: deadlineOf(order.policy.parcels),
  })
  await proposeCharge(tx, order, back, disputed.map(({ lineId, quantity }) => ({ lineId, quantity })))
}

/** All is counted and paid back, or nothing more will come. @throws `return.state` */
export async function endReturn(tx: Transaction, { returnId, to, actor = self, reason }: { returnId: string; to: 'closed' | 'cancelled' | 'rejected'; actor?: string; reason?: string }): Promise<ReturnNews> {
  const { order, back } = await lockReturn(tx, returnId)
  const news: ReturnNews = { returnId, status: to, wait: null, refunds: [], toSource: false }
  if (back.status === to && actor === self) return news
  const byAPerson = to === 'cancelled' || (to === 'closed' && actor !== self)
  if (byAPerson && (await holdsNow(tx, returnId)) && hasMissing(await guardedLines(tx, back))) throw refuse('return.state', { state: back.status }, 'Others were sent for these goods: cancel those, or charge what does not come back, or waive it')
  if (to === 'cancelled' && isOwed(await guardedLines(tx, back))) throw refuse('return.state', { state: back.status }, 'Others are sent for these goods: cancel those first')
  if (to === 'cancelled' && (back.inAdvance || back.lines.some((l) => l.received + l.disputed > 0))) throw refuse('return.state', { state: back.status }, 'Some of it is back or paid back: count the rest, or leave it open')
  const sent = to === 'closed' && actor !== self ? await closeShort(tx, { order, back, actor }) : undefined
  await moveReturn(tx, back, to)
  await leaveFetching(tx, returnId)
  await record(tx, order, { type: ended[to], actor, data: { returnId, ...(reason !== undefined && { reason }) } })
  for (const kind of askedFor) await settleExceptions(tx, order, to, { subject: returnId, kind })
  const voids = await letGoOfExchange(tx, returnId)
  await refreshOrder(tx, order.orderId, sent && sourcingNow())
  return { ...news, ...sent?.news, ...(voids.length && { voids }) }
}

/** What is open while nobody has decided. */
const askedFor = ['return.to_approve', 'return.undecided']
const ended = { closed: 'return.closed', cancelled: 'return.cancelled', rejected: 'return.rejected' } as const

/** A person has looked at it and says yes. @throws `return.state` */
export async function approveReturn(tx: Transaction, { returnId, actor }: { returnId: string; actor: string }): Promise<ReturnNews> {
  const { order, back } = await lockReturn(tx, returnId)
  const wait = { what: 'return' as const, since: new Date().toISOString(), deadline: await comesBy(tx, order, back) }
  await moveReturn(tx, back, 'approved', wait)
  if (back.method === 'courier' && !(await queueFetching(tx, returnId))) throw refuse('return.no_driver', { instead: ['reject'] })
  await record(tx, order, { type: 'return.approved', actor, data: { returnId } })
  for (const kind of askedFor) await settleExceptions(tx, order, 'approved', { subject: returnId, kind })
  const refunds = back.refundOn === 'request' ? await refundEarly(tx, order, back) : []
  await refreshOrder(tx, order.orderId)
  return { returnId, status: 'approved', wait, refunds, toSource: false, stirs: true, ...(wantsLabel(order, back) && { label: true }) }
}

/** Her date, or another where that has passed before anybody agreed, or before a carrier was seen with it. What is guarded and given away has time to arrive, as its date charges for it. */
export async function comesBy(tx: Transaction, order: OrderRow, { returnId, dueAt }: ReturnRow, { isGuarded = false } = {}): Promise<string> {
  const later = new Date(Date.now() + durationMs(order.policy.returns.remindFor ?? 'P14D')).toISOString()
  if (Date.parse(dueAt) > (isGuarded ? Date.parse(later) : Date.now())) return dueAt
  await run(tx, 'UPDATE returns SET due_at = ? WHERE return_id = ?', [later, returnId])
  return later
}

/** @throws as what is decided */
export function decideReturn(tx: Transaction, { returnId, decision, reason, actor }: DecideReturn): Promise<ReturnNews> {
  if (decision === 'approve') return approveReturn(tx, { returnId, actor })
  if (decision === 'remind') return remindReturn(tx, { returnId, actor })
  if (decision === 'charge') return chargeReturn(tx, { returnId, actor, reason })
  if (decision === 'waive') return waiveReturn(tx, { returnId, actor, reason })
  const to = { reject: 'rejected', cancel: 'cancelled', close: 'closed' } as const
  return endReturn(tx, { returnId, to: to[decision], actor, reason })
}

/** The order had come to its end, and its thread begins again with what is open of it. */
export async function reopenOrder(tx: Transaction, orderId: string): Promise<ReturnNews[]> {
  const order = await lockOrder(tx, orderId)
  const reopened = await row(tx, 'UPDATE orders SET workflow_open = true WHERE order_id = ? AND NOT workflow_open RETURNING order_id', [orderId])
  if (reopened) await record(tx, order, { type: 'order.reopened', actor: self })
  if (reopened) await holdAgain(tx, order)
  await refreshOrder(tx, orderId)
  const open: ReturnNews[] = []
  for (const { returnId, status, wait, method } of await openReturns(tx, orderId)) {
    const label = status === 'approved' && wantsLabel(order, { method }) && { label: true as const }
    open.push({ returnId, status, wait, refunds: [], toSource: false, ...label, ...((await guardOf(tx, returnId)) && { guarded: true }) })
  }
  return withLeft(open, await leftOfReturns(tx, orderId))
}

/** Money of its returns that nobody has given since: also of those that have ended. */
function withLeft(open: readonly ReturnNews[], left: Awaited<ReturnType<typeof leftOfReturns>>): ReturnNews[] {
  const all = [...open]
  for (const { returnId, status, ...refund } of left) {
    const known = all.find((news) => news.returnId === returnId)
    if (known) known.refunds.push(refund)
    else all.push({ returnId, status, wait: null, refunds: [refund], toSource: false })
  }
  return all
}
