/** The places that ship and receive. */
import { z } from 'zod'
import { putNode } from '../../db/network'
import { findNode, nodeList } from '../../db/views/network'
import { refuse } from '../../domain/refusals'
import { reachesNode, visibleNodes } from '../auth'
import { may } from '../permissions'
import { refuseField } from '../problem'
import { ok, route } from '../route'
import { nodeId } from '../schemas/fields'
import { nodeAnswer, nodeBody } from '../schemas/network'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'

const params = z.object({ nodeId })
const path = '/v1/nodes/{nodeId}'
const tag = 'Network'

const listNodes = route({
  method: 'get',
  path: '/v1/nodes',
  tag,
  summary: 'Nodes by id',
  roles: may.readNetwork,
  query: z.strictObject(paging),
  answers: { 200: listOf(nodeAnswer) },
  async run(ctx) {
    const { cursor, limit } = ctx.query
    const found = await nodeList(ctx.db, { after: readCursor(cursor, nodeId), limit: limit + 1, only: visibleNodes(ctx.key) })
    return ok(pageOf(found, limit, (node) => node.nodeId))
  },
})

const getNode = route({
  method: 'get',
  path,
  tag,
  summary: 'One node',
  roles: may.readNetwork,
  params: z.object({ nodeId: z.string() }),
  answers: { 200: nodeAnswer },
  async run(ctx) {
    const node = await findNode(ctx.db, ctx.params.nodeId)
    if (!node || !reachesNode(ctx.key, node.nodeId)) throw refuse('node.not_found')
    return ok(node)
  },
})

const setNode = route({
  method: 'put',
  path,
  tag,
  summary: 'Sets up a node; what is left out goes back to its default',
  roles: may.writeNetwork,
  params,
  body: nodeBody,
  answers: { 200: nodeAnswer, 201: nodeAnswer },
  async run(ctx) {
    const { nodeId: id } = ctx.params
    if (ctx.body.nodeId !== undefined && ctx.body.nodeId !== id) throw refuseField('/nodeId', 'Must be the id in the path')
    const fresh = await putNode(ctx.db, { ...ctx.body, nodeId: id }, ctx.actor)
    return { ...ok(await findNode(ctx.db, id)), status: fresh ? 201 : 200 }
  },
})

export const nodeRoutes = [listNodes, getNode, setNode]
