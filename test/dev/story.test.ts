/** The story of an order is told in a shopkeeper's words, and never takes the service down. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createScreen } from '../../dev/screen'
import { historyLink, playStory } from '../../dev/story'
import { orderOf, wishes } from '../../dev/story-orders'
import { inWords, type OrderView } from '../../dev/story-words'

const order: OrderView = {
  channel: 'web',
  channelOrderId: '1001',
  status: 'in_fulfillment',
  waitingOn: null,
  lines: [{ sku: 'SHOE-LB-42', quantity: 1 }],
  money: { currency: 'EUR', authorizedMinor: 10_880, capturedMinor: 0, owedMinor: 10_880 },
  fulfillments: [{ fulfillmentId: 'f1', nodeId: 'store-mitte', status: 'released', lines: [] }],
  shipments: [],
  returns: [],
}
const event = (type: string, data: Record<string, unknown> = {}) => ({ seq: 1, at: '2026-11-23T09:00:00Z', type, actor: 'throughline', data })

it('says where the order goes, why, and why the others lost', () => {
  const sourcing = {
    items: [{ chosen: { nodeId: 'store-mitte', reason: '0.6 km away' }, candidates: [{ nodeId: 'store-mitte', verdict: 'chosen' }, { nodeId: 'dc-01', verdict: 'short of SHOE-LB-42 (0 of 1)' }] }],
  }
  expect(inWords(event('order.sourced', { nodes: ['store-mitte'], reason: '0.6 km away' }), { order, sourcing })).toBe(
    'sourced      to store-mitte: 0.6 km away (not dc-01: short of SHOE-LB-42 (0 of 1))',
  )
})

it('names carrier and tracking number, places and amounts', () => {
  expect(inWords(event('shipment.labelled', { carrier: 'swiftparcel', service: 'standard', trackingNumbers: ['SP1'] }), { order })).toContain('swiftparcel standard, tracking SP1')
  expect(inWords(event('fulfillment.picked', { fulfillmentId: 'f1' }), { order })).toContain('store-mitte')
  expect(inWords(event('payment.authorized'), { order })).toContain('108.80 EUR')
  expect(inWords(event('something.else'), { order })).toBeUndefined()
})

it('adds up, whatever the option costs', () => {
  for (const wish of wishes)
    for (const taken of [undefined, { quoteId: 'q', option: { optionId: 'delivery:own_driver', priceMinor: 790 } }]) {
      const { lines, shipping, totalMinor } = orderOf(wish, taken) as unknown as { lines: { quantity: number; unitPriceMinor: number }[]; shipping: { priceMinor: number }; totalMinor: number }
      expect(lines.reduce((sum, l) => sum + l.quantity * l.unitPriceMinor, shipping.priceMinor)).toBe(totalMinor)
    }
})

it('links to the history by the name an operator would look for', () => {
  expect(historyLink({ api: '', temporalUi: 'http://127.0.0.1:8233' })).toBe('http://127.0.0.1:8233/namespaces/default/workflows/order%3Aweb%3A1001')
})

describe('when the api refuses', () => {
  let api: Server
  beforeAll(() => new Promise<void>((resolve) => (api = createServer((asked, answer) => {
    const isList = asked.method === 'GET'
    answer.writeHead(isList ? 200 : 409, { 'content-type': 'application/json' }).end(JSON.stringify(isList ? { items: [] } : { title: 'There is not enough stock', detail: 'SHOE-LB-42: 0 of 1' }))
  }).listen(0, '127.0.0.1', resolve))))
  afterAll(() => new Promise((resolve) => api.close(resolve)))

  it('says why in one line and goes on', async () => {
    let said = ''
    const screen = createScreen({ write: (text) => (said += text) })
    await playStory({ api: `http://127.0.0.1:${(api.address() as AddressInfo).port}` }, screen, new AbortController().signal)
    expect(said).toContain('did not come to its end: POST /v1/delivery-options answered 409: SHOE-LB-42: 0 of 1')
  })
})
