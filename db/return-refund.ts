/** Money that a return gives for its units, less what is kept of it: its rows say how much of both, so that a fee which the first units do not cover is kept of the next. Under the order's lock. */
import { feeOfUnits, type FeesSoFar } from '../domain/returns/fees'
import type { Units } from '../domain/payment/shares'
import { run, type Transaction } from './connection'
import type { OrderRow } from './orders'
import { intendRefund, soldOf, type IntendedRefund } from './refunds'

/** @param ask.number of its refunds: 0 before it is counted */
export async function refundReturn(tx: Transaction, order: OrderRow, back: FeesSoFar & { returnId: string }, { units, number }: { units: readonly Units[]; number: number }): Promise<IntendedRefund[]> {
  if (units.length === 0) return []
  const { returnId } = back
  const { feeMinor, worthMinor } = feeOfUnits(await soldOf(tx, order.orderId), back, units)
  await run(tx, 'UPDATE returns SET fee_kept_minor = fee_kept_minor + ? WHERE return_id = ?', [feeMinor, returnId])
  for (const [i, { lineId }] of units.entries()) await run(tx, 'UPDATE return_lines SET worth_minor = worth_minor + ? WHERE return_id = ? AND line_id = ?', [worthMinor[i]!, returnId, lineId])
  return intendRefund(tx, order, { purpose: `refund:${returnId}:${number}`, back: units, feeMinor, cause: { returnId } })
}
