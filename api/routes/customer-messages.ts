/** What customers are told of their orders: what was sent, in which words, and who does not want to hear it. */
import { z } from 'zod'
import { messagesOf } from '../../db/customer-messages'
import { findChannel } from '../../db/views/network'
import { addTemplate, setOptOut, templatesOf } from '../../db/message-templates'
import { languages, messageKinds, placeholders } from '../../domain/customer-messages/kinds'
import { unknownPlaceholders } from '../../domain/customer-messages/templates'
import { refuse } from '../../domain/refusals'
import { contactHmac } from '../../relay/customer-messages'
import { visibleOrder } from '../access'
import { reachesChannel, requireChannel } from '../auth'
import { command } from '../command'
import { may } from '../permissions'
import { created, ok, route } from '../route'
import { at, channelId, text, uuid } from '../schemas/fields'

const tag = 'Customer messages'

const messageAnswer = z.object({
  messageId: z.string(),
  kind: z.enum(messageKinds),
  seq: z.int().meta({ description: 'The event of the timeline that was the occasion' }),
  language: z.string().nullable(),
  templateVersion: z.int().nullable().meta({ description: '0: the words that come with Throughline' }),
  status: z.enum(['queued', 'sending', 'sent', 'unknown', 'failed', 'suppressed']),
  reason: z.string().nullable(),
  attempts: z.int(),
  queuedAt: at,
  settledAt: at.nullable(),
})

const ofOrder = route({
  method: 'get',
  path: '/v1/orders/{orderId}/messages',
  tag,
  summary: 'What the customer was told, or not, and why',
  roles: may.readOrders,
  params: z.object({ orderId: uuid }),
  answers: { 200: z.object({ items: z.array(messageAnswer) }) },
  async run(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    return ok({ items: await messagesOf(ctx.db, ctx.params.orderId) })
  },
})

const templateAnswer = z.object({ channel: z.string(), kind: z.enum(messageKinds), language: z.enum(languages), version: z.int(), subject: z.string(), text: z.string(), createdAt: at })

const templates = route({
  method: 'get',
  path: '/v1/channels/{channelId}/message-templates',
  tag,
  summary: 'The channel’s own words, newest version first; where it has none, those of Throughline are used',
  roles: may.readNetwork,
  params: z.object({ channelId }),
  answers: { 200: z.object({ items: z.array(templateAnswer) }) },
  async run(ctx) {
    const channel = await findChannel(ctx.db, ctx.params.channelId)
    if (!channel || !reachesChannel(ctx.key, channel.channelId)) throw refuse('channel.not_found')
    return ok({ items: await templatesOf(ctx.db, channel.channelId) })
  },
})

const setTemplate = command({
  method: 'post',
  path: '/v1/channels/{channelId}/message-templates',
  tag,
  summary: 'Other words, from now on',
  description: `Plain text; {{placeholders}} are filled in, and shown as text in HTML. ${messageKinds.map((kind) => `${kind}: ${placeholders[kind].join(', ')}`).join('; ')}.`,
  roles: may.writeNetwork,
  params: z.object({ channelId }),
  body: z.strictObject({ kind: z.enum(messageKinds), language: z.enum(languages), subject: text(200), text: z.string().min(1).max(10_000) }),
  answers: { 201: templateAnswer },
  async run(ctx, tx) {
    if (!(await findChannel(ctx.db, ctx.params.channelId))) throw refuse('channel.not_found')
    const unknown = unknownPlaceholders(ctx.body.kind, ctx.body)
    if (unknown.length > 0) throw refuse('message_template.placeholders', { unknown, known: placeholders[ctx.body.kind] })
    return created(await addTemplate(tx, { ...ctx.body, channel: ctx.params.channelId, actor: ctx.actor }))
  },
})

const optOut = command({
  method: 'post',
  path: '/v1/message-opt-outs',
  tag,
  summary: 'A customer of a channel does not want to be written to, or wants to again',
  roles: may.requestReturns,
  body: z.strictObject({ channel: channelId, email: z.email().max(320), optedOut: z.boolean() }),
  answers: { 200: z.object({ channel: z.string(), optedOut: z.boolean() }) },
  prepare: async (ctx) => requireChannel(ctx.key, ctx.body.channel, '/channel'),
  async run(ctx, tx) {
    const { channel, email, optedOut } = ctx.body
    await setOptOut(tx, { channel, contactHmac: contactHmac(email, ctx.deps.config.CUSTOMER_REF_SECRET), optedOut, actor: ctx.actor })
    return ok({ channel, optedOut })
  },
})

export const customerMessageRoutes = [ofOrder, templates, setTemplate, optOut]
