/** Who changed what, and why, as operations reads it. */
import { z } from 'zod'
import { auditList } from '../../db/audit'
import { may } from '../permissions'
import { ok, route } from '../route'
import { at, instant, text } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'

const auditAnswer = z
  .object({
    auditId: z.int(),
    at,
    actor: z.string(),
    action: z.string().meta({ description: '`noun.verb`, such as `order.cancel`' }),
    subject: z.string().meta({ description: 'The id of what was changed' }),
    cause: z.string().meta({ description: 'The reason given, or `request:…` / `command:…` for what asked for it' }),
  })
  .meta({ id: 'Audit' })

const listAudit = route({
  method: 'get',
  path: '/v1/audit',
  tag: 'Safety',
  summary: 'Who changed what, newest first',
  description: 'One row per change that a person or a key asked for. Nothing personal is in it, and nothing of it is ever changed.',
  roles: may.readAudit,
  query: z.strictObject({ ...paging, subject: text(300).optional(), actor: text(300).optional(), from: instant.optional(), to: instant.optional() }),
  answers: { 200: listOf(auditAnswer) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const found = await auditList(ctx.db, { ...filter, before: readCursor(cursor, z.int()), limit: limit + 1 })
    return ok(pageOf(found, limit, (entry) => entry.auditId))
  },
})

export const auditRoutes = [listAudit]
