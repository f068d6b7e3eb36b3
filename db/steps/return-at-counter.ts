/** A customer stands at a counter with goods that nobody has announced: the return is opened, judged like any that one of us asks for, and counted, in one transaction. */
import type { ReturnAtCounter } from '../../domain/messages'
import { invariant } from '../../domain/invariant'
import { isDisputed } from '../../domain/returns/status'
import type { Transaction } from '../connection'
import type { ReturnNews } from '../returns'
import { receiveReturn } from './receive-return'
import { previewReturn, requestReturn, type ReturnPreview } from './request-return'

type AtCounter = ReturnAtCounter & { orderId: string }

/** @throws as `requestReturn` and `receiveReturn` */
export async function returnAtCounter(tx: Transaction, { orderId, nodeId, proofId, commandId, actor, lines }: AtCounter): Promise<ReturnNews> {
  const opened = await requestReturn(tx, { orderId, commandId, actor, lines: announced(lines), method: 'store', staff: true, ...(proofId && { proofId }) }, { isHere: true })
  invariant('returnId' in opened, 'what is brought to a counter is no claim')
  const counted = await receiveReturn(tx, { returnId: opened.returnId, nodeId, commandId, actor, lines: lines.flatMap(({ lineId, counted: units }) => units.map((u) => ({ lineId, ...u }))) })
  return { ...counted, refunds: [...opened.refunds, ...counted.refunds] }
}

/** What the count would move, nothing done: what is not what was sent comes to nothing. @throws as `returnAtCounter` */
export const previewAtCounter = (tx: Transaction, { orderId, lines, ...shown }: Pick<AtCounter, 'orderId' | 'lines' | 'proofId'> & { proof?: object }): Promise<ReturnPreview> =>
  previewReturn(tx, { ...shown, orderId, lines: announced(lines), method: 'store', staff: true, worth: announced(lines.map((l) => ({ ...l, counted: l.counted.filter((u) => !isDisputed(u.grade)) }))) })

const announced = (lines: AtCounter['lines']): { lineId: string; quantity: number; reason: string }[] => lines.map(({ lineId, reason, counted }) => ({ lineId, reason, quantity: counted.reduce((sum, u) => sum + u.quantity, 0) }))
