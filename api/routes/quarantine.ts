/** Messages that could not become an order, with every reason. */
import { z } from 'zod'
import { quarantineList } from '../../db/views/exceptions'
import { may } from '../permissions'
import { ok, route } from '../route'
import { quarantineAnswer } from '../schemas/exceptions'
import { channelId, uuid } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'

const listQuarantine = route({
  method: 'get',
  path: '/v1/quarantine',
  tag: 'Channels',
  summary: 'Messages in quarantine, newest first',
  roles: may.readQuarantine,
  query: z.strictObject({ ...paging, channel: channelId.optional(), status: z.enum(['open', 'ordered', 'dismissed']).optional() }),
  answers: { 200: listOf(quarantineAnswer) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const found = await quarantineList(ctx.db, { ...filter, before: readCursor(cursor, uuid), limit: limit + 1 })
    return ok(pageOf(found, limit, (message) => message.quarantineId))
  },
})

export const quarantineReads = [listQuarantine]
