/** The channel's own words about an order, for whoever has to explain to a customer or to the channel what became of them. */
import { z } from 'zod'
import { documentsOf } from '../../db/channel-messages'
import { visibleOrder } from '../access'
import { may } from '../permissions'
import { ok, route } from '../route'
import { at, uuid } from '../schemas/fields'

/** GET /v1/orders/{orderId}/source */
export const orderSource = route({
  method: 'get',
  path: '/v1/orders/{orderId}/source',
  tag: 'Orders',
  summary: 'The messages an order came from, as the channel wrote them',
  description: 'First to last; empty for an order that was submitted as one of ours. They are gone when the customer’s data is erased.',
  roles: may.readQuarantine,
  params: z.strictObject({ orderId: uuid }),
  answers: { 200: z.object({ items: z.array(z.object({ source: z.string(), eventId: z.string(), topic: z.string(), receivedAt: at, body: z.unknown() })) }) },
  async run(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    return ok({ items: await documentsOf(ctx.db, ctx.params.orderId) })
  },
})
