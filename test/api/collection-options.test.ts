/** What a customer can fetch: from stores near her that have it, at a store that has it sent, or carried out of the one she stands in. */
import { eventually, nextOrderNumber } from '../support/people'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

interface Option {
  optionId: string
  method: string
  nodeId?: string
  service: string
  priceMinor: number
  promisedFrom: string
  promisedBy: string
  confidence: number
  shipments: number
}
const mitte = { country: 'DE', postalCode: '10115', latitude: 52.5285, longitude: 13.3975 }

let numbers = 0
/** A new SKU with units at named nodes. */
async function goods(units: Record<string, number>): Promise<string> {
  const sku = `FETCH-${(numbers += 1)}`
  await edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 300 })
  for (const [nodeId, delta] of Object.entries(units)) await edge.post('/v1/inventory/adjustments', { sku, nodeId, delta, reason: 'opening' })
  return sku
}
async function ask(sku: string, more: object = {}): Promise<{ quoteId: string; options: Option[]; of: (method: string) => Option[] }> {
  const reply = await edge.post('/v1/delivery-options', { channel: 'web', destination: mitte, lines: [{ sku, quantity: 1 }], currency: 'EUR', ...more }, { key: 'demo-channel-web' })
  expect(reply.status).toBe(200)
  const { quoteId, options } = reply.body as unknown as { quoteId: string; options: Option[] }
  return { quoteId, options, of: (method) => options.filter((o) => o.method === method) }
}
const order = (sku: string, quoteId: string, optionId: string): object => ({
  channel: 'web', channelOrderId: nextOrderNumber(), placedAt: '2026-11-23T09:00:00Z', currency: 'EUR', customer: { name: 'Customer' }, delivery: { quoteId, optionId },
  lines: [{ lineId: '1', sku, quantity: 1, unitPriceMinor: 1000 }], totalMinor: 1000, taxIncluded: true, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 1000 }],
})
const submit = (document: object): Promise<Reply> => edge.post('/v1/orders', document, { key: 'demo-channel-web' })

it('offers the stores near the customer that have it, the time by which it is ready, and its confidence', async () => {
  const { of } = await ask(await goods({ 'store-mitte': 2, 'store-kreuzberg': 2 }))
  expect(of('pickup').map((o) => [o.optionId, o.nodeId, o.priceMinor, o.shipments]).sort()).toEqual([['pickup:store-kreuzberg', 'store-kreuzberg', 0, 1], ['pickup:store-mitte', 'store-mitte', 0, 1]])
  for (const { confidence, promisedFrom, promisedBy } of of('pickup')) {
    expect(confidence).toBeGreaterThanOrEqual(0.9)
    expect(promisedFrom <= promisedBy && promisedBy > new Date().toISOString()).toBe(true)
  }
  expect(of('ship_to_store')).toMatchObject([{ nodeId: 'store-charlottenburg' }])
})

it('has it sent to a store that does not have it, ready later than it could be at the door', async () => {
  const { of } = await ask(await goods({ 'dc-01': 2 }))
  expect(of('pickup')).toEqual([])
  const stores = of('ship_to_store')
  expect(stores.map((o) => o.nodeId).sort()).toEqual(['store-charlottenburg', 'store-kreuzberg', 'store-mitte'])
  const first = of('delivery').map((o) => o.promisedBy).sort()[0]!
  for (const option of stores) expect([option.promisedBy > first, option.optionId]).toEqual([true, `ship_to_store:${option.nodeId}:${option.service}`])
})

it('asks a store far away for nothing', async () => {
  const { of } = await ask(await goods({ 'store-mitte': 2 }), { destination: { country: 'DE', postalCode: '80331', latitude: 48.137, longitude: 11.575 } })
  expect([of('pickup'), of('ship_to_store')]).toEqual([[], []])
  expect(of('delivery')).not.toEqual([])
})

it('finds stores by the first digits of the postal code where there is no position', async () => {
  const { of } = await ask(await goods({ 'store-mitte': 2 }), { destination: { country: 'DE', postalCode: '10115' } })
  expect(of('pickup')).toMatchObject([{ nodeId: 'store-mitte' }])
})

it('has an own driver bring it from a near store where drivers start, and from nowhere else', async () => {
  await edge.put('/v1/drivers/driver-ada', { name: 'Driver Ada', homeNodes: ['store-kreuzberg'], shift: {}, vehicle: {} })
  await edge.put('/v1/drivers/driver-mark', { name: 'Driver Mark', homeNodes: ['store-mitte'], shift: {}, vehicle: {} })
  const sku = await goods({ 'store-charlottenburg': 5, 'store-kreuzberg': 1 })
  const { of, quoteId } = await eventually(() => ask(sku), (a) => a.of('delivery').some((o) => o.service === 'own_driver'))
  expect(of('delivery').find((o) => o.service === 'own_driver')).toMatchObject({ optionId: 'delivery:own_driver', nodeId: 'store-kreuzberg', shipments: 1 })
  const far = await ask(sku, { destination: { country: 'DE', postalCode: '80331', latitude: 48.137, longitude: 11.575 } })
  expect(far.of('delivery').map((o) => o.service)).not.toContain('own_driver')
  const priceMinor = of('delivery').find((o) => o.service === 'own_driver')!.priceMinor
  const document = { ...order(sku, quoteId, 'delivery:own_driver'), shipTo: { name: 'Customer', line1: 'Street 1', city: 'Berlin', ...mitte }, shipping: { priceMinor }, totalMinor: 1000 + priceMinor, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 1000 + priceMinor }] }
  const placed = await submit(document)
  expect((await edge.get(`/v1/orders/${String(placed.body.orderId)}/sourcing`)).body).toMatchObject({ items: [{ chosen: { shipments: [{ nodeId: 'store-kreuzberg' }] } }] })
})

describe('sold in a store', () => {
  it('is carried out of it, or sent from it', async () => {
    const { of, options } = await ask(await goods({ 'store-mitte': 1, 'dc-01': 9 }), { sourceNodeId: 'store-mitte' })
    expect(of('carry_out')).toMatchObject([{ nodeId: 'store-mitte', optionId: 'carry_out:store-mitte', confidence: 1 }])
    expect(of('delivery').map((o) => o.nodeId)).toEqual(['store-mitte', 'store-mitte', 'store-mitte'])
    expect(options[0]!.method).toBe('carry_out')
  })

  it('is sent from elsewhere when the store does not have it', async () => {
    const sku = await goods({ 'dc-01': 9 })
    const { quoteId, of } = await ask(sku, { sourceNodeId: 'store-mitte' })
    expect(of('carry_out')).toEqual([])
    expect(of('delivery').map((o) => o.nodeId)).toEqual([undefined, undefined])
    expect(of('ship_to_store')).toMatchObject([{ nodeId: 'store-mitte' }])
    const document = { ...order(sku, quoteId, 'delivery:standard'), shipTo: { name: 'Customer', line1: 'Street 1', city: 'Berlin', ...mitte }, shipping: { priceMinor: 490 }, totalMinor: 1490, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 1490 }] }
    const { body } = await submit(document)
    expect((await edge.get(`/v1/orders/${String(body.orderId)}/sourcing`)).body).toMatchObject({ items: [{ chosen: { shipments: [{ nodeId: 'dc-01' }] } }] })
  })
})

it('keeps what was quoted when it is ordered, without an address', async () => {
  const sku = await goods({ 'store-kreuzberg': 1 })
  const { quoteId, of } = await ask(sku)
  const [option] = of('pickup')
  const placed = await submit(order(sku, quoteId, option!.optionId))
  expect(placed.status).toBe(201)
  const { body } = await edge.get(`/v1/orders/${String(placed.body.orderId)}`)
  expect(body).toMatchObject({ delivery: { method: 'pickup', nodeId: 'store-kreuzberg' }, promise: { promisedBy: option!.promisedBy, confidence: option!.confidence, state: 'on_track' } })
})

it('holds the pair in the store while the customer makes up her mind', async () => {
  const sku = await goods({ 'store-mitte': 1 })
  const { quoteId, of } = await ask(sku)
  expect((await edge.post(`/v1/quotes/${quoteId}/hold`, { optionId: of('pickup')[0]!.optionId }, { key: 'demo-channel-web' })).status).toBe(201)
  expect((await edge.get(`/v1/inventory?sku=${sku}`)).body).toMatchObject({ items: [{ nodeId: 'store-mitte', reserved: 1, available: 0 }] })
  expect((await submit(order(sku, quoteId, 'pickup:store-mitte'))).status).toBe(201)
})
