/** A route is a schema, a permission and one call: this is the shape all routes are written in, and from which both the server and the documentation are built. */
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { Db } from '../db/connection'
import { refuse, type RefusalCode } from '../domain/refusals'
import type { ApiKey } from './auth'
import type { RouteDeps } from './deps'
import { parseFeed, parseJson } from './body'
import type { Role } from './permissions'
import { refuseSchema } from './problem'

export interface Answer {
  status: number
  body: unknown
  headers?: Record<string, string>
}
export const ok = (body: unknown, headers?: Record<string, string>): Answer => ({ status: 200, body, ...(headers && { headers }) })
export const created = (body: unknown, location?: string): Answer => ({ status: 201, body, ...(location && { headers: { Location: location } }) })

/** A document as it is, shown by browsers and saved under `name`. What is printed of a customer is kept in no cache. */
export const file = (body: Buffer, { media, name }: { media: string; name: string }): Answer => ({
  status: 200,
  body,
  headers: { 'Content-Type': media, 'Content-Disposition': `inline; filename="${name}"`, 'Cache-Control': 'private, no-store' },
})

/** One request, checked. `params`, `query` and `body` have passed their schemas; `rawBody` is empty unless the route asks for it. */
export interface Ctx<Params = unknown, Query = unknown, Body = unknown> {
  deps: RouteDeps
  db: Db
  params: Params
  query: Query
  body: Body
  rawBody: Buffer
  /** @throws BrokenInvariant on routes that need no key. */
  readonly key: ApiKey
  actor: string
  requestId: string
  header(name: string): string | undefined
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
export type Nothing = z.ZodObject<Record<string, never>, z.core.$strict>
const nothing: Nothing = z.strictObject({})

export interface RouteFields<P extends z.ZodType = Nothing, Q extends z.ZodType = Nothing, B extends z.ZodType = Nothing> {
  method: Method
  /** As OpenAPI writes it: `/v1/orders/{orderId}`. */
  path: string
  tag: string
  summary: string
  description?: string
  /** Who may; `public`: no key is needed. */
  roles: readonly Role[] | 'public'
  params?: P
  query?: Q
  body?: B
  /** Shown in the documentation instead of `body`, where rows are checked one by one. */
  bodyShown?: z.ZodType
  /** `json` unless said otherwise; `feed`: array or NDJSON, up to 32 MB; `lines`: NDJSON of any length, which the route reads by itself; `kept`: JSON that is kept also where it is broken, read by the route too. */
  reads?: 'json' | 'feed' | 'lines' | 'kept'
  /** Signed routes: the body is kept as it came, nothing is parsed, no key is asked for. */
  raw?: boolean
  /** Request headers worth showing in the documentation. */
  headers?: z.ZodObject
  /** Of the success answers, where they are no JSON. */
  media?: string
  /** A line of the same answer as NDJSON, for who asks for that. */
  lineShown?: z.ZodType
  /** Success answers by status; every refusal is described once for all routes. */
  answers: Record<number, z.ZodType>
}

export interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends RouteFields<P, Q, B> {
  run(ctx: Ctx<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer>
}

/** What the app mounts and the documentation shows. */
export interface Route extends Omit<RouteFields<z.ZodType, z.ZodType, z.ZodType>, 'params' | 'query' | 'body'> {
  params: z.ZodType
  query: z.ZodType
  body: z.ZodType
  /** A command: needs an Idempotency-Key. */
  idempotent: boolean
  /** Answers by itself, as a stream. */
  stream?: boolean
  run(ctx: Ctx, req: Request, res: Response): Promise<Answer | undefined>
}

export function route<P extends z.ZodType = Nothing, Q extends z.ZodType = Nothing, B extends z.ZodType = Nothing>(spec: RouteSpec<P, Q, B>): Route {
  const run = spec.run as (ctx: Ctx) => Promise<Answer>
  return { ...erase(spec), idempotent: false, run: (ctx) => run(ctx) }
}

/** A route that writes its answer itself and keeps writing: server-sent events, or a line for what becomes of each line it is sent. */
export function stream<P extends z.ZodType = Nothing, Q extends z.ZodType = Nothing>(
  spec: RouteFields<P, Q> & { open(ctx: Ctx<z.output<P>, z.output<Q>>, req: Request, res: Response): Promise<void> },
): Route {
  const open = spec.open as (ctx: Ctx, req: Request, res: Response) => Promise<void>
  return { ...erase(spec), idempotent: false, stream: true, run: (ctx, req, res) => open(ctx, req, res).then(() => undefined) }
}

export function erase<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(spec: RouteFields<P, Q, B>): Omit<Route, 'run' | 'idempotent'> {
  const { method, path, tag, summary, description, roles, params, query, body, bodyShown, reads, raw, headers, media, lineShown, answers } = spec
  const shown = { method, path, tag, summary, description, bodyShown, reads, raw, headers, media, lineShown, answers }
  return { ...shown, roles: raw ? 'public' : roles, params: params ?? nothing, query: query ?? nothing, body: body ?? nothing }
}

/** What an id that cannot be one says: the same as an id that is not there. */
const unknownIds: Record<string, RefusalCode> = {
  apiKeyId: 'api_key.unknown',
  orderId: 'order.unknown',
  fulfillmentId: 'fulfillment.unknown',
  packageId: 'package.unknown',
  waveId: 'wave.unknown',
  exceptionId: 'exception.unknown',
  quarantineId: 'quarantine.unknown',
  reservationId: 'reservation.unknown',
  backTestId: 'back_test.unknown',
  reOptimisationId: 're_optimisation.unknown',
  changeId: 'change.unknown',
  draftId: 'draft.unknown',
  refundId: 'refund.unknown',
  returnId: 'return.unknown',
  number: 'version.unknown',
  runId: 'run.unknown',
  stopId: 'stop.unknown',
  settlementId: 'settlement.unknown',
  endpointId: 'webhook_endpoint.unknown',
  type: 'event_type.unknown',
  deliveryId: 'webhook_delivery.unknown',
  protocol: 'route.unknown',
  kind: 'policy.unknown',
  version: 'policy.unknown',
}

export function readParams(route: Route, given: unknown): unknown {
  const read = route.params.safeParse(given)
  if (read.success) return read.data
  const code = unknownIds[String(read.error.issues[0]?.path[0])]
  throw code ? refuse(code) : refuseSchema(read.error, 'path')
}

export function readQuery(route: Route, given: unknown): unknown {
  const read = route.query.safeParse(given)
  if (read.success) return read.data
  throw refuseSchema(read.error, 'query')
}

export function readRequestBody(route: Route, raw: Buffer, contentType: string | undefined): unknown {
  const given = route.reads === 'feed' ? parseFeed(raw, contentType) : parseJson(raw, contentType)
  const read = route.body.safeParse(given)
  if (read.success) return read.data
  throw refuseSchema(read.error, 'body')
}
