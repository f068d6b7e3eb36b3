/** The exception queue: what waits on a person or on the outside, taken, tried again, settled. */
import { z } from 'zod'
import { bookCorrection } from '../../db/corrections'
import { assignException, holdException, resolveException, retryException } from '../../db/exceptions'
import { lockSettlements } from '../../db/settlements'
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

const exceptions = { at: '/v1/exceptions', id: 'exceptionId', tag, answer: exceptionAnswer, view: exceptionView }

const exceptionCommand = caseCommand({
  ...exceptions,
  roles: may.workExceptions,
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

const book = caseCommand({
  ...exceptions,
  roles: may.sendSettlements,
  async hold(_ctx, tx, exceptionId) {
    await lockSettlements(tx)
    return holdException(tx, exceptionId)
  },
})({
  verb: 'book',
  summary: 'The correction that a settlement’s break proposes is booked',
  description: 'Posts `data.correction` as one journal that names who did it, and closes the case. Once: what is resolved is not booked again.',
  body: z.strictObject({ reason: text(300).optional() }),
  effect: bookCorrection,
})

export const exceptionRoutes = [listExceptions, assign, resolve, retry, book]
