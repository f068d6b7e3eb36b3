/** Shopify's own webhooks: its bodies, its signature, its delivery id. Every message is answered 200 once it is kept, whatever becomes of it. */
import { z } from 'zod'
import { digitsOf, shopifyCancellation } from '../../adapters/channels/shopify/schema'
import { isSignedByShopify } from '../../adapters/channels/shopify/signature'
import { firstChannelAnswer, keepChannelAnswer, shopifySecret, type ChannelAnswer } from '../../db/channel-messages'
import { receiveFact } from '../../db/inbox'
import { findByNumber } from '../../db/place-order'
import { quarantine } from '../../db/quarantine'
import { refuse, type RefusalDetail } from '../../domain/refusals'
import { isDeeper } from '../body'
import { refuseField } from '../problem'
import { ok, route, type Ctx } from '../route'
import { shopifySource, takeShopifyOrder } from '../shopify-orders'

interface Delivery {
  channel: string
  source: string
  eventId: string
  body: unknown
}

/** POST /v1/channels/{channelId}/shopify/webhooks */
export const shopifyWebhook = route({
  method: 'post',
  path: '/v1/channels/{channelId}/shopify/webhooks',
  tag: 'Channels',
  summary: 'Shopify reports an order (signature in X-Shopify-Hmac-Sha256)',
  description: 'Topics `orders/create` and `orders/cancelled`; others are answered and ignored. What cannot become an order is kept in quarantine with every reason.',
  roles: 'public',
  raw: true,
  params: z.object({ channelId: z.string() }),
  answers: { 200: z.object({ orderId: z.string().optional(), quarantineId: z.string().optional() }) },
  async run(ctx) {
    const channel = ctx.params.channelId
    const secret = await shopifySecret(ctx.db, channel)
    if (secret === undefined) throw refuse('channel.not_found')
    if (!isSignedByShopify(ctx.rawBody, ctx.header('x-shopify-hmac-sha256'), secret)) throw refuse('signature.invalid')
    const topic = ctx.header('x-shopify-topic')
    if (topic !== 'orders/create' && topic !== 'orders/cancelled') return ok({})
    const eventId = ctx.header('x-shopify-webhook-id')
    if (!eventId || eventId.length > 200) throw refuseField('/headers/X-Shopify-Webhook-Id', 'Is needed: a repeat is recognised by it')
    const delivery = { channel, source: shopifySource(channel), eventId, body: readJson(ctx.rawBody) }
    return ok(topic === 'orders/create' ? await created(ctx, delivery) : await cancelled(ctx, delivery))
  },
})

/** The inbox row, the order or the quarantined body, and the answer are one transaction; ten repeats at once wait for the first. */
async function created(ctx: Ctx, { channel, source, eventId, body }: Delivery): Promise<ChannelAnswer> {
  const answer = await ctx.db.transaction(async (tx) => {
    const fresh = await receiveFact(tx, { source, eventId, kind: 'shopify.orders/create', subject: eventId, payload: {} })
    if (!fresh) return firstChannelAnswer(tx, source, eventId)
    const { orderId, reasons } = await takeShopifyOrder(tx, ctx.deps, { channel, eventId, body })
    const outcome: ChannelAnswer = reasons ? { quarantineId: await quarantine(tx, { channel, source, eventId, body, reasons }) } : { orderId }
    await keepChannelAnswer(tx, source, eventId, outcome)
    return outcome
  })
  if (answer.orderId) ctx.deps.wake()
  return answer
}

/** The wish to cancel is kept first and asked of the order after; one that comes before its order waits for it. */
async function cancelled(ctx: Ctx, { channel, source, eventId, body }: Delivery): Promise<ChannelAnswer> {
  const read = shopifyCancellation.safeParse(body)
  if (!read.success) {
    const reasons = read.error.issues.map((i): RefusalDetail => ({ code: 'request.invalid', pointer: i.path.map((p) => `/${String(p)}`).join(''), message: i.message }))
    return ctx.db.transaction(async (tx) => {
      if (!(await receiveFact(tx, { source, eventId, kind: 'shopify.orders/cancelled', subject: eventId, payload: {} }))) return firstChannelAnswer(tx, source, eventId)
      const outcome = { quarantineId: await quarantine(tx, { channel, source, eventId, body, reasons }) }
      await keepChannelAnswer(tx, source, eventId, outcome)
      return outcome
    })
  }
  const channelOrderId = digitsOf(read.data.admin_graphql_api_id)
  const found = await ctx.db.transaction(async (tx) => {
    await receiveFact(tx, { source, eventId, kind: 'shopify.orders/cancelled', subject: channelOrderId, payload: { channel, reason: read.data.cancel_reason } })
    return findByNumber(tx, channel, channelOrderId)
  })
  ctx.deps.wake()
  return found ?? {}
}

/** A body that is not JSON, or nested deeper than any order and than PostgreSQL follows, is kept as the text it is. */
function readJson(rawBody: Buffer): unknown {
  const text = rawBody.toString('utf8')
  try {
    const body = JSON.parse(text) as unknown
    return isDeeper(body) ? text : body
  } catch {
    return text
  }
}
