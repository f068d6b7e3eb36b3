/** One thing is done to up to 10,000 orders: first it is said what that would move, then it is done order by order, each with a result of its own. */
import { z } from 'zod'
import { insertBulkAction, withdrawBulkAction } from '../../db/bulk-actions'
import type { Transaction } from '../../db/connection'
import { bulkList, bulkResults, bulkView, isBulkAction, ordersMatching, previewBulk, type BulkPreview, type BulkView } from '../../db/views/bulk-actions'
import { mostInBulk, undoing, undoWithin } from '../../domain/order/bulk'
import { durationMs } from '../../domain/policy/duration'
import { refuse } from '../../domain/refusals'
import { command } from '../command'
import { listRoute } from '../list-route'
import { may } from '../permissions'
import { created, ok, route, type Ctx, type Route } from '../route'
import { bulkAnswer, bulkBody, bulkOutcomes, bulkPreview, bulkResult } from '../schemas/bulk-actions'
import { uuid } from '../schemas/fields'

type Asked = z.output<typeof bulkBody>

/** Which orders, and what would become of them. @throws `bulk.no_orders`, `bulk.too_many_orders`, `request.invalid` for orders that are not there */
async function forecastOf({ db, key }: Pick<Ctx, 'db' | 'key'>, { action, orderIds: named, filter, holdType }: Asked): Promise<{ orderIds: string[]; preview: BulkPreview }> {
  const orderIds = named ?? (await ordersMatching(db, filter!, mostInBulk + 1))
  if (orderIds.length === 0) throw refuse('bulk.no_orders')
  if (orderIds.length > mostInBulk) throw refuse('bulk.too_many_orders', { most: mostInBulk })
  const { preview, unknown } = await previewBulk(db, { action, orderIds, role: key.role, holdType })
  if (unknown.length) throw refuse('request.invalid', {}, undefined, unknown.slice(0, 20).map((i) => ({ pointer: `/orderIds/${i}`, message: 'No such order' })))
  return { orderIds, preview }
}

const shown = (view: BulkView): BulkView & { undo: string; allowedActions: string[] } => ({ ...view, undo: undoing[view.action], allowedActions: ['waiting', 'running'].includes(view.status) ? ['withdraw'] : [] })

const begin = command({
  method: 'post',
  path: '/v1/bulk-actions',
  tag: 'Bulk actions',
  summary: 'Do one thing to many orders',
  description:
    'Releases holds, cancels, gives work to other nodes, or tells another date, for up to 10,000 orders. Each order is asked by itself, and has a result of its own. With `?preview=true` nothing is done: the answer says for how many it would be, why not for the others, and what money it would move, and needs no Idempotency-Key.',
  roles: may.actInBulk,
  query: z.strictObject({ preview: z.enum(['true', 'false']).optional() }),
  body: bulkBody,
  answers: { 200: bulkPreview, 201: bulkAnswer },
  async run(ctx, tx: Transaction) {
    const { action, reason, holdType, undoWithin: asked = undoWithin[action] } = ctx.body
    const { orderIds, preview } = await forecastOf(ctx, ctx.body)
    const startsAt = new Date(Date.now() + (asked === null ? 0 : durationMs(asked))).toISOString()
    const bulkActionId = await insertBulkAction(tx, { action, reason, actor: ctx.actor, holdType, orderIds, preview, startsAt })
    return created(shown((await bulkView(tx, bulkActionId))!), `/v1/bulk-actions/${bulkActionId}`)
  },
})

/** POST /v1/bulk-actions */
const beginOrPreview: Route = {
  ...begin,
  async run(ctx, req, res) {
    if ((ctx.query as { preview?: string }).preview !== 'true') return begin.run(ctx, req, res)
    const asked = ctx.body as Asked
    const { orderIds, preview } = await forecastOf(ctx, asked)
    return ok({ preview: true, action: asked.action, orders: orderIds.length, ...preview, undo: undoing[asked.action] })
  },
}

const list = listRoute({
  path: '/v1/bulk-actions',
  tag: 'Bulk actions',
  summary: 'Bulk actions, the latest first',
  roles: may.actInBulk,
  item: bulkAnswer,
  key: uuid,
  find: async (ctx, { from, limit }) => (await bulkList(ctx.db, { after: from, limit })).map(shown),
  keyOf: (action) => action.bulkActionId,
})

const get = route({
  method: 'get',
  path: '/v1/bulk-actions/{bulkActionId}',
  tag: 'Bulk actions',
  summary: 'How far a bulk action has come',
  roles: may.actInBulk,
  params: z.strictObject({ bulkActionId: uuid }),
  answers: { 200: bulkAnswer },
  async run(ctx) {
    const found = await bulkView(ctx.db, ctx.params.bulkActionId)
    if (!found) throw refuse('bulk.unknown')
    return ok(shown(found))
  },
})

const results = listRoute({
  path: '/v1/bulk-actions/{bulkActionId}/results',
  tag: 'Bulk actions',
  summary: 'What came of it for each order, in the order in which they were named',
  description: 'With `Accept: application/x-ndjson` all of them in one answer, a line for each; an answer that breaks off was cut short.',
  roles: may.actInBulk,
  params: z.strictObject({ bulkActionId: uuid }),
  filter: { outcome: z.enum(bulkOutcomes).optional() },
  item: bulkResult,
  key: z.int(),
  alsoAsLines: true,
  async find(ctx, { from, limit }) {
    const { bulkActionId } = ctx.params
    if (!(await isBulkAction(ctx.db, bulkActionId))) throw refuse('bulk.unknown')
    return bulkResults(ctx.db, { bulkActionId, ...ctx.query, after: from, limit })
  },
  keyOf: (result) => result.position,
})

const withdraw = command({
  method: 'post',
  path: '/v1/bulk-actions/{bulkActionId}/withdraw',
  tag: 'Bulk actions',
  summary: 'Withdraw a bulk action',
  description: 'What has not begun is not done; orders under way come to their end. Before `startsAt` that is all of them.',
  roles: may.actInBulk,
  params: z.strictObject({ bulkActionId: uuid }),
  body: z.strictObject({}),
  answers: { 200: bulkAnswer },
  async run(ctx, tx) {
    const { bulkActionId } = ctx.params
    await withdrawBulkAction(tx, { bulkActionId, actor: ctx.actor })
    return ok(shown((await bulkView(tx, bulkActionId))!))
  },
})

export const bulkActionRoutes: readonly Route[] = [beginOrPreview, list, get, results, withdraw]
