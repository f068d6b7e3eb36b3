/** Money is given back that no return asks for. Never more than a tender has; beyond what was paid for goods the customer does not have, another person with the right to agrees first, and stands in the books. */
import { uuidv7 } from 'uuidv7'
import type { DecideRefund, RefundOrder } from '../../domain/messages'
import { refuse } from '../../domain/refusals'
import { judgeRefund } from '../../domain/returns/ceilings'
import { keptUnits } from '../../domain/returns/exchange'
import { refundMinor } from '../../domain/returns/refund'
import { writeAudit } from '../audit'
import type { Transaction } from '../connection'
import { record } from '../events'
import { decideGoodwill, findGoodwill, insertGoodwill, moneyOfOrder } from '../goodwill'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { giveGoodwill, refundable, refundFor, soldOf, type IntendedRefund } from '../refunds'
import { deadlineOf } from '../undelivered'
import { openException, settleExceptions } from '../waiting'

/** What the thread is told of it. */
export interface RefundNews {
  refundId: string
  status: 'waiting' | 'given' | 'rejected'
  refunds: IntendedRefund[]
}

type Wish = Pick<RefundOrder, 'lines' | 'amountMinor' | 'tenderId'> & { orderId: string }

/** @throws `refund.above_captured`, `return.quantity` */
export async function refundOrder(tx: Transaction, ask: RefundOrder & { orderId: string }): Promise<RefundNews> {
  const order = await lockOrder(tx, ask.orderId)
  const { amountMinor, aboveMinor } = await judged(tx, ask)
  const refundId = uuidv7()
  const status = aboveMinor > 0 ? ('waiting' as const) : ('given' as const)
  await insertGoodwill(tx, { ...ask, refundId, status, amountMinor, aboveMinor })
  const data = { refundId, amountMinor, aboveMinor, currency: order.currency, ...(ask.tenderId !== undefined && { tenderId: ask.tenderId }) }
  await record(tx, order, { type: 'refund.asked', actor: ask.actor, data })
  await writeAudit(tx, { actor: ask.actor, action: 'refund.ask', subject: refundId, cause: ask.reason })
  if (status === 'waiting') {
    const summary = 'Money is to be given back beyond what came back: another person than the one who asks agrees or refuses'
    await openException(tx, { ...order, kind: 'refund.to_approve', subject: refundId, owner: 'finance', summary, data: { ...data, askedBy: ask.actor }, deadline: deadlineOf(order.policy.parcels) })
  }
  const refunds = status === 'given' ? await give(tx, order, { refundId, amountMinor, tenderId: ask.tenderId, askedBy: ask.actor }) : []
  await refreshOrder(tx, ask.orderId)
  return { refundId, status, refunds }
}

/** @throws `refund.unknown`, `refund.state`, `refund.same_person`, `refund.above_captured` */
export async function decideRefund(tx: Transaction, { refundId, decision, actor, reason, orderId }: DecideRefund & { orderId: string }): Promise<RefundNews> {
  const order = await lockOrder(tx, orderId)
  const asked = await findGoodwill(tx, { refundId })
  if (asked?.orderId !== orderId) throw refuse('refund.unknown')
  if (asked.status !== 'waiting') throw refuse('refund.state', { state: asked.status })
  const { amountMinor, askedBy } = asked
  const status = decision === 'approve' ? ('given' as const) : ('rejected' as const)
  if (status === 'given' && askedBy === actor) throw refuse('refund.same_person', { askedBy })
  const tenderId = asked.tenderId ?? undefined
  if (status === 'given') await judged(tx, { orderId, amountMinor, ...(tenderId !== undefined && { tenderId }) })
  await decideGoodwill(tx, refundId, { status, actor })
  await record(tx, order, { type: decision === 'approve' ? 'refund.approved' : 'refund.rejected', actor, data: { refundId, amountMinor, currency: order.currency, askedBy } })
  await writeAudit(tx, { actor, action: `refund.${decision}`, subject: refundId, cause: reason ?? `asked by ${askedBy}` })
  await settleExceptions(tx, order, decision === 'approve' ? 'approved' : 'rejected', { kind: 'refund.to_approve', subject: refundId })
  const refunds = status === 'given' ? await give(tx, order, { refundId, amountMinor, tenderId, askedBy, approvedBy: actor }) : []
  await refreshOrder(tx, orderId)
  return { refundId, status, refunds }
}

const give = (tx: Transaction, order: OrderRow, { refundId, ...of }: { refundId: string; amountMinor: number; tenderId?: string; askedBy: string; approvedBy?: string }): Promise<IntendedRefund[]> =>
  giveGoodwill(tx, order, { ...of, purpose: `goodwill:${refundId}`, cause: { refundId } })

export interface RefundPreview {
  preview: true
  /** Another person has to agree. */
  needsApproval: boolean
  money: { currency: string; amountMinor: number; aboveMinor: number; receivedMinor: number; refundableMinor: number }
}

/** What it would move, nothing done. @throws as `refundOrder` */
export async function previewRefund(tx: Transaction, wish: Wish): Promise<RefundPreview> {
  const { currency } = await lockOrder(tx, wish.orderId)
  const money = await judged(tx, wish)
  return { preview: true, needsApproval: money.aboveMinor > 0, money: { currency, ...money } }
}

async function judged(tx: Transaction, wish: Wish): Promise<{ amountMinor: number; aboveMinor: number; receivedMinor: number; refundableMinor: number }> {
  const { orderId, tenderId } = wish
  const amountMinor = wish.amountMinor ?? (await worthOfLines(tx, orderId, wish.lines ?? []))
  const payers = (await refundable(tx, orderId)).filter((p) => tenderId === undefined || p.tenderId === tenderId)
  const refundableMinor = payers.reduce((sum, p) => sum + Math.max(0, p.leftMinor), 0)
  const judgement = judgeRefund(amountMinor, refundableMinor, await moneyOfOrder(tx, orderId))
  if (!judgement) throw refuse('refund.above_captured', { refundableMinor, amountMinor })
  return { amountMinor, refundableMinor, ...judgement }
}

/** What was paid for units the customer keeps. @throws `return.quantity` */
async function worthOfLines(tx: Transaction, orderId: string, lines: readonly { lineId: string; quantity: number }[]): Promise<number> {
  const kept = keptUnits((await soldOf(tx, orderId)).lines)
  for (const { lineId, quantity } of lines) {
    const open = kept.find((l) => l.lineId === lineId)?.quantity ?? 0
    if (quantity > open) throw refuse('return.quantity', { lineId, open, given: quantity })
  }
  return refundMinor(await refundFor(tx, orderId, lines, { withShipping: false }))
}
