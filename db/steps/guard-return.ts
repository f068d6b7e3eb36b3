/** What was held over old goods that should have come back is taken, or let go of, or held anew; once per return, under the order's lock. */
import { durationMs } from '../../domain/policy/duration'
import type { Units } from '../../domain/payment/shares'
import { chargeMinor, chargeOf, type Charge } from '../../domain/returns/guard'
import { hasEnded, isExpected } from '../../domain/returns/status'
import { refuse } from '../../domain/refusals'
import { row, run, type Transaction } from '../connection'
import { record, self } from '../events'
import { intendExchangeHold, letGoOfExchange, letGoOfHold, type ExchangeHold } from '../exchange-payments'
import { guardAskedFor, guardedLines, guardOf, hasMissing, holdsNow, intendCharge, type Guard } from '../guards'
import { refreshOrder, setWait, type OrderRow } from '../orders'
import { isGone } from '../return-labels'
import { lockReturn, moveReturn, type ReturnNews, type ReturnRow } from '../returns'
import { deadlineOf } from '../undelivered'
import { openException, settleExceptions } from '../waiting'
import { outstanding } from './unreturned'

/** The date is there, or a person has decided: what has not come back is charged, and the return is over. Goods that come later are counted all the same, and paid back. */
export async function chargeReturn(tx: Transaction, { returnId, actor = self, reason }: { returnId: string; actor?: string; reason?: string }): Promise<ReturnNews> {
  const { order, back } = await lockReturn(tx, returnId)
  const news: ReturnNews = { returnId, status: back.status, wait: back.wait, refunds: [], toSource: false }
  if (hasEnded(back.status) || back.status === 'received') return news
  const guard = await guardOf(tx, returnId)
  const charge = chargeOf(await guardedLines(tx, back))
  if (!guard && actor !== self) throw refuse('return.not_guarded')
  if (!guard || charge.lines.length === 0) return { ...news, guarded: false, voids: await letGoOfExchange(tx, returnId) }
  if (guard.heldMinor < chargeMinor(charge)) return notCharged(tx, order, { back, guard, charge })
  const charges = await take(tx, order, { back, guard, charge, actor, reason })
  await moveReturn(tx, back, 'closed')
  await settleExceptions(tx, order, 'charged', { subject: returnId })
  const voids = await letGoOfExchange(tx, returnId)
  await refreshOrder(tx, order.orderId)
  return { ...news, status: 'closed', wait: null, charges, voids, guarded: false }
}

/** Nobody has to decide that, unless it is on its way, or here, and has another date: then it answers with that. */
export async function chargeByDate(tx: Transaction, { returnId, deadline }: { returnId: string; deadline: string }): Promise<ReturnNews> {
  const { order, back } = await lockReturn(tx, returnId)
  if (!isExpected(back.status)) return chargeReturn(tx, { returnId })
  if (back.wait?.deadline !== deadline) return otherDate(tx, back)
  const dueAt = await withTheNew(tx, order, { returnId, passedMs: Math.max(Date.now(), Date.parse(deadline)) })
  return dueAt === undefined ? chargeReturn(tx, { returnId }) : waitsLonger(tx, order, back, dueAt)
}

async function otherDate(tx: Transaction, { returnId, status, wait, lines }: ReturnRow): Promise<ReturnNews> {
  return { returnId, status, wait, refunds: [], toSource: false, ...((await isGone(tx, returnId)) && { arrived: outstanding({ lines }).length > 0 }) }
}

/** Nobody sends goods back before she has the new ones. @returns until when she has time, where these have not left yet, or not long enough ago */
async function withTheNew(tx: Transaction, { policy: { returns } }: OrderRow, { returnId, passedMs }: { returnId: string; passedMs: number }): Promise<string | undefined> {
  const graceMs = Math.min(durationMs(returns.restockBy), durationMs(returns.remindFor ?? 'P14D'))
  const { waits, leftAt } = (await row<{ waits: boolean | null; leftAt: string | null }>(
    tx,
    `SELECT bool_or(s.quantity - s.cancelled > s.shipped) AS waits, max((SELECT max(f.handed_over_at) FROM fulfillments f JOIN fulfillment_lines l USING (fulfillment_id) WHERE f.order_id = s.order_id AND l.line_id = s.line_id AND f.method <> 'transfer')) AS "leftAt"
     FROM exchanges e JOIN order_lines s USING (order_id, line_id) WHERE e.return_id = ?`,
    [returnId],
  ))!
  const since = waits ? passedMs : leftAt === null ? Number.NEGATIVE_INFINITY : Date.parse(leftAt)
  return since + graceMs > passedMs ? new Date(since + graceMs).toISOString() : undefined
}

async function waitsLonger(tx: Transaction, order: OrderRow, { returnId, status }: ReturnRow, dueAt: string): Promise<ReturnNews> {
  const wait = { what: 'return' as const, since: new Date().toISOString(), deadline: dueAt }
  await run(tx, 'UPDATE returns SET due_at = ? WHERE return_id = ?', [dueAt, returnId])
  await setWait(tx, order.orderId, { returnId, waitingOn: wait })
  return { returnId, status, wait, refunds: [], toSource: false }
}

async function take(tx: Transaction, order: OrderRow, { back, guard, charge, actor, reason }: { back: ReturnRow; guard: Guard; charge: Charge; actor: string; reason?: string }): Promise<{ operationId: string; amountMinor: number }[]> {
  const { returnId } = back
  const amountMinor = chargeMinor(charge)
  const lines = unitsOf(charge)
  const what = lines.map((l) => `${l.quantity} × ${back.lines.find((b) => b.lineId === l.lineId)!.sku}`).join(', ')
  const intended = amountMinor > 0 ? [await intendCharge(tx, order, { returnId, paymentId: guard.paymentId, charge, what })] : []
  await record(tx, order, { type: 'return.charged', actor, data: { returnId, lines, amountMinor, currency: order.currency, ...(reason !== undefined && { reason }) } })
  return intended
}

const unitsOf = ({ lines }: Charge): Units[] => lines.map(({ lineId, quantity }) => ({ lineId, quantity }))

/** What was held is gone by now: nothing is charged, support knows, and the goods are waited for; or the bank's yes, where it is being asked just now. */
async function notCharged(tx: Transaction, order: OrderRow, { back, guard, charge }: { back: ReturnRow; guard: Guard; charge: Charge }): Promise<ReturnNews> {
  const { returnId } = back
  const wait = { what: 'return' as const, since: new Date().toISOString(), deadline: null }
  await tellNotCharged(tx, order, { back, charge, heldMinor: guard.heldMinor })
  const voids = await letGoOfExchange(tx, returnId, { but: await guardAskedFor(tx, returnId) })
  await setWait(tx, order.orderId, { returnId, waitingOn: wait })
  return { returnId, status: back.status, wait, refunds: [], toSource: false, voids, guarded: false }
}

/** Others were sent, and nothing can be taken for the old goods: a person asks the customer. @returns what was told */
export async function tellNotCharged(tx: Transaction, order: OrderRow, { back: { returnId }, charge, heldMinor }: { back: ReturnRow; charge: Charge; heldMinor: number }): Promise<{ kind: string; summary: string }> {
  const told = { kind: 'return.not_charged', owner: 'support', summary: 'Old goods have not come back, and nothing is held over them, or not any more: ask the customer for them or their price' } as const
  await openException(tx, { ...order, ...told, subject: returnId, data: { returnId, lines: unitsOf(charge), amountMinor: chargeMinor(charge), currency: order.currency, heldMinor }, deadline: deadlineOf(order.policy.parcels) })
  return told
}

/** A person decides that what has not come back need not: nothing is charged for it. @throws `return.not_guarded`, `return.state` */
export async function waiveReturn(tx: Transaction, { returnId, actor, reason }: { returnId: string; actor: string; reason?: string }): Promise<ReturnNews> {
  const { order, back } = await lockReturn(tx, returnId)
  if (hasEnded(back.status)) throw refuse('return.state', { state: back.status })
  if (!(await guardOf(tx, returnId))) throw refuse('return.not_guarded')
  await moveReturn(tx, back, 'closed')
  await record(tx, order, { type: 'return.charge_waived', actor, data: { returnId, ...(reason !== undefined && { reason }) } })
  await settleExceptions(tx, order, 'waived', { subject: returnId })
  const voids = await letGoOfExchange(tx, returnId)
  await refreshOrder(tx, order.orderId)
  return { returnId, status: 'closed', wait: null, refunds: [], toSource: false, voids, guarded: false }
}

/** What is held over goods that are still to come will not be held much longer: an operation that holds it anew; none where that is needed no more, as they came, or somebody has answered for them. */
export async function renewGuard(tx: Transaction, { returnId }: { returnId: string }): Promise<{ hold?: ExchangeHold }> {
  const { order, back } = await lockReturn(tx, returnId)
  if (hasEnded(back.status)) return {}
  const lines = await guardedLines(tx, back)
  if (!hasMissing(lines) || (await caseOfNotCharged(tx, back)) === 'answered') {
    await settleExceptions(tx, order, 'nothing is to be held any more', { kind: 'return.guard_not_held', subject: returnId })
    return {}
  }
  const deadline = new Date(Date.now() + durationMs(order.policy.payment.deadline)).toISOString()
  return { hold: await intendExchangeHold(tx, { orderId: order.orderId, returnId, role: 'guard', amountMinor: chargeMinor({ ...chargeOf(lines), less: { minor: 0, taxMinor: 0 } }), deadline }) }
}

export interface GuardRenewed {
  voids: string[]
  over: boolean
  /** What its thread had given up: there is something to charge again. */
  news?: ReturnNews
}

/** The bank has said yes, and the old hold is let go of; or no, and that one stays for as long as it lasts. */
export async function guardRenewed(tx: Transaction, { returnId, paymentId, isHeld }: { returnId: string; paymentId: string; isHeld: boolean }): Promise<GuardRenewed> {
  const { order, back } = await lockReturn(tx, returnId)
  const over = hasEnded(back.status)
  if (over) return { voids: await letGoOfExchange(tx, returnId), over }
  if (!isHeld) return { voids: await letGoOfHold(tx, paymentId), over }
  await record(tx, order, { type: 'return.held_anew', actor: self, data: { returnId } })
  const voids = await letGoOfExchange(tx, returnId, { but: paymentId })
  const isGuardedAgain = (await holdsNow(tx, returnId)) && (await caseOfNotCharged(tx, back)) === 'open'
  return { voids, over, ...(isGuardedAgain && { news: await guardedAgain(tx, order, back) }) }
}

/** Nothing was held at its date. Now something is: what is still with the customer is charged at once, as it would have been then, and what is on its way has its date to come by. */
async function guardedAgain(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<ReturnNews> {
  const { returnId, status } = back
  const since = new Date().toISOString()
  const isLate = status === 'approved' && back.wait?.deadline === null && !(await isGone(tx, returnId))
  const wait = isLate ? { what: 'return' as const, since, deadline: since } : back.wait
  if (isLate) await setWait(tx, order.orderId, { returnId, waitingOn: wait })
  return { returnId, status, wait, refunds: [], toSource: false, guarded: true, stirs: true }
}

/** Whether a person was told that nothing could be charged, and has answered. */
async function caseOfNotCharged(tx: Transaction, { orderId, returnId }: ReturnRow): Promise<'open' | 'answered' | undefined> {
  const told = await row<{ open: boolean }>(tx, `SELECT bool_or(resolved_at IS NULL) AS open FROM exceptions WHERE order_id = ? AND kind = 'return.not_charged' AND subject = ? HAVING count(*) > 0`, [orderId, returnId])
  return told && (told.open ? 'open' : 'answered')
}
