/** The cartons there are, and which of them a work order is best packed into. */
import { z } from 'zod'
import { needStatus } from '../../db/fulfillments'
import { putCarton } from '../../db/network'
import { cartonList, cartonsAt, findCarton, goodsToPack } from '../../db/views/cartons'
import { unknownNodes } from '../../db/views/network'
import { mostUnits, proposePacking, type ProposedPackage } from '../../domain/fulfillment/cartons'
import { refuse } from '../../domain/refusals'
import { visibleFulfillment } from '../access'
import { may } from '../permissions'
import { refuseField } from '../problem'
import { ok, route } from '../route'
import { cartonAnswer, cartonBody, cartonId, proposalAnswer } from '../schemas/cartons'
import { uuid } from '../schemas/fields'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'

const path = '/v1/cartons/{cartonId}'
const tag = 'Network'

const listCartons = route({
  method: 'get',
  path: '/v1/cartons',
  tag,
  summary: 'Cartons by id',
  roles: may.readNetwork,
  query: z.strictObject(paging),
  answers: { 200: listOf(cartonAnswer) },
  async run(ctx) {
    const { cursor, limit } = ctx.query
    const found = await cartonList(ctx.db, { after: readCursor(cursor, cartonId), limit: limit + 1 })
    return ok(pageOf(found, limit, (carton) => carton.cartonId))
  },
})

const getCarton = route({
  method: 'get',
  path,
  tag,
  summary: 'One carton',
  roles: may.readNetwork,
  params: z.object({ cartonId: z.string() }),
  answers: { 200: cartonAnswer },
  async run(ctx) {
    const found = await findCarton(ctx.db, ctx.params.cartonId)
    if (!found) throw refuse('carton.not_found')
    return ok(found)
  },
})

const setCarton = route({
  method: 'put',
  path,
  tag,
  summary: 'Sets up a carton, with its inner measures',
  roles: may.writeNetwork,
  params: z.object({ cartonId }),
  body: cartonBody,
  answers: { 200: cartonAnswer, 201: cartonAnswer },
  async run(ctx) {
    const { cartonId: id } = ctx.params
    if (ctx.body.cartonId !== undefined && ctx.body.cartonId !== id) throw refuseField('/cartonId', 'Must be the carton in the path')
    const [unknown] = await unknownNodes(ctx.db, ctx.body.nodes)
    if (unknown !== undefined) throw refuse('node.unknown', { nodeId: unknown }, undefined, [{ pointer: `/nodes/${ctx.body.nodes.indexOf(unknown)}`, message: 'This node is not known' }])
    const fresh = await putCarton(ctx.db, { ...ctx.body, cartonId: id }, ctx.actor)
    return { ...ok(await findCarton(ctx.db, id)), status: fresh ? 201 : 200 }
  },
})

const getProposal = route({
  method: 'get',
  path: '/v1/fulfillments/{fulfillmentId}/packing-proposal',
  tag: 'Fulfillments',
  summary: 'Which cartons to take, what goes into which, and where it lies',
  description: 'A proposal binds nobody: `pack` says what was really done. Units that were rejected are left out.',
  roles: may.readFulfillments,
  params: z.object({ fulfillmentId: uuid }),
  answers: { 200: proposalAnswer },
  async run(ctx) {
    const { fulfillmentId } = ctx.params
    const { nodeId } = await visibleFulfillment(ctx, fulfillmentId)
    await needStatus(ctx.db, fulfillmentId, ['released', 'picking', 'picked'])
    const goods = await goodsToPack(ctx.db, fulfillmentId)
    const units = goods.reduce((sum, g) => sum + g.quantity, 0)
    if (units > mostUnits) throw refuse('fulfillment.too_many_units', { units, most: mostUnits })
    const { packages, unpacked, costMinor } = proposePacking(goods, await cartonsAt(ctx.db, nodeId))
    return ok({ fulfillmentId, packages: packages.map(shown), unpacked, costMinor })
  },
})

const shown = ({ carton, weightGrams, placements }: ProposedPackage): object => {
  const { cartonId: id, name, lengthMm, widthMm, heightMm, costMinor } = carton
  const quantities = new Map<string, number>()
  for (const { lineId } of placements) quantities.set(lineId, (quantities.get(lineId) ?? 0) + 1)
  return { cartonId: id, name, lengthMm, widthMm, heightMm, weightGrams, costMinor, lines: [...quantities].map(([lineId, quantity]) => ({ lineId, quantity })), placements }
}

export const cartonRoutes = [listCartons, getCarton, setCarton, getProposal]
