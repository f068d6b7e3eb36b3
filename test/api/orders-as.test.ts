/** Orders for agents over the api: of channels that say where their customers find them, to whoever may see the order. */
import { orderOf } from '../support/people'
import { openEdge, type Edge } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

it('tells an order in either protocol, with the address of its page', async () => {
  await edge.put('/v1/channels/agents', { name: 'Agents', currency: 'EUR', timeZone: 'Europe/Berlin', kind: 'agent', orderPageUrl: 'https://shop.example/orders/{channelOrderId}' })
  const document = orderOf({ channel: 'agents' })
  const { body } = await edge.post('/v1/orders', document)
  const permalink_url = `https://shop.example/orders/${document.channelOrderId}`
  const acp = await edge.get(`/v1/orders/${body.orderId}/as/acp`)
  expect(acp).toMatchObject({ status: 200, body: { id: body.orderId, checkout_session_id: document.channelOrderId, permalink_url, status: 'confirmed', line_items: [{ quantity: { ordered: 1, current: 1, fulfilled: 0 }, status: 'processing' }] } })
  expect(acp.headers.get('etag')).toMatch(/^"\d+"$/)
  expect(await edge.get(`/v1/orders/${body.orderId}/as/ucp`)).toMatchObject({ status: 200, body: { id: body.orderId, permalink_url, fulfillment: { expectations: [{ method_type: 'shipping' }] } } })
  expect(await edge.get(`/v1/orders/${body.orderId}/as/edi`)).toMatchObject({ status: 404 })
  expect(await edge.get(`/v1/orders/${body.orderId}/as/acp`, 'demo-channel-web')).toMatchObject({ status: 404, body: { code: 'order.unknown' } })
})

it('says what is missing where the channel has no page for orders', async () => {
  const { body } = await edge.post('/v1/orders', orderOf())
  expect(await edge.get(`/v1/orders/${body.orderId}/as/acp`)).toMatchObject({ status: 409, body: { code: 'channel.no_order_page', channel: 'web' } })
})
