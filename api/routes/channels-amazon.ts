/** Orders from Amazon: documents of its Selling Partner API, as whoever fetches them there hands them on. Each is answered once it is kept, whatever becomes of it. */
import { z } from 'zod'
import { cancelledAtAmazon } from '../../adapters/channels/amazon/mapping'
import { readJson } from '../../adapters/channels/reading'
import { findChannel } from '../../db/views/network'
import { refuse } from '../../domain/refusals'
import { reachesChannel } from '../auth'
import { bodyLimitBytes, readBody } from '../body'
import { cancelledByAmazon, createdAtAmazon } from '../amazon-orders'
import { command, identify } from '../command'
import { may } from '../permissions'
import { ok, type Ctx, type Route } from '../route'

const path = '/v1/channels/{channelId}/amazon/orders'

const take = command({
  method: 'post',
  path,
  tag: 'Channels',
  summary: 'An order document of Amazon’s Selling Partner API',
  description:
    'The document of `getOrder` (Orders, version 2026-01-01), asked for with its recipient. What cannot become an order is kept in quarantine with every reason; ' +
    'one that is cancelled cancels the order here. The same order again is answered with the first.',
  roles: may.placeOrders,
  params: z.object({ channelId: z.string() }),
  reads: 'kept',
  body: z.unknown(),
  bodyShown: z.object({ order: z.looseObject({ orderId: z.string() }) }),
  answers: { 200: z.object({ orderId: z.string().optional(), quarantineId: z.string().optional() }) },
  async prepare(ctx) {
    const { channelId: channel } = ctx.params
    if (!reachesChannel(ctx.key, channel) || !(await findChannel(ctx.db, channel))) throw refuse('channel.not_found')
  },
  async run(ctx, tx) {
    const { channelId: channel } = ctx.params
    const cancelled = cancelledAtAmazon(ctx.body)
    if (cancelled !== undefined) return ok(await cancelledByAmazon({ db: tx, deps: ctx.deps }, { channel, channelOrderId: cancelled }))
    return ok(await createdAtAmazon({ db: tx, deps: ctx.deps }, { channel, eventId: identify({ method: 'post', path }, ctx).commandId, body: ctx.body }))
  },
  after: (ctx) => Promise.resolve(ctx.deps.wake()),
})

/** POST /v1/channels/{channelId}/amazon/orders */
export const amazonOrders: Route = {
  ...take,
  async run(ctx: Ctx, req, res) {
    ctx.body = readJson(await readBody(req, bodyLimitBytes))
    return take.run(ctx, req, res)
  },
}
