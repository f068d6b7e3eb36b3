/** A refund that came back to the provider is owed to the customer: finance gives it another way, and the books say which. */
import { z } from 'zod'
import { findReturned } from '../../db/returned-refunds'
import { refuse } from '../../domain/refusals'
import { visibleOrder } from '../access'
import { orderCommand } from '../command'
import { may } from '../permissions'
import { ok } from '../route'
import { at, minor, text, uuid } from '../schemas/fields'

const returnedAnswer = z
  .object({
    refundReference: z.string(),
    orderId: z.string(),
    paymentId: z.string(),
    amountMinor: minor,
    currency: z.string(),
    returnedAt: at,
    status: z.enum(['owed', 'given']),
    way: z.enum(['another_payment', 'store_credit', 'bank_transfer']).nullable(),
    transferReference: z.string().nullable(),
    sentBy: z.string().nullable(),
    givenBy: z.string().nullable(),
    givenAt: at.nullable(),
  })
  .meta({ id: 'ReturnedRefund' })

/** As banks carry it from end to end: no more than 35 of these. */
const transferReference = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 /?:().,'+-]{0,34}$/, 'Must be the reference of a transfer: at most 35 letters, digits and / - ? : ( ) . , \' +')

const giveAgain = orderCommand({
  method: 'post',
  path: '/v1/orders/{orderId}/refunds-owed/{refundReference}/give',
  tag: 'Money',
  summary: 'Give a refund that came back another way',
  description:
    'All of it, once: by other payments of the order that have as much left, as store credit of its customer, or by a bank transfer that somebody has made outside. Where the refund had been more than what came back, whoever asked for it does not do this.',
  roles: may.approveRefunds,
  params: z.strictObject({ orderId: uuid, refundReference: text(200) }),
  body: z.discriminatedUnion('way', [
    z.strictObject({ way: z.literal('another_payment'), tenderId: text(100).optional().meta({ description: 'Only by this tender; absent: by whichever has it' }) }),
    z.strictObject({ way: z.literal('store_credit') }),
    z.strictObject({ way: z.literal('bank_transfer'), transferReference, sentBy: text(100).meta({ description: 'Who made the transfer' }) }),
  ]),
  answers: { 200: returnedAnswer },
  async ask(ctx) {
    const { orderId, refundReference } = ctx.params
    await visibleOrder(ctx, orderId)
    if ((await findReturned(ctx.db, refundReference))?.orderId !== orderId) throw refuse('refund.unknown')
    return { orderId, update: 'giveRefundAgain', args: { refundReference, by: ctx.body } }
  },
  async answer({ db, params }) {
    const { askedBy: _, ...returned } = (await findReturned(db, params.refundReference))!
    return ok(returned)
  },
})

export const refundsOwedRoutes = [giveAgain]
