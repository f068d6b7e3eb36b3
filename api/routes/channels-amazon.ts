/** Orders from Amazon: documents of its Selling Partner API, as whoever fetches them there hands them on. Each is answered once it is kept, whatever becomes of it. */
import { z } from 'zod'
import { sourceOf } from '../../adapters/channels/adapter'
import { amazon, cancelledAtAmazon } from '../../adapters/channels/amazon/mapping'
import { readJson } from '../../adapters/channels/reading'
import type { Transaction } from '../../db/connection'
import type { ChannelAnswer } from '../../db/channel-messages'
import { receiveFact } from '../../db/inbox'
import { findByNumber } from '../../db/place-order'
import { findChannel } from '../../db/views/network'
import { refuse } from '../../domain/refusals'
import { reachesChannel } from '../auth'
import { bodyLimitBytes, readBody } from '../body'
import { takeOrKeep } from '../channel-orders'
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
    const source = sourceOf(amazon, channel)
    const cancelled = cancelledAtAmazon(ctx.body)
    if (cancelled !== undefined) return ok(await keepCancellation(tx, { channel, source, channelOrderId: cancelled }))
    const eventId = identify({ method: 'post', path }, ctx).commandId
    await receiveFact(tx, { source, eventId, kind: 'amazon.order', subject: eventId, payload: {} })
    return ok(await takeOrKeep(tx, ctx.deps, amazon, { channel, eventId, body: ctx.body }))
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

/** Kept first and asked of the order after; one that comes before its order waits for it. However often the document comes, it is one wish. */
async function keepCancellation(tx: Transaction, { channel, source, channelOrderId }: { channel: string; source: string; channelOrderId: string }): Promise<ChannelAnswer> {
  await receiveFact(tx, { source, eventId: `cancelled:${channelOrderId}`, kind: 'amazon.cancelled', subject: channelOrderId, payload: { channel, reason: 'cancelled at Amazon' } })
  return (await findByNumber(tx, channel, channelOrderId)) ?? {}
}
