/**
 * Commands: requests that change something and may be sent again without harm. `command` is for what one transaction can do;
 * `orderCommand` asks the order's workflow, and can be carried on by another process if this one dies in between.
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { answerOnce, findCommand, keepAnswer, recordCommand, recordRefused, takeLease, type CommandIdentity, type CommandRow } from '../db/commands'
import type { Db, Transaction } from '../db/connection'
import { refuseUnlessAt } from '../db/orders'
import { orderVersion } from '../db/views/orders'
import type { IfVersion, UpdateName } from '../domain/messages'
import { Refusal, refuse, type RefusalCode } from '../domain/refusals'
import { auditOf } from './audit'
import { roleOfActor } from './auth'
import type { RouteDeps } from './deps'
import type { Role } from './permissions'
import { problemOf, refuseField, statusOf } from './problem'
import { refusedCommand, tellRefused, tellUnkept } from './refused'
import { erase, type Answer, type Ctx, type Nothing, type Route, type RouteFields } from './route'
import { NoAnswerYet } from './threads'

export interface CommandSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, Ready> extends RouteFields<P, Q, B> {
  /** false: a refusal leaves nothing behind, and the same key may be used again (submitting orders). */
  keepRefusals?: boolean
  /** What must be at hand before the transaction begins: whoever asks for another connection inside of it could wait for itself. Its refusals are not kept. */
  prepare?(ctx: Ctx<z.output<P>, z.output<Q>, z.output<B>>): Promise<Ready>
  /** The whole effect, in the transaction given; `ctx.db` is that transaction too. */
  run(ctx: Ctx<z.output<P>, z.output<Q>, z.output<B>>, tx: Transaction, ready: Ready): Promise<Answer>
  /** Of a refusal that is kept, with the effect undone: does what it says is done instead, and says so in it. */
  instead?(ctx: Ctx<z.output<P>, z.output<Q>, z.output<B>>, tx: Transaction, refusal: Refusal): Promise<Refusal>
  /** After the commit, and again for every repeat: must be harmless to do twice. May replace the answer sent, not the one kept. */
  after?(ctx: Ctx<z.output<P>, z.output<Q>, z.output<B>>, answer: Answer, replayed: boolean): Promise<Answer | void>
}

export function command<P extends z.ZodType = Nothing, Q extends z.ZodType = Nothing, B extends z.ZodType = Nothing, Ready = undefined>(spec: CommandSpec<P, Q, B, Ready>): Route {
  const fields = erase(spec)
  const effect = spec.run as (ctx: Ctx, tx: Transaction, ready: Ready | undefined) => Promise<Answer>
  const prepare = spec.prepare as ((ctx: Ctx) => Promise<Ready>) | undefined
  const after = spec.after as ((ctx: Ctx, answer: Answer, replayed: boolean) => Promise<Answer | void>) | undefined
  const instead = spec.instead as ((ctx: Ctx, tx: Transaction, refusal: Refusal) => Promise<Refusal>) | undefined
  const keep = spec.keepRefusals ?? true
  const answerTo = (error: unknown, ctx: Ctx) => (isKept(error) ? async (tx: Transaction) => problemAnswer((await instead?.(within(ctx, tx), tx, error)) ?? error, ctx.requestId) : undefined)
  return {
    ...fields,
    idempotent: true,
    async run(ctx) {
      const identity = identify(fields, ctx)
      const ready = await prepare?.(ctx)
      const refused = refusedCommand(identity.route, { commandId: identity.commandId, actor: ctx.actor, params: ctx.params })
      const outcome = await answerOnce(ctx.db, identity, (tx) => effect(within(ctx, tx), tx, ready), {
        auditOf: (given) => auditOf(fields, ctx, given),
        ...(keep && { answerTo: (error) => answerTo(error, ctx), tellRefused: (tx, { body }) => tellRefused(tx, refused, codeOf(body)) }),
      })
      const answer = outcome.fresh ? outcome.answer : replay(outcome.first, identity)
      const changed = answer.status < 400 && after ? await unlessUnheard(after(ctx, answer, !outcome.fresh)) : undefined
      return changed ? { ...changed, headers: { ...answer.headers, ...changed.headers } } : answer
    },
  }
}

/** Nothing of a command reads or writes outside its transaction: one that took a second connection while holding the first could wait for itself. */
const within = (ctx: Ctx, tx: Transaction): Ctx => Object.create(ctx, { db: { value: tx } }) as Ctx

export interface OrderCommandSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends RouteFields<P, Q, B> {
  /** Which order is asked what. Checks what can be known beforehand; `commandId` and `actor` are added to `args`. */
  ask(ctx: Ctx<z.output<P>, z.output<Q>, z.output<B>>): Promise<{ orderId: string; update: UpdateName; args: object }>
  /** Reads the answer once the order has said yes; perhaps in another process than the one that was asked. */
  answer(ctx: AnswerCtx<z.output<P>>): Promise<Answer>
}

export interface AnswerCtx<Params = unknown> {
  db: Db
  orderId: string
  params: Params
  actor: string
  role: Role
  commandId: string
}

/** A route that can be carried on by the sweep: it knows how to read its answer. */
export interface OrderRoute extends Route {
  readAnswer(ctx: AnswerCtx): Promise<Answer>
}
export const isOrderRoute = (route: Route): route is OrderRoute => 'readAnswer' in route

/** How long a command belongs to the process that sent it; after that a repeat or the sweep sends it again under the same id. */
export const commandLeaseMs = 10_000

export function orderCommand<P extends z.ZodType = Nothing, Q extends z.ZodType = Nothing, B extends z.ZodType = Nothing>(spec: OrderCommandSpec<P, Q, B>): OrderRoute {
  const fields = erase(spec)
  const ask = spec.ask as (ctx: Ctx) => Promise<{ orderId: string; update: UpdateName; args: object }>
  const readAnswer = spec.answer as (ctx: AnswerCtx) => Promise<Answer>
  const sendAgain = (ctx: Ctx, first: CommandRow): Promise<Answer> => carryOut(ctx.deps, { row: first, params: ctx.params, requestId: ctx.requestId, readAnswer })
  return {
    ...fields,
    headers: fields.headers ?? ifMatchHeader,
    idempotent: true,
    readAnswer,
    async run(ctx) {
      const identity = identify(fields, ctx)
      const before = await findCommand(ctx.db, identity)
      if (before) return repeat(ctx, before, identity, sendAgain)
      const asked = await checked(ctx, identity, ask)
      if ('refused' in asked) return asked.refused
      const { ifVersion } = asked
      const args = { ...asked.args, commandId: identity.commandId, actor: ctx.actor, ...(ifVersion && { ifVersion }) }
      const fresh = await recordCommand(ctx.db, identity, { orderId: asked.orderId, update: asked.update, args }, commandLeaseMs)
      const row = fresh ? { ...identity, orderId: asked.orderId, updateName: asked.update, updateArgs: args, leased: true, answer: null } : await findCommand(ctx.db, identity)
      return fresh && row ? sendAgain(ctx, row) : repeat(ctx, row, identity, sendAgain)
    },
  }
}

export const ifMatchHeader = z.object({ 'If-Match': z.string().optional().meta({ description: 'The ETag of the order as you know it; refused with 412 if it has changed' }) })

/** Sends a recorded command to its order and keeps the answer. Used for the first attempt, for repeats after the lease, and by the sweep. */
export async function carryOut(
  deps: Pick<RouteDeps, 'db' | 'threads' | 'config' | 'log'>,
  { row, params, requestId, readAnswer }: { row: CommandRow; params: unknown; requestId: string; readAnswer: (ctx: AnswerCtx) => Promise<Answer> },
): Promise<Answer> {
  const orderId = row.orderId!
  const args = { ...row.updateArgs!, commandId: row.commandId }
  const deadlineMs = deps.config.COMMAND_DEADLINE_MS
  let answer: Answer
  try {
    await deps.threads.ask({ orderId, update: row.updateName as UpdateName, args, deadlineMs })
    answer = await readAnswer({ db: deps.db, orderId, params, actor: args.actor, role: roleOfActor(args.actor), commandId: row.commandId })
  } catch (error) {
    if (!(error instanceof Refusal) || (statusOf(error.code) >= 500 && error.code !== 'command.broken')) throw asRefusal(error)
    if (error.code === 'command.broken') deps.log.error({ commandId: row.commandId, orderId, update: row.updateName, rule: error.data.rule }, 'a command broke: the database does not take what it would write')
    answer = problemAnswer(error.code === 'command.broken' ? refuse(error.code) : error, requestId) // by which rule is ours to know
    const refused = refusedCommand(row.route, { commandId: row.commandId, actor: args.actor, orderId })
    await deps.db.transaction((tx) => tellRefused(tx, refused, error.code)) // before the answer is kept: else nobody would tell it after a crash
  }
  await keepAnswer(deps.db, row.commandId, answer)
  return answer
}

const asRefusal = (error: unknown): unknown => (error instanceof NoAnswerYet ? refuse('service.unavailable', { retryAfter: 1 }) : error)
const unlessUnheard = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => Promise.reject(asRefusal(error) as Error))

/** What can be refused before the order is asked; when its state says no, the answer is kept like any other. */
async function checked<Asked extends { orderId: string }>(
  ctx: Ctx,
  identity: CommandIdentity,
  ask: (ctx: Ctx) => Promise<Asked>,
): Promise<(Asked & { ifVersion?: IfVersion }) | { refused: Answer }> {
  try {
    const asked = await ask(ctx)
    const ifVersion = await versionSeen(ctx, asked.orderId)
    return { ...asked, ...(ifVersion && { ifVersion }) }
  } catch (error) {
    if (!isKept(error)) throw error
    const refused = problemAnswer(error, ctx.requestId)
    const command = refusedCommand(identity.route, { commandId: identity.commandId, actor: ctx.actor, params: ctx.params })
    await recordRefused(ctx.db, identity, refused, (tx) => tellRefused(tx, command, codeOf(refused.body)))
    return { refused }
  }
}

async function repeat(ctx: Ctx, first: CommandRow | undefined, identity: CommandIdentity, sendAgain: (ctx: Ctx, first: CommandRow) => Promise<Answer>): Promise<Answer> {
  const waits = first && !first.answer && !first.leased && first.bodyHash.equals(identity.bodyHash)
  if (waits && (await takeLease(ctx.db, first.commandId, commandLeaseMs))) return sendAgain(ctx, first)
  return replay(first, identity)
}

/** The first answer again, or why there is none yet. */
function replay(first: CommandRow | undefined, identity: CommandIdentity): Answer {
  if (first && !first.bodyHash.equals(identity.bodyHash)) throw refuse('request.idempotency_key_reused')
  if (!first?.answer) throw refuse('request.in_progress', { retryAfter: 1 })
  return { ...first.answer, headers: { ...first.answer.headers, 'Idempotent-Replayed': 'true' } }
}

/** A refusal of the state is an answer and is kept; one of the request itself (schema, reach, an unknown id) is not: nothing was accepted. */
function isKept(error: unknown): error is Refusal {
  return error instanceof Refusal && [409, 412].includes(statusOf(error.code))
}

const codeOf = (body: unknown): RefusalCode => (body as { code: RefusalCode }).code

const problemAnswer = (refusal: Refusal, requestId: string): Answer => ({ status: statusOf(refusal.code), body: problemOf(refusal, requestId) })

/** To be called with every refusal that leaves a route, also before its command begins. What has no key of its own, or only asks what would be, is no command yet. */
export async function tellRefusal(route: Route, ctx: Ctx, refusal: Refusal): Promise<void> {
  const previews = (ctx.query as { preview?: string }).preview === 'true'
  if (!route.idempotent || previews || !isIdempotencyKey(ctx.header('idempotency-key'))) return
  const { route: named, commandId } = identify(route, ctx)
  const refused = refusedCommand(named, { commandId, actor: ctx.actor, params: ctx.params })
  if (refused) await tellUnkept(ctx.db, ctx.key, refused, refusal)
}

const isIdempotencyKey = (given: string | undefined): given is string => given !== undefined && /^[\x20-\x7e]{1,255}$/.test(given)

/** @throws `request.idempotency_key_missing` */
export function identify(route: Pick<Route, 'method' | 'path'>, ctx: Ctx): CommandIdentity {
  const idempotencyKey = ctx.header('idempotency-key')
  if (!idempotencyKey) throw refuse('request.idempotency_key_missing', {}, undefined, [{ pointer: '/headers/Idempotency-Key', message: 'Missing' }])
  if (!isIdempotencyKey(idempotencyKey)) throw refuseField('/headers/Idempotency-Key', 'Must be 1 to 255 printable ASCII characters')
  const named = shortened(`${route.method.toUpperCase()} ${filled(route.path, ctx.params)}`)
  return {
    apiKeyId: ctx.key.apiKeyId,
    route: named,
    idempotencyKey,
    bodyHash: createHash('sha256').update(canonicalize({ query: ctx.query, body: ctx.body }) ?? '').digest(),
    commandId: createHash('sha256').update(JSON.stringify([ctx.key.apiKeyId, named, idempotencyKey])).digest('hex'),
  }
}

/** A quote in a path is a whole document: it is known by its hash. */
const shortened = (path: string): string => (path.length <= longestPath ? path : `${path.slice(0, 40)}…${createHash('sha256').update(path).digest('hex')}`)
const longestPath = 300

/** Whom a command is about is kept as a hash: what is known of a command is kept when she is erased. */
const filled = (path: string, params: unknown): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const given = String((params as Record<string, unknown>)[name])
    return name === 'customerRef' ? createHash('sha256').update(given).digest('hex') : encodeURIComponent(given)
  })

/**
 * What the caller has seen, before the order is asked: whoever has seen an older one is told at once. It goes along, and is looked at again under the order's lock.
 * @throws `request.version_mismatch`
 */
async function versionSeen(ctx: Ctx, orderId: string): Promise<IfVersion | undefined> {
  const versions = versionsAsked(ctx)
  const order = versions && (await orderVersion(ctx.db, orderId))
  if (!order) return undefined
  const { version, isOpen } = order
  if (!versions.includes(version)) throw refuse('request.version_mismatch', { version })
  return { orderId, versions: isOpen ? [version] : [version, version + 1] }
}

/** The same for a command that is one transaction, under the order's lock. @throws `request.version_mismatch` */
export async function requireVersion(ctx: Ctx, tx: Db | Transaction, orderId: string): Promise<void> {
  const versions = versionsAsked(ctx)
  if (versions) await refuseUnlessAt(tx, { orderId, versions })
}

/** What the order has to be; undefined where it does not matter. */
function versionsAsked(ctx: Ctx): number[] | undefined {
  const given = ctx.header('if-match')
  if (given === undefined || given.trim() === '*') return undefined
  const tags = given.split(',').map((tag) => tag.trim())
  if (!tags.every((tag) => /^(W\/)?"[^"]*"$/.test(tag))) throw refuseField('/headers/If-Match', 'Must be the ETag of the order, in double quotes')
  return tags.flatMap((tag) => (/^"\d+"$/.test(tag) ? [Number(tag.slice(1, -1))] : []))
}
