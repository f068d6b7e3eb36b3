/** Another way of paying is given here for what of an order is not held any more. */
import { z } from 'zod'
import { keepGivenMethod } from '../../db/given-methods'
import { orderTag, orderView } from '../../db/views/orders'
import { visibleOrder } from '../access'
import { orderCommand } from '../command'
import { may } from '../permissions'
import { ok } from '../route'
import { text, uuid } from '../schemas/fields'
import { orderAnswer } from '../schemas/order-view'

const tenderId = text(100).optional().meta({ description: 'The tender of the order that is paid by it from now on. Absent: every one that is not held' })

const given = z.discriminatedUnion('provider', [
  z.strictObject({ tenderId, provider: z.literal('stripe'), paymentMethod: text(255).meta({ description: 'The provider’s token of a card: what a bank takes at once cannot be held, and is declined' }) }),
  z.strictObject({ tenderId, provider: z.literal('gift_card'), paymentMethod: text(100).meta({ description: 'The code of the card' }) }),
  z.strictObject({ tenderId, provider: z.literal('store_credit') }),
])

/** POST /v1/orders/{orderId}/payment-methods */
export const givePaymentMethod = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/payment-methods',
  tag: 'Orders',
  summary: 'Give another way of paying for what is not held',
  description:
    'For what has still to leave and is not held any more, or not for long: a card that could be charged once was charged for the first part, or a hold ran out and the bank does not hold it again. Authorised before anything goes on; then the goods may leave, and what leaves is taken and given back by it. Where her bank asks for the customer, the payment’s `action` in the answer says what she needs, as with the first payment.',
  roles: may.giveMethods,
  params: z.strictObject({ orderId: uuid }),
  body: given,
  answers: { 200: orderAnswer },
  async ask(ctx) {
    const { orderId } = ctx.params
    await visibleOrder(ctx, orderId)
    return { orderId, update: 'giveMethod', args: { givenId: await keepGivenMethod(ctx.db, orderId, ctx.body, ctx.actor) } }
  },
  answer: async ({ db, orderId, role }) => {
    const view = (await orderView(db, orderId, { role }))!
    return ok(view, { ETag: orderTag(view.version) })
  },
})
