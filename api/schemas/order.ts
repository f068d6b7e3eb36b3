/** The order document as channels send it. Unknown fields are refused by name; amounts are whole minor units. */
import { z } from 'zod'
import { orderFulfillmentStatuses, orderStatuses, paymentStatuses } from '../../domain/order/status'
import { at, country, currency, instant, nodeId, sku, text } from './fields'

const amount = z.int('Must be a whole number of minor units').min(0).max(1_000_000_000_000)

export const channelOrderId = z.string().regex(/^[A-Za-z0-9._#-]{1,100}$/, 'Must match [A-Za-z0-9._#-]{1,100}')

export const shipTo = z.strictObject({
  name: text(200).optional(),
  line1: text(200).optional(),
  line2: text(200).optional(),
  city: text(100).optional(),
  region: text(100).optional(),
  postalCode: text(20).optional(),
  country,
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
})

export const line = z.strictObject({
  lineId: text(100),
  sku,
  quantity: z.int('Must be a whole number from 1 to 100,000').min(1).max(100_000),
  unitPriceMinor: amount,
  discountMinor: amount.default(0),
  taxMinor: amount.default(0),
})

export const tender = z.discriminatedUnion('provider', [
  z.strictObject({ tenderId: text(100), provider: z.literal('stripe'), paymentMethod: text(255), amountMinor: amount.min(1) }),
  z.strictObject({ tenderId: text(100), provider: z.literal('gift_card'), paymentMethod: text(100).meta({ description: 'The code of the card' }), amountMinor: amount.min(1) }),
  z.strictObject({ tenderId: text(100), provider: z.literal('store_credit'), amountMinor: amount.min(1) }),
  z.strictObject({ tenderId: text(100), provider: z.literal('paid_elsewhere'), amountMinor: amount }),
])

export const contact = z.strictObject({ customerRef: text(200).optional(), name: text(200).optional(), email: text(320).optional(), phone: text(50).optional() })
export const flags = z.array(z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,39}$/, 'Must be a word of lower-case letters, digits, _ . -')).max(20)

const delivery = z.union([
  z.strictObject({ method: z.enum(['delivery', 'pickup', 'ship_to_store', 'carry_out']), service: text(100).optional(), nodeId: nodeId.optional() }),
  z.strictObject({ quoteId: text(10_000), optionId: text(200) }),
])

export const newOrder = z
  .strictObject({
    channel: text(63),
    channelOrderId,
    placedAt: instant,
    currency,
    claim: z.enum(['required', 'later']).optional().meta({ description: '`required`: stock is claimed before the answer; `later`: already sold, sourced afterwards. Default: the channel’s' }),
    priority: z.int().min(0).max(9).default(5).meta({ description: '9 is the most urgent' }),
    customer: contact.optional(),
    shipTo: shipTo.optional(),
    billTo: shipTo.optional().meta({ description: 'Where the bill goes; rules for holds may compare it' }),
    flags: flags.optional().meta({ description: 'Marks of the channel; rules for holds may look at them' }),
    delivery,
    lines: z.array(line).min(1).max(500, 'At most 500 lines an order'),
    shipping: z.strictObject({ priceMinor: amount, taxMinor: amount.default(0) }).default({ priceMinor: 0, taxMinor: 0 }),
    totalMinor: amount,
    taxIncluded: z.boolean(),
    tenders: z.array(tender).min(1).max(10),
  })
  .superRefine((order, ctx) => {
    const method = 'method' in order.delivery ? order.delivery.method : order.delivery.optionId.split(':')[0]
    const isFetched = method === 'pickup' || method === 'ship_to_store' || method === 'carry_out'
    if (order.shipTo === undefined && !isFetched)
      ctx.addIssue({ code: 'custom', path: ['shipTo'], message: 'Is needed for everything that is sent' })
    if (isFetched && 'method' in order.delivery && order.delivery.nodeId === undefined)
      ctx.addIssue({ code: 'custom', path: ['delivery', 'nodeId'], message: 'Say in which store the customer gets it' })
    if (order.customer === undefined && method !== 'carry_out') ctx.addIssue({ code: 'custom', path: ['customer'], message: 'Is needed unless the goods are carried out of the store' })
    const credit = order.tenders.findIndex((t) => t.provider === 'store_credit')
    if (credit >= 0 && order.customer?.customerRef === undefined) ctx.addIssue({ code: 'custom', path: ['customer', 'customerRef'], message: 'Is needed to find the customer’s store credit' })
    const repeated = order.tenders.findIndex((t, i) => order.tenders.findIndex((other) => other.tenderId === t.tenderId) < i)
    if (repeated >= 0) ctx.addIssue({ code: 'custom', path: ['tenders', repeated, 'tenderId'], message: 'Tender ids must differ within an order' })
  })
  .meta({ id: 'NewOrder' })

/** The answer to a submitted order. */
export const orderBriefAnswer = z
  .object({
    orderId: z.string(),
    channel: z.string(),
    channelOrderId: z.string(),
    version: z.int(),
    status: z.enum(orderStatuses),
    paymentStatus: z.enum(paymentStatuses),
    fulfillmentStatus: z.enum(orderFulfillmentStatuses),
    placedAt: at,
    currency: z.string(),
    totalMinor: z.int(),
  })
  .meta({ id: 'OrderBrief' })

export type NewOrderBody = z.output<typeof newOrder>
