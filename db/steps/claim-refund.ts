/** A fault of ours is made good with money, and the goods stay with the customer: within what was paid for goods she does not have at once, beyond that when another person has agreed. */
import { uuidv7 } from 'uuidv7'
import type { RequestReturn } from '../../domain/messages'
import { refuse } from '../../domain/refusals'
import { refundMinor } from '../../domain/returns/refund'
import { askFor, judged, type Judgement } from '../ceilings'
import type { Transaction } from '../connection'
import type { GoodwillRow } from '../goodwill'
import { refreshOrder, type OrderRow } from '../orders'
import { creditOwner, refundFor } from '../refunds'

/** What the thread is told where nothing is given yet. */
export interface ClaimWaits {
  refundId: string
  status: 'waiting'
}

/** @throws `refund.above_captured`, `claim.no_customer` */
export async function judgeClaim(tx: Transaction, { orderId, ...ask }: RequestReturn & { orderId: string }): Promise<Judgement> {
  if (ask.remedy === 'credit') await creditOwner(tx, orderId)
  return judged(tx, { orderId, amountMinor: refundMinor(await refundFor(tx, orderId, ask.lines)) })
}

/** It waits, and nothing of the order has changed. */
export async function waitForYes(tx: Transaction, order: OrderRow, ask: RequestReturn, judgement: Judgement): Promise<ClaimWaits> {
  const refundId = await keepClaim(tx, order, ask, { ...judgement, status: 'waiting' })
  await refreshOrder(tx, order.orderId)
  return { refundId, status: 'waiting' }
}

/** What it is judged by stays on the books, as the units it was given for are not among what she keeps any more. */
export async function keepClaim(tx: Transaction, order: OrderRow, ask: RequestReturn, { amountMinor, aboveMinor, ...fate }: Judgement & ({ status: 'waiting' } | { status: 'given'; returnId: string })): Promise<string> {
  const refundId = uuidv7()
  const { status, returnId } = { returnId: undefined, ...fate }
  const lines = ask.lines.map(({ lineId, quantity }) => ({ lineId, quantity }))
  await askFor(tx, order, { refundId, orderId: order.orderId, status, returnId, amountMinor, aboveMinor, lines, remedy: ask.remedy ?? 'refund', reason: ask.lines[0]!.reason, actor: ask.actor, commandId: ask.commandId })
  return refundId
}

/** What was agreed to is what it comes to still, or somebody asks again. @throws `refund.changed`, `refund.above_captured` */
export async function stillComesTo(tx: Transaction, { orderId, amountMinor, lines }: GoodwillRow): Promise<void> {
  const nowMinor = refundMinor(await refundFor(tx, orderId, lines!))
  if (nowMinor !== amountMinor) throw refuse('refund.changed', { amountMinor, nowMinor })
  await judged(tx, { orderId, amountMinor })
}
