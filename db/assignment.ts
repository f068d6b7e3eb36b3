/** Who has a piece of work: one person at a time, and whoever takes it over learns from whom. */
import { fulfillmentActions } from '../domain/fulfillment/moves'
import { refuse } from '../domain/refusals'
import { writeAudit } from './audit'
import type { Transaction } from './connection'
import { record } from './events'
import { lockWork, refusedMove, setAssignee, type FulfillmentRow } from './fulfillments'
import type { OrderRow } from './orders'

export interface Assignment {
  fulfillmentId: string
  actor: string
  /** The request it came with. */
  cause: string
  /** null: nobody. */
  assignee: string | null
  /** Only if this is who has it now; null: only if nobody has. */
  from?: string | null
}

/** @returns who had it before. @throws `fulfillment.state` when there is nothing left to assign, `fulfillment.taken` when it is not with `from` */
export async function assign(tx: Transaction, { fulfillmentId, actor, cause, assignee, from }: Assignment): Promise<string | null> {
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  if (!fulfillmentActions(fulfillment, fulfillment.labelled).includes('assign')) throw refusedMove(fulfillment)
  if (from !== undefined && fulfillment.assignee !== from && fulfillment.assignee !== assignee) throw taken(fulfillment)
  await give(tx, order, fulfillment, { assignee, actor })
  await writeAudit(tx, { actor, action: assignee === null ? 'fulfillment.unassign' : 'fulfillment.assign', subject: fulfillmentId, cause })
  return fulfillment.assignee
}

/** Somebody begins: what nobody has is hers from now on. @throws `fulfillment.taken` when somebody else has it; the state is for the step itself to refuse. */
export async function takeUp(tx: Transaction, fulfillmentId: string, who: { associate: string; actor: string }): Promise<void> {
  const { order, fulfillment } = await lockWork(tx, fulfillmentId)
  if (!fulfillmentActions(fulfillment, fulfillment.labelled).includes('assign')) return
  if (fulfillment.assignee !== null && fulfillment.assignee !== who.associate) throw taken(fulfillment)
  await give(tx, order, fulfillment, { assignee: who.associate, actor: who.actor })
}

async function give(tx: Transaction, order: OrderRow, { fulfillmentId, assignee: from }: FulfillmentRow, { assignee, actor }: { assignee: string | null; actor: string }): Promise<void> {
  if (assignee === from) return
  await setAssignee(tx, fulfillmentId, assignee)
  const type = assignee === null ? 'fulfillment.unassigned' : 'fulfillment.assigned'
  await record(tx, order, { type, actor, data: { fulfillmentId, ...(assignee !== null && { assignee }), ...(from !== null && { from }) } })
}

const taken = (f: FulfillmentRow): Error =>
  refuse('fulfillment.taken', { state: f.status, assignee: f.assignee, allowedActions: fulfillmentActions(f, f.labelled) }, f.assignee === null ? 'Nobody has this work' : `${f.assignee} has this work`)
