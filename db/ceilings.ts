/** The ceilings of giving money back, as they stand on an order's rows; and what is beyond the second waits here for another person. Under the order's lock. */
import { judgeRefund } from '../domain/returns/ceilings'
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import type { Transaction } from './connection'
import { record } from './events'
import { insertGoodwill, moneyOfOrder, type NewGoodwill } from './goodwill'
import type { OrderRow } from './orders'
import { refundable, undisputed } from './refunds'
import { deadlineOf } from './undelivered'
import { openException } from './waiting'

export interface Judgement {
  amountMinor: number
  /** Of it, what needs another person's yes. */
  aboveMinor: number
  receivedMinor: number
  refundableMinor: number
}

/** @throws `refund.above_captured` where no tender, or not the one that is named, has so much left, `payment.disputed` where her bank may give it too */
export async function judged(tx: Transaction, { orderId, tenderId, amountMinor }: { orderId: string; tenderId?: string; amountMinor: number }): Promise<Judgement> {
  const payers = (await refundable(tx, orderId)).filter((p) => tenderId === undefined || p.tenderId === tenderId)
  const refundableMinor = payers.reduce((sum, p) => sum + Math.max(0, p.leftMinor), 0)
  const judgement = judgeRefund(amountMinor, refundableMinor, await moneyOfOrder(tx, orderId))
  if (!judgement) throw refuse('refund.above_captured', { refundableMinor, amountMinor })
  undisputed(payers, amountMinor)
  return { amountMinor, refundableMinor, ...judgement }
}

/** It is on the books that somebody asks for it; and where another person has to agree, finance has a case. */
export async function askFor(tx: Transaction, order: OrderRow, ask: NewGoodwill): Promise<void> {
  const { refundId, amountMinor, aboveMinor, tenderId, remedy, actor, reason, status } = ask
  await insertGoodwill(tx, ask)
  const data = { refundId, amountMinor, aboveMinor, currency: order.currency, ...(tenderId !== undefined && { tenderId }), ...(remedy !== undefined && { remedy }) }
  await record(tx, order, { type: 'refund.asked', actor, data })
  await writeAudit(tx, { actor, action: 'refund.ask', subject: refundId, cause: reason })
  if (status !== 'waiting') return
  const summary = 'Money is to be given back beyond what came back: another person than the one who asks agrees or refuses'
  await openException(tx, { ...order, kind: 'refund.to_approve', subject: refundId, owner: 'finance', summary, data: { ...data, askedBy: actor }, deadline: deadlineOf(order.policy.parcels) })
}
