/** What comes back: asked for, with what it would move; decided; counted at a node. And what is sent in place of what was delivered. */
import { z } from 'zod'
import { keepReturnProof, type Proof } from '../../db/return-terms'
import { returnPlace } from '../../db/returns'
import { previewReplacement } from '../../db/steps/request-replacement'
import { previewReturn } from '../../db/steps/request-return'
import { previewAtCounter } from '../../db/steps/return-at-counter'
import { returnView } from '../../db/views/returns'
import { orderChannel } from '../../db/views/orders'
import type { DecideReturn } from '../../domain/messages'
import { findGoodwill } from '../../db/goodwill'
import { refuse } from '../../domain/refusals'
import { knownNode, visibleOrder } from '../access'
import { orderCommand, type AnswerCtx, type OrderRoute } from '../command'
import { may, type Role } from '../permissions'
import { created, ok, route, type Answer, type Ctx, type Route } from '../route'
import { text, uuid } from '../schemas/fields'
import { refundAnswer, shownRefund } from '../schemas/refunds'
import { claimBody, counterBody, receiveBody, replacementBody, replacementPreview, returnAnswer, returnBody, returnPreview } from '../schemas/returns'

const orderParams = z.strictObject({ orderId: uuid })
const previewQuery = z.strictObject({ preview: z.enum(['true', 'false']).optional() })
const returnParams = z.strictObject({ returnId: uuid })

/** The policy binds customers, whose requests come by their channel; everybody else may go beyond it, and that is kept. */
const isStaff = (role: Role): boolean => role !== 'channel'

const opened = async ({ db, commandId }: AnswerCtx): Promise<Answer> => created((await returnView(db, { commandId }))!)

const seesOrder = async (ctx: Ctx): Promise<unknown> => visibleOrder(ctx, (ctx.params as { orderId: string }).orderId)

/** @param check what has to be so before anything is shown */
const onlyPreviewed = (asked: OrderRoute, preview: (ctx: Ctx) => Promise<object>, check: (ctx: Ctx) => Promise<unknown> = seesOrder): OrderRoute => ({
  ...asked,
  async run(ctx, req, res) {
    if ((ctx.query as { preview?: string }).preview !== 'true') return asked.run(ctx, req, res)
    await check(ctx)
    return ok(await preview(ctx))
  },
})

/** What is shown for it is kept, and goes along as an id. */
async function argsOf<Body extends { proof?: Proof }>({ db, key, params, body }: Ctx<{ orderId: string }, unknown, Body>): Promise<{ staff: boolean }> {
  const { proof, ...rest } = body
  return { ...rest, staff: isStaff(key.role), ...(proof && { proofId: await keepReturnProof(db, params.orderId, proof) }) }
}

const askReturn = onlyPreviewed(
  orderCommand({
    method: 'post',
    path: '/v1/orders/{orderId}/returns',
    tag: 'Returns',
    summary: 'Ask to send something back',
    description: 'Also weeks later, when the order has come to its end. With `?preview=true` nothing is done: the answer says what it would move, and needs no Idempotency-Key.',
    roles: may.requestReturns,
    params: orderParams,
    query: previewQuery,
    body: returnBody,
    answers: { 200: returnPreview, 201: returnAnswer },
    async ask(ctx) {
      await visibleOrder(ctx, ctx.params.orderId)
      return { orderId: ctx.params.orderId, update: 'requestReturn', args: await argsOf(ctx) }
    },
    answer: opened,
  }),
  (ctx) => ctx.db.transaction((tx) => previewReturn(tx, { ...(ctx.params as { orderId: string }), ...(ctx.body as z.output<typeof returnBody>), staff: isStaff(ctx.key.role) })),
)

const askReplacement = onlyPreviewed(
  orderCommand({
    method: 'post',
    path: '/v1/orders/{orderId}/replacements',
    tag: 'Returns',
    summary: 'Ask for something in place of what was delivered',
    description:
      'The same again or another SKU, sourced like any line. It leaves at once where nothing is to come back or the driver swaps it at the door, else when the old goods are back. Where the new goods cost more (`unitPriceMinor`), that is held before anything is changed and taken when they leave; where they cost less, it is given back when the old ones are there. With `?preview=true` nothing is done.',
    roles: may.requestReturns,
    params: orderParams,
    query: previewQuery,
    body: replacementBody,
    answers: { 200: replacementPreview, 201: returnAnswer },
    async ask(ctx) {
      await visibleOrder(ctx, ctx.params.orderId)
      return { orderId: ctx.params.orderId, update: 'requestReplacement', args: await argsOf(ctx) }
    },
    answer: opened,
  }),
  (ctx) => ctx.db.transaction((tx) => previewReplacement(tx, { ...(ctx.params as { orderId: string }), ...(ctx.body as z.output<typeof replacementBody>), staff: isStaff(ctx.key.role) })),
)

type ClaimBody = z.output<typeof claimBody>
/** The fault is ours: money or another one, and the goods are not wanted back. */
const remedied = ({ lines, reason, remedy }: ClaimBody) => {
  const each = lines.map((l) => ({ ...l, reason }))
  return remedy !== 'replace' ? ({ update: 'requestReturn', args: { lines: each, method: 'none', claim: true, staff: true, ...(remedy === 'credit' && { remedy }) } } as const) : ({ update: 'requestReplacement', args: { lines: each, collectOld: 'none', staff: true } } as const)
}

const claim = onlyPreviewed(
  orderCommand({
    method: 'post',
    path: '/v1/orders/{orderId}/claims',
    tag: 'Returns',
    summary: 'Make good a fault of ours',
    description: 'Money, store credit or another one, and nothing is to come back. Money and credit beyond what was paid for goods the customer does not have wait until another person of finance approves them, as refunds do; the answer is that refund then. With `?preview=true` nothing is done.',
    roles: may.decideReturns,
    params: orderParams,
    query: previewQuery,
    body: claimBody,
    answers: { 200: z.union([returnPreview, replacementPreview]), 201: z.union([returnAnswer, refundAnswer]) },
    async ask(ctx) {
      await visibleOrder(ctx, ctx.params.orderId)
      return { orderId: ctx.params.orderId, ...remedied(ctx.body) }
    },
    answer: async (ctx) => created((await returnView(ctx.db, ctx)) ?? shownRefund((await findGoodwill(ctx.db, ctx))!)),
  }),
  (ctx) =>
    ctx.db.transaction((tx): Promise<object> => {
      const asked = remedied(ctx.body as ClaimBody)
      const order = ctx.params as { orderId: string }
      return asked.update === 'requestReturn' ? previewReturn(tx, { ...order, ...asked.args }) : previewReplacement(tx, { ...order, ...asked.args })
    }),
)

/** @throws `return.unknown` where there is none, or none that this key may see */
export async function visibleReturn(ctx: Ctx<z.output<typeof returnParams>>): Promise<string> {
  const place = await returnPlace(ctx.db, ctx.params.returnId)
  if (!place) throw refuse('return.unknown')
  await visibleOrder(ctx, place.orderId).catch(() => Promise.reject(refuse('return.unknown')))
  return place.orderId
}

const readReturn = route({
  method: 'get',
  path: '/v1/returns/{returnId}',
  tag: 'Returns',
  summary: 'One return',
  roles: may.readReturns,
  params: returnParams,
  answers: { 200: returnAnswer },
  async run(ctx) {
    if (ctx.key.role !== 'store') await visibleReturn(ctx)
    const view = await returnView(ctx.db, ctx.params)
    if (!view) throw refuse('return.unknown')
    return ok(view)
  },
})

const asItIsNow = async ({ db, params }: AnswerCtx<z.output<typeof returnParams>>): Promise<Answer> => ok((await returnView(db, params))!)

const receive = orderCommand({
  method: 'post',
  path: '/v1/returns/{returnId}/receive',
  tag: 'Returns',
  summary: 'Count what has come back',
  description: 'At whichever node it came to; in as many counts as it comes in. Restocked units are for sale there at once, and the refund follows.',
  roles: may.receiveReturns,
  params: returnParams,
  body: receiveBody,
  answers: { 200: returnAnswer },
  async ask(ctx) {
    await knownNode(ctx, ctx.body.nodeId, '/nodeId')
    const place = await returnPlace(ctx.db, ctx.params.returnId)
    if (!place) throw refuse('return.unknown')
    return { orderId: place.orderId, update: 'receiveReturn', args: { ...ctx.body, ...ctx.params } }
  },
  answer: asItIsNow,
})

/** Whose order it is does not matter: a customer may bring goods to any counter, and brings her order's id along. */
async function needOrder(ctx: Ctx, orderId: string): Promise<void> {
  if ((await orderChannel(ctx.db, orderId)) === undefined) throw refuse('order.unknown')
}

const atCounter = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/counter-returns',
  tag: 'Returns',
  summary: 'Take back at a counter what nobody has announced',
  description: 'Opened and counted in one, at a node of the key. What the policy says against it is advice: whoever lets it through is kept with the return as `override`. The refund follows. With `?preview=true` nothing is done: the answer says what it would move, and what speaks against it.',
  roles: may.receiveReturns,
  params: orderParams,
  query: previewQuery,
  body: counterBody,
  answers: { 200: returnPreview, 201: returnAnswer },
  async ask(ctx) {
    await knownNode(ctx, ctx.body.nodeId, '/nodeId')
    await needOrder(ctx, ctx.params.orderId)
    const { staff: _, ...args } = await argsOf(ctx)
    return { orderId: ctx.params.orderId, update: 'returnAtCounter', args }
  },
  answer: opened,
})

const askAtCounter = onlyPreviewed(
  atCounter,
  (ctx) => {
    const { nodeId: _, ...body } = ctx.body as z.output<typeof counterBody>
    return ctx.db.transaction((tx) => previewAtCounter(tx, { ...(ctx.params as { orderId: string }), ...body }))
  },
  async (ctx) => {
    await knownNode(ctx, (ctx.body as z.output<typeof counterBody>).nodeId, '/nodeId')
    await needOrder(ctx, (ctx.params as { orderId: string }).orderId)
  },
)

const decided = (decision: DecideReturn['decision'], says: { summary: string; roles: readonly Role[] }): Route =>
  orderCommand({
    method: 'post',
    path: `/v1/returns/{returnId}/${decision}`,
    tag: 'Returns',
    ...says,
    params: returnParams,
    body: z.strictObject({ reason: decision === 'reject' || decision === 'charge' || decision === 'waive' ? text(500) : text(500).optional() }),
    answers: { 200: returnAnswer },
    ask: async (ctx) => ({ orderId: await visibleReturn(ctx), update: 'decideReturn', args: { ...ctx.params, ...ctx.body, decision } }),
    answer: asItIsNow,
  })

export const returnRoutes: readonly Route[] = [
  askReturn,
  askReplacement,
  claim,
  readReturn,
  receive,
  askAtCounter,
  decided('approve', { summary: 'Agree to a return', roles: may.decideReturns }),
  decided('close', { summary: 'No more of it will come: what is there is settled, the rest stays with the customer', roles: may.decideReturns }),
  decided('remind', { summary: 'The customer is reminded and has some more time', roles: may.decideReturns }),
  decided('reject', { summary: 'Refuse a return', roles: may.decideReturns }),
  decided('cancel', { summary: 'Take a return back before anything has come', roles: may.requestReturns }),
  decided('charge', { summary: 'Take what is held over goods that do not come back, or came as something else, before their date', roles: may.decideReturns }),
  decided('waive', { summary: 'Let go of what is held over goods that need not come back', roles: may.decideReturns }),
]
