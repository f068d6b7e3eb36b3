/** The exception queue: what waits on a person or on the outside, taken, tried again, settled. */
import { z } from 'zod'
import { assignException, holdException, resolveException, retryException } from '../../db/exceptions'
import { exceptionList, exceptionView } from '../../db/views/exceptions'
import { refuse } from '../../domain/refusals'
import { visibleNodes } from '../auth'
import { caseCommand } from '../case-command'
import { listRoute } from '../list-route'
import { may } from '../permissions'
import { exceptionAnswer } from '../schemas/exceptions'
import { text, uuid } from '../schemas/fields'

const tag = 'Exceptions'

const listExceptions = listRoute({
  path: '/v1/exceptions',
  tag,
  summary: 'What waits, oldest first; open unless `status` says otherwise',
  roles: may.readExceptions,
  filter: {
    owner: text(100).optional(),
    kind: text(100).optional(),
    assignee: text(100).optional(),
    orderId: uuid.optional(),
    status: z.enum(['open', 'resolved', 'all']).default('open'),
  },
  item: exceptionAnswer,
  key: uuid,
  find: (ctx, { from, limit }) => exceptionList(ctx.db, { ...ctx.query, after: from, limit, nodes: visibleNodes(ctx.key) }),
  keyOf: (exception) => exception.exceptionId,
})

const exceptionCommand = caseCommand({
  at: '/v1/exceptions',
  id: 'exceptionId',
  tag,
  roles: may.workExceptions,
  answer: exceptionAnswer,
  view: exceptionView,
  /** Finance settles what is finance's. */
  async hold({ key }, tx, exceptionId) {
    const held = await holdException(tx, exceptionId)
    if (key.role === 'finance' && held.owner !== 'finance') throw refuse('auth.role', { role: key.role, needs: held.owner })
    return held
  },
})

const assign = exceptionCommand({ verb: 'assign', summary: 'Somebody takes it', body: z.strictObject({ assignee: text(100) }), effect: assignException })

const resolve = exceptionCommand({ verb: 'resolve', summary: 'It is settled, and how', body: z.strictObject({ resolution: text(500) }), effect: resolveException })

const retry = exceptionCommand({
  verb: 'retry',
  summary: 'Whatever the order waits for is tried again now',
  body: z.strictObject({}),
  effect: (tx, held, { actor }) => retryException(tx, held, actor),
  // Told after the commit, and again by every repeat: telling an order twice to try again does no harm, not telling it would.
  async after(ctx, answer) {
    const { orderId, exceptionId } = answer.body as { orderId: string | null; exceptionId: string }
    if (orderId !== null) await ctx.deps.threads.retryException(orderId, exceptionId)
  },
})

export const exceptionRoutes = [listExceptions, assign, resolve, retry]
