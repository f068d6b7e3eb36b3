/** A hold ends: released by whom it belongs to, by enough people who did not ask for it, by a fact, or by its own deadline. What was stopped gets its time back. */
import type { HoldsChanged, ReleaseHold } from '../../domain/messages'
import type { ReleasingFact } from '../../domain/order/holds'
import { refuse } from '../../domain/refusals'
import { writeAudit } from '../audit'
import { run, type Transaction } from '../connection'
import { mayBeBrought } from '../dispatch'
import { record, self } from '../events'
import { asStanding, endHold, giveTimeBack, needHold, openHolds, type HoldRow } from '../holds'
import { lockOrder, refreshOrder, type OrderRow } from '../orders'
import { openException, settleExceptions } from '../waiting'
import { statusOf } from './place-hold'

/** @throws `hold.unknown`, `hold.ended`, `hold.not_yours`, `hold.four_eyes` */
export async function releaseHold(tx: Transaction, ask: ReleaseHold & { orderId: string }): Promise<HoldsChanged> {
  const order = await lockOrder(tx, ask.orderId)
  const hold = await needHold(tx, ask.orderId, ask.holdId)
  if (hold.endedHow) throw refuse('hold.ended', { state: hold.endedHow })
  const role = ask.actor.split(':', 1)[0]!
  if (role !== hold.owner && role !== 'admin') throw refuse('hold.not_yours', { owner: hold.owner, role })
  if (hold.approvals > 0 && !(await approve(tx, order, hold, ask.actor))) return unchanged(tx, ask.orderId)
  await writeAudit(tx, { actor: ask.actor, action: 'hold.release', subject: ask.orderId, cause: ask.reason ?? hold.type })
  return release(tx, order, [hold], { actor: ask.actor, why: 'person' })
}

/** One more yes, by somebody else than who asked and those before. @returns whether it was the last one needed */
async function approve(tx: Transaction, order: OrderRow, hold: HoldRow, actor: string): Promise<boolean> {
  const { holdId, type, approvals, askedBy, approvedBy } = hold
  if (actor === askedBy || approvedBy.includes(actor)) throw refuse('hold.four_eyes', { askedBy, approvedBy, needed: approvals })
  await run(tx, 'INSERT INTO hold_approvals (hold_id, approver) VALUES (?, ?)', [holdId, actor])
  await writeAudit(tx, { actor, action: 'hold.approve', subject: order.orderId, cause: type })
  const left = approvals - approvedBy.length - 1
  await record(tx, order, { type: 'hold.approved', actor, data: { holdId, type, left } })
  if (left > 0) await refreshOrder(tx, order.orderId)
  return left <= 0
}

/** Whatever waits for this fact ends by it. */
export async function releaseByFact(tx: Transaction, { orderId, fact }: { orderId: string; fact: ReleasingFact }): Promise<HoldsChanged> {
  const order = await lockOrder(tx, orderId)
  const holds = (await openHolds(tx, orderId)).filter((h) => h.releasedBy === fact)
  return holds.length ? release(tx, order, holds, { actor: self, why: fact }) : unchanged(tx, orderId)
}

export interface DeadlineOutcome extends HoldsChanged {
  /** By its own terms the order is to be cancelled now. */
  cancel: boolean
}

/** Its time is over. A hold that has ended meanwhile is left alone. */
export async function endHoldAtDeadline(tx: Transaction, { orderId, holdId }: { orderId: string; holdId: string }): Promise<DeadlineOutcome> {
  const order = await lockOrder(tx, orderId)
  const hold = await needHold(tx, orderId, holdId)
  if (hold.endedHow || hold.deadline === null) return { ...(await unchanged(tx, orderId)), cancel: false, ...(hold.endedHow && { released: [holdId] }) }
  if (hold.atDeadline === 'cancel') return { ...(await unchanged(tx, orderId)), cancel: true }
  if (hold.atDeadline === 'release') return { ...(await release(tx, order, [hold], { actor: self, why: 'deadline' })), cancel: false }
  return { ...(await escalateHold(tx, { orderId, holdId })), cancel: false }
}

/** Nobody has decided in time: somebody is told, and the order stays as it is. */
export async function escalateHold(tx: Transaction, { orderId, holdId }: { orderId: string; holdId: string }): Promise<HoldsChanged> {
  const order = await lockOrder(tx, orderId)
  const hold = await needHold(tx, orderId, holdId)
  if (hold.endedHow) return { ...(await unchanged(tx, orderId)), released: [holdId] }
  const { type, owner, blocks } = hold
  await openException(tx, { ...order, kind: 'hold.overdue', subject: holdId, owner: 'operations', summary: `A hold (${type}) was to be decided by now: release it, or cancel the order`, data: { holdId, type, owner, blocks } })
  await run(tx, 'UPDATE holds SET deadline = NULL WHERE hold_id = ?', [holdId])
  await refreshOrder(tx, orderId)
  return { ...(await unchanged(tx, orderId)), placed: [{ ...asStanding(hold), deadline: null }] }
}

/** Under the order's lock. */
export async function release(tx: Transaction, order: OrderRow, ending: readonly HoldRow[], { actor, why }: { actor: string; why: string }): Promise<HoldsChanged> {
  const { orderId } = order
  const before = (await openHolds(tx, orderId)).map(asStanding)
  for (const { holdId } of ending) await endHold(tx, { orderId, holdId, actor })
  const released = ending.map((h) => h.holdId)
  const moved = await giveTimeBack(tx, orderId, before, before.filter((h) => !released.includes(h.holdId)))
  if (ending.some((h) => h.blocks.includes('shipping'))) await mayBeBrought(tx, orderId)
  await record(tx, order, ...ending.map(({ holdId, type }) => ({ type: 'hold.released' as const, actor, data: { holdId, type, why } })))
  for (const holdId of released) await settleExceptions(tx, order, 'the hold was released', { kind: 'hold.overdue', subject: holdId })
  await refreshOrder(tx, orderId)
  return { placed: [], released, moved, status: await statusOf(tx, orderId) }
}

const unchanged = async (tx: Transaction, orderId: string): Promise<HoldsChanged> => ({ placed: [], released: [], moved: [], status: await statusOf(tx, orderId) })
