/** One order, told to agents in two protocols: nothing that a schema asks for is missing, quantities and cents add up, and nobody's code or card is told. */
import fc from 'fast-check'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { acpOrder } from '../../../adapters/agents/acp'
import { chargedFor, type AgentEvent, type AgentFacts, type AgentLine, type AgentOrder } from '../../../adapters/agents/facts'
import { ucpOrder } from '../../../adapters/agents/ucp'
import { expectedTotalMinor } from '../../../domain/order/totals'
import { holds } from '../../support/property'

const line = (lineId: string, more: Partial<AgentLine> = {}): AgentLine => ({
  lineId, sku: `SKU-${lineId}`, name: `Thing ${lineId}`, quantity: 2, unitPriceMinor: 1000, discountMinor: 0, taxMinor: 0, shipped: 0, delivered: 0, cancelled: 0, returned: 0, replaces: null, ...more,
})
const order = (more: Partial<AgentOrder> = {}): AgentOrder => ({
  orderId: 'o-1',
  channelOrderId: 'cs-1',
  status: 'partially_shipped',
  currency: 'EUR',
  totalMinor: 3490,
  taxIncluded: true,
  shipping: { priceMinor: 490, taxMinor: 78 },
  shipTo: { name: 'Customer', line1: 'Street 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  delivery: { method: 'delivery' },
  lines: [line('a', { shipped: 2, delivered: 2, taxMinor: 319 }), line('b', { cancelled: 1, taxMinor: 160, quantity: 1, unitPriceMinor: 1000 })],
  fulfillments: [
    { fulfillmentId: 'f-1', nodeId: 'dc-01', method: 'delivery', status: 'delivered', lines: [{ lineId: 'a', quantity: 2 }] },
    { fulfillmentId: 'f-0', nodeId: 'dc-01', method: 'transfer', status: 'delivered', lines: [{ lineId: 'a', quantity: 2 }] },
  ],
  shipments: [{ fulfillmentId: 'f-1', carrier: 'swiftparcel', trackingNumber: 'SP1', status: 'delivered' }],
  promise: { promisedFrom: null, promisedBy: '2026-11-25T17:00:00Z' },
  money: { refundedMinor: 1000, creditedMinor: 0 },
  ...more,
})
const happened = (type: string, data: Record<string, unknown>, seq: number): AgentEvent => ({ seq, at: `2026-11-2${seq}T10:00:00Z`, type, data })
const events: AgentEvent[] = [
  happened('fulfillment.released', { fulfillmentId: 'f-1' }, 1),
  happened('shipment.handed_over', { fulfillmentId: 'f-1', trackingNumbers: ['SP1'] }, 2),
  happened('shipment.delivered', { trackingNumber: 'SP1', status: 'delivered', at: '2026-11-23T09:59:00Z' }, 3),
  happened('order.lines_cancelled', { lines: [{ lineId: 'b', quantity: 1 }], reason: 'changed her mind' }, 4),
  happened('payment.refunded', { tenderId: 't1', amountMinor: 1000, currency: 'EUR' }, 5),
  happened('exception.opened', { summary: 'for us alone' }, 6),
]
const facts = (more: Partial<AgentOrder> = {}): AgentFacts => ({ order: order(more), events, permalink: 'https://shop.example/orders/cs-1' })

it('is told in the words of the Agentic Commerce Protocol', () => {
  expect(acpOrder(facts())).toEqual({
    type: 'order', id: 'o-1', checkout_session_id: 'cs-1', permalink_url: 'https://shop.example/orders/cs-1', order_number: 'cs-1', status: 'processing',
    estimated_delivery: { earliest: '2026-11-25T17:00:00Z', latest: '2026-11-25T17:00:00Z' },
    line_items: [
      { id: 'a', title: 'Thing a', product_id: 'SKU-a', quantity: { ordered: 2, current: 2, fulfilled: 2 }, unit_price: 1000, subtotal: 2000, status: 'fulfilled' },
      { id: 'b', title: 'Thing b', product_id: 'SKU-b', quantity: { ordered: 1, current: 0, fulfilled: 0 }, unit_price: 1000, subtotal: 1000, status: 'removed' },
    ],
    fulfillments: [
      {
        id: 'f-1', type: 'shipping', status: 'delivered', line_items: [{ id: 'a', quantity: 2 }], carrier: 'swiftparcel', tracking_number: 'SP1',
        destination: { name: 'Customer', line_one: 'Street 1', city: 'Berlin', state: '', country: 'DE', postal_code: '10115' },
        estimated_delivery: { earliest: '2026-11-25T17:00:00Z', latest: '2026-11-25T17:00:00Z' },
        events: [
          { id: '1', type: 'processing', occurred_at: '2026-11-21T10:00:00Z' },
          { id: '2', type: 'shipped', occurred_at: '2026-11-22T10:00:00Z' },
          { id: '3', type: 'delivered', occurred_at: '2026-11-23T09:59:00Z' },
        ],
      },
    ],
    adjustments: [
      { id: '4', type: 'cancellation', occurred_at: '2026-11-24T10:00:00Z', status: 'completed', line_items: [{ id: 'b', quantity: 1 }] },
      { id: '5', type: 'refund', occurred_at: '2026-11-25T10:00:00Z', status: 'completed', amount: 1000, currency: 'eur' },
    ],
    totals: [
      { type: 'subtotal', display_text: 'Subtotal', amount: 2521 },
      { type: 'discount', display_text: 'Discount', amount: 0 },
      { type: 'fulfillment', display_text: 'Shipping', amount: 412 },
      { type: 'tax', display_text: 'Tax', amount: 557 },
      { type: 'total', display_text: 'Total', amount: 3490 },
      { type: 'amount_refunded', display_text: 'Refunded', amount: 1000 },
    ],
  })
})

it('is told in the words of the Universal Commerce Protocol', () => {
  expect(ucpOrder(facts())).toMatchObject({
    ucp: { version: '2026-01-23', capabilities: { 'dev.ucp.shopping.order': [{ version: '2026-01-23' }] } },
    id: 'o-1', checkout_id: 'cs-1', permalink_url: 'https://shop.example/orders/cs-1',
    line_items: [{ id: 'a', item: { id: 'SKU-a', title: 'Thing a', price: 1000 }, quantity: { total: 2, fulfilled: 2 }, status: 'fulfilled' }, { id: 'b', quantity: { total: 0, fulfilled: 0 } }],
    fulfillment: {
      expectations: [{ id: 'f-1', line_items: [{ id: 'a', quantity: 2 }], method_type: 'shipping', destination: { street_address: 'Street 1', address_country: 'DE', postal_code: '10115' } }],
      events: [{ id: '1', type: 'processing' }, { id: '2', type: 'shipped', tracking_number: 'SP1', tracking_url: 'https://shop.example/orders/cs-1' }, { id: '3', type: 'delivered', occurred_at: '2026-11-23T09:59:00Z' }],
    },
    adjustments: [{ id: '4', type: 'cancellation', line_items: [{ id: 'b', quantity: 1 }] }, { id: '5', type: 'refund', amount: 1000 }],
  })
})

it('expects units that have no place yet together, and nothing of a cancelled order', () => {
  const waiting = ucpOrder({ ...facts({ fulfillments: [], shipments: [], lines: [line('a')] }), events: [] }) as { fulfillment: { expectations: { line_items: object[] }[] } }
  expect(waiting.fulfillment.expectations.map((e) => e.line_items)).toEqual([[{ id: 'a', quantity: 2 }]])
  const cancelled = ucpOrder(facts({ status: 'cancelled', fulfillments: [], lines: [line('a', { cancelled: 2 })] })) as typeof waiting
  expect(cancelled.fulfillment.expectations).toEqual([])
})

it('charges what the order costs, to the cent, whether prices have their tax in them or not', () => {
  const amount = fc.integer({ min: 0, max: 100_000 })
  const lines = fc.array(fc.record({ quantity: fc.integer({ min: 1, max: 9 }), unitPriceMinor: amount, discountMinor: fc.constant(0), taxMinor: amount }), { minLength: 1, maxLength: 5 })
  holds(
    fc.property(lines, amount, amount, fc.boolean(), (given, priceMinor, taxMinor, taxIncluded) => {
      const priced = { lines: given.map((l, i) => line(String(i), l)), shipping: { priceMinor, taxMinor }, taxIncluded }
      const totalMinor = expectedTotalMinor({ ...priced, totalMinor: 0, tenders: [] })
      const parts = chargedFor(order({ ...priced, totalMinor }))
      expect(parts.subtotalMinor - parts.discountMinor + parts.shippingMinor + parts.taxMinor).toBe(totalMinor)
    }),
  )
})

const published = join(__dirname, '../../../../shared/data/payloads/acp')
const ifThere = existsSync(published) ? it : it.skip
const sample = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(published, name), 'utf8')) as Record<string, unknown>

ifThere('says everything that the published orders of the Agentic Commerce Protocol must say, of the same kinds (skipped where the samples are not at hand)', () => {
  const ours = acpOrder(facts())
  for (const field of Object.keys(sample('simple-order.json')).filter((f) => !f.startsWith('$') && !f.startsWith('_'))) expect(typeof ours[field]).toBe('string')
  const theirs = sample('shipped-order.json')
  const shapes = (value: unknown): unknown => (Array.isArray(value) ? [...new Set(value.flatMap((v) => Object.keys(v as object)))].sort() : typeof value)
  for (const field of ['line_items', 'totals'] as const) expect(shapes(theirs[field])).toEqual(expect.arrayContaining((shapes(ours[field]) as string[]).filter((f) => f !== 'product_id' || field !== 'totals')))
})
