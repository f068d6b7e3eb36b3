/** Shopify's own webhooks: its bodies, its signature, its delivery id. Every message is answered 200 once it is kept, whatever becomes of it. */
import { z } from 'zod'
import { sourceOf } from '../../adapters/channels/adapter'
import { readJson, readLongNumbers } from '../../adapters/channels/reading'
import { shopify } from '../../adapters/channels/shopify/mapping'
import { isSignedByShopify } from '../../adapters/channels/shopify/signature'
import { shopifySecret, type ChannelAnswer } from '../../db/channel-messages'
import { refuse } from '../../domain/refusals'
import { refuseField } from '../problem'
import { ok, route } from '../route'
import { cancelled, created, refunded, updated, type Delivery, type Place } from '../shopify-topics'

const topics: Record<string, (place: Place, delivery: Delivery) => Promise<ChannelAnswer>> = {
  'orders/create': created,
  'orders/updated': updated,
  'orders/cancelled': cancelled,
  'refunds/create': refunded,
}

/** POST /v1/channels/{channelId}/shopify/webhooks */
export const shopifyWebhook = route({
  method: 'post',
  path: '/v1/channels/{channelId}/shopify/webhooks',
  tag: 'Channels',
  summary: 'Shopify reports an order (signature in X-Shopify-Hmac-Sha256)',
  description: `Topics ${Object.keys(topics).map((topic) => `\`${topic}\``).join(', ')}; others are answered and ignored. What cannot be read, or cannot become an order, is kept in quarantine with every reason.`,
  roles: 'public',
  raw: true,
  params: z.object({ channelId: z.string() }),
  answers: { 200: z.object({ orderId: z.string().optional(), quarantineId: z.string().optional() }) },
  async run(ctx) {
    const channel = ctx.params.channelId
    const secret = await shopifySecret(ctx.db, channel)
    if (secret === undefined) throw refuse('channel.not_found')
    if (!isSignedByShopify(ctx.rawBody, ctx.header('x-shopify-hmac-sha256'), secret)) throw refuse('signature.invalid')
    const topic = ctx.header('x-shopify-topic') ?? ''
    const take = topics[topic]
    if (!take) return ok({})
    const eventId = ctx.header('x-shopify-webhook-id')
    if (!eventId || eventId.length > 200) throw refuseField('/headers/X-Shopify-Webhook-Id', 'Is needed: a repeat is recognised by it')
    return ok(await take(ctx, { channel, source: sourceOf(shopify, channel), eventId, body: topic === 'refunds/create' ? readLongNumbers(ctx.rawBody) : readJson(ctx.rawBody) }))
  },
})
