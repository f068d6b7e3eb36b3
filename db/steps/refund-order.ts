/** Money is given back that no return asks for. Never more than a tender has; beyond what was paid for goods the customer does not have, another person with the right to agrees first, and stands in the books. */
import { uuidv7 } from 'uuidv7'
import type { DecideRefund, RefundOrder } from '../../domain/messages'
import { refuse } from '../../domain/refusals'
import { keptUnits } from '../../domain/returns/exchange'
import { refundMinor } from '../../domain/returns/refund'
import { writeAudit } from '../audit'
import { askFor, judged, type Judgement } from '../ceilings'
import type { Transaction } from '../connection'
import { record } from '../events'
import { decideGoodwill, findGoodwill, type GoodwillRow } from '../goodwill'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { giveGoodwill, refundFor, soldOf, type IntendedRefund } from '../refunds'
import { settleExceptions } from '../waiting'
import { stillComesTo } from './claim-refund'
import { requestReturn } from './request-return'

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
  const { amountMinor, aboveMinor } = await judgedWish(tx, ask)
  const refundId = uuidv7()
  const status = aboveMinor > 0 ? ('waiting' as const) : ('given' as const)
  await askFor(tx, order, { ...ask, refundId, status, amountMinor, aboveMinor })
  const refunds = status === 'given' ? await give(tx, order, { refundId, amountMinor, tenderId: ask.tenderId, askedBy: ask.actor }) : []
  await refreshOrder(tx, ask.orderId)
  return { refundId, status, refunds }
}

/** @throws `refund.unknown`, `refund.state`, `refund.same_person`, `refund.above_captured`, `refund.changed`, and of a claim as `requestReturn` */
export async function decideRefund(tx: Transaction, { refundId, decision, actor, reason, orderId, commandId }: DecideRefund & { orderId: string }): Promise<RefundNews> {
  const order = await lockOrder(tx, orderId)
  const asked = await findGoodwill(tx, { refundId })
  if (asked?.orderId !== orderId) throw refuse('refund.unknown')
  if (asked.status !== 'waiting') throw refuse('refund.state', { state: asked.status })
  const { amountMinor, askedBy } = asked
  const status = decision === 'approve' ? ('given' as const) : ('rejected' as const)
  if (status === 'given' && askedBy === actor) throw refuse('refund.same_person', { askedBy })
  const { refunds, ...given } = status === 'given' ? await giveAsked(tx, order, asked, { actor, commandId }) : { refunds: [] }
  await decideGoodwill(tx, refundId, { status, actor, ...given })
  await record(tx, order, { type: decision === 'approve' ? 'refund.approved' : 'refund.rejected', actor, data: { refundId, amountMinor, currency: order.currency, askedBy } })
  await writeAudit(tx, { actor, action: `refund.${decision}`, subject: refundId, cause: reason ?? `asked by ${askedBy}` })
  await settleExceptions(tx, order, decision === 'approve' ? 'approved' : 'rejected', { kind: 'refund.to_approve', subject: refundId })
  await refreshOrder(tx, orderId)
  return { refundId, status, refunds }
}

/** What another person has agreed to: an amount, or a claim, whose units are paid back. @throws `refund.above_captured`, `refund.changed`, as `requestReturn` */
async function giveAsked(tx: Transaction, order: OrderRow, asked: GoodwillRow, { actor, commandId }: { actor: string; commandId: string }): Promise<{ refunds: IntendedRefund[]; returnId?: string; aboveMinor?: number }> {
  const { orderId, refundId, amountMinor, askedBy, remedy, reason } = asked
  const tenderId = asked.tenderId ?? undefined
  if (remedy === null) {
    const { aboveMinor } = await judged(tx, { orderId, amountMinor, tenderId })
    return { aboveMinor, refunds: await give(tx, order, { refundId, amountMinor, tenderId, askedBy, approvedBy: actor }) }
  }
  await stillComesTo(tx, asked)
  const lines = asked.lines!.map((l) => ({ ...l, reason }))
  const news = await requestReturn(tx, { orderId, lines, method: 'none', staff: true, actor: askedBy, commandId, ...(remedy === 'credit' && { remedy }) })
  return 'refundId' in news ? { refunds: [] } : { refunds: news.refunds, returnId: news.returnId }
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
  const money = await judgedWish(tx, wish)
  return { preview: true, needsApproval: money.aboveMinor > 0, money: { currency, ...money } }
}

const judgedWish = async (tx: Transaction, wish: Wish): Promise<Judgement> => judged(tx, { ...wish, amountMinor: wish.amountMinor ?? (await worthOfLines(tx, wish.orderId, wish.lines ?? [])) })

/** What was paid for units the customer keeps. @throws `return.quantity` */
async function worthOfLines(tx: Transaction, orderId: string, lines: readonly { lineId: string; quantity: number }[]): Promise<number> {
  const kept = keptUnits((await soldOf(tx, orderId)).lines)
  for (const { lineId, quantity } of lines) {
    const open = kept.find((l) => l.lineId === lineId)?.quantity ?? 0
    if (quantity > open) throw refuse('return.quantity', { lineId, open, given: quantity })
  }
  return refundMinor(await refundFor(tx, orderId, lines, { withShipping: false }))
}
