/** The HTTP edge as an Express app that needs no port: every route goes through the same few steps, and every "no" leaves as a problem document. */
import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response } from 'express'
import helmet from 'helmet'
import swaggerUi from 'swagger-ui-express'
import type { Carrier } from '../activities/ports'
import { isOutage } from '../db/outage'
import { isReachable } from '../db/views/queues'
import { BrokenInvariant } from '../domain/invariant'
import { Refusal, refuse } from '../domain/refusals'
import { servicesOf } from './carrier-services'
import { createAuthenticate, type ApiKey, type Authenticate } from './auth'
import { bodyLimitBytes, ClientGone, feedLimitBytes, readBody } from './body'
import { tellRefusal } from './command'
import type { RouteDeps } from './deps'
import { createEventFeed } from './event-feed'
import { endWithKey } from './key-watch'
import { createMetrics } from './metrics'
import { openApiDocument } from './openapi'
import { internalProblem, problemOf, problemType, refuseField, type Problem } from './problem'
import { createCallOutside } from '../adapters/outside/call'
import { createPromiseDesk } from '../activities/promise-desk'
import { createQuotes } from './quotes'
import { createRateLimit, defaultRateLimits, type Limit, type RateLimits } from './rate-limit'
import { readParams, readQuery, readRequestBody, type Answer, type Ctx, type Route } from './route'
import { routes as ownRoutes } from './routes'

type OwnDeps = 'feed' | 'metrics' | 'destinations' | 'callOutside' | 'services' | 'promises' | 'quotes'
export type ApiDeps = Omit<RouteDeps, OwnDeps> & Partial<Pick<RouteDeps, 'feed' | 'metrics' | 'destinations'>> & { carriers: readonly Carrier[]; routes?: readonly Route[]; rateLimits?: RateLimits; trustedProxies?: number }

export function createApp(given: ApiDeps): Express {
  const { routes: extra = [], carriers, rateLimits = defaultRateLimits, trustedProxies = 0, ...rest } = given
  const destinations = given.destinations ?? { allowed: [] }
  const deps: RouteDeps = {
    ...rest,
    feed: given.feed ?? createEventFeed(given.db, given.log),
    metrics: given.metrics ?? createMetrics(),
    services: servicesOf(carriers),
    promises: createPromiseDesk({ db: given.db, carriers, log: given.log }),
    quotes: createQuotes(given.config.QUOTE_SECRET),
    destinations,
    callOutside: createCallOutside(destinations),
  }
  const routes = [...ownRoutes, ...extra].filter((route) => deps.demo !== undefined || route.tag !== 'Demo')
  const authenticate = createAuthenticate(deps.db, { demo: deps.config.DEMO })
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('trust proxy', trustedProxies)
  app.use(observed(deps), helmet({ contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } }, strictTransportSecurity: false }))
  const limit = createRateLimit(rateLimits)
  for (const route of routes) app[route.method](expressPath(route.path), handler(route, deps, { authenticate, limit }))
  mountHealth(app, deps)
  mountDocumentation(app, routes)
  app.use(() => {
    throw refuse('route.unknown')
  })
  app.use(answerErrors(deps))
  return app
}

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')

/** The steps of every request, in this order: who, may they, what do they send, is it well-formed; then the one call. */
function handler(route: Route, deps: RouteDeps, { authenticate, limit }: { authenticate: Authenticate; limit: Limit }): RequestHandler {
  // Whoever tries keys is counted by address.
  const known = (req: Request, res: Response): Promise<ApiKey> =>
    authenticate(req.headers.authorization).catch(async (cause: unknown) => {
      if (cause instanceof Refusal) await limit(req, res, 'public')
      throw cause
    })
  const hasBody = route.method === 'post' || route.method === 'put' || route.method === 'patch'
  return async (req, res) => {
    locals(res).route = route.path
    const key = route.roles === 'public' ? undefined : await known(req, res)
    await limit(req, res, key ?? (route.raw ? 'webhook' : 'public'))
    if (key) requireRole(route, key, res)
    if (req.url.includes('%00')) throw refuseField('/path', 'The character U+0000 cannot be used')
    const ctx = new RequestContext(deps, req, locals(res).requestId, key)
    ctx.params = readParams(route, req.params)
    try {
      ctx.query = readQuery(route, req.query)
      if (hasBody) await takeBody(route, ctx, req)
      if ((route.stream || route.lineShown) && key) endWithKey(res, () => authenticate(req.headers.authorization))
      const answer = await route.run(ctx, req, res)
      if (answer) send(res, answer)
    } catch (error) {
      if (key && error instanceof Refusal) await tellRefusal(route, ctx, error)
      throw error
    }
  }
}

async function takeBody(route: Route, ctx: RequestContext, req: Request): Promise<void> {
  refuseEncoded(req)
  if (route.reads === 'lines' || route.reads === 'kept') return
  const raw = await readBody(req, route.reads === 'feed' ? feedLimitBytes : bodyLimitBytes)
  if (route.raw) ctx.rawBody = raw
  else ctx.body = readRequestBody(route, raw, req.headers['content-type'])
}

/** Bodies are taken as they are: a small compressed one could unfold into any size. */
function refuseEncoded(req: Request): void {
  const contentEncoding = req.headers['content-encoding']
  if (contentEncoding && contentEncoding !== 'identity') throw refuse('request.unsupported_media_type', { contentEncoding })
}

function requireRole(route: Route, key: ApiKey, res: Response): void {
  locals(res).actor = key.actor
  if (route.roles !== 'public' && !route.roles.includes(key.role)) throw refuse('auth.role', { role: key.role, needs: route.roles })
}

class RequestContext implements Ctx {
  params: unknown = {}
  query: unknown = {}
  body: unknown = {}
  rawBody: Buffer = noBytes
  readonly db
  readonly actor: string
  constructor(
    readonly deps: RouteDeps,
    private readonly req: Request,
    readonly requestId: string,
    private readonly caller: ApiKey | undefined,
  ) {
    this.db = deps.db
    this.actor = caller?.actor ?? 'outside'
  }
  get key(): ApiKey {
    if (!this.caller) throw new BrokenInvariant('this route asks for no key')
    return this.caller
  }
  header(name: string): string | undefined {
    return this.req.get(name)
  }
}
const noBytes = Buffer.alloc(0)

function send(res: Response, answer: Answer): void {
  if (answer.headers) res.set(answer.headers)
  if (answer.status >= 400) sendProblem(res, answer.body as Problem)
  else if (Buffer.isBuffer(answer.body)) res.status(answer.status).end(answer.body)
  else res.status(answer.status).json(answer.body)
}

function sendProblem(res: Response, problem: Problem): void {
  locals(res).code = problem.code
  if (typeof problem.retryAfter === 'number') res.set('Retry-After', String(problem.retryAfter))
  if (problem.status === 401) res.set('WWW-Authenticate', 'Bearer')
  res.status(problem.status).type(problemType).send(JSON.stringify(problem))
}

/** A refusal is an answer; anything else is ours, is logged with its cause, and says nothing to the caller. */
function answerErrors(deps: RouteDeps): ErrorRequestHandler {
  return (error: unknown, _req, res, _next) => {
    const { requestId, route } = locals(res)
    if (error instanceof ClientGone) return void res.destroy()
    const refusal = asRefusal(error)
    if (isOutage(error)) deps.log.warn({ err: error, requestId, route }, 'the database is away')
    else if (!refusal) deps.log.error({ err: error, requestId, route }, 'a request failed')
    if (res.headersSent) return void res.destroy()
    sendProblem(res, refusal ? problemOf(refusal, requestId) : internalProblem(requestId))
  }
}

function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (isOutage(error)) return refuse('service.unavailable', { retryAfter: 1 })
  if (error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400)) return refuseField('/path', 'The address cannot be decoded')
  return undefined
}

interface Locals {
  requestId: string
  route?: string
  actor?: string
  code?: string
}
const locals = (res: Response): Locals => res.locals as Locals

/** One id, one log line and one observation per request. The line names the route, never its query or body. */
function observed({ log, metrics }: RouteDeps): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now()
    const given = req.get('x-request-id')
    const requestId = given !== undefined && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
    locals(res).requestId = requestId
    res.set('x-request-id', requestId)
    res.once('close', () => {
      const { route = 'none', actor, code } = locals(res)
      const ms = performance.now() - startedAt
      metrics.observe({ method: req.method, route, status: res.statusCode, seconds: ms / 1000 })
      log.info({ requestId, method: req.method, route, status: res.statusCode, ms: Math.round(ms), actor, code, ...(res.writableFinished ? {} : { cutShort: true }) }, 'request')
    })
    next()
  }
}

/** `/healthz`: the process turns. `/readyz`: it can do its work; without Temporal it still takes orders, so that is reported and fails nothing. */
function mountHealth(app: Express, deps: RouteDeps): void {
  app.get('/healthz', (_req, res) => void res.json({ status: 'ok' }))
  app.get('/readyz', async (_req, res) => {
    const [database, temporal] = await Promise.all([isReachable(deps.db), deps.ready?.().catch(() => false)])
    res.status(database ? 200 : 503).json({ status: database ? 'ready' : 'not ready', database, ...(temporal === undefined ? {} : { temporal }) })
  })
}

/** Everything the page needs is served from here; it asks no other host for anything. */
function mountDocumentation(app: Express, routes: readonly Route[]): void {
  let document: object | undefined
  app.get('/openapi.json', (_req, res) => void res.json((document ??= openApiDocument(routes))))
  app.use('/docs', swaggerUi.serve, swaggerUi.setup(undefined, { swaggerOptions: { url: '/openapi.json' }, customSiteTitle: 'Throughline API' }))
}
