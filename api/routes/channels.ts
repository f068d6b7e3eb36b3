/** Where orders come from. A channel's secrets are written here and never read back. */
import { z } from 'zod'
import { checkDestination, ForbiddenDestination } from '../../adapters/outside/destination'
import { putChannel } from '../../db/network'
import { findChannel } from '../../db/views/network'
import { refuse } from '../../domain/refusals'
import { reachesChannel } from '../auth'
import { may } from '../permissions'
import { refuseField } from '../problem'
import { ok, route } from '../route'
import { channelId } from '../schemas/fields'
import { channelAnswer, channelBody } from '../schemas/network'

const path = '/v1/channels/{channelId}'
const tag = 'Network'

const getChannel = route({
  method: 'get',
  path,
  tag,
  summary: 'One channel, without its secrets',
  roles: may.readNetwork,
  params: z.object({ channelId: z.string() }),
  answers: { 200: channelAnswer },
  async run(ctx) {
    const channel = await findChannel(ctx.db, ctx.params.channelId)
    if (!channel || !reachesChannel(ctx.key, channel.channelId)) throw refuse('channel.not_found')
    return ok(channel)
  },
})

const setChannel = route({
  method: 'put',
  path,
  tag,
  summary: 'Sets up a channel',
  description: 'Its own api may be at https and public addresses only, unless the settings allow more; it is looked at again with each call.',
  roles: may.writeNetwork,
  params: z.object({ channelId }),
  body: channelBody,
  answers: { 200: channelAnswer, 201: channelAnswer },
  async run(ctx) {
    const { channelId: id } = ctx.params
    if (ctx.body.channelId !== undefined && ctx.body.channelId !== id) throw refuseField('/channelId', 'Must be the id in the path')
    const { api } = ctx.body
    if (api) await checkDestination(api.url, ctx.deps.destinations).catch(refuseAddress('/api/url'))
    if (api?.kind === 'amazon') await checkDestination(api.tokenUrl, ctx.deps.destinations).catch(refuseAddress('/api/tokenUrl'))
    const fresh = await putChannel(ctx.db, { ...ctx.body, channelId: id }, ctx.actor)
    return { ...ok(await findChannel(ctx.db, id)), status: fresh ? 201 : 200 }
  },
})

const refuseAddress = (pointer: string) => (error: unknown): never => {
  if (!(error instanceof ForbiddenDestination)) throw error
  throw refuseField(pointer, error.message)
}

export const channelRoutes = [getChannel, setChannel]
