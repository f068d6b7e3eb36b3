/** Orders are cancelled here, whole or in part; and here it is said beforehand what that would move. */
import { z } from 'zod'
import { findOrder } from '../../db/orders'
import { askBackInstead } from '../../db/steps/ask-parcels-back'
import { proposeChange } from '../../db/steps/change-order'
import { previewCancellation } from '../../db/views/cancellation'
import { findChannel } from '../../db/views/network'
import { orderTag, orderView } from '../../db/views/orders'
import { unitStates } from '../../domain/order/cancellation'
import { visibleOrder } from '../access'
import { command, orderCommand, requireVersion, type OrderRoute } from '../command'
import { may } from '../permissions'
import { ok, type Ctx } from '../route'
import { keptLineId, minor, text, uuid } from '../schemas/fields'
import { changeAnswer } from '../schemas/order-change'
import { orderAnswer } from '../schemas/order-view'

const cancelBody = z.strictObject({
  lines: z
    .array(z.strictObject({ lineId: keptLineId, quantity: z.int().min(1) }))
    .min(1)
    .max(500)
    .optional()
    .meta({ description: 'Only these units; a kit by the line it was ordered in. Absent: the whole order' }),
  reason: text(500),
  requestedBy: z.enum(['merchant', 'customer']).optional().meta({ description: 'What the customer asks for herself waits for a merchant where `care.customerRequests` says so; then the answer is 202 with the change to be approved. Of the key of a channel of the kind `web` it is always the customer, as with changes; marketplaces and tills have told her, and speak for the merchant unless they say otherwise here' }),
})

const previewAnswer = z
  .object({
    preview: z.literal(true),
    whole: z.boolean().meta({ description: 'Nothing of the order would be left' }),
    goods: z.array(z.object({ lineId: z.string(), sku: z.string(), quantity: z.int(), state: z.enum(unitStates), nodeId: z.string().optional(), fulfillmentId: z.string().optional(), together: z.int().optional().meta({ description: 'How many units, of whatever lines, stand packed together with these' }) })),
    money: z.object({
      currency: z.string(),
      cancelledMinor: minor.meta({ description: 'What the units are worth' }),
      remainingMinor: minor.meta({ description: 'What the order is worth without them' }),
      letGoMinor: minor.meta({ description: 'What of it is held, or would be, and is not taken' }),
      refundMinor: minor.meta({ description: 'What was taken and goes back: at once, as by a bank debit, or for goods that this was to be sent in place of' }),
      refundElsewhereMinor: minor.meta({ description: 'What the channel has taken and has to give back' }),
      countedMinor: minor.meta({ description: 'What of it was given ahead by hand, and is counted' }),
      owedMinor: minor.meta({ description: 'What is due and no payment has left: a case for finance' }),
    }),
  })
  .meta({ id: 'CancellationPreview' })

const cancel = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/cancel',
  tag: 'Orders',
  summary: 'Cancel an order, or some units of it',
  description:
    'The whole order, until it is handed over; units of it, while they are not packed, or all that one parcel has in it: then its labels are given back and the goods go back to the shelf. Answers once the stock is free; the money follows, see paymentStatus. With `?preview=true` nothing is done: the answer says what it would move, and needs no Idempotency-Key.',
  roles: may.cancelOrders,
  params: z.strictObject({ orderId: uuid }),
  query: z.strictObject({ preview: z.enum(['true', 'false']).optional() }),
  body: cancelBody,
  answers: { 200: z.union([orderAnswer, previewAnswer]), 202: changeAnswer },
  async ask(ctx) {
    const { orderId } = ctx.params
    await visibleOrder(ctx, orderId)
    const { lines, reason } = ctx.body
    return lines ? { orderId, update: 'cancelLines', args: { lines, reason } } : { orderId, update: 'cancelOrder', args: { reason } }
  },
  answer: async ({ db, orderId, role }) => {
    const view = (await orderView(db, orderId, { role }))!
    return ok(view, { ETag: orderTag(view.version) })
  },
})

/** The same as a change that waits for a yes. */
const request = command({
  method: 'post',
  path: cancel.path,
  tag: 'Orders',
  summary: 'Ask a merchant to cancel',
  roles: may.cancelOrders,
  params: z.strictObject({ orderId: uuid }),
  body: cancelBody,
  answers: { 202: changeAnswer },
  async run(ctx, tx) {
    const { orderId } = ctx.params
    const { lines } = ctx.body
    await requireVersion(ctx, tx, orderId)
    const { money, ...proposed } = await proposeChange(tx, { orderId, operations: [{ op: 'cancel', ...(lines && { lines }) }], actor: ctx.actor, requestedBy: 'customer' })
    return { status: 202, body: { ...proposed, orderId, ...money } }
  },
  instead: ({ params, body, actor }, tx, refusal) => askBackInstead(tx, refusal, { ...params, actor, reason: body.reason }),
})

/** POST /v1/orders/{orderId}/cancel */
export const cancelOrder: OrderRoute = {
  ...cancel,
  async run(ctx, req, res) {
    const { orderId } = ctx.params as { orderId: string }
    const { lines, requestedBy } = ctx.body as z.output<typeof cancelBody>
    const previews = (ctx.query as { preview?: string }).preview === 'true'
    const mayWait = requestedBy === 'customer' || ctx.key.role === 'channel'
    const seen = previews || mayWait ? await visibleOrder(ctx, orderId) : undefined
    if (previews) {
      await requireVersion(ctx, ctx.db, orderId)
      return ok(await previewCancellation(ctx.db, orderId, lines))
    }
    const waits = seen && (await needsYes(ctx, orderId)) && (requestedBy === 'customer' || (await speaksForCustomers(ctx, seen.channel)))
    return waits ? request.run(ctx, req, res) : cancel.run(ctx, req, res)
  },
}

const needsYes = async ({ db }: Ctx, orderId: string): Promise<boolean> => (await findOrder(db, orderId))!.policy.care.customerRequests?.approval === true

/** What a web shop asks for, its customer does. A marketplace has told her already, and at a till somebody of ours stands. */
const speaksForCustomers = async ({ db }: Ctx, channel: string): Promise<boolean> => (await findChannel(db, channel))?.kind === 'web'
