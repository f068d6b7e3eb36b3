/** API keys as they are asked for and shown. */
import { z } from 'zod'
import { roles } from '../permissions'
import { at, channelId, driverId, instant, nodeId, text } from './fields'

const named = <Id extends z.ZodType>(id: Id): z.ZodDefault<z.ZodArray<Id>> => z.array(id).max(1_000).default([])

export const apiKeyBody = z
  .strictObject({
    name: text(100).meta({ description: 'Who or what calls with it; stands in every audit row' }),
    role: z.enum(roles),
    channels: named(channelId).meta({ description: 'Which it reaches: of a channel’s key at least one, of a store’s those of its till' }),
    nodes: named(nodeId).meta({ description: 'Of a store’s key: at least one' }),
    driverId: driverId.optional().meta({ description: 'Of a courier’s key' }),
    expiresAt: instant.optional(),
    rateLimit: z.int().min(0).max(10_000_000).optional().meta({ description: 'Requests in ten seconds; absent: as the role, 0: no limit' }),
  })
  .refine((k) => k.role !== 'channel' || k.channels.length > 0, { path: ['channels'], message: 'Name the channels it reaches' })
  .refine((k) => k.role !== 'store' || k.nodes.length > 0, { path: ['nodes'], message: 'Name the nodes it reaches' })
  .refine((k) => (k.role === 'courier') === (k.driverId !== undefined), { path: ['driverId'], message: 'Name the driver of a courier, and of nobody else' })
  .refine((k) => k.role === 'channel' || k.role === 'store' || k.channels.length === 0, { path: ['channels'], message: 'This role reaches all channels' })
  .refine((k) => k.role === 'store' || k.nodes.length === 0, { path: ['nodes'], message: 'Only a store’s key names nodes' })
  .meta({ id: 'NewApiKey' })

const shown = {
  apiKeyId: z.string(), name: z.string(), role: z.enum(roles), channels: z.array(z.string()), nodes: z.array(z.string()), driverId: z.string().nullable(), demo: z.boolean(),
  prefix: z.string().nullable().meta({ description: 'Its first characters, to know it by' }),
  rateLimit: z.int().nullable(), createdBy: z.string(), createdAt: at, expiresAt: at.nullable(),
  lastUsedAt: at.nullable().meta({ description: 'To the minute' }), revokedAt: at.nullable(), revokedBy: z.string().nullable(),
}
export const apiKeyAnswer = z.object(shown).meta({ id: 'ApiKey' })
export const madeApiKeyAnswer = z
  .object({ ...shown, apiKey: z.string().nullable().meta({ description: 'The key itself: in the first answer and nowhere else. A repeat has null; revoke what nobody has seen, and make another' }) })
  .meta({ id: 'MadeApiKey' })
