/** The safety net of an advance exchange in rows: what is held over the old goods, what of it is taken, and what of that is given back. Under the order's lock. */
import { uuidv7 } from 'uuidv7'
import { chargeMinor, missingUnits, overcharge, type Charge, type GuardedLine } from '../domain/returns/guard'
import type { Units } from '../domain/payment/shares'
import type { OrderRow } from './orders'
import { row, rows, run, type Transaction } from './connection'
import { letGoOfExchange } from './exchange-payments'
import { countUnits, sentFor } from './exchanges'
import { postCharge } from './ledger'
import { giveBackCharge, soldOf, type IntendedRefund } from './refunds'
import type { ReturnRow } from './returns'

export interface Guard {
  paymentId: string
  /** Held now, and in time. */
  heldMinor: number
}

/** What is held over the old goods of a return and is neither taken nor let go of, the newest; undefined: they are not guarded, or not any more. */
export const guardOf = (tx: Transaction, returnId: string): Promise<Guard | undefined> =>
  row<Guard>(
    tx,
    `SELECT p.payment_id AS "paymentId", CASE WHEN p.status = 'authorized' AND p.authorization_expires_at > now() THEN p.authorized_minor ELSE 0 END AS "heldMinor"
     FROM exchange_payments x JOIN payments p USING (payment_id) WHERE x.return_id = ? AND x.role = 'guard' AND p.status NOT IN ('declined', 'captured')
       AND NOT EXISTS (SELECT 1 FROM payment_operations op WHERE op.payment_id = p.payment_id AND op.kind IN ('capture', 'void') AND op.status <> 'abandoned')
     ORDER BY p.status = 'authorized' DESC, p.payment_id DESC LIMIT 1`,
    [returnId],
  )

/** Is money held over them just now, that could be charged? */
export const holdsNow = async (tx: Transaction, returnId: string): Promise<boolean> => ((await guardOf(tx, returnId))?.heldMinor ?? 0) > 0

/** What a bank has not answered yet of what is to be held over them anew. */
export const guardAskedFor = async (tx: Transaction, returnId: string): Promise<string | undefined> =>
  (await row<{ paymentId: string }>(
    tx,
    `SELECT p.payment_id AS "paymentId" FROM exchange_payments x JOIN payments p USING (payment_id) WHERE x.return_id = ? AND x.role = 'guard' AND NOT x.over AND p.status IN ('opened', 'action_required', 'processing') ORDER BY p.payment_id DESC LIMIT 1`,
    [returnId],
  ))?.paymentId

/** Is some of what others were sent for, guarded or not, neither here nor given up? It can be counted, whatever has become of its return. */
export const isOwed = (exchanged: readonly GuardedLine[]): boolean => exchanged.some((l) => missingUnits({ ...l, quantity: Math.min(l.quantity, l.sent.quantity) }) > 0)

export const hasMissing = (guarded: readonly GuardedLine[]): boolean => guarded.some((l) => missingUnits(l) > 0)

/** Of the new goods so much is cancelled that nothing is held over the old ones any more. @returns the operations that let it go */
export async function letGoOfIdleGuards(tx: Transaction, orderId: string): Promise<string[]> {
  const voids: string[] = []
  for (const { returnId } of await rows<{ returnId: string }>(tx, 'SELECT return_id AS "returnId" FROM returns WHERE order_id = ? AND ended_at IS NULL', [orderId]))
    if ((await guardOf(tx, returnId)) && !hasMissing(await guardedLines(tx, { orderId, returnId }))) voids.push(...(await letGoOfExchange(tx, returnId)))
  return voids
}

/** What was sent in place of what, line by line of a return. */
export async function guardedLines(tx: Transaction, { orderId, returnId }: Pick<ReturnRow, 'orderId' | 'returnId'>): Promise<GuardedLine[]> {
  const { lines } = await soldOf(tx, orderId)
  const old = await rows<Omit<GuardedLine, 'sent'>>(tx, 'SELECT line_id AS "lineId", quantity, received, unreplaced, repaid FROM return_lines WHERE return_id = ? ORDER BY line_id', [returnId])
  const guarded: GuardedLine[] = []
  for (const line of old) {
    const sent = await sentFor(tx, lines, returnId, line.lineId)
    if (sent) guarded.push({ ...line, sent })
  }
  return guarded
}

export interface IntendedCharge {
  operationId: string
  amountMinor: number
}

/** What has not come back is sold: posted, and the operation recorded that takes its price of what is held. */
export async function intendCharge(tx: Transaction, order: OrderRow, { returnId, paymentId, charge, what }: { returnId: string; paymentId: string; charge: Charge; what: string }): Promise<IntendedCharge> {
  const { orderId, currency } = order
  await countUnits(tx, orderId, charge.lines.map((l) => ({ lineId: l.sentLineId, quantity: l.quantity })), 'charged')
  await countUnits(tx, orderId, charge.lines.map((l) => ({ lineId: l.sentLineId, quantity: l.less })), 'less_given')
  await postCharge(tx, { orderId, currency }, { returnId, what, ...charge })
  const [operationId, amountMinor] = [uuidv7(), chargeMinor(charge)]
  await run(tx, `INSERT INTO payment_operations (operation_id, payment_id, order_id, kind, purpose, amount_minor, final) VALUES (?, ?, ?, 'capture', ?, ?, true)`, [operationId, paymentId, orderId, `charge:${returnId}`, amountMinor])
  return { operationId, amountMinor }
}

/** What was charged for units that came late after all is given back. */
export const giveBackLate = async (tx: Transaction, order: OrderRow, back: Pick<ReturnRow, 'orderId' | 'returnId'>, purpose: string): Promise<IntendedRefund[]> =>
  giveBackCharged(tx, order, { ...back, lines: await guardedLines(tx, back), purpose, why: 'late' })

/** What was charged for old goods in whose place nothing is sent any more is given back: the customer has one thing and paid for it once. @param units of the lines that will not come */
export async function giveBackUnsent(tx: Transaction, order: OrderRow, { units, purpose }: { units: readonly Units[]; purpose: string }): Promise<IntendedRefund[]> {
  const { orderId } = order
  const ids = units.map((u) => u.lineId)
  const refunds: IntendedRefund[] = []
  for (const { returnId } of await rows<{ returnId: string }>(tx, 'SELECT DISTINCT return_id AS "returnId" FROM exchanges WHERE order_id = ? AND line_id = ANY(?) AND charged > charged_back', [orderId, ids])) {
    const lines = (await guardedLines(tx, { orderId, returnId })).filter(({ sent }) => ids.includes(sent.lineId))
    refunds.push(...(await giveBackCharged(tx, order, { returnId, lines, purpose, why: 'unsent' })))
  }
  return refunds
}

async function giveBackCharged(tx: Transaction, order: OrderRow, { returnId, lines, purpose, why }: { returnId: string; lines: readonly GuardedLine[]; purpose: string; why: 'late' | 'unsent' }): Promise<IntendedRefund[]> {
  const refunds: IntendedRefund[] = []
  for (const line of lines) {
    const { units, less, amount } = overcharge(line, why)
    if (units === 0) continue
    const { lineId } = line.sent
    await countUnits(tx, order.orderId, [{ lineId, quantity: units }], 'charged_back')
    await countUnits(tx, order.orderId, [{ lineId, quantity: less }], 'less_taken')
    refunds.push(...(await giveBackCharge(tx, order, { purpose: `${purpose}:charge:${line.lineId}`, amount, cause: { returnId } })))
  }
  return refunds
}
