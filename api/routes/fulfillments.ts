/** The work of stores and warehouses: picked, packed with labels, handed over. Picking is rows; the rest is asked of the order. */
import { z } from 'zod'
import { writeAudit } from '../../db/audit'
import { record } from '../../db/events'
import { setAssignee } from '../../db/fulfillments'
import { lockOrder } from '../../db/orders'
import { pickFulfillment } from '../../db/steps/pick'
import { fulfillmentPlace, fulfillmentView } from '../../db/views/fulfillments'
import { rejectReasons } from '../../domain/fulfillment/pick'
import { refuse } from '../../domain/refusals'
import { reachesNode } from '../auth'
import { command, orderCommand, type AnswerCtx } from '../command'
import { may } from '../permissions'
import { ok, type Answer, type Ctx } from '../route'
import { keptLineId, text, uuid } from '../schemas/fields'
import { fulfillmentAnswer } from '../schemas/order-view'

const params = z.strictObject({ fulfillmentId: uuid })
export type FulfillmentParams = z.output<typeof params>
/** What every command on a work order shares. */
export const fulfillmentCommand = { method: 'post', tag: 'Fulfillments', roles: may.workFulfillments, params, answers: { 200: fulfillmentAnswer } } as const
const quantity = z.int('Must be a whole number from 0 to 100,000').min(0).max(100_000)

/** @throws `fulfillment.unknown` also for the work of a node that the key does not reach. */
export async function orderOf(ctx: Ctx<FulfillmentParams>): Promise<string> {
  const place = await fulfillmentPlace(ctx.db, ctx.params.fulfillmentId)
  if (!place || !reachesNode(ctx.key, place.nodeId)) throw refuse('fulfillment.unknown')
  return place.orderId
}

/** The work order as it is now. */
export const viewOf = async ({ db, params: { fulfillmentId }, role }: Pick<AnswerCtx<FulfillmentParams>, 'db' | 'params' | 'role'>): Promise<Answer> => ok(await fulfillmentView(db, fulfillmentId, { role }))

/** POST /v1/fulfillments/{fulfillmentId}/assign */
export const assignFulfillment = command({
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/assign',
  summary: 'Give the work to somebody',
  body: z.strictObject({ assignee: text(100) }),
  async run(ctx, tx) {
    const order = await lockOrder(tx, await orderOf(ctx))
    const { fulfillmentId } = ctx.params
    await setAssignee(tx, fulfillmentId, ctx.body.assignee)
    await record(tx, order, { type: 'fulfillment.assigned', actor: ctx.actor, data: { fulfillmentId, assignee: ctx.body.assignee } })
    await writeAudit(tx, { actor: ctx.actor, action: 'fulfillment.assign', subject: fulfillmentId, cause: ctx.requestId })
    return ok(await fulfillmentView(tx, fulfillmentId, { role: ctx.key.role }))
  },
})

const pickLine = z
  .strictObject({ lineId: keptLineId, picked: quantity, rejected: quantity.default(0), reason: z.enum(rejectReasons).optional() })
  .refine((l) => l.rejected === 0 || l.reason !== undefined, { path: ['reason'], message: `Say why: ${rejectReasons.join(', ')}` })
  .refine((l) => l.picked + l.rejected > 0, { path: ['picked'], message: 'Report at least one unit' })
const pickBody = z.strictObject({ lines: z.array(pickLine).min(1).max(500) })

const pickFields = {
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/pick',
  summary: 'Report picked and rejected units',
  description: 'Adds to what was reported before. What is rejected goes to the next best node.',
  body: pickBody,
} as const

/** What was only picked is rows; what was rejected is asked of the order. One path, two ways of doing it. */
const pickRows = command({
  ...pickFields,
  async run(ctx, tx) {
    await orderOf(ctx)
    await pickFulfillment(tx, { fulfillmentId: ctx.params.fulfillmentId, actor: ctx.actor, lines: ctx.body.lines })
    return ok(await fulfillmentView(tx, ctx.params.fulfillmentId, { role: ctx.key.role }))
  },
})
const pickRejected = orderCommand({
  ...pickFields,
  async ask(ctx) {
    return { orderId: await orderOf(ctx), update: 'reportRejection', args: { fulfillmentId: ctx.params.fulfillmentId, lines: ctx.body.lines } }
  },
  answer: viewOf,
})
type PickBody = z.output<typeof pickBody>

/** POST /v1/fulfillments/{fulfillmentId}/pick */
export const pickFulfillmentRoute = {
  ...pickRejected,
  run: (...[ctx, req, res]: Parameters<typeof pickRejected.run>) =>
    ((ctx.body as PickBody).lines.some((l) => l.rejected > 0) ? pickRejected : pickRows).run(ctx, req, res),
}

const mm = z.int().min(1).max(10_000).optional()
const packBody = z.strictObject({
  packages: z
    .array(
      z.strictObject({
        weightGrams: z.int().min(1).max(1_000_000),
        lengthMm: mm,
        widthMm: mm,
        heightMm: mm,
        lines: z.array(z.strictObject({ lineId: keptLineId, quantity: z.int().min(1).max(100_000) })).min(1).max(500),
      }),
    )
    .min(1)
    .max(100),
})

/** POST /v1/fulfillments/{fulfillmentId}/pack */
export const packFulfillment = orderCommand({
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/pack',
  summary: 'Pack into packages; answers with carrier, tracking numbers and labels',
  body: packBody,
  ask: async (ctx) => ({ orderId: await orderOf(ctx), update: 'packFulfillment', args: { fulfillmentId: ctx.params.fulfillmentId, ...ctx.body } }),
  answer: viewOf,
})

/** POST /v1/fulfillments/{fulfillmentId}/hand-over */
export const handOver = orderCommand({
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/hand-over',
  summary: 'The packages leave the building',
  description: 'Needs a valid payment authorisation; the capture follows.',
  body: z.strictObject({}),
  ask: async (ctx) => ({ orderId: await orderOf(ctx), update: 'handOver', args: { fulfillmentId: ctx.params.fulfillmentId } }),
  answer: viewOf,
})
