/** Goods that not every node may send: dangerous ones, and such that leave the country only with papers; and nodes that are closed for too long. */
import { nextOrderNumber } from '../support/people'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

let numbers = 0
async function goods(units: Record<string, number>, more: object): Promise<string> {
  const sku = `RULED-${(numbers += 1)}`
  await edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 300, ...more })
  for (const [nodeId, delta] of Object.entries(units)) await edge.post('/v1/inventory/adjustments', { sku, nodeId, delta, reason: 'opening' })
  return sku
}
const change = async (nodeId: string, more: object): Promise<void> => void (await edge.put(`/v1/nodes/${nodeId}`, { ...(await edge.get(`/v1/nodes/${nodeId}`)).body, ...more }))
const submit = (sku: string, country = 'DE'): Promise<Reply> =>
  edge.post('/v1/orders', {
    channel: 'web', channelOrderId: nextOrderNumber(), placedAt: '2026-11-23T09:00:00Z', currency: 'EUR', customer: { name: 'Customer' },
    shipTo: { name: 'Customer', line1: 'Street 1', city: 'Berlin', postalCode: '10115', country, latitude: 52.5285, longitude: 13.3975 }, delivery: { method: 'delivery' },
    lines: [{ lineId: '1', sku, quantity: 1, unitPriceMinor: 1000 }], totalMinor: 1000, taxIncluded: true, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 1000 }],
  }, { key: 'demo-channel-web' })
const decisionOf = async (reply: Reply): Promise<Record<string, unknown>> => (await edge.get(`/v1/orders/${String(reply.body.orderId)}/sourcing`)).body

it('sends hazardous goods only from a node that may handle them, and says why every other one lost', async () => {
  const sku = await goods({ 'store-mitte': 5, 'dc-01': 5 }, { hazardous: true })
  expect((await submit(sku)).body).toMatchObject({ status: 409, code: 'stock.short', short: [{ sku, available: 0, why: 'Every node that has it may not handle hazardous goods' }] })
  await change('dc-01', { handlesHazardous: true })
  const placed = await submit(sku)
  expect(placed.status).toBe(201)
  expect(await decisionOf(placed)).toMatchObject({ items: [{ chosen: { shipments: [{ nodeId: 'dc-01' }] }, candidates: expect.arrayContaining([expect.objectContaining({ nodeId: 'store-mitte', verdict: 'may not handle hazardous goods' })]) }] })
})

it('sends goods under export control abroad only with papers for that country, and at home from anywhere', async () => {
  const sku = await goods({ 'store-mitte': 5, 'dc-01': 5 }, { exportControlled: true })
  expect(await decisionOf(await submit(sku))).toMatchObject({ items: [{ chosen: { shipments: [{ nodeId: 'store-mitte' }] } }] })
  expect((await submit(sku, 'CH')).body).toMatchObject({ code: 'stock.short', short: [{ why: 'Every node that has it has no export papers for CH' }] })
  await change('dc-01', { exportsTo: ['CH'] })
  expect(await decisionOf(await submit(sku, 'CH'))).toMatchObject({ items: [{ chosen: { shipments: [{ nodeId: 'dc-01' }] } }] })
})

it('gives nothing to a node that is closed for longer than the policy allows', async () => {
  const sku = await goods({ 'store-mitte': 5, 'dc-01': 5 }, {})
  const closed = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [new Date(Date.now() + (i - 1) * 86_400_000).toISOString().slice(0, 10), { hours: [] }]))
  await change('store-mitte', { specialDays: closed })
  const policy = { ...((await edge.get('/v1/policies/sourcing')).body as unknown as { active: { document: { fences: object } } }).active.document }
  const { body } = await edge.post('/v1/policies/sourcing', { ...policy, fences: { ...policy.fences, openWithin: 'P2D' } })
  await edge.post(`/v1/policies/sourcing/${String(body.version)}/activate`, {})
  const placed = await submit(sku)
  expect(await decisionOf(placed)).toMatchObject({ items: [{ chosen: { shipments: [{ nodeId: 'dc-01' }] }, candidates: expect.arrayContaining([expect.objectContaining({ nodeId: 'store-mitte', verdict: expect.stringMatching(/^closed for another \d+ h$/) })]) }] })
})
