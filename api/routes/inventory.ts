/** Stock from outside: levels and their movements, absolute counts, adjustments, and what is still to come. */
import { z } from 'zod'
import { writeAudit } from '../../db/audit'
import type { Transaction } from '../../db/connection'
import { adjustStock, setSafetyStock } from '../../db/stock-feed'
import { announceSupply } from '../../db/supply'
import { levelsOrKit } from '../../db/views/kit-stock'
import { levelList, movementList } from '../../db/views/stock'
import { findSku, unknownNodes } from '../../db/views/network'
import { refuse, refusals } from '../../domain/refusals'
import { reachesNode, requireNode, visibleNodes } from '../auth'
import { command } from '../command'
import { batchesOfLines, requireLines, writeLine } from '../lines'
import { pointed, readCounts, shown, takeRows } from '../stock-counts'
import { may } from '../permissions'
import { refuseField } from '../problem'
import { ok, route, stream } from '../route'
import { nodeId, sku } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'
import { adjustmentBody, countFeed, countFileAnswer, countRow, countsAnswer, mostCounts, levelAnswer, movementAnswer, shelfBody, supplyBody } from '../schemas/stock'

const tag = 'Stock'

const listInventory = route({
  method: 'get',
  path: '/v1/inventory',
  tag,
  summary: 'Stock levels by SKU and node',
  description: 'Asked for a kit by `sku`: what could be made of its components, per node.',
  roles: may.readNetwork,
  query: z.strictObject({ ...paging, sku: sku.optional(), nodeId: nodeId.optional() }),
  answers: { 200: listOf(levelAnswer) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const after = readCursor(cursor, z.object({ sku, nodeId }))
    const found = await levelsOrKit(ctx.db, { ...filter, after, limit: limit + 1, nodes: visibleNodes(ctx.key) })
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
    const read = readCounts(ctx.body, Date.now())
    for (const { index, count } of read.counts) requireNode(ctx.key, count.nodeId, `/${index}/nodeId`)
    const { accepted, ignored, rejected } = await takeRows(tx, read, ctx.actor)
    if (accepted + ignored === 0) throw refuse('request.invalid', {}, 'No row of the feed could be taken', rejected.map(pointed))
    return ok({ accepted, ignored, rejected: rejected.map(shown) })
  },
})

const takeCountFile = stream({
  method: 'post',
  path: '/v1/inventory/count-files',
  tag,
  summary: 'A file of counts of any length, as NDJSON',
  description:
    'Read while it comes and committed every 5,000 rows. The answer is NDJSON too: a line for every rejected row and a line of progress after each batch, the last one with `done: true`. ' +
    'An answer without it was cut short: send the file again, what was taken is ignored then.',
  roles: may.count,
  reads: 'lines',
  bodyShown: countRow,
  answers: { 200: countFileAnswer },
  async open(ctx, req, res) {
    requireLines(ctx.header('content-type'))
    const sum = { rows: 0, accepted: 0, ignored: 0, rejected: 0 }
    for await (const rows of batchesOfLines(req, mostCounts)) {
      const read = readCounts(rows, Date.now(), sum.rows, (nodeId) => reachesNode(ctx.key, nodeId))
      const taken = await ctx.db.transaction(async (tx) => {
        await writeAudit(tx, { actor: ctx.actor, action: 'inventory.count_file', subject: `rows ${sum.rows + 1}–${sum.rows + rows.length}`, cause: `request:${ctx.requestId}` })
        return takeRows(tx, read, ctx.actor)
      })
      if (sum.rows === 0) res.status(200).type('application/x-ndjson')
      for (const rejected of taken.rejected) await writeLine(res, shown(rejected))
      sum.rows += rows.length
      sum.accepted += taken.accepted
      sum.ignored += taken.ignored
      sum.rejected += taken.rejected.length
      await writeLine(res, { ...sum, done: false })
    }
    if (sum.rows === 0) throw refuse('request.invalid', {}, 'The file has no rows', [{ pointer: '', message: 'Must hold at least one row' }])
    await writeLine(res, { ...sum, done: true })
    res.end()
  },
})

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
    await needPlace(tx, body)
    await adjustStock(tx, body, ctx.actor)
    const [level] = await levelList(tx, { sku: body.sku, nodeId: body.nodeId, limit: 1 })
    return ok(level)
  },
})

/** @throws `sku.unknown`, `node.unknown`, with the field */
async function needPlace(tx: Transaction, place: { sku: string; nodeId: string }): Promise<void> {
  if (!(await findSku(tx, place.sku))) throw refuse('sku.unknown', { sku: place.sku }, undefined, [{ pointer: '/sku', message: refusals['sku.unknown'].says }])
  const [unknown] = await unknownNodes(tx, [place.nodeId])
  if (unknown) throw refuse('node.unknown', { nodeId: unknown }, undefined, [{ pointer: '/nodeId', message: refusals['node.unknown'].says }])
}

const announce = command({
  method: 'post',
  path: '/v1/inventory/supply',
  tag,
  summary: 'What a supplier will deliver, and when',
  description:
    'Takes the place of what was announced before under the same reference, SKU and node. What is delivered is an adjustment with `supplyReference`. ' +
    'Orders may be promised units of it where the SKU may be backordered; if it shrinks below that, the newest of them lose their promise and are put before a person.',
  roles: may.count,
  body: supplyBody,
  answers: { 200: levelAnswer },
  async run(ctx, tx) {
    const { expectedAt = new Date().toISOString(), ...supply } = ctx.body
    requireNode(ctx.key, supply.nodeId, '/nodeId')
    if (supply.quantity > 0 && Date.parse(expectedAt) <= Date.now()) throw refuseField('/expectedAt', 'Must be in the future')
    await needPlace(tx, supply)
    await announceSupply(tx, { ...supply, expectedAt }, ctx.actor)
    const [level] = await levelList(tx, { sku: supply.sku, nodeId: supply.nodeId, limit: 1 })
    return ok(level)
  },
})

const keepSafetyStock = route({
  method: 'put',
  path: '/v1/inventory/{sku}/{nodeId}',
  tag,
  summary: 'How many units of a shelf no channel sells',
  description: 'Safety stock covers counts that are wrong and goods that are damaged unseen; it is available to nobody until it is lowered.',
  roles: may.writeNetwork,
  params: z.object({ sku: z.string(), nodeId: z.string() }),
  body: shelfBody,
  answers: { 200: levelAnswer },
  async run(ctx) {
    const shelf = ctx.params
    if (!(await findSku(ctx.db, shelf.sku))) throw refuse('sku.not_found')
    if ((await unknownNodes(ctx.db, [shelf.nodeId])).length > 0) throw refuse('node.not_found')
    await ctx.db.transaction((tx) => setSafetyStock(tx, { ...shelf, ...ctx.body }, ctx.actor, ctx.requestId))
    const [level] = await levelList(ctx.db, { ...shelf, limit: 1 })
    return ok(level)
  },
})

export const inventoryRoutes = [listInventory, listMovements, takeCountsRoute, takeCountFile, adjust, announce, keepSafetyStock]
