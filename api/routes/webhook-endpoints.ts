/** Who is told what happens, and where: webhook endpoints by Standard Webhooks. A channel's key sees and makes endpoints of its own channels only. */
import { z } from 'zod'
import { checkDestination, ForbiddenDestination } from '../../adapters/outside/destination'
import { newSecret } from '../../adapters/webhooks/signature'
import type { Transaction } from '../../db/connection'
import { queueTest } from '../../db/webhook-deliveries'
import { addEndpoint, disableEndpoint, editEndpoint, enableEndpoint, holdEndpoint, removeEndpoint, replayFrom, rotateSecret, secretOf } from '../../db/webhook-endpoints'
import { deliveryView, endpointList, endpointView, type EndpointView } from '../../db/views/webhooks'
import { durationMs } from '../../domain/policy/duration'
import { refuse } from '../../domain/refusals'
import { reachesChannel, requireChannel, seesAllChannels, visibleChannels } from '../auth'
import { command } from '../command'
import { may } from '../permissions'
import { created, ok, route, type Answer, type Ctx } from '../route'
import { uuid } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'
import { deliveryAnswer, disableBody, endpointAnswer, endpointBody, endpointPatch, replayBody, rotateBody } from '../schemas/webhooks'

const tag = 'Webhooks'
const params = z.object({ endpointId: uuid })

const list = route({
  method: 'get',
  path: '/v1/webhook-endpoints',
  tag,
  summary: 'Webhook endpoints, oldest first',
  roles: may.readWebhooks,
  query: z.strictObject(paging),
  answers: { 200: listOf(endpointAnswer) },
  async run(ctx) {
    const { cursor, limit } = ctx.query
    const found = await endpointList(ctx.db, { reach: visibleChannels(ctx.key), after: readCursor(cursor, uuid), limit: limit + 1 })
    return ok(pageOf(found, limit, (endpoint) => endpoint.endpointId))
  },
})

/** @throws `webhook_endpoint.unknown` */
async function visible(ctx: Ctx, endpointId: string): Promise<EndpointView> {
  const found = await endpointView(ctx.db, endpointId, visibleChannels(ctx.key))
  if (!found) throw refuse('webhook_endpoint.unknown')
  return found
}

/** Locks the endpoint for a command. @throws `webhook_endpoint.unknown` */
async function hold(ctx: Ctx<{ endpointId: string }>, tx: Transaction, options?: { deletedToo: true }): ReturnType<typeof holdEndpoint> {
  const held = await holdEndpoint(tx, ctx.params.endpointId, options)
  if (!seesAllChannels(ctx.key) && !held.channels?.every((channel) => reachesChannel(ctx.key, channel))) throw refuse('webhook_endpoint.unknown')
  return held
}

const get = route({
  method: 'get',
  path: '/v1/webhook-endpoints/{endpointId}',
  tag,
  summary: 'A webhook endpoint, and how it does',
  roles: may.readWebhooks,
  params,
  answers: { 200: endpointAnswer },
  run: async (ctx) => ok(await visible(ctx, ctx.params.endpointId)),
})

/** The secret goes out with the first answer and is not kept with it. */
async function withSecret(ctx: Ctx, answer: Answer, replayed: boolean): Promise<Answer | void> {
  if (replayed) return
  const endpoint = answer.body as EndpointView
  return { ...answer, body: { ...endpoint, secret: await secretOf(ctx.db, endpoint.endpointId) } }
}

const add = command({
  method: 'post',
  path: '/v1/webhook-endpoints',
  tag,
  summary: 'Tell this address what happens from now on',
  description: 'Signed by Standard Webhooks 1.0. Only https and public addresses, unless the settings allow more; redirects are not followed. The secret is in this answer and in no later one.',
  roles: may.manageWebhooks,
  body: endpointBody,
  answers: { 201: endpointAnswer },
  prepare: async (ctx) => {
    ctx.body.channels?.forEach((channel, i) => requireChannel(ctx.key, channel, `/channels/${i}`))
    await checkDestination(ctx.body.url, ctx.deps.destinations).catch(refuseDestination)
  },
  async run(ctx, tx) {
    const { url, eventTypes = null, description = '', apiVersion } = ctx.body
    const channels = ctx.body.channels ?? visibleChannels(ctx.key)
    const endpointId = await addEndpoint(tx, { url, eventTypes, channels, description, apiVersion, secret: newSecret(), actor: ctx.actor })
    return created(await endpointView(tx, endpointId, null), `/v1/webhook-endpoints/${endpointId}`)
  },
  after: withSecret,
})

const edit = route({
  method: 'patch',
  path: '/v1/webhook-endpoints/{endpointId}',
  tag,
  summary: 'Another address, other events, other words',
  description: 'What is not named stays. The address keeps to the same rules as a new one; what waits already is sent there, under the ids it has. Other types and channels count for what is told from now on. The secret stays.',
  roles: may.manageWebhooks,
  params,
  body: endpointPatch,
  answers: { 200: endpointAnswer },
  async run(ctx) {
    const { channels, ...wanted } = ctx.body
    channels?.forEach((channel, i) => requireChannel(ctx.key, channel, `/channels/${i}`))
    await visible(ctx, ctx.params.endpointId) // before anybody is asked for a name
    if (wanted.url !== undefined) await checkDestination(wanted.url, ctx.deps.destinations).catch(refuseDestination)
    return ctx.db.transaction(async (tx) => {
      const { endpointId } = await hold(ctx, tx)
      await editEndpoint(tx, endpointId, { ...wanted, ...(channels !== undefined && { channels: channels ?? visibleChannels(ctx.key) }), actor: ctx.actor })
      return ok(await endpointView(tx, endpointId, null))
    })
  },
})

function refuseDestination(error: unknown): never {
  if (!(error instanceof ForbiddenDestination)) throw error
  throw refuse('webhook_endpoint.destination', { reason: error.message }, undefined, [{ pointer: '/url', message: error.message }])
}

const remove = route({
  method: 'delete',
  path: '/v1/webhook-endpoints/{endpointId}',
  tag,
  summary: 'Nothing more is sent there',
  description: 'Deleting what is deleted changes nothing.',
  roles: may.manageWebhooks,
  params,
  answers: { 200: z.object({ endpointId: z.string(), status: z.literal('deleted') }) },
  async run(ctx) {
    await ctx.db.transaction(async (tx) => {
      if ((await hold(ctx, tx, { deletedToo: true })).status === 'deleted') return
      await removeEndpoint(tx, ctx.params.endpointId, ctx.actor)
    })
    return ok({ endpointId: ctx.params.endpointId, status: 'deleted' })
  },
})

const rotate = command({
  method: 'post',
  path: '/v1/webhook-endpoints/{endpointId}/rotate-secret',
  tag,
  summary: 'A new secret; the old one signs beside it for a while',
  roles: may.manageWebhooks,
  params,
  body: rotateBody,
  answers: { 200: endpointAnswer },
  async run(ctx, tx) {
    const { endpointId } = await hold(ctx, tx)
    await rotateSecret(tx, endpointId, { secret: newSecret(), keepMs: durationMs(ctx.body.keepPreviousFor), actor: ctx.actor })
    return ok(await endpointView(tx, endpointId, null))
  },
  after: withSecret,
})

const enable = command({
  method: 'post',
  path: '/v1/webhook-endpoints/{endpointId}/enable',
  tag,
  summary: 'It is told again, from where it stopped',
  roles: may.manageWebhooks,
  params,
  body: z.strictObject({}),
  answers: { 200: endpointAnswer },
  async run(ctx, tx) {
    const { endpointId } = await hold(ctx, tx)
    await enableEndpoint(tx, endpointId, ctx.actor)
    return ok(await endpointView(tx, endpointId, null))
  },
})

const disable = command({
  method: 'post',
  path: '/v1/webhook-endpoints/{endpointId}/disable',
  tag,
  summary: 'Nothing is sent until it is enabled again; nothing is lost',
  roles: may.manageWebhooks,
  params,
  body: disableBody,
  answers: { 200: endpointAnswer },
  async run(ctx, tx) {
    const { endpointId } = await hold(ctx, tx)
    await disableEndpoint(tx, endpointId, { reason: ctx.body.reason, actor: ctx.actor })
    return ok(await endpointView(tx, endpointId, null))
  },
})

const replay = command({
  method: 'post',
  path: '/v1/webhook-endpoints/{endpointId}/replay',
  tag,
  summary: 'Everything from a time on is sent again, in order and under the ids it had',
  roles: may.manageWebhooks,
  params,
  body: replayBody,
  answers: { 200: endpointAnswer },
  async run(ctx, tx) {
    const { endpointId } = await hold(ctx, tx)
    await replayFrom(tx, endpointId, { from: ctx.body.from, actor: ctx.actor })
    return ok(await endpointView(tx, endpointId, null))
  },
})

const test = command({
  method: 'post',
  path: '/v1/webhook-endpoints/{endpointId}/test',
  tag,
  summary: 'Sends `webhook.test`, to see whether it arrives',
  roles: may.manageWebhooks,
  params,
  body: z.strictObject({}),
  answers: { 201: deliveryAnswer },
  async run(ctx, tx) {
    const { endpointId, status } = await hold(ctx, tx)
    if (status !== 'enabled') throw refuse('webhook_endpoint.disabled')
    const { apiVersion } = await visible(ctx, endpointId)
    const deliveryId = await queueTest(tx, { endpointId, apiVersion })
    return created(await deliveryView(tx, deliveryId, null), `/v1/webhook-deliveries/${deliveryId}`)
  },
})

export const webhookEndpointRoutes = [list, get, add, edit, rotate, enable, disable, replay, test, remove]
