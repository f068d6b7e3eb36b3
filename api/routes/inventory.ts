/** Stock from outside: levels and their movements, absolute counts, adjustments. */
import { z } from 'zod'
import { adjustStock, knownPlaces, takeCounts, type StockCount } from '../../db/stock-feed'
import { levelList, movementList } from '../../db/views/stock'
import { findSku, unknownNodes } from '../../db/views/network'
import { refuse, refusals, type RefusalCode, type RefusalDetail } from '../../domain/refusals'
import { requireNode, visibleNodes } from '../auth'
import { brokenLine } from '../body'
import { command } from '../command'
import { may } from '../permissions'
import { refuseSchema } from '../problem'
import { ok, route } from '../route'
import { nodeId, sku } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'
import { adjustmentBody, countFeed, countRow, countsAnswer, levelAnswer, movementAnswer } from '../schemas/stock'

const tag = 'Stock'

const listInventory = route({
  method: 'get',
  path: '/v1/inventory',
  tag,
  summary: 'Stock levels by SKU and node',
  roles: may.readNetwork,
  query: z.strictObject({ ...paging, sku: sku.optional(), nodeId: nodeId.optional() }),
  answers: { 200: listOf(levelAnswer) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const after = readCursor(cursor, z.object({ sku, nodeId }))
    const found = await levelList(ctx.db, { ...filter, after, limit: limit + 1, nodes: visibleNodes(ctx.key) })
    return ok(pageOf(found, limit, (level) => ({ sku: level.sku, nodeId: level.nodeId })))
  },
})

const listMovements = route({
  method: 'get',
  path: '/v1/inventory/{sku}/movements',
  tag,
  summary: 'Every change of a SKU’s stock, newest first',
  roles: may.readNetwork,
  params: z.object({ sku: z.string() }),
  query: z.strictObject({ ...paging, nodeId: nodeId.optional() }),
  answers: { 200: listOf(movementAnswer) },
  async run(ctx) {
    if (!(await findSku(ctx.db, ctx.params.sku))) throw refuse('sku.not_found')
    const { cursor, limit, nodeId: at } = ctx.query
    const before = readCursor(cursor, z.int())
    const found = await movementList(ctx.db, { sku: ctx.params.sku, nodeId: at, nodes: visibleNodes(ctx.key), before, limit: limit + 1 })
    return ok(pageOf(found, limit, (movement) => movement.movementId))
  },
})

const takeCountsRoute = command({
  method: 'post',
  path: '/v1/inventory/counts',
  tag,
  summary: 'Absolute counts, each with the moment it was taken',
  description:
    'What was shipped or received after `asOf` is added to the count. A count that is not newer than one already taken of the same shelf is ignored. Rows that cannot be read are rejected one by one; a node the key does not reach refuses the whole feed.',
  roles: may.count,
  reads: 'feed',
  body: countFeed,
  bodyShown: z.array(countRow),
  answers: { 200: countsAnswer },
  async run(ctx, tx) {
    const { counts, rejected } = readCounts(ctx.body, Date.now())
    for (const { index, count } of counts) requireNode(ctx.key, count.nodeId, `/${index}/nodeId`)
    const known = await knownPlaces(tx, counts.map((c) => c.count))
    const usable = counts.filter(({ index, count }) => {
      const code = !known.skus.has(count.sku) ? 'sku.unknown' : !known.nodes.has(count.nodeId) ? 'node.unknown' : undefined
      if (code) rejected.push(rejection(index, code))
      return code === undefined
    })
    if (usable.length === 0) throw refuse('request.invalid', {}, 'No row of the feed could be taken', rejected.map(pointed))
    const taken = await takeCounts(tx, usable.map((c) => c.count), ctx.actor)
    const accepted = taken.filter(Boolean).length
    return ok({ accepted, ignored: usable.length - accepted, rejected: rejected.sort((a, b) => a.index - b.index).map(({ index, code, message }) => ({ index, code, message })) })
  },
})

interface Rejection {
  index: number
  code: RefusalCode
  message: string
  pointer: string
}
const rejection = (index: number, code: RefusalCode, message: string = refusals[code].says, pointer = `/${index}`): Rejection => ({ index, code, message, pointer })
const pointed = ({ pointer, message, code }: Rejection): RefusalDetail => ({ pointer, message, code })

/** Clocks of tills and scanners run a little ahead. */
const futureToleranceMs = 5 * 60_000

function readCounts(rows: readonly unknown[], now: number): { counts: { index: number; count: StockCount }[]; rejected: Rejection[] } {
  const counts: { index: number; count: StockCount }[] = []
  const rejected: Rejection[] = []
  rows.forEach((given, index) => {
    if (given === brokenLine) return void rejected.push(rejection(index, 'request.not_json'))
    const read = countRow.safeParse(given)
    if (!read.success) {
      const detail = refuseSchema(read.error, 'body').errors[0]!
      rejected.push(rejection(index, 'request.invalid', `${detail.pointer || 'the row'}: ${detail.message}`, `/${index}${detail.pointer}`))
    } else if (Date.parse(read.data.asOf) > now + futureToleranceMs) rejected.push(rejection(index, 'count.from_future', undefined, `/${index}/asOf`))
    else counts.push({ index, count: read.data })
  })
  return { counts, rejected }
}

const adjust = command({
  method: 'post',
  path: '/v1/inventory/adjustments',
  tag,
  summary: 'Adds or takes units, with a reason',
  roles: may.count,
  body: adjustmentBody,
  answers: { 200: levelAnswer },
  async run(ctx, tx) {
    const { body } = ctx
    requireNode(ctx.key, body.nodeId, '/nodeId')
    if (!(await findSku(tx, body.sku))) throw refuse('sku.unknown', { sku: body.sku }, undefined, [{ pointer: '/sku', message: refusals['sku.unknown'].says }])
    const [unknown] = await unknownNodes(tx, [body.nodeId])
    if (unknown) throw refuse('node.unknown', { nodeId: unknown }, undefined, [{ pointer: '/nodeId', message: refusals['node.unknown'].says }])
    await adjustStock(tx, body, ctx.actor)
    const [level] = await levelList(tx, { sku: body.sku, nodeId: body.nodeId, limit: 1 })
    return ok(level)
  },
})

export const inventoryRoutes = [listInventory, listMovements, takeCountsRoute, adjust]
