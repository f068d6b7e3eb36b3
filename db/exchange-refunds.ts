/** What is given back when the old goods of an exchange are there: what the new ones cost less, and all of it where none are sent any more. Under the order's lock. */
import { lessBetween, lessDue, type Amount } from '../domain/returns/exchange'
import type { Transaction } from './connection'
import { dueOnReceipt, sentFor } from './exchanges'
import type { OrderRow } from './orders'
import { giveBackLess, intendRefund, soldOf, type IntendedRefund } from './refunds'
import type { ReturnLine } from './returns'

/**
 * Old goods are there, or their money is given back before they are (`early`): of those for which nothing is sent any more all of it, of the others what the new ones cost less.
 * @param purpose names the cause, once per order
 */
export async function exchangeRefunds(tx: Transaction, order: OrderRow, { returnId, lines, early }: { returnId: string; lines: readonly Pick<ReturnLine, 'lineId' | 'quantity' | 'received'>[]; early?: boolean }, purpose: string): Promise<IntendedRefund[]> {
  const cause = { returnId }
  const refunds: IntendedRefund[] = []
  for (const { lineId } of early ? [] : lines) {
    const quantity = await dueOnReceipt(tx, returnId, lineId)
    if (quantity === 0) continue
    // By what was to be sent: what that costs less may have been given before they came.
    const sent = await sentFor(tx, (await soldOf(tx, order.orderId)).lines, returnId, lineId)
    refunds.push(...(await intendRefund(tx, order, { purpose: `${purpose}:unreplaced:${lineId}`, back: [{ lineId: sent?.lineId ?? lineId, quantity }], cause, ...(sent && { own: 'unsent' as const }) })))
  }
  const sold = await soldOf(tx, order.orderId)
  const units = []
  const less: Amount = { minor: 0, taxMinor: 0 }
  for (const line of lines) {
    const sent = await sentFor(tx, sold.lines, returnId, line.lineId)
    const quantity = sent ? lessDue(sent, early ? line.quantity : line.received) : 0
    if (!sent || quantity === 0) continue
    const share = lessBetween(sent, sent.lessGiven, sent.lessGiven + quantity)
    units.push({ lineId: sent.lineId, quantity })
    less.minor += share.minor
    less.taxMinor += share.taxMinor
  }
  return units.length ? [...refunds, ...(await giveBackLess(tx, order, { purpose: `${purpose}:less`, units, less, cause }))] : refunds
}
