/** Orders are changed here: asked for, with what it would move; then confirmed. And what an order was before can be read. */
import { z } from 'zod'
import { proposeChange } from '../../db/steps/change-order'
import { orderTag, orderView } from '../../db/views/orders'
import { orderVersionNumbered, orderVersions } from '../../db/views/order-versions'
import type { ChangeOperation } from '../../domain/order/change'
import { refuse } from '../../domain/refusals'
import { visibleOrder } from '../access'
import { command, orderCommand } from '../command'
import { may } from '../permissions'
import { created, ok, route, type Route } from '../route'
import { at, keptLineId, minor, text, uuid } from '../schemas/fields'
import { line, shipTo } from '../schemas/order'
import { orderAnswer } from '../schemas/order-view'

const operation = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('setQuantity'), lineId: keptLineId, quantity: z.int().min(1).max(100_000).meta({ description: 'How many are wanted in all; more than the order has at the price and the rate of tax of the line' }) }),
  z.strictObject({ op: z.literal('addLine'), ...line.shape }),
  z.strictObject({ op: z.literal('removeLine'), lineId: keptLineId }),
  z.strictObject({ op: z.literal('setShipTo'), shipTo: shipTo.required({ postalCode: true }).meta({ description: 'Another door under the same postal code' }) }),
])

const changeAnswer = z
  .object({
    changeId: z.string(),
    orderId: z.string(),
    expiresAt: at,
    version: z.int().meta({ description: 'The version of the order that this was worked out on, as in its ETag' }),
    deltaMinor: z.int().meta({ description: 'By how much the order becomes dearer; below zero: cheaper' }),
    refundMinor: minor.meta({ description: 'What the channel has taken and has to give back' }),
    letGoMinor: minor.meta({ description: 'What is held, or would be, and is not taken' }),
    chargeMinor: minor.meta({ description: 'What has to be held beyond what the order’s tenders cover, before anything is changed' }),
    promise: z.object({ promisedFrom: at.nullable(), promisedBy: at.nullable(), confidence: z.number().nullable() }),
  })
  .meta({ id: 'OrderChange' })

const asOperation = (asked: z.output<typeof operation>): ChangeOperation => {
  if (asked.op !== 'addLine') return asked
  const { op, ...added } = asked
  return { op, line: added }
}

const change = command({
  method: 'post',
  path: '/v1/orders/{orderId}/changes',
  tag: 'Orders',
  summary: 'Ask for a change',
  description: 'Fewer units or more, a line more or less, or another door under the same postal code. Nothing changes yet: the answer says what it would move, and until when it can be confirmed; until then the stock it asks for is held.',
  roles: may.changeOrders,
  params: z.strictObject({ orderId: uuid }),
  body: z.strictObject({
    operations: z.array(operation).min(1).max(500),
    paymentMethod: text(255).optional().meta({ description: 'What the difference is charged to, where it is not what the customer paid with; a token of the provider' }),
  }),
  answers: { 201: changeAnswer },
  async run(ctx, tx) {
    const { orderId } = ctx.params
    await visibleOrder(ctx, orderId)
    const { operations: asked, paymentMethod } = ctx.body
    const { money, ...proposed } = await proposeChange(tx, { orderId, operations: asked.map(asOperation), actor: ctx.actor, ...(paymentMethod !== undefined && { paymentMethod }) })
    const { promisedFrom, promisedBy, confidence } = (await orderView(tx, orderId, { role: ctx.key.role }))!.promise
    return created({ ...proposed, orderId, ...money, promise: { promisedFrom, promisedBy, confidence } })
  },
})

const confirm = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/changes/{changeId}/confirm',
  tag: 'Orders',
  summary: 'Confirm a change',
  description: 'Done if the order is still what the change was worked out on, and its time is not over. What it costs more is held first; if the bank says no, nothing is changed.',
  roles: may.changeOrders,
  params: z.strictObject({ orderId: uuid, changeId: uuid }),
  answers: { 200: orderAnswer },
  async ask(ctx) {
    const { orderId, changeId } = ctx.params
    await visibleOrder(ctx, orderId)
    return { orderId, update: 'changeOrder', args: { changeId } }
  },
  answer: async ({ db, orderId, role }) => {
    const view = (await orderView(db, orderId, { role }))!
    return ok(view, { ETag: orderTag(view.version) })
  },
})

const entry = z.object({ number: z.int(), at, actor: z.string(), cause: z.string() })

const versions = route({
  method: 'get',
  path: '/v1/orders/{orderId}/versions',
  tag: 'Orders',
  summary: 'What the order has been',
  description: 'Every version of what was wanted, first to last; the first is the order as it was placed, and is kept with the first change.',
  roles: may.readOrders,
  params: z.strictObject({ orderId: uuid }),
  answers: { 200: z.object({ items: z.array(entry) }) },
  async run(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    return ok({ items: await orderVersions(ctx.db, ctx.params.orderId) })
  },
})

const version = route({
  method: 'get',
  path: '/v1/orders/{orderId}/versions/{number}',
  tag: 'Orders',
  summary: 'One version of the order',
  roles: may.readOrders,
  params: z.strictObject({ orderId: uuid, number: z.coerce.number().int().min(1).max(100_000) }),
  answers: { 200: entry.extend({ document: z.record(z.string(), z.unknown()) }).meta({ id: 'OrderVersion' }) },
  async run(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    const found = await orderVersionNumbered(ctx.db, ctx.params.orderId, ctx.params.number)
    if (!found) throw refuse('version.unknown')
    return ok(found)
  },
})

export const changeRoutes: readonly Route[] = [change, confirm, versions, version]
