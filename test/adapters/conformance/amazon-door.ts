/** Amazon's door, as the conformance kit knocks at it. */
import { randomInt, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sumOf, type Changes, type Document, type Door, type Line, type Sent } from './door'

interface AmazonBody {
  order: Document & { orderId: string; recipient: { deliveryAddress: Document }; fulfillment: Document; orderItems: Document[] }
}
export const readAmazonFixture = (): AmazonBody => JSON.parse(readFileSync(join(__dirname, '../../fixtures/amazon/unshipped-order.json'), 'utf8')) as AmazonBody

const digits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('')
const keys = { good: 'demo-channel-marketplace', wrong: 'no-such-key', none: null, 'of another channel': 'demo-channel-web' }
const statuses = { 'not paid': 'PENDING', cancelled: 'CANCELLED' }

const itemOf = ({ id, sku = 'SOCKS-3P', quantity = 2, price = '10.00' }: Line, i: number, currencyCode: unknown): Document => ({
  orderItemId: id ?? String(1000 + i), quantityOrdered: quantity, product: { sellerSku: sku, price: { unitPrice: { amount: price, currencyCode } } }, proceeds: { breakdowns: [] },
})

function fresh({ lines = [{}], total = sumOf(lines), currency = 'EUR', placedAt = '2026-11-20T09:15:00Z', name = 'Test Customer', address, country = 'DE', number, state, extra }: Changes = {}): Document {
  const { order } = readAmazonFixture()
  return {
    order: {
      ...order,
      orderId: number ?? `${digits(3)}-${digits(7)}-${digits(7)}`,
      createdTime: placedAt,
      recipient: address === null ? null : { deliveryAddress: { ...order.recipient.deliveryAddress, name, countryCode: country } },
      proceeds: { grandTotal: { amount: total, currencyCode: currency } },
      fulfillment: { ...order.fulfillment, fulfillmentStatus: state ? statuses[state] : 'UNSHIPPED' },
      orderItems: lines.map((line, i) => itemOf(line, i, currency)),
      ...extra,
    },
  }
}

export const amazonDoor: Door = {
  name: 'amazon',
  channel: 'marketplace',
  keeps: true,
  fresh,
  cancellation: (document) => ({ order: { ...(document as unknown as AmazonBody).order, fulfillment: { fulfillmentStatus: 'CANCELLED', fulfilledBy: 'MERCHANT' } } }),
  numberOf: (document) => (document as unknown as AmazonBody).order.orderId,
  longNumber: '999-9999999-9999993',
  hasTopics: false,
  refusals: { wrong: 401, foreign: 404, nowhere: 404, otherType: 200, tooLong: 413 },
  send: (edge, body, { messageId = randomUUID(), credential = 'good', contentType = 'application/json', channel = 'marketplace' }: Sent = {}) =>
    edge.send('POST', `/v1/channels/${channel}/amazon/orders`, {
      key: keys[credential], raw: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': contentType }, idempotencyKey: messageId === '' ? null : messageId,
    }),
}
