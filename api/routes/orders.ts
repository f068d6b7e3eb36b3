/** Reading orders: the single view, the list with its search box, the timeline, and why a node was chosen. */
import { z } from 'zod'
import { timeline } from '../../db/views/events'
import { orderList } from '../../db/views/order-list'
import { orderTag, orderView, sourcingDecisions } from '../../db/views/orders'
import { orderStatuses } from '../../domain/order/status'
import { refuse } from '../../domain/refusals'
import { visibleOrder } from '../access'
import { reachesChannel, visibleChannels } from '../auth'
import { may } from '../permissions'
import { ok, route } from '../route'
import { channelId, instant, nodeId, text, uuid } from '../schemas/fields'
import { orderAnswer, orderSummary, timelineEvent } from '../schemas/order-view'
import { sourcingEntry } from '../schemas/sourcing'
import { flag, listOf, pageOf, paging, readCursor } from '../schemas/paging'

const params = z.object({ orderId: uuid })

const getOrder = route({
  method: 'get',
  path: '/v1/orders/{orderId}',
  tag: 'Orders',
  summary: 'The single view of an order',
  description: 'Carries an ETag; commands on the order accept it as If-Match.',
  roles: may.readOrders,
  params,
  answers: { 200: orderAnswer },
  async run(ctx) {
    const order = await orderView(ctx.db, ctx.params.orderId, { role: ctx.key.role })
    if (!order || !reachesChannel(ctx.key, order.channel)) throw refuse('order.unknown')
    return ok(order, { ETag: orderTag(order.version) })
  },
})

const listOrders = route({
  method: 'get',
  path: '/v1/orders',
  tag: 'Orders',
  summary: 'Orders, newest first',
  description: '`q` finds order number, name, e-mail, phone and tracking number; every word must be found.',
  roles: may.readOrders,
  query: z.strictObject({
    ...paging,
    q: text(200).optional(),
    status: z.enum(orderStatuses).optional(),
    channel: channelId.optional(),
    nodeId: nodeId.optional(),
    placedFrom: instant.optional(),
    placedTo: instant.optional(),
    hasException: flag.optional(),
  }),
  answers: { 200: listOf(orderSummary) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const after = readCursor(cursor, uuid)
    const found = await orderList(ctx.db, { ...filter, after, limit: limit + 1, channels: visibleChannels(ctx.key) })
    return ok(pageOf(found, limit, (order) => order.orderId))
  },
})

const getTimeline = route({
  method: 'get',
  path: '/v1/orders/{orderId}/timeline',
  tag: 'Orders',
  summary: 'Everything that happened to an order, in order',
  roles: may.readOrders,
  params,
  query: z.strictObject({ ...paging, limit: paging.limit.default(200) }),
  answers: { 200: listOf(timelineEvent) },
  async run(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    const { cursor, limit } = ctx.query
    const found = await timeline(ctx.db, ctx.params.orderId, readCursor(cursor, z.int()) ?? 0, limit + 1)
    return ok(pageOf(found, limit, (event) => event.seq))
  },
})

const getSourcing = route({
  method: 'get',
  path: '/v1/orders/{orderId}/sourcing',
  tag: 'Orders',
  summary: 'Every sourcing decision: the node chosen, and why every other one lost',
  roles: may.readOrders,
  params,
  answers: { 200: z.object({ items: z.array(sourcingEntry) }) },
  async run(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    return ok({ items: await sourcingDecisions(ctx.db, ctx.params.orderId) })
  },
})

export const orderReads = [listOrders, getOrder, getTimeline, getSourcing]
