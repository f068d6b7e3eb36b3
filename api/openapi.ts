/** The OpenAPI 3.1 document, generated from the very schemas that check the requests. */
import { z } from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi'
import { refusals } from '../domain/refusals'
import { eventTypes, type EventType } from '../domain/events'
import type { Route } from './route'
import { newestVersion, webhookSchema } from './schemas/events'

const problem = z
  .looseObject({
    type: z.string().meta({ description: 'A URI that ends in the code' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: `One of: ${Object.keys(refusals).join(', ')}` }),
    errors: z.array(z.object({ pointer: z.string(), message: z.string(), code: z.string().optional() })),
    requestId: z.string(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document; further members hold what is needed to act' })

export function openApiDocument(routes: readonly Route[]): object {
  const paths: ZodOpenApiPathsObject = {}
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route) }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Throughline',
      version: '1',
      description:
        'Order management. Money is in minor units next to a currency, instants are ISO 8601 with Z. Commands need an Idempotency-Key; the same key and body give the same answer. Refusals are RFC 9457 problem documents.',
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }],
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key' } } },
    paths,
    webhooks: Object.fromEntries((Object.keys(eventTypes) as EventType[]).map((type) => [type, webhook(type)])),
  })
}

/** What an endpoint is sent when this happens, in the newest version. */
const webhook = (type: EventType): { post: ZodOpenApiOperationObject } => ({
  post: {
    operationId: `webhook.${type}`,
    tags: ['Webhooks'],
    summary: eventTypes[type],
    security: [],
    requestParams: { header: signed },
    requestBody: { required: true, content: { 'application/json': { schema: webhookSchema(type, newestVersion) } } },
    responses: { '2XX': { description: 'Taken; anything else is sent again' } },
  },
})
const signed = z.object({ 'webhook-id': z.string(), 'webhook-timestamp': z.string(), 'webhook-signature': z.string().meta({ description: 'By Standard Webhooks 1.0' }) })

function operation(route: Route): ZodOpenApiOperationObject {
  const header = commandHeaders(route)
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    description: describe(route),
    ...(route.roles === 'public' ? { security: [] } : {}),
    requestParams: {
      ...(hasFields(route.params) ? { path: route.params as z.ZodObject } : {}),
      ...(hasFields(route.query) ? { query: route.query as z.ZodObject } : {}),
      ...(header ? { header } : {}),
    },
    ...bodyOf(route),
    responses: {
      ...Object.fromEntries(Object.entries(route.answers).map(([status, schema]) => [status, answerOf(route, Number(status), schema)])),
      '4XX': { description: 'Refused; `code` says why', content: { 'application/problem+json': { schema: problem } } },
      '5XX': { description: 'Not answered; may be repeated', content: { 'application/problem+json': { schema: problem } } },
    },
  }
}

function describe(route: Route): string {
  const who = route.raw ? 'Signed instead of keyed.' : route.roles === 'public' ? 'No key needed.' : `Roles: ${route.roles.join(', ')}.`
  return route.description ? `${route.description}\n\n${who}` : who
}

function commandHeaders(route: Route): z.ZodObject | undefined {
  const own = route.headers?.shape ?? {}
  const key = route.idempotent ? { 'Idempotency-Key': z.string().min(1).max(255) } : {}
  const shape = { ...key, ...own }
  return Object.keys(shape).length > 0 ? z.object(shape) : undefined
}

function bodyOf(route: Route): Partial<ZodOpenApiOperationObject> {
  if (route.raw) return { requestBody: { content: { 'application/json': { schema: { type: 'object' } } } } }
  if (route.method === 'get' || route.method === 'delete') return {}
  const schema = route.bodyShown ?? route.body
  const media = { schema }
  if (route.reads === 'lines') return { requestBody: { required: true, content: { 'application/x-ndjson': media } } }
  return { requestBody: { required: hasFields(schema), content: { 'application/json': media, ...(route.reads === 'feed' ? { 'application/x-ndjson': media } : {}) } } }
}

function answerOf(route: Route, status: number, schema: z.ZodType): { description: string; content: Record<string, { schema: z.ZodType }> } {
  return { description: status === 201 ? 'Created' : 'Done', content: { [answerType(route)]: { schema }, ...(route.lineShown && { 'application/x-ndjson': { schema: route.lineShown } }) } }
}

const answerType = (route: Route): string => route.media ?? (route.reads === 'lines' ? 'application/x-ndjson' : route.stream ? 'text/event-stream' : 'application/json')

const hasFields = (schema: z.ZodType): boolean => !(schema instanceof z.ZodObject) || Object.keys(schema.shape).length > 0

/** `POST /v1/orders/{orderId}/cancel` → `postOrdersOrderIdCancel`. */
const operationId = (route: Route): string =>
  route.method + route.path.replace(/^\/v1/, '').replace(/[/{}._-]+(\w)?/g, (_, next: string | undefined) => (next ?? '').toUpperCase())
