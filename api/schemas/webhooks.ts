/** Webhook endpoints and the log of what was sent to them. */
import { z } from 'zod'
import { eventTypes, type EventType } from '../../domain/events'
import { payloadVersions } from '../../domain/webhooks/message'
import { at, channelId, duration, instant, text } from './fields'

const eventType = z.enum(Object.keys(eventTypes) as [EventType, ...EventType[]])

export const endpointBody = z
  .strictObject({
    url: z.string().max(2_000).meta({ examples: ['https://shop.example.com/hooks/orders'] }),
    eventTypes: z.array(eventType).min(1).optional().meta({ description: 'Absent: all, also those that come with later versions' }),
    channels: z.array(channelId).min(1).optional().meta({ description: 'Absent: all that the key may see' }),
    description: text(200).optional(),
    apiVersion: z.enum(payloadVersions).default('1').meta({ description: 'The shape of the payloads' }),
  })
  .meta({ id: 'NewWebhookEndpoint' })

export const endpointPatch = z
  .strictObject({
    url: z.string().max(2_000).optional(),
    eventTypes: z.array(eventType).min(1).nullable().optional().meta({ description: 'null: all, also those that come with later versions' }),
    channels: z.array(channelId).min(1).nullable().optional().meta({ description: 'null: all that the key may see' }),
    description: text(200).optional(),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), 'Must name at least one thing')
  .meta({ id: 'WebhookEndpointPatch' })

export const endpointAnswer = z
  .object({
    endpointId: z.string(),
    url: z.string(),
    eventTypes: z.array(z.string()).nullable(),
    channels: z.array(z.string()).nullable(),
    description: z.string(),
    apiVersion: z.string(),
    status: z.enum(['enabled', 'disabled']),
    disabledReason: z.string().nullable(),
    fencedUntil: at.nullable().meta({ override: { description: 'It took nothing and is left alone until then' } }),
    previousSecretUntil: at.nullable(),
    lastSuccessAt: at.nullable(),
    pending: z.int(),
    createdAt: at,
    secret: z.string().optional().meta({ description: 'Shown in the first answer to the command that made it, and never again' }),
  })
  .meta({ id: 'WebhookEndpoint' })

export const deliveryAnswer = z
  .object({
    deliveryId: z.string(),
    endpointId: z.string(),
    webhookId: z.string().meta({ description: 'The `webhook-id` header of every attempt' }),
    type: z.string(),
    orderId: z.string().nullable(),
    seq: z.int().nullable(),
    status: z.enum(['pending', 'delivered', 'dead']),
    reason: z.string().nullable(),
    queuedAt: at,
    nextAttemptAt: at.nullable(),
    settledAt: at.nullable(),
    attempts: z.array(z.object({ at, status: z.int().nullable(), durationMs: z.int(), error: z.string().nullable(), answer: z.string().nullable() })),
  })
  .meta({ id: 'WebhookDelivery' })

export const rotateBody = z.strictObject({ keepPreviousFor: duration.default('P1D').meta({ description: 'How long the old secret signs beside the new one' }) })
export const replayBody = z.strictObject({ from: instant })
export const disableBody = z.strictObject({ reason: text(200) })
