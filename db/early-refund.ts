/** Money that is given back before the goods are counted: when they are asked back, or somebody has them who brings them. Once per return, for what is still to come. */
import { feesOf } from '../domain/returns/terms'
import type { Units } from '../domain/payment/shares'
import type { Transaction } from './connection'
import { exchangeRefunds } from './exchange-refunds'
import type { OrderRow } from './orders'
import { payAhead } from './paid-ahead'
import { intendRefund, type IntendedRefund } from './refunds'
import { paidInAdvance, type ReturnRow } from './returns'

export async function refundEarly(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<IntendedRefund[]> {
  const { returnId } = back
  if (back.remedy === 'credit' || back.inAdvance) return []
  if (back.remedy === 'replacement') return differenceEarly(tx, order, back)
  const toCome = await payAhead(tx, back)
  await paidInAdvance(tx, returnId)
  return toCome.length ? intendRefund(tx, order, { purpose: `refund:${returnId}:0`, back: toCome, feeMinor: feeOf(back, toCome), cause: { returnId } }) : []
}

/** Of what others are sent for: what those cost less. */
async function differenceEarly(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<IntendedRefund[]> {
  await paidInAdvance(tx, back.returnId)
  return exchangeRefunds(tx, order, { ...back, early: true }, `refund:${back.returnId}:0`)
}

/** The fee for units of a return, after what was counted of it before. */
export function feeOf(back: Pick<ReturnRow, 'lines'>, units: readonly Units[]): number {
  const before = back.lines.filter((l) => l.received > 0)
  return feesOf(back.lines.filter((l) => before.includes(l) || units.some((u) => u.lineId === l.lineId))) - feesOf(before)
}
