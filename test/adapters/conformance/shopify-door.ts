/** Shopify's door, as the conformance kit knocks at it. */
import { createHmac, randomBytes } from 'node:crypto'
import { readFixture } from '../../support/shopify'
import { sumOf, type Changes, type Document, type Door, type Line, type Sent } from './door'

const topics = { create: 'orders/create', update: 'orders/updated', cancel: 'orders/cancelled', refund: 'refunds/create' }
const secrets = { good: 'demo-shopify-secret', wrong: 'guess', 'of another channel': 'the-secret-of-another', none: '' }
const number = (): string => String(BigInt(`0x${randomBytes(7).toString('hex')}`))

const lineOf = ({ id, sku = 'SOCKS-3P', quantity = 2, price = '10.00' }: Line, i: number): Document => ({
  admin_graphql_api_id: `gid://shopify/LineItem/${id ?? 1000 + i}`, sku, quantity, price, requires_shipping: true, gift_card: false, tax_lines: [], discount_allocations: [],
})

function fresh({ lines = [{}], total = sumOf(lines), currency = 'EUR', placedAt = '2026-11-20T10:00:00+01:00', name = 'Test Customer', address, country = 'DE', state, extra, ...given }: Changes = {}): Document {
  const { shipping_address, customer } = readFixture()
  return {
    admin_graphql_api_id: `gid://shopify/Order/${given.number ?? number()}`,
    created_at: placedAt,
    cancelled_at: state === 'cancelled' ? '2026-11-20T11:00:00Z' : null,
    currency,
    email: 'customer@example.com',
    financial_status: state === 'not paid' ? 'pending' : 'paid',
    taxes_included: true,
    total_discounts: '0.00',
    total_price: total,
    customer,
    line_items: lines.map(lineOf),
    shipping_lines: [],
    shipping_address: address === null ? null : { ...shipping_address, name, country_code: country },
    ...extra,
  }
}

export const shopifyDoor: Door = {
  name: 'shopify',
  channel: 'web',
  keeps: true,
  signs: true,
  fresh,
  cancellation: ({ admin_graphql_api_id }) => ({ admin_graphql_api_id, cancel_reason: 'customer' }),
  numberOf: ({ admin_graphql_api_id }) => String(admin_graphql_api_id).split('/').pop()!,
  longNumber: '910982911946154508993',
  hasTopics: true,
  refusals: { wrong: 401, foreign: 401, nowhere: 404, otherType: 200, tooLong: 413 },
  refund: ({ admin_graphql_api_id }) => ({
    admin_graphql_api_id: `gid://shopify/Refund/${number()}`, order_id: String(admin_graphql_api_id).split('/').pop(), transactions: [],
    refund_line_items: [{ quantity: 1, restock_type: 'cancel', line_item: { admin_graphql_api_id: 'gid://shopify/LineItem/1000' } }],
  }),
  counted: (order_number) => ({ order_number }),
  send: (edge, body, { messageId = randomBytes(8).toString('hex'), topic = 'create', credential = 'good', contentType = 'application/json', channel = 'web', cut }: Sent = {}) => {
    const signed = typeof body === 'string' ? body : JSON.stringify(body)
    const headers = {
      'content-type': contentType,
      'x-shopify-topic': topics[topic],
      ...(messageId === '' ? {} : { 'x-shopify-webhook-id': messageId }),
      ...(credential === 'none' ? {} : { 'x-shopify-hmac-sha256': createHmac('sha256', secrets[credential]).update(signed).digest('base64') }),
    }
    return edge.send('POST', `/v1/channels/${channel}/shopify/webhooks`, { key: null, raw: cut ? signed.slice(0, -20) : signed, headers, idempotencyKey: null })
  },
}
