/** The counter: goods put aside for a customer, given to her against a proof; and parcels from other nodes taken in. */
import { z } from 'zod'
import { needFulfillment, refusedMove } from '../../db/fulfillments'
import { refuseIfHeld } from '../../db/holds'
import { keepProof } from '../../db/pickups'
import { receiveTransfer } from '../../db/steps/receive-transfer'
import { fulfillmentPlace, fulfillmentView } from '../../db/views/fulfillments'
import { findOrder } from '../../db/orders'
import { refuse } from '../../domain/refusals'
import { durationMs } from '../../domain/policy/duration'
import { reachesNode } from '../auth'
import { command, orderCommand } from '../command'
import { ok, type Ctx } from '../route'
import { keptLineId, text } from '../schemas/fields'
import { fulfillmentCommand, orderOf, viewOf, type FulfillmentParams } from './fulfillments'

/** POST /v1/fulfillments/{fulfillmentId}/ready-for-pickup */
export const readyForPickup = orderCommand({
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/ready-for-pickup',
  summary: 'The picked goods wait for the customer at the counter',
  description: 'The order then shows its pickup code to channel and support. Waits as long as the policy says, closed days not counted.',
  body: z.strictObject({}),
  ask: async (ctx) => ({ orderId: await orderOf(ctx), update: 'readyForPickup', args: { fulfillmentId: ctx.params.fulfillmentId } }),
  answer: viewOf,
})

const proof = z
  .strictObject({ name: text(200), pickupCode: z.string().max(20).optional(), idChecked: z.boolean().optional() })
  .refine((p) => p.pickupCode !== undefined || p.idChecked === true, { path: ['pickupCode'], message: 'Give the code, or look at an identity document and set idChecked' })

/** POST /v1/fulfillments/{fulfillmentId}/collect */
export const collect = orderCommand({
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/collect',
  summary: 'The customer has the goods',
  description: 'Needs her code or an identity document, and a valid payment authorisation; the capture follows. After five wrong codes only a document counts.',
  body: z.strictObject({ proof }),
  async ask(ctx) {
    const orderId = await orderOf(ctx)
    const { fulfillmentId } = ctx.params
    const fulfillment = await needFulfillment(ctx.db, fulfillmentId)
    // Before anything personal is written.
    if (fulfillment.status !== 'ready') throw refusedMove(fulfillment)
    await refuseIfHeld(ctx.db, (await findOrder(ctx.db, orderId))!, 'shipping')
    return { orderId, update: 'collect', args: { fulfillmentId, proofId: await keepProof(ctx.db, fulfillmentId, ctx.body.proof) } }
  },
  answer: viewOf,
})

const receiveFields = {
  ...fulfillmentCommand,
  path: '/v1/fulfillments/{fulfillmentId}/receive',
  summary: 'A parcel from another of our nodes has come',
  description: 'Without lines: all of it is there. What is missing is looked for elsewhere; what its order does not want any more is stock of this node.',
  body: z.strictObject({ lines: z.array(z.strictObject({ lineId: keptLineId, quantity: z.int().min(0).max(100_000) })).max(500).optional() }),
} as const

async function orderOfTransfer(ctx: Ctx<FulfillmentParams>): Promise<string> {
  const place = await fulfillmentPlace(ctx.db, ctx.params.fulfillmentId)
  if (!place || !reachesNode(ctx.key, place.toNodeId ?? place.nodeId)) throw refuse('fulfillment.unknown')
  return place.orderId
}

const receiveForOrder = orderCommand({
  ...receiveFields,
  ask: async (ctx) => ({ orderId: await orderOfTransfer(ctx), update: 'receiveTransfer', args: { fulfillmentId: ctx.params.fulfillmentId, lines: ctx.body.lines } }),
  answer: viewOf,
})

/** Nobody waits for it any more: the goods become stock. */
const receiveAsStock = command({
  ...receiveFields,
  async run(ctx, tx) {
    const { policy } = (await findOrder(tx, await orderOfTransfer(ctx)))!
    const since = new Date()
    const ifReceived = { what: 'picking' as const, since: since.toISOString(), deadline: new Date(since.getTime() + durationMs(policy.store_work.acceptWithin)).toISOString() }
    const { fulfillmentId } = ctx.params
    await receiveTransfer(tx, { fulfillmentId, lines: ctx.body.lines, actor: ctx.actor, commandId: ctx.requestId, ifReceived })
    return ok(await fulfillmentView(tx, fulfillmentId, { role: ctx.key.role }))
  },
})

/** POST /v1/fulfillments/{fulfillmentId}/receive */
export const receive = {
  ...receiveForOrder,
  async run(...[ctx, req, res]: Parameters<typeof receiveForOrder.run>) {
    const order = await findOrder(ctx.db, await orderOfTransfer(ctx as Ctx<FulfillmentParams>))
    return (order?.stage === 'open' ? receiveForOrder : receiveAsStock).run(ctx, req, res)
  },
}
