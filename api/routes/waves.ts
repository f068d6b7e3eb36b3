/** Waves: several work orders of a node picked in one walk, and the bins that say where to walk. */
import { z } from 'zod'
import { binList, putBins } from '../../db/bins'
import { findNode, unknownSkus } from '../../db/views/network'
import { waveList, waveNode, waveView } from '../../db/views/waves'
import { closeWave, openWave } from '../../db/waves'
import { refuse } from '../../domain/refusals'
import { reachesNode } from '../auth'
import { command } from '../command'
import { may } from '../permissions'
import { created, ok, route, type Ctx } from '../route'
import { sku, uuid } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'
import { binAnswer, binsBody, waveAnswer, waveBody, waveSummary } from '../schemas/waves'

const ofNode = z.object({ nodeId: z.string() })
const ofWave = z.strictObject({ waveId: uuid })
const wavesPath = '/v1/nodes/{nodeId}/waves'
const wavePath = '/v1/waves/{waveId}'
const binsPath = '/v1/nodes/{nodeId}/bins'
const tag = 'Fulfillments'

/** @throws `node.not_found` also for a node that the key does not reach. */
async function nodeOf(ctx: Ctx<{ nodeId: string }>): Promise<string> {
  const { nodeId } = ctx.params
  if (!reachesNode(ctx.key, nodeId) || !(await findNode(ctx.db, nodeId))) throw refuse('node.not_found')
  return nodeId
}

/** @throws `wave.unknown` also for a wave of such a node. */
async function waveOf(ctx: Ctx<{ waveId: string }>): Promise<string> {
  const nodeId = await waveNode(ctx.db, ctx.params.waveId)
  if (nodeId === undefined || !reachesNode(ctx.key, nodeId)) throw refuse('wave.unknown')
  return ctx.params.waveId
}

const postWave = command({
  method: 'post',
  path: wavesPath,
  tag,
  summary: 'Open a wave of what is due first; answers with the pick list, sorted by bin',
  roles: may.workFulfillments,
  params: ofNode,
  body: waveBody,
  answers: { 201: waveAnswer },
  async run(ctx, tx) {
    const waveId = await openWave(tx, { ...ctx.body, nodeId: await nodeOf(ctx), actor: ctx.actor, cause: ctx.requestId })
    return created(await waveView(tx, waveId), `/v1/waves/${waveId}`)
  },
})

const listWaves = route({
  method: 'get',
  path: wavesPath,
  tag,
  summary: 'Waves of a node, newest first',
  roles: may.readFulfillments,
  params: ofNode,
  query: z.strictObject(paging),
  answers: { 200: listOf(waveSummary) },
  async run(ctx) {
    const { cursor, limit } = ctx.query
    const found = await waveList(ctx.db, { nodeId: await nodeOf(ctx), after: readCursor(cursor, uuid), limit: limit + 1 })
    return ok(pageOf(found, limit, (wave) => wave.waveId))
  },
})

const getWave = route({
  method: 'get',
  path: wavePath,
  tag,
  summary: 'The pick list as it stands now, and what has left the wave',
  roles: may.readFulfillments,
  params: ofWave,
  answers: { 200: waveAnswer },
  run: async (ctx) => ok(await waveView(ctx.db, await waveOf(ctx))),
})

const postClose = command({
  method: 'post',
  path: '/v1/waves/{waveId}/close',
  tag,
  summary: 'Nobody goes on with it: what is not begun may join another wave',
  roles: may.workFulfillments,
  params: ofWave,
  body: z.strictObject({}),
  answers: { 200: waveAnswer },
  async run(ctx, tx) {
    const waveId = await waveOf(ctx)
    await closeWave(tx, { waveId, actor: ctx.actor, cause: ctx.requestId })
    return ok(await waveView(tx, waveId))
  },
})

const listBins = route({
  method: 'get',
  path: binsPath,
  tag: 'Network',
  summary: 'Where SKUs lie in a node, by SKU',
  roles: may.readFulfillments,
  params: ofNode,
  query: z.strictObject(paging),
  answers: { 200: listOf(binAnswer) },
  async run(ctx) {
    const { cursor, limit } = ctx.query
    const found = await binList(ctx.db, { nodeId: await nodeOf(ctx), after: readCursor(cursor, sku), limit: limit + 1 })
    return ok(pageOf(found, limit, (bin) => bin.sku))
  },
})

const setBins = route({
  method: 'put',
  path: binsPath,
  tag: 'Network',
  summary: 'Says where SKUs lie in a node; those not named stay as they are, null takes a bin away',
  roles: may.count,
  params: ofNode,
  body: binsBody,
  answers: { 200: z.object({ bins: z.int() }) },
  async run(ctx) {
    const nodeId = await nodeOf(ctx)
    const { bins } = ctx.body
    const unknown = await unknownSkus(ctx.db, bins.map((b) => b.sku))
    const errors = bins.flatMap((b, i) => (unknown.has(b.sku) ? [{ pointer: `/bins/${i}/sku`, message: 'This SKU is not known', code: 'sku.unknown' as const }] : []))
    if (errors.length) throw refuse('sku.unknown', { sku: [...unknown][0] }, undefined, errors)
    await ctx.db.transaction((tx) => putBins(tx, { nodeId, bins, actor: ctx.actor, cause: ctx.requestId }))
    return ok({ bins: bins.length })
  },
})

export const waveRoutes = [postWave, listWaves, getWave, postClose, listBins, setBins]
