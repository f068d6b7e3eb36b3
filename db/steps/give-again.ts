/** A refund came back, and the customer is owed it: it is given another way, once, with a name to it. Nothing more is given than she is owed, so no ceiling is passed that the first refund had not passed. */
import type { GiveAgain } from '../../domain/messages'
import { refuse } from '../../domain/refusals'
import { givenAgainJournal } from '../../domain/payment/ledger'
import { writeAudit } from '../audit'
import type { Transaction } from '../connection'
import { record } from '../events'
import { postAll } from '../ledger'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { creditOwner, giveByOthers, refundable, type IntendedRefund } from '../refunds'
import { findReturned, settleReturned, type ReturnedRefund } from '../returned-refunds'
import { creditCustomer } from '../stored-value'
import { settleExceptions } from '../waiting'

/** What the thread is told of it. */
export interface GivenAgain {
  refundReference: string
  refunds: IntendedRefund[]
}

/** @throws `refund.unknown`, `refund.state`, `refund.same_person`, `refund.above_captured`, `claim.no_customer` */
export async function giveAgain(tx: Transaction, ask: GiveAgain & { orderId: string }): Promise<GivenAgain> {
  const { orderId, refundReference, by, actor } = ask
  const order = await lockOrder(tx, orderId)
  const owed = await findReturned(tx, refundReference)
  if (owed?.orderId !== orderId) throw refuse('refund.unknown')
  if (owed.status !== 'owed') throw refuse('refund.state', { state: owed.status })
  if (owed.askedBy === actor) throw refuse('refund.same_person', { askedBy: actor })
  const { amountMinor, currency } = owed
  const refunds = await give(tx, order, owed, ask)
  await settleReturned(tx, ask)
  await record(tx, order, { type: 'refund.given_again', actor, data: { refundReference, amountMinor, currency, ...by } })
  await writeAudit(tx, { actor, action: 'refund.give_again', subject: refundReference, cause: by.way === 'bank_transfer' ? `transfer ${by.transferReference} by ${by.sentBy}` : by.way })
  await settleExceptions(tx, order, `given again: ${by.way}`, { kind: 'payment.refund_returned', subject: refundReference })
  await refreshOrder(tx, orderId)
  return { refundReference, refunds }
}

async function give(tx: Transaction, order: OrderRow, owed: ReturnedRefund, { by, actor }: GiveAgain): Promise<IntendedRefund[]> {
  const { refundReference, amountMinor, paymentId } = owed
  if (by.way === 'another_payment') {
    const others = (await refundable(tx, order.orderId)).filter((p) => !p.elsewhere && p.paymentId !== paymentId && (by.tenderId === undefined || p.tenderId === by.tenderId))
    const refundableMinor = others.reduce((sum, p) => sum + Math.max(0, p.leftMinor), 0)
    if (refundableMinor < amountMinor) throw refuse('refund.above_captured', { refundableMinor, amountMinor })
    return giveByOthers(tx, order, { amountMinor, not: paymentId, tenderId: by.tenderId, purpose: `again:${refundReference}`, cause: { refundReference } })
  }
  if (by.way === 'store_credit') await creditAgain(tx, order, owed, actor)
  await postAll(tx, [{ about: { orderId: order.orderId, paymentId, currency: order.currency }, journal: givenAgainJournal({ refundReference, amountMinor, by }) }])
  return []
}

/** @throws `claim.no_customer` where nobody knows whose it would be */
async function creditAgain(tx: Transaction, { orderId, currency, channelOrderId }: OrderRow, { amountMinor }: ReturnedRefund, actor: string): Promise<void> {
  await creditCustomer(tx, { customerRefHmac: await creditOwner(tx, orderId), currency, amountMinor, actor, reason: `order ${channelOrderId}` })
}
