/** Money given back by hand: asked for, with what it comes to; and agreed to by another person where it is more than what came back. */
import { z } from 'zod'
import { findGoodwill } from '../../db/goodwill'
import { previewRefund } from '../../db/steps/refund-order'
import { refuse } from '../../domain/refusals'
import { visibleOrder } from '../access'
import { orderCommand, type OrderRoute } from '../command'
import { may } from '../permissions'
import { created, ok } from '../route'
import { keptLineId, minor, quantity, text, uuid } from '../schemas/fields'
import { refundAnswer, shownRefund } from '../schemas/refunds'

const refundBody = z
  .strictObject({
    lines: z.array(z.strictObject({ lineId: keptLineId, quantity })).min(1).max(500).optional().meta({ description: 'What was paid for these units, shipping left out; the customer keeps them' }),
    amountMinor: z.int().min(1).max(99_999_999_999).optional(),
    reason: text(500),
    tenderId: text(100).optional().meta({ description: 'Only by this tender; absent: by all, as returns are' }),
  })
  .refine((b) => (b.lines === undefined) !== (b.amountMinor === undefined), { path: ['amountMinor'], message: 'Give an amount or lines, one of both' })
  .refine((b) => new Set(b.lines?.map((l) => l.lineId)).size === (b.lines?.length ?? 0), { path: ['lines'], message: 'Name each line once' })

const preview = z
  .object({
    preview: z.literal(true),
    needsApproval: z.boolean().meta({ description: 'Another person, of finance, has to agree' }),
    money: z.object({ currency: z.string(), amountMinor: minor, aboveMinor: minor.meta({ description: 'Of it, beyond what was paid for goods the customer does not have' }), receivedMinor: minor, refundableMinor: minor }),
  })
  .meta({ id: 'RefundPreview' })

const ask = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/refunds',
  tag: 'Returns',
  summary: 'Give money back that no return asks for',
  description: 'Never more than was taken and is left (`refund.above_captured`). Above what was paid for goods the customer does not have it waits until another person of finance approves it. With `?preview=true` nothing is done.',
  roles: may.askRefunds,
  params: z.strictObject({ orderId: uuid }),
  query: z.strictObject({ preview: z.enum(['true', 'false']).optional() }),
  body: refundBody,
  answers: { 200: preview, 201: refundAnswer },
  async ask(ctx) {
    await visibleOrder(ctx, ctx.params.orderId)
    return { orderId: ctx.params.orderId, update: 'refundOrder', args: ctx.body }
  },
  answer: async ({ db, commandId }) => created(shownRefund((await findGoodwill(db, { commandId }))!)),
})

/** POST /v1/orders/{orderId}/refunds */
const askRefund: OrderRoute = {
  ...ask,
  async run(ctx, req, res) {
    if ((ctx.query as { preview?: string }).preview !== 'true') return ask.run(ctx, req, res)
    const order = ctx.params as { orderId: string }
    await visibleOrder(ctx, order.orderId)
    return ok(await ctx.db.transaction((tx) => previewRefund(tx, { ...(ctx.body as z.output<typeof refundBody>), ...order })))
  },
}

const decided = (decision: 'approve' | 'reject', summary: string): OrderRoute =>
  orderCommand({
    method: 'post',
    path: `/v1/orders/{orderId}/refunds/{refundId}/${decision}`,
    tag: 'Returns',
    summary,
    roles: may.approveRefunds,
    params: z.strictObject({ orderId: uuid, refundId: uuid }),
    body: z.strictObject({ reason: decision === 'reject' ? text(500) : text(500).optional() }),
    answers: { 200: refundAnswer },
    async ask(ctx) {
      const { orderId, refundId } = ctx.params
      await visibleOrder(ctx, orderId)
      if ((await findGoodwill(ctx.db, { refundId }))?.orderId !== orderId) throw refuse('refund.unknown')
      return { orderId, update: 'decideRefund', args: { refundId, ...ctx.body, decision } }
    },
    answer: async ({ db, params }) => ok(shownRefund((await findGoodwill(db, params))!)),
  })

export const refundRoutes = [askRefund, decided('approve', 'Agree to a refund above the value received: another person than the one who asked'), decided('reject', 'Refuse a refund above the value received')]
