/** What we read of an order document of Amazon's Selling Partner API (Orders, version 2026-01-01). Everything else it says is let be. */
import { z } from 'zod'
import { clean, decimal, instant, list, words } from '../reading'

const money = z.looseObject({ amount: decimal, currencyCode: z.string().transform((code) => clean(code) ?? '') })
export type AmazonMoney = z.output<typeof money>

const breakdown = z.looseObject({
  type: z.string().max(100),
  subtotal: money,
  detailedBreakdowns: list(z.looseObject({ subtype: z.string().max(100).nullish(), value: money }), 100),
})
const proceeds = z.looseObject({ breakdowns: list(breakdown, 100) }).nullish()

const orderItem = z.looseObject({
  orderItemId: z.string().regex(/^[A-Za-z0-9-]{1,40}$/, 'Must be the id of an order item'),
  quantityOrdered: z.int().min(1).max(100_000),
  product: z.looseObject({ sellerSku: words, price: z.looseObject({ unitPrice: money }).nullish() }),
  proceeds,
})
export type AmazonItem = z.output<typeof orderItem>

const address = z.looseObject({
  name: words,
  companyName: words,
  addressLine1: words,
  addressLine2: words,
  addressLine3: words,
  city: words,
  stateOrRegion: words,
  postalCode: words,
  countryCode: words,
  phone: words,
})

const fulfillment = z.looseObject({ fulfillmentStatus: words, fulfilledBy: words })

/** What Amazon says of the order as a whole; readable even where the rest is not. */
export const amazonState = z.looseObject({ order: z.looseObject({ orderId: words.catch(undefined), fulfillment: fulfillment.catch({ fulfillmentStatus: undefined, fulfilledBy: undefined }) }) })

export const amazonDocument = z.looseObject({
  order: z.looseObject({
    orderId: z.string().regex(/^\d{3}-\d{7}-\d{7}$/, 'Must be an Amazon order id: 3-7-7 digits'),
    createdTime: instant,
    buyer: z.looseObject({ buyerName: words, buyerEmail: words }).nullish(),
    recipient: z.looseObject({ deliveryAddress: address.nullish() }).nullish(),
    proceeds: z.looseObject({ grandTotal: money }),
    fulfillment,
    orderItems: z.array(orderItem).min(1).max(500),
  }),
})
export type AmazonOrder = z.output<typeof amazonDocument>['order']
