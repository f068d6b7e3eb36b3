/** The log of what was sent to webhook endpoints, with every attempt; and one of it sent again by hand. */
import { z } from 'zod'
import { writeAudit } from '../../db/audit'
import { redeliver } from '../../db/webhook-deliveries'
import { deliveryList, deliveryView, type DeliveryView } from '../../db/views/webhooks'
import { refuse } from '../../domain/refusals'
import { visibleChannels } from '../auth'
import { command } from '../command'
import { may } from '../permissions'
import { ok, route, type Ctx } from '../route'
import { text, uuid } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'
import { deliveryAnswer } from '../schemas/webhooks'

const tag = 'Webhooks'
const params = z.object({ deliveryId: uuid })

const list = route({
  method: 'get',
  path: '/v1/webhook-deliveries',
  tag,
  summary: 'What was sent, newest first',
  roles: may.readWebhooks,
  query: z.strictObject({ ...paging, endpointId: uuid.optional(), status: z.enum(['pending', 'delivered', 'dead']).optional(), orderId: uuid.optional(), type: text(100).optional() }),
  answers: { 200: listOf(deliveryAnswer) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const found = await deliveryList(ctx.db, { ...filter, reach: visibleChannels(ctx.key), before: readCursor(cursor, uuid), limit: limit + 1 })
    return ok(pageOf(found, limit, (delivery) => delivery.deliveryId))
  },
})

/** @throws `webhook_delivery.unknown` */
async function visible(ctx: Ctx<{ deliveryId: string }>): Promise<DeliveryView> {
  const found = await deliveryView(ctx.db, ctx.params.deliveryId, visibleChannels(ctx.key))
  if (!found) throw refuse('webhook_delivery.unknown')
  return found
}

const get = route({
  method: 'get',
  path: '/v1/webhook-deliveries/{deliveryId}',
  tag,
  summary: 'One delivery, with every attempt',
  roles: may.readWebhooks,
  params,
  answers: { 200: deliveryAnswer },
  run: async (ctx) => ok(await visible(ctx)),
})

const again = command({
  method: 'post',
  path: '/v1/webhook-deliveries/{deliveryId}/redeliver',
  tag,
  summary: 'Send it again now, whatever became of it; its id stays',
  roles: may.manageWebhooks,
  params,
  body: z.strictObject({}),
  answers: { 200: deliveryAnswer },
  async run(ctx, tx) {
    const { deliveryId } = await visible(ctx)
    await redeliver(tx, deliveryId)
    await writeAudit(tx, { actor: ctx.actor, action: 'webhook_delivery.redeliver', subject: deliveryId, cause: 'asked for' })
    return ok(await visible(ctx))
  },
})

export const webhookDeliveryRoutes = [list, get, again]
