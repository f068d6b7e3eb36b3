/** What does not come back, or not all of it: named when its time is over, closed short by a person, or the customer reminded. What was paid before is proposed to be charged. */
import { durationMs } from '../../domain/policy/duration'
import { refuse } from '../../domain/refusals'
import { isExpected, mayCloseShort } from '../../domain/returns/status'
import { keptOf } from '../../domain/returns/fees'
import { refundMinor } from '../../domain/returns/refund'
import type { Units } from '../../domain/payment/shares'
import { row, run, type Transaction } from '../connection'
import { record, self } from '../events'
import { exchangeRefunds } from '../exchange-refunds'
import { guardOf } from '../guards'
import { refreshOrder, type OrderRow } from '../orders'
import { refundFor } from '../refunds'
import { missingOf } from '../paid-ahead'
import { lockReturn, moveReturn, type ReturnNews, type ReturnRow } from '../returns'
import { deadlineOf } from '../undelivered'
import { openException, settleExceptions } from '../waiting'
import { sendForReceived, sourcingNow } from './send-replacements'

/** Units that are still to come. */
export const outstanding = ({ lines }: Pick<ReturnRow, 'lines'>): { lineId: string; quantity: number }[] =>
  lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.received - l.disputed })).filter((l) => l.quantity > 0)

/**
 * Its time is over and not all of it is there. Where the money was given before, finance hears what could be charged for it; where others are to be sent for it, they leave for what is there.
 * @returns what the thread is to know of it
 */
export async function lateReturn(tx: Transaction, returnId: string): Promise<ReturnNews | undefined> {
  const { order, back } = await lockReturn(tx, returnId)
  if (!isExpected(back.status)) return undefined
  await proposeCharge(tx, order, back, outstanding(back))
  const sent = await sendShort(tx, order, back, self)
  if (sent) await refreshOrder(tx, order.orderId, sourcingNow())
  else if (outstanding(back).length === 0 && !(await guardOf(tx, returnId))) return settledNow(tx, order, back)
  return sent && { returnId, status: back.status, wait: back.wait, ...sent.news }
}

/** All of it was counted, and what a person had to judge is gone: what was to be sent for it was cancelled. */
async function settledNow(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<ReturnNews> {
  await moveReturn(tx, back, 'received')
  await refreshOrder(tx, order.orderId)
  return { returnId: back.returnId, status: 'received', wait: null, refunds: [], toSource: false }
}

/** Others leave for what is there, and what they cost less is given back. */
export async function sendShort(tx: Transaction, order: OrderRow, back: ReturnRow, actor: string): Promise<{ news: Pick<ReturnNews, 'toSource' | 'refunds' | 'remainder'> } | undefined> {
  const sent = await sendForReceived(tx, order, { ...back, actor })
  return sent && { news: { ...sent, toSource: true, refunds: await exchangeRefunds(tx, order, back, `refund:${back.returnId}:short`) } }
}

/** Paid before it was there, and it is not what was paid for, or is not there at all. What an earlier return paid for is the case of that. */
export async function proposeCharge(tx: Transaction, order: OrderRow, back: ReturnRow, gone: readonly Units[]): Promise<void> {
  const missing = back.remedy === 'refund' && back.inAdvance ? await missingOf(tx, back.returnId) : []
  const units = missing.flatMap(({ lineId, quantity }) => ({ lineId, quantity: Math.min(quantity, gone.reduce((sum, u) => (u.lineId === lineId ? sum + u.quantity : sum), 0)) })).filter((u) => u.quantity > 0)
  if (units.length === 0) return
  const { returnId } = back
  const given = (await row<{ givenMinor: number }>(
    tx,
    `SELECT coalesce(sum(amount_minor), 0)::int8 AS "givenMinor" FROM payment_operations WHERE order_id = ? AND kind = 'refund' AND status <> 'abandoned' AND purpose LIKE ?`,
    [order.orderId, `refund:${returnId}:%`],
  ))!.givenMinor
  const feeMinor = feeKeptFor(back, units)
  const proposedChargeMinor = Math.min(given, refundMinor(await refundFor(tx, order.orderId, units, { own: 'lost', feeMinor })))
  const summary = 'The money was given back before the goods came, and they have not: charge the customer, or let it be'
  await openException(tx, { ...order, kind: 'return.paid_not_back', subject: returnId, owner: 'finance', summary, data: { returnId, lines: units, givenMinor: given, proposedChargeMinor, currency: order.currency }, deadline: deadlineOf(order.policy.parcels) })
}

/** What was kept of these of its units alone, and would not have been of the others. */
function feeKeptFor({ lines, feeKeptMinor }: ReturnRow, units: readonly Units[]): number {
  const rest = lines.map((l) => {
    const given = Math.max(0, l.given - units.reduce((sum, u) => (u.lineId === l.lineId ? sum + u.quantity : sum), 0))
    return { ...l, given, worthMinor: Math.floor((l.worthMinor * given) / Math.max(1, l.given)) }
  })
  return Math.max(0, feeKeptMinor - keptOf(rest))
}

/** Some of what a return paid for before it came is here after all: its case is over, or is about the rest. */
export async function proposeRest(tx: Transaction, order: OrderRow, returnId: string): Promise<void> {
  const about = { kind: 'return.paid_not_back', subject: returnId }
  if (!(await row(tx, 'SELECT 1 FROM exceptions WHERE kind = :kind AND subject = :subject AND resolved_at IS NULL', about))) return
  const missing = await missingOf(tx, returnId)
  await settleExceptions(tx, order, missing.length ? 'some of it is back' : 'it is back', about)
  await proposeCharge(tx, order, (await lockReturn(tx, returnId)).back, missing)
}

/** A person says that no more will come. What is there is settled, the rest stays with the customer. @throws `return.state` */
export async function closeShort(tx: Transaction, { order, back, actor }: { order: OrderRow; back: ReturnRow; actor: string }): Promise<Awaited<ReturnType<typeof sendShort>>> {
  if (!mayCloseShort(back.status)) throw refuse('return.state', { state: back.status })
  await proposeCharge(tx, order, back, outstanding(back))
  for (const kind of ['return.overdue', 'return.not_counted', 'return.lost', 'return.troubled', 'return.not_collected']) await settleExceptions(tx, order, 'closed without the rest', { subject: back.returnId, kind })
  return sendShort(tx, order, back, actor)
}

/** The customer is to be reminded, and has some more time. @throws `return.state` */
export async function remindReturn(tx: Transaction, { returnId, actor }: { returnId: string; actor: string }): Promise<ReturnNews> {
  const { order, back } = await lockReturn(tx, returnId)
  if (back.status !== 'approved') throw refuse('return.state', { state: back.status })
  const dueAt = new Date(Date.now() + durationMs(order.policy.returns.remindFor ?? 'P14D')).toISOString()
  const wait = { what: 'return' as const, since: new Date().toISOString(), deadline: dueAt }
  await run(tx, 'UPDATE returns SET due_at = ?, late_at = NULL, waiting_on = ?::jsonb WHERE return_id = ?', [dueAt, JSON.stringify(wait), returnId])
  await record(tx, order, { type: 'return.reminded', actor, data: { returnId, dueAt, lines: outstanding(back) } })
  await settleExceptions(tx, order, 'the customer was reminded', { subject: returnId, kind: 'return.overdue' })
  await refreshOrder(tx, order.orderId)
  return { returnId, status: back.status, wait, refunds: [], toSource: false, stirs: true, ...(wantsLabel(order, back) && { label: true }) }
}

/** Whether what comes by mail is to have a label of ours. */
export const wantsLabel = (order: OrderRow, { method }: Pick<ReturnRow, 'method'>): boolean => method === 'mail' && order.policy.returns.mailLabels !== false
