/** Money that is given back before the goods are counted: when they are asked back, or somebody has them who brings them. Once per return, for what is still to come. */
import type { Transaction } from './connection'
import { exchangeRefunds } from './exchange-refunds'
import type { OrderRow } from './orders'
import { payAhead } from './paid-ahead'
import type { IntendedRefund } from './refunds'
import { refundReturn } from './return-refund'
import { paidInAdvance, type ReturnRow } from './returns'

export async function refundEarly(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<IntendedRefund[]> {
  const { returnId } = back
  if (back.remedy === 'credit' || back.inAdvance) return []
  if (back.remedy === 'replacement') return differenceEarly(tx, order, back)
  const toCome = await payAhead(tx, back)
  await paidInAdvance(tx, returnId)
  return refundReturn(tx, order, back, { units: toCome, number: 0 })
}

/** Of what others are sent for: what those cost less. */
async function differenceEarly(tx: Transaction, order: OrderRow, back: ReturnRow): Promise<IntendedRefund[]> {
  await paidInAdvance(tx, back.returnId)
  return exchangeRefunds(tx, order, { ...back, early: true }, `refund:${back.returnId}:0`)
}
