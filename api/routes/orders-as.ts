/** Orders as agents read them, who bought for somebody: in the words of the protocol that they speak. */
import { z } from 'zod'
import { acpOrder } from '../../adapters/agents/acp'
import type { AgentFacts } from '../../adapters/agents/facts'
import { ucpOrder } from '../../adapters/agents/ucp'
import { timeline } from '../../db/views/events'
import { findChannel } from '../../db/views/network'
import { orderTag, orderView } from '../../db/views/orders'
import { refuse } from '../../domain/refusals'
import { reachesChannel } from '../auth'
import { may } from '../permissions'
import { ok, route } from '../route'
import { uuid } from '../schemas/fields'

const protocols: Record<'acp' | 'ucp', (facts: AgentFacts) => Record<string, unknown>> = { acp: acpOrder, ucp: ucpOrder }

/** A timeline is read to its end; no order in practice has more. */
const mostEvents = 2_000

/** GET /v1/orders/{orderId}/as/{protocol} */
export const orderAs = route({
  method: 'get',
  path: '/v1/orders/{orderId}/as/{protocol}',
  tag: 'Orders',
  summary: 'The order as an agent reads it',
  description:
    '`acp`: an `Order` of the Agentic Commerce Protocol (2026-04-17). `ucp`: the order capability of the Universal Commerce Protocol (2026-01-23). ' +
    'Amounts are minor units. The channel must say where its customers find their orders (`orderPageUrl`); the channel’s order number is the checkout session.',
  roles: may.readOrders,
  params: z.strictObject({ orderId: uuid, protocol: z.enum(['acp', 'ucp']) }),
  answers: { 200: z.record(z.string(), z.unknown()) },
  async run(ctx) {
    const { orderId, protocol } = ctx.params
    const order = await orderView(ctx.db, orderId, { role: ctx.key.role })
    if (!order || !reachesChannel(ctx.key, order.channel)) throw refuse('order.unknown')
    const page = (await findChannel(ctx.db, order.channel))?.orderPageUrl
    if (!page) throw refuse('channel.no_order_page', { channel: order.channel })
    const permalink = page.replace(/\{channelOrderId\}|%7BchannelOrderId%7D/gi, encodeURIComponent(order.channelOrderId))
    const events = await timeline(ctx.db, orderId, 0, mostEvents)
    return ok(protocols[protocol]({ order, events, permalink }), { ETag: orderTag(order.version) })
  },
})
