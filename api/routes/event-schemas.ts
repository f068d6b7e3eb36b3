/** The JSON Schema of every event, for whoever listens to webhooks and wants to check or generate types. */
import { z } from 'zod'
import { eventTypes, type EventType } from '../../domain/events'
import { payloadVersions, testEventType } from '../../domain/webhooks/message'
import { may } from '../permissions'
import { ok, route } from '../route'
import { newestVersion, webhookSchema } from '../schemas/events'

const types: (EventType | typeof testEventType)[] = [...(Object.keys(eventTypes) as EventType[]), testEventType]

const schemaOfEvent = route({
  method: 'get',
  path: '/v1/event-schemas/{type}',
  tag: 'Webhooks',
  summary: 'The JSON Schema (draft 2020-12) of what a webhook of this type carries',
  roles: may.any,
  params: z.object({ type: z.enum(types) }),
  query: z.strictObject({ apiVersion: z.enum(payloadVersions).default(newestVersion) }),
  answers: { 200: z.looseObject({}).meta({ description: 'A JSON Schema' }) },
  run: async (ctx) => {
    const { type } = ctx.params
    const title = `${type}, version ${ctx.query.apiVersion}`
    const description = type === testEventType ? 'Sent to find out whether an endpoint works' : eventTypes[type]
    return ok({ ...z.toJSONSchema(webhookSchema(type, ctx.query.apiVersion)), title, description })
  },
})

export const eventSchemaRoutes = [schemaOfEvent]
