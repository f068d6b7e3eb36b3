/** What Amazon says, read to the cent, or every reason why it cannot be an order. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cancelledAtAmazon, mapAmazonOrder } from '../../adapters/channels/amazon/mapping'
import { totalsProblems } from '../../domain/order/totals'
import { readAmazonFixture } from './conformance/amazon-door'

const reasonsOf = (body: unknown): string[] => mapAmazonOrder(body, 'marketplace').reasons.map((r) => `${r.code} ${r.pointer}`)
const fixture = readAmazonFixture
const withItem = (change: object): unknown => ({ order: { ...fixture().order, orderItems: [{ ...fixture().order.orderItems[0], ...change }] } })

it('reads an order to the cent: goods, discount, shipping, and each with its tax', () => {
  const { order, reasons } = mapAmazonOrder(fixture(), 'marketplace')
  expect(reasons).toEqual([])
  expect(order).toMatchObject({
    channelOrderId: '302-1234567-7654321',
    claim: 'later',
    currency: 'EUR',
    totalMinor: 11490,
    taxIncluded: false,
    customer: { name: 'Test Customer', email: 'buyer@marketplace.example', phone: '+49 30 1234' },
    shipTo: { line1: 'Street 1', line2: 'Rear building', country: 'DE' },
    lines: [
      { lineId: '30212345678901', sku: 'SHIRT-RUN-M', quantity: 2, unitPriceMinor: 4118, discountMinor: 0, taxMinor: 1565 },
      { lineId: '30212345678902', sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 1108, discountMinor: 100, taxMinor: 191 },
    ],
    shipping: { priceMinor: 412, taxMinor: 78 },
    tenders: [{ provider: 'paid_elsewhere', amountMinor: 11490 }],
  })
  expect(totalsProblems({ ...order! })).toEqual([])
})

it.each([
  ['what has still to be paid', 'PENDING', ['channel.not_paid /order/fulfillment/fulfillmentStatus']],
  ['what is not released yet', 'PENDING_AVAILABILITY', ['channel.not_paid /order/fulfillment/fulfillmentStatus']],
  ['what was sent', 'SHIPPED', ['channel.fulfilled_elsewhere /order/fulfillment/fulfillmentStatus']],
  ['what was sent in part', 'PARTIALLY_SHIPPED', ['channel.fulfilled_elsewhere /order/fulfillment/fulfillmentStatus']],
  ['what is cancelled', 'CANCELLED', ['channel.order_cancelled /order/fulfillment/fulfillmentStatus']],
  ['a status nobody knows', 'SOMETHING', ['channel.not_paid /order/fulfillment/fulfillmentStatus']],
])('keeps back %s', (_what, fulfillmentStatus, reasons) => {
  expect(reasonsOf({ order: { ...fixture().order, fulfillment: { fulfillmentStatus, fulfilledBy: 'MERCHANT' } } })).toEqual(reasons)
})

it('keeps back what Amazon sends itself', () => {
  expect(reasonsOf({ order: { ...fixture().order, fulfillment: { fulfillmentStatus: 'UNSHIPPED', fulfilledBy: 'AMAZON' } } })).toEqual(['channel.fulfilled_elsewhere /order/fulfillment/fulfilledBy'])
})

it('says that the address was not asked for', () => {
  expect(reasonsOf({ order: { ...fixture().order, buyer: undefined, recipient: undefined } })).toEqual(['channel.address_missing /order/recipient/deliveryAddress'])
})

it.each([
  ['money for something that is not known', { proceeds: { breakdowns: [{ type: 'GIFT_WRAP', subtotal: { amount: '2.00', currencyCode: 'EUR' } }] } }, ['order.totals /order/orderItems/0/proceeds/breakdowns/0/type']],
  ['an amount in another currency', { proceeds: { breakdowns: [{ type: 'TAX', subtotal: { amount: '2.00', currencyCode: 'USD' } }] } }, ['order.totals /order/orderItems/0/proceeds/breakdowns/0/subtotal/currencyCode']],
  ['goods that nothing says the price of', { product: { sellerSku: 'SOCKS-3P' }, quantityOrdered: 3, proceeds: { breakdowns: [{ type: 'ITEM', subtotal: { amount: '10.00', currencyCode: 'EUR' } }] } }, ['order.totals /order/orderItems/0/product/price']],
])('names %s', (_what, change, reasons) => expect(reasonsOf(withItem(change))).toEqual(reasons))

it('knows a cancellation by its status, also where the rest cannot be read', () => {
  const cancelled = { orderId: '302-1234567-7654321', fulfillment: { fulfillmentStatus: 'CANCELED' } }
  expect([cancelledAtAmazon({ order: cancelled }), cancelledAtAmazon(fixture()), cancelledAtAmazon('x'), cancelledAtAmazon({ order: { ...cancelled, orderId: 'x' } })]).toEqual(['302-1234567-7654321', undefined, undefined, undefined])
})

const published = join(__dirname, '../../../shared/data/payloads/amazon/get-order.json')
const ifThere = existsSync(published) ? it : it.skip

ifThere('keeps back the published sample, which was sent long ago, and adds it up (skipped where the sample is not at hand)', () => {
  const { order, reasons } = mapAmazonOrder(JSON.parse(readFileSync(published, 'utf8')), 'marketplace')
  expect(reasons.map((r) => r.code)).toEqual(['channel.fulfilled_elsewhere'])
  expect(order).toMatchObject({ totalMinor: 10397, shipping: { priceMinor: 1000, taxMinor: 100 }, lines: [{ quantity: 3, unitPriceMinor: 2999, taxMinor: 300 }] })
  expect(totalsProblems({ ...order! })).toEqual([])
})
