/** What is sold, as far as shipping needs to know it: name, weight, size. The catalogue lives elsewhere. */
import { z } from 'zod'
import { putSku } from '../../db/network'
import { findSku, skuList } from '../../db/views/network'
import { refuse } from '../../domain/refusals'
import { may } from '../permissions'
import { refuseField } from '../problem'
import { ok, route } from '../route'
import { sku } from '../schemas/fields'
import { skuAnswer, skuBody } from '../schemas/network'
import { listOf, pageOf, paging, readCursor } from '../schemas/paging'

const path = '/v1/skus/{sku}'
const tag = 'Network'

const listSkus = route({
  method: 'get',
  path: '/v1/skus',
  tag,
  summary: 'SKUs by id',
  roles: may.readNetwork,
  query: z.strictObject(paging),
  answers: { 200: listOf(skuAnswer) },
  async run(ctx) {
    const { cursor, limit } = ctx.query
    const found = await skuList(ctx.db, { after: readCursor(cursor, sku), limit: limit + 1 })
    return ok(pageOf(found, limit, (one) => one.sku))
  },
})

const getSku = route({
  method: 'get',
  path,
  tag,
  summary: 'One SKU',
  roles: may.readNetwork,
  params: z.object({ sku: z.string() }),
  answers: { 200: skuAnswer },
  async run(ctx) {
    const found = await findSku(ctx.db, ctx.params.sku)
    if (!found) throw refuse('sku.not_found')
    return ok(found)
  },
})

const setSku = route({
  method: 'put',
  path,
  tag,
  summary: 'Sets up a SKU',
  roles: may.writeNetwork,
  params: z.object({ sku }),
  body: skuBody,
  answers: { 200: skuAnswer, 201: skuAnswer },
  async run(ctx) {
    const { sku: id } = ctx.params
    if (ctx.body.sku !== undefined && ctx.body.sku !== id) throw refuseField('/sku', 'Must be the SKU in the path')
    const fresh = await putSku(ctx.db, { ...ctx.body, sku: id }, ctx.actor)
    return { ...ok(await findSku(ctx.db, id)), status: fresh ? 201 : 200 }
  },
})

export const skuRoutes = [listSkus, getSku, setSku]
