/** What waits on a person: exceptions, and messages in quarantine. */
import { z } from 'zod'
import { at } from './fields'

export const exceptionAnswer = z
  .object({
    exceptionId: z.string(),
    orderId: z.string().nullable(),
    channel: z.string().nullable(),
    channelOrderId: z.string().nullable(),
    kind: z.string(),
    subject: z.string(),
    owner: z.string(),
    assignee: z.string().nullable(),
    summary: z.string(),
    data: z.record(z.string(), z.unknown()),
    deadline: at.nullable(),
    openedAt: at,
    ageSeconds: z.int(),
    status: z.enum(['open', 'resolved']),
    resolvedAt: at.nullable(),
    resolution: z.string().nullable(),
    resolvedBy: z.string().nullable(),
  })
  .meta({ id: 'Exception' })

export const quarantineAnswer = z
  .object({
    quarantineId: z.string(),
    channel: z.string(),
    source: z.string(),
    eventId: z.string(),
    body: z.unknown().meta({ override: { description: 'The message as it came' } }),
    reasons: z.unknown().meta({ override: { description: 'Every reason it could not become an order' } }),
    status: z.enum(['open', 'ordered', 'taken', 'dismissed']).meta({ description: '`taken`: it was about an order, and has been asked of it' }),
    orderId: z.string().nullable(),
    topic: z.string().meta({ description: '`order`, or what it would have changed of one' }),
    channelOrderId: z.string().nullable(),
    assignee: z.string().nullable(),
    resolution: z.string().nullable(),
    ageSeconds: z.int(),
    receivedAt: at,
    retriedAt: at.nullable(),
  })
  .meta({ id: 'QuarantinedMessage' })
