/** Who has a piece of work: given to somebody, taken over, given back. */
import { z } from 'zod'
import { assign } from '../../db/assignment'
import type { Transaction } from '../../db/connection'
import { fulfillmentView } from '../../db/views/fulfillments'
import { command } from '../command'
import { ok, type Answer, type Ctx } from '../route'
import { text } from '../schemas/fields'
import { fulfillmentAnswer } from '../schemas/order-view'
import { fulfillmentCommand, orderOf, type FulfillmentParams } from './fulfillments'

const answers = { 200: fulfillmentAnswer.extend({ previousAssignee: z.string().nullable() }).meta({ id: 'AssignedFulfillment' }) }

async function answerAssigned(ctx: Ctx<FulfillmentParams>, tx: Transaction, to: { assignee: string | null; from?: string | null }): Promise<Answer> {
  await orderOf(ctx)
  const { fulfillmentId } = ctx.params
  const previousAssignee = await assign(tx, { fulfillmentId, actor: ctx.actor, cause: ctx.requestId, ...to })
  return ok({ ...(await fulfillmentView(tx, fulfillmentId, { role: ctx.key.role })), previousAssignee })
}

const assignFulfillment = command({
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/assign',
  summary: 'Give the work to somebody; answers who had it',
  description: 'With `from`, only if that is who has it now; `null`: only if nobody has. So two who reach for the same work do not both get it.',
  answers,
  body: z.strictObject({ assignee: text(100), from: text(100).nullable().optional() }),
  run: (ctx, tx) => answerAssigned(ctx, tx, ctx.body),
})

const unassignFulfillment = command({
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/unassign',
  summary: 'Nobody has the work any more; answers who had it',
  answers,
  body: z.strictObject({}),
  run: (ctx, tx) => answerAssigned(ctx, tx, { assignee: null }),
})

export const assignmentRoutes = [assignFulfillment, unassignFulfillment]
