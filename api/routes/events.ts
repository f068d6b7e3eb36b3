/** The timeline as it happens: server-sent events of one order, or of all that a key may see, resumable where a caller left off. */
import type { Response } from 'express'
import { z } from 'zod'
import { beginning, positionOf, type FeedFilter, type Position } from '../../db/views/events'
import { visibleOrder } from '../access'
import { visibleChannels } from '../auth'
import { may } from '../permissions'
import { refuseField } from '../problem'
import { stream, type Ctx } from '../route'
import { uuid } from '../schemas/fields'

const headers = z.object({ 'Last-Event-ID': z.string().optional().meta({ description: 'The id of the last event seen; what came after it is sent first' }) })
const answers = { 200: z.string().meta({ description: '`id` is the seq of the event, `data` the event as in the timeline, with orderId and channel' }) }

const orderEvents = stream({
  method: 'get',
  path: '/v1/orders/{orderId}/events',
  tag: 'Orders',
  summary: 'The timeline of an order, from its beginning or from Last-Event-ID, and on as it happens',
  roles: may.readOrders,
  params: z.object({ orderId: uuid }),
  headers,
  answers,
  async open(ctx, _req, res) {
    const { orderId } = ctx.params
    await visibleOrder(ctx, orderId)
    await tell(ctx, res, { orderId, channels: visibleChannels(ctx.key) }, (await lastSeen(ctx)) ?? beginning)
  },
})

const allEvents = stream({
  method: 'get',
  path: '/v1/events',
  tag: 'Orders',
  summary: 'What happens to all orders the key may see, from now or from Last-Event-ID (0: from the beginning)',
  roles: may.readOrders,
  headers,
  answers,
  async open(ctx, _req, res) {
    await tell(ctx, res, { channels: visibleChannels(ctx.key) }, await lastSeen(ctx))
  },
})

async function lastSeen(ctx: Ctx): Promise<Position | undefined> {
  const given = ctx.header('last-event-id')
  if (given === undefined || given === '') return undefined
  if (!/^\d{1,15}$/.test(given)) throw refuseField('/headers/Last-Event-ID', 'Must be the id of an event')
  return positionOf(ctx.db, Number(given))
}

function tell(ctx: Ctx, res: Response, filter: FeedFilter, after: Position | undefined): Promise<void> {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
  res.write('retry: 1000\n\n')
  return ctx.deps.feed.follow(res, filter, after)
}

export const eventStreams = [orderEvents, allEvents]
