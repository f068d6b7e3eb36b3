/** How much one caller may ask in ten seconds: per key by its role, and per source address where no key is needed. Said in every answer (RateLimit, RateLimit-Policy), refused with 429. */
import type { Request, RequestHandler, Response } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { refuse } from '../domain/refusals'
import type { ApiKey } from './auth'
import type { Role } from './permissions'

export const windowMs = 10_000

/** `webhook`: signed messages of providers, which all come from a few addresses; `public`: what customers' browsers ask, and whoever has no key of ours. */
export type Caller = Role | 'webhook' | 'public'
export type RateLimits = Record<Caller, number>

/** Far above what a shop, a store or a person does; low enough that one that has gone wild leaves room for the others. */
export const defaultRateLimits: RateLimits = { channel: 50_000, store: 20_000, courier: 5_000, support: 50_000, operations: 50_000, finance: 20_000, admin: 50_000, webhook: 50_000, public: 2_000 }

/** `channel=1000,public=0`: the others stay as they are. */
export function readRateLimits(text: string): RateLimits {
  const limits = { ...defaultRateLimits }
  for (const [, caller, limit] of text.matchAll(/(\w+)=(\d+)/g)) limits[caller as Caller] = Number(limit)
  return limits
}

/** Counts one request. @throws `request.rate_limited` */
export type Limit = (req: Request, res: Response, who: ApiKey | 'webhook' | 'public') => Promise<void>

interface Counted {
  name: string
  limit: number
}

/** Each process counts by itself: what is let pass in all is the limit times the processes. */
export function createRateLimit(limits: RateLimits): Limit {
  const counted = new WeakMap<Request, Counted>()
  const count: RequestHandler = rateLimit({
    windowMs,
    limit: (req) => counted.get(req)!.limit,
    keyGenerator: (req) => counted.get(req)!.name,
    identifier: `${windowMs / 1000}s`,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    validate: false,
    handler: (req, _res, next) => next(refuse('request.rate_limited', { limit: counted.get(req)!.limit, retryAfter: secondsLeft(req) })),
  })
  return async (req, res, who) => {
    const caller = typeof who === 'string' ? who : who.role
    const limit = typeof who === 'string' || who.rateLimit === null ? limits[caller] : who.rateLimit
    if (limit === 0) return
    counted.set(req, { limit, name: typeof who === 'string' ? `${who} ${ipKeyGenerator(req.ip ?? 'nowhere')}` : who.apiKeyId })
    await new Promise<void>((resolve, reject) => void count(req, res, (error?: unknown) => (error instanceof Error ? reject(error) : resolve())))
  }
}

const secondsLeft = (req: Request): number => {
  const { resetTime } = (req as Request & { rateLimit: { resetTime?: Date } }).rateLimit
  return Math.max(1, Math.ceil(((resetTime?.getTime() ?? Date.now()) - Date.now()) / 1000))
}
