/** Reading the work of stores and warehouses. */
import { z } from 'zod'
import { fulfillmentList, fulfillmentView } from '../../db/views/fulfillments'
import { fulfillmentStatuses } from '../../domain/fulfillment/moves'
import { refuse } from '../../domain/refusals'
import { reachesNode, visibleNodes } from '../auth'
import { may } from '../permissions'
import { ok, route } from '../route'
import { nodeId, text, uuid } from '../schemas/fields'
import { fulfillmentAnswer } from '../schemas/order-view'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'

const listFulfillments = route({
  method: 'get',
  path: '/v1/fulfillments',
  tag: 'Fulfillments',
  summary: 'Work orders, oldest first',
  roles: may.readFulfillments,
  query: z.strictObject({ ...paging, nodeId: nodeId.optional(), status: z.enum(fulfillmentStatuses).optional(), assignee: text(100).optional() }),
  answers: { 200: listOf(fulfillmentAnswer) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const after = readCursor(cursor, uuid)
    const found = await fulfillmentList(ctx.db, { ...filter, after, limit: limit + 1, nodes: visibleNodes(ctx.key) }, ctx.key.role)
    return ok(pageOf(found, limit, (fulfillment) => fulfillment.fulfillmentId))
  },
})

const getFulfillment = route({
  method: 'get',
  path: '/v1/fulfillments/{fulfillmentId}',
  tag: 'Fulfillments',
  summary: 'One work order',
  roles: may.readFulfillments,
  params: z.object({ fulfillmentId: uuid }),
  answers: { 200: fulfillmentAnswer },
  async run(ctx) {
    const found = await fulfillmentView(ctx.db, ctx.params.fulfillmentId, { role: ctx.key.role })
    if (!found || ![found.nodeId, found.toNodeId].some((n) => n !== null && reachesNode(ctx.key, n))) throw refuse('fulfillment.unknown')
    return ok(found)
  },
})

export const fulfillmentReads = [listFulfillments, getFulfillment]
