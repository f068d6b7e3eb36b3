/** An order is stopped, for a reason and by somebody: work that a store has and may not go on with is asked back. */
import type { HoldsChanged, PlaceHold } from '../../domain/messages'
import type { HoldDraft } from '../../domain/order/holds'
import { refuse } from '../../domain/refusals'
import { writeAudit } from '../audit'
import { row, type Transaction } from '../connection'
import { record } from '../events'
import { fulfillmentsOf } from '../fulfillments'
import { asStanding, insertHold, type HoldRow } from '../holds'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { leaveWave } from '../waves'

export interface HoldPlaced extends HoldsChanged {
  holdId: string
}

/** @throws `order.already_cancelled`, `order.closed` */
export async function placeHold(tx: Transaction, ask: PlaceHold & { orderId: string }): Promise<HoldPlaced> {
  const order = await lockOrder(tx, ask.orderId)
  if (order.stage === 'cancelled') throw refuse('order.already_cancelled', { state: 'cancelled' })
  if (order.stage === 'completed') throw refuse('order.closed', { state: 'completed' })
  const { actor, commandId, ...draft } = ask
  const placed = await standInTheWay(tx, order, { draft, actor, commandId })
  await writeAudit(tx, { actor, action: 'hold.place', subject: ask.orderId, cause: ask.type })
  await refreshOrder(tx, ask.orderId)
  return { holdId: placed.holdId, placed: [asStanding(placed)], released: [], moved: [], status: await statusOf(tx, ask.orderId) }
}

/** Writes the hold and its event; under the order's lock, and `refreshOrder` is for the caller. */
export async function standInTheWay(tx: Transaction, order: Pick<OrderRow, 'orderId' | 'channel'>, { draft, actor, askedBy, commandId }: { draft: HoldDraft; actor: string; askedBy?: string; commandId?: string }): Promise<HoldRow> {
  const placed = await insertHold(tx, { orderId: order.orderId, draft, actor, askedBy, commandId })
  const askedBack = draft.blocks.includes('picking') ? await askBack(tx, order, actor) : []
  const { holdId, type, blocks, owner, deadline } = placed
  await record(tx, order, { type: 'hold.placed', actor, data: { holdId, type, blocks, owner, deadline, ...(draft.rule !== undefined && { rule: draft.rule }), ...(askedBack.length > 0 && { askedBack }) } })
  return placed
}

/** Nobody goes on picking it: it leaves its wave, and its node sees that it is held. What was picked stays picked. */
async function askBack(tx: Transaction, order: Pick<OrderRow, 'orderId' | 'channel'>, actor: string): Promise<string[]> {
  const begun = (await fulfillmentsOf(tx, order.orderId)).filter((f) => ['released', 'picking', 'picked'].includes(f.status))
  for (const { fulfillmentId } of begun) await leaveWave(tx, order, { fulfillmentId, why: 'held', actor })
  return begun.map((f) => f.fulfillmentId)
}

export const statusOf = async (tx: Transaction, orderId: string): Promise<HoldsChanged['status']> =>
  (await row<Pick<HoldsChanged, 'status'>>(tx, 'SELECT status FROM orders WHERE order_id = ?', [orderId]))!.status
