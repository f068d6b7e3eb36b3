/** The last mile: what waits for own drivers, and a driver's trip from accepted to back again. All of it is rows; orders hear of it by the run's workflow. */
import { z } from 'zod'
import { putGeocode } from '../../db/dispatch'
import { findRun } from '../../db/runs'
import { completeStop } from '../../db/steps/complete-stop'
import { acceptRun, cancelRun } from '../../db/steps/accept-run'
import { departRun } from '../../db/steps/depart-run'
import { extendRun } from '../../db/steps/extend-run'
import { planRun } from '../../db/steps/plan-run'
import { returnRun } from '../../db/steps/return-run'
import type { Db, Transaction } from '../../db/connection'
import { findNode } from '../../db/views/network'
import { dispatchOf, runList, runView } from '../../db/views/runs'
import { runStatuses } from '../../domain/delivery/run'
import { refuse } from '../../domain/refusals'
import { reachesDriver, reachesNode, visibleNodes, type ApiKey } from '../auth'
import { command } from '../command'
import { may } from '../permissions'
import { created, ok, route, type Answer, type Ctx, type Route } from '../route'
import { driverId, nodeId, uuid } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'
import { dispatchItem, geocodeBody, geocodeParams, newRunBody, returnBody, runAnswer, stopBody } from '../schemas/runs'

const tag = 'Last mile'
const params = z.strictObject({ runId: uuid })
type Params = z.output<typeof params>

/** @throws `run.unknown` also for the run of another driver or node. */
async function reachRun(ctx: { db: Db | Transaction; key: ApiKey; params: Params }): Promise<string> {
  const found = await findRun(ctx.db, ctx.params.runId)
  if (!found || !reachesDriver(ctx.key, found.driverId) || !reachesNode(ctx.key, found.nodeId)) throw refuse('run.unknown')
  return found.runId
}

const seen = async (db: Db | Transaction, runId: string): Promise<Answer> => ok((await runView(db, runId))!)

const getDispatch = route({
  method: 'get',
  path: '/v1/nodes/{nodeId}/dispatch',
  tag,
  summary: 'Packed deliveries of own drivers that wait, the most urgent first',
  roles: may.planRuns,
  params: z.object({ nodeId }),
  answers: { 200: z.object({ items: z.array(dispatchItem) }) },
  async run(ctx) {
    if (!reachesNode(ctx.key, ctx.params.nodeId) || !(await findNode(ctx.db, ctx.params.nodeId))) throw refuse('node.not_found')
    return ok({ items: await dispatchOf(ctx.db, ctx.params.nodeId, 500) })
  },
})

const newRun = command({
  method: 'post',
  path: '/v1/nodes/{nodeId}/runs',
  tag,
  summary: 'Closes the wave now: a run for this driver from what waits',
  roles: may.planRuns,
  params: z.object({ nodeId }),
  body: newRunBody,
  answers: { 201: runAnswer },
  async run(ctx, tx) {
    if (!reachesNode(ctx.key, ctx.params.nodeId) || !(await findNode(tx, ctx.params.nodeId))) throw refuse('node.not_found')
    const runId = await planRun(tx, { nodeId: ctx.params.nodeId, ...ctx.body, actor: ctx.actor, now: Date.now() })
    return created((await runView(tx, runId))!, `/v1/runs/${runId}`)
  },
})

const listRuns = route({
  method: 'get',
  path: '/v1/runs',
  tag,
  summary: 'Runs, newest first',
  roles: may.readRuns,
  query: z.strictObject({ ...paging, nodeId: nodeId.optional(), driverId: driverId.optional(), status: z.enum(runStatuses).optional() }),
  answers: { 200: listOf(runAnswer) },
  async run(ctx) {
    const { cursor, limit, ...filter } = ctx.query
    const own = ctx.key.role === 'courier' ? { driverId: ctx.key.driverId ?? '' } : {}
    if (filter.driverId !== undefined && !reachesDriver(ctx.key, filter.driverId)) return ok({ items: [], nextCursor: null })
    const found = await runList(ctx.db, { ...filter, ...own, after: readCursor(cursor, uuid), limit: limit + 1, nodes: visibleNodes(ctx.key) })
    return ok(pageOf(found, limit, (run) => run.runId))
  },
})

const getRun = route({
  method: 'get',
  path: '/v1/runs/{runId}',
  tag,
  summary: 'One run with its stops',
  roles: may.readRuns,
  params,
  answers: { 200: runAnswer },
  run: async (ctx) => seen(ctx.db, await reachRun(ctx)),
})

/** A step of the driver's day: one transaction, answered with the run as it is then. */
const step = <Body extends z.ZodType>(action: string, summary: string, body: Body, take: (tx: Transaction, ask: { runId: string; actor: string; body: z.output<Body> }) => Promise<void>, roles: Route['roles'] = may.driveRuns): Route =>
  command({
    method: 'post',
    path: `/v1/runs/{runId}/${action}`,
    tag,
    summary,
    roles,
    params,
    body,
    answers: { 200: runAnswer },
    async run(ctx, tx) {
      const runId = await reachRun({ ...ctx, db: tx, key: ctx.key, params: ctx.params })
      await take(tx, { runId, actor: ctx.actor, body: ctx.body })
      return seen(tx, runId)
    },
  })

const extend = step(
  'extend',
  'The run takes on what waits at its node and harms nobody who was told a time: parcels before the driver leaves, goods to be fetched also on his way',
  z.strictObject({}),
  async (tx, ask) => void (await extendRun(tx, { ...ask, now: Date.now() })),
  may.planRuns,
)
const accept = step('accept', 'The driver takes the run', z.strictObject({}), (tx, ask) => acceptRun(tx, ask))
const depart = step('depart', 'The driver leaves: everything on board is handed over', z.strictObject({}), (tx, ask) => departRun(tx, ask))
const back = step('return', 'The driver is back, with what was not delivered', returnBody, (tx, { body, ...ask }) => returnRun(tx, { ...ask, missing: body.missing }))
const cancel = step('cancel', 'A run that has not left is given up; its parcels wait for another', z.strictObject({}), (tx, ask) => cancelRun(tx, ask), may.planRuns)

const complete = command({
  method: 'post',
  path: '/v1/runs/{runId}/stops/{stopId}/complete',
  tag,
  summary: 'How every task at a door ended',
  roles: may.driveRuns,
  params: z.strictObject({ runId: uuid, stopId: uuid }),
  body: stopBody,
  answers: { 200: runAnswer },
  async run(ctx, tx) {
    const runId = await reachRun({ db: tx, key: ctx.key, params: ctx.params })
    await completeStop(tx, { runId, stopId: ctx.params.stopId, actor: ctx.actor, tasks: ctx.body.tasks })
    return seen(tx, runId)
  },
})

const geocode = route({
  method: 'put',
  path: '/v1/geocodes/{country}/{postalCode}',
  tag,
  summary: 'Where a postal code lies, for addresses that come without a position',
  description: 'Deliveries that were parked for it wait for a driver from now on.',
  roles: may.writeNetwork,
  params: geocodeParams,
  body: geocodeBody,
  answers: { 200: z.object({ country: z.string(), postalCode: z.string(), latitude: z.number(), longitude: z.number(), moved: z.int() }) },
  async run(ctx: Ctx<z.output<typeof geocodeParams>, unknown, z.output<typeof geocodeBody>>) {
    const place = { country: ctx.params.country, postalCode: ctx.params.postalCode.replace(/ /g, ''), ...ctx.body }
    return ok({ ...place, moved: await ctx.db.transaction((tx) => putGeocode(tx, place, { actor: ctx.actor, cause: `request:${ctx.requestId}` })) })
  },
})

export const runRoutes = [getDispatch, newRun, listRuns, getRun, extend, accept, depart, complete, back, cancel, geocode]
