/** Orders are changed here: asked for, with what it would move; then confirmed. And what an order was before can be read. */
import { z } from 'zod'
import type { Transaction } from '../../db/connection'
import type { AfterSale } from '../../db/open-lines'
import { refuseDelivery } from '../../db/place-order'
import { rehearse } from '../../db/rehearsal'
import { askBackInstead } from '../../db/steps/ask-parcels-back'
import { proposeChange } from '../../db/steps/change-order'
import { rejectChange } from '../../db/steps/decide-change'
import { orderTag, orderView } from '../../db/views/orders'
import { orderChanges, orderVersionNumbered, orderVersions } from '../../db/views/order-versions'
import type { ChangeOperation } from '../../domain/order/change'
import { refuse } from '../../domain/refusals'
import { visibleOrder } from '../access'
import { command, ifMatchHeader, orderCommand, requireVersion } from '../command'
import { may } from '../permissions'
import { created, ok, route, type Ctx, type Route } from '../route'
import { at, text, uuid } from '../schemas/fields'
import { changeAnswer, changeBody, changeEntry, changePreview, type AskedOperation } from '../schemas/order-change'
import { orderAnswer } from '../schemas/order-view'

const asOperation = (asked: AskedOperation): ChangeOperation => {
  if (asked.op !== 'addLine') return asked
  const { op, ...added } = asked
  return { op, line: added }
}

const orderParams = z.strictObject({ orderId: uuid })
type ChangeCtx = Ctx<z.output<typeof orderParams>, unknown, z.output<typeof changeBody>>

/** What is to be known of dates before the transaction begins. */
async function knownOf(ctx: ChangeCtx): Promise<AfterSale> {
  const { channel } = await visibleOrder(ctx, ctx.params.orderId)
  return ctx.deps.promises.afterSale(channel)
}

async function propose(ctx: ChangeCtx, tx: Transaction, after: AfterSale) {
  const { orderId } = ctx.params
  const { operations: asked, paymentMethod } = ctx.body
  await requireVersion(ctx, tx, orderId)
  const requestedBy = ctx.key.role === 'channel' ? 'customer' : ctx.body.requestedBy
  for (const o of asked) if (o.op === 'setDelivery') await refuseDelivery(tx, o, ctx.deps.services)
  const { money, promise, ...proposed } = await proposeChange(tx, {
    orderId, operations: asked.map(asOperation), actor: ctx.actor, requestedBy, after, services: ctx.deps.services, ...(paymentMethod !== undefined && { paymentMethod }),
  })
  const { closesTenders: _, ...moved } = money
  return { ...proposed, orderId, ...moved, promise: promise ?? { promisedFrom: null, promisedBy: null, confidence: null } }
}

const ask = command({
  method: 'post',
  path: '/v1/orders/{orderId}/changes',
  tag: 'Orders',
  summary: 'Ask for a change',
  description:
    'Fewer units or more, a line more or less, another door, another way or date. Nothing changes yet: the answer says what it would move, and until when it can be confirmed; until then the stock it asks for is held. With `?preview=true` nothing is held either, and it needs no Idempotency-Key.',
  roles: may.changeOrders,
  params: orderParams,
  query: z.strictObject({ preview: z.enum(['true', 'false']).optional() }),
  body: changeBody,
  headers: ifMatchHeader,
  answers: { 200: changePreview, 201: changeAnswer },
  prepare: knownOf,
  run: async (ctx, tx, after) => created(await propose(ctx, tx, after)),
  instead: ({ params, actor }, tx, refusal) => askBackInstead(tx, refusal, { ...params, actor, reason: 'a change asks for less' }),
})

const change: Route = {
  ...ask,
  async run(ctx, req, res) {
    if ((ctx.query as { preview?: string }).preview !== 'true') return ask.run(ctx, req, res)
    const asked = ctx as ChangeCtx
    const after = await knownOf(asked)
    const { changeId: _, state: __, expiresAt: ___, ...told } = await rehearse(ctx.db, (tx) => propose(asked, tx, after))
    return ok({ preview: true, ...told })
  },
}

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

const approve = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/changes/{changeId}/approve',
  tag: 'Orders',
  summary: 'Say yes to what a customer asked for',
  description: 'Done at once, if it still moves the money that it was said to; the order may have gone on since.',
  roles: may.decideChanges,
  params: z.strictObject({ orderId: uuid, changeId: uuid }),
  answers: { 200: orderAnswer },
  async ask(ctx) {
    const { orderId, changeId } = ctx.params
    await visibleOrder(ctx, orderId)
    return { orderId, update: 'changeOrder', args: { changeId, approves: true } }
  },
  answer: confirm.readAnswer,
})

const reject = command({
  method: 'post',
  path: '/v1/orders/{orderId}/changes/{changeId}/reject',
  tag: 'Orders',
  summary: 'Say no to what a customer asked for',
  description: 'Nothing is changed; what the change held is free.',
  roles: may.decideChanges,
  params: z.strictObject({ orderId: uuid, changeId: uuid }),
  body: z.strictObject({ reason: text(500) }),
  headers: ifMatchHeader,
  answers: { 200: orderAnswer },
  async run(ctx, tx) {
    const { orderId, changeId } = ctx.params
    await visibleOrder(ctx, orderId)
    await requireVersion(ctx, tx, orderId)
    await rejectChange(tx, { orderId, changeId, actor: ctx.actor, reason: ctx.body.reason })
    return ok((await orderView(tx, orderId, { role: ctx.key.role }))!)
  },
})

const changes = route({
  method: 'get',
  path: '/v1/orders/{orderId}/changes',
  tag: 'Orders',
  summary: 'What was asked to be changed',
  description: 'Every change that was asked for, first to last, and what became of it.',
  roles: may.readOrders,
  params: z.strictObject({ orderId: uuid }),
  answers: { 200: z.object({ items: z.array(changeEntry) }) },
  async run(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    return ok({ items: await orderChanges(ctx.db, ctx.params.orderId) })
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

export const changeRoutes: readonly Route[] = [change, changes, confirm, approve, reject, versions, version]
