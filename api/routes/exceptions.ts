/** The exception queue: what waits on a person or on the outside, taken, tried again, settled. */
import { z } from 'zod'
import type { Transaction } from '../../db/connection'
import { assignException, holdException, resolveException, retryException } from '../../db/exceptions'
import { exceptionList, exceptionView } from '../../db/views/exceptions'
import { refuse } from '../../domain/refusals'
import { visibleNodes } from '../auth'
import { command } from '../command'
import { may } from '../permissions'
import { ok, route, type Ctx } from '../route'
import { exceptionAnswer } from '../schemas/exceptions'
import { text, uuid } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'

const tag = 'Exceptions'
const params = z.object({ exceptionId: uuid })

const listExceptions = route({
  method: 'get',
  path: '/v1/exceptions',
  tag,
  summary: 'What waits, oldest first; open unless `status` says otherwise',
  roles: may.readExceptions,
  query: z.strictObject({
    ...paging,
    owner: text(100).optional(),
    kind: text(100).optional(),
    assignee: text(100).optional(),
    orderId: uuid.optional(),
    status: z.enum(['open', 'resolved', 'all']).default('open'),
  }),
  answers: { 200: listOf(exceptionAnswer) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const found = await exceptionList(ctx.db, { ...filter, after: readCursor(cursor, uuid), limit: limit + 1, nodes: visibleNodes(ctx.key) })
    return ok(pageOf(found, limit, (exception) => exception.exceptionId))
  },
})

/** Locks the exception for the command. Finance settles what is finance's. */
async function hold(ctx: Ctx<{ exceptionId: string }>, tx: Transaction): ReturnType<typeof holdException> {
  const held = await holdException(tx, ctx.params.exceptionId)
  if (ctx.key.role === 'finance' && held.owner !== 'finance') throw refuse('auth.role', { role: ctx.key.role, needs: held.owner })
  return held
}

const assign = command({
  method: 'post',
  path: '/v1/exceptions/{exceptionId}/assign',
  tag,
  summary: 'Somebody takes it',
  roles: may.workExceptions,
  params,
  body: z.strictObject({ assignee: text(100) }),
  answers: { 200: exceptionAnswer },
  async run(ctx, tx) {
    await assignException(tx, await hold(ctx, tx), { assignee: ctx.body.assignee, actor: ctx.actor })
    return ok(await exceptionView(tx, ctx.params.exceptionId))
  },
})

const resolve = command({
  method: 'post',
  path: '/v1/exceptions/{exceptionId}/resolve',
  tag,
  summary: 'It is settled, and how',
  roles: may.workExceptions,
  params,
  body: z.strictObject({ resolution: text(500) }),
  answers: { 200: exceptionAnswer },
  async run(ctx, tx) {
    await resolveException(tx, await hold(ctx, tx), { resolution: ctx.body.resolution, actor: ctx.actor })
    return ok(await exceptionView(tx, ctx.params.exceptionId))
  },
})

const retry = command({
  method: 'post',
  path: '/v1/exceptions/{exceptionId}/retry',
  tag,
  summary: 'Whatever the order waits for is tried again now',
  roles: may.workExceptions,
  params,
  body: z.strictObject({}),
  answers: { 200: exceptionAnswer },
  async run(ctx, tx) {
    await retryException(tx, await hold(ctx, tx), ctx.actor)
    return ok(await exceptionView(tx, ctx.params.exceptionId))
  },
  // Told after the commit, and again by every repeat: telling an order twice to try again does no harm, not telling it would.
  async after(ctx, answer) {
    const { orderId, exceptionId } = answer.body as { orderId: string | null; exceptionId: string }
    if (orderId !== null) await ctx.deps.threads.retryException(orderId, exceptionId)
  },
})

export const exceptionRoutes = [listExceptions, assign, resolve, retry]
