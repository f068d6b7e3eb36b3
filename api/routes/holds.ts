/** Orders are stopped here, and let go on; and what waits for whose yes is listed. */
import { z } from 'zod'
import { holdOfCommand } from '../../db/holds'
import { holdList, holdView, previewHold } from '../../db/views/holds'
import { orderTag, orderView } from '../../db/views/orders'
import { holdOwners, type HoldOwner } from '../../domain/order/holds'
import { visibleOrder } from '../access'
import { visibleChannels } from '../auth'
import { orderCommand, type OrderRoute } from '../command'
import { may } from '../permissions'
import { created, ok, route, type Route } from '../route'
import { text, uuid } from '../schemas/fields'
import { holdAnswer, holdBody, holdPreview, holdType, waitingHold } from '../schemas/holds'
import { orderAnswer } from '../schemas/order-view'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'

const place = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/holds',
  tag: 'Orders',
  summary: 'Hold an order',
  description:
    'Stops the steps it names until it is released. Work that a store has and has not packed is asked back: it stays in its list as held, and picking it is refused. Several holds may stand at once. With `?preview=true` nothing is done: the answer says what it would stop, and needs no Idempotency-Key.',
  roles: may.holdOrders,
  params: z.strictObject({ orderId: uuid }),
  query: z.strictObject({ preview: z.enum(['true', 'false']).optional() }),
  body: holdBody,
  answers: { 200: holdPreview, 201: holdAnswer },
  async ask(ctx) {
    const { orderId } = ctx.params
    await visibleOrder(ctx, orderId)
    return { orderId, update: 'placeHold', args: { owner: ctx.key.role as HoldOwner, ...ctx.body } }
  },
  async answer({ db, orderId, commandId }) {
    const { holdId } = (await holdOfCommand(db, commandId))!
    return created({ ...(await holdView(db, holdId))!, orderId }, `/v1/orders/${orderId}`)
  },
})

/** POST /v1/orders/{orderId}/holds */
const placeOrPreview: OrderRoute = {
  ...place,
  async run(ctx, req, res) {
    if ((ctx.query as { preview?: string }).preview !== 'true') return place.run(ctx, req, res)
    const { orderId } = ctx.params as { orderId: string }
    await visibleOrder(ctx, orderId)
    return ok(await previewHold(ctx.db, orderId, (ctx.body as z.output<typeof holdBody>).blocks))
  },
}

const release = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/holds/{holdId}/release',
  tag: 'Orders',
  summary: 'Release a hold',
  description: 'By its owner, or an admin. Where several people have to say yes, each says so here, and the last of them releases it; who asked for it is none of them. What was stopped gets as much more time.',
  roles: may.holdOrders,
  params: z.strictObject({ orderId: uuid, holdId: uuid }),
  body: z.strictObject({ reason: text(500).optional() }),
  answers: { 200: orderAnswer },
  async ask(ctx) {
    const { orderId, holdId } = ctx.params
    await visibleOrder(ctx, orderId)
    return { orderId, update: 'releaseHold', args: { holdId, ...ctx.body } }
  },
  answer: async ({ db, orderId, role }) => {
    const view = (await orderView(db, orderId, { role }))!
    return ok(view, { ETag: orderTag(view.version) })
  },
})

const list = route({
  method: 'get',
  path: '/v1/holds',
  tag: 'Orders',
  summary: 'Open holds, the oldest first',
  roles: may.holdOrders,
  query: z.strictObject({ ...paging, owner: z.enum(holdOwners).optional(), type: holdType.optional() }),
  answers: { 200: listOf(waitingHold) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const found = await holdList(ctx.db, { ...filter, after: readCursor(cursor, uuid), limit: limit + 1, channels: visibleChannels(ctx.key) })
    return ok(pageOf(found, limit, (hold) => hold.holdId))
  },
})

export const holdRoutes: readonly Route[] = [placeOrPreview, release, list]
