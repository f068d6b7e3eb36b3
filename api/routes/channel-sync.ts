/** Whether a channel and we are in step, and bringing us there. */
import { z } from 'zod'
import { ChannelFault, ChannelRefusal } from '../../adapters/channels/channel-api'
import { channelHealth, listedChannel } from '../../db/channel-sync'
import { refuse } from '../../domain/refusals'
import { catchUp } from '../catch-up'
import { may } from '../permissions'
import { ok, route } from '../route'
import { at } from '../schemas/fields'

const params = z.object({ channelId: z.string() })
const tag = 'Channels'

const health = route({
  method: 'get',
  path: '/v1/channels/{channelId}/health',
  tag,
  summary: 'When a channel was last heard, what is missing of its numbers, what waits in quarantine',
  roles: may.readQuarantine,
  params,
  answers: {
    200: z.object({
      channelId: z.string(),
      lastSeenAt: at.nullable(),
      listedUntil: at.nullable(),
      sequence: z.object({ last: z.int().nullable(), missing: z.array(z.int()).meta({ description: 'Of the last thousand, the first hundred' }) }),
      quarantine: z.object({ open: z.int(), oldestAt: at.nullable() }),
    }),
  },
  async run(ctx) {
    const found = await channelHealth(ctx.db, ctx.params.channelId)
    if (!found) throw refuse('channel.not_found')
    return ok(found)
  },
})

const list = route({
  method: 'post',
  path: '/v1/channels/{channelId}/catch-up',
  tag,
  summary: 'List what the channel has, and take what never came',
  description: 'Done by itself every few minutes, and at once when a number is missing. Harmless to repeat: whatever came before is not taken again.',
  roles: may.workQuarantine,
  params,
  answers: { 200: z.object({ listed: z.int(), taken: z.int(), changed: z.int(), quarantined: z.int() }) },
  async run(ctx) {
    const channel = await listedChannel(ctx.db, ctx.params.channelId)
    if (!channel) throw refuse('channel.not_listed')
    try {
      return ok(await catchUp(ctx, channel))
    } catch (cause) {
      if (!(cause instanceof ChannelFault) && !(cause instanceof ChannelRefusal)) throw cause
      throw refuse('channel.not_answering', { reason: cause.message })
    }
  },
})

export const channelSyncRoutes = [health, list]
