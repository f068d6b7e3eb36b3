/** Promises of the past, judged by what then happened. */
import { uuidv7 } from 'uuidv7'
import type { CalibrationReport } from '../../domain/promise/calibration'
import { contracts } from '../../adapters/carriers/contracts'
import { parcelCarrier } from '../../adapters/carriers/parcel-carrier'
import { giveOptions } from '../../api/delivery-options'
import { createLog } from '../../api/log'
import { createPromiseDesk } from '../../activities/promise-desk'
import { createQuotes } from '../../api/quotes'
import { openEdge, type Edge } from '../api/edge'
import { place } from '../api/orders-in-store'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

/** An order promised with `confidence` two days ago, delivered in time, late, or not yet. */
async function promised(confidence: number, end: 'kept' | 'late' | 'open'): Promise<void> {
  const orderId = await place(edge.db)
  const [fulfillment_id, at] = [uuidv7(), (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString()]
  const promise = JSON.stringify({ promisedFrom: at(3), promisedBy: at(2), confidence, milestones: {} })
  await edge.db('orders').where({ order_id: orderId }).update({ promise, placed_at: at(5), status: end === 'open' ? 'shipped' : 'delivered' })
  await edge.db('fulfillments').insert({ fulfillment_id, order_id: orderId, node_id: 'dc-01', method: 'delivery', service: 'standard', status: 'handed_over', handed_over_at: at(4) })
  await edge.db('shipments').insert({ shipment_id: uuidv7(), fulfillment_id, order_id: orderId, carrier: 'swiftparcel', service: 'standard', handed_over_at: at(4), delivered_at: end === 'open' ? null : at(end === 'kept' ? 2.5 : 1) })
}

it('counts what was kept, late and never delivered, by what was stated and by carrier', async () => {
  for (const end of ['kept', 'kept', 'kept', 'late', 'open'] as const) await promised(0.92, end)
  const report = (await edge.get('/v1/promise/calibration')).body as unknown as CalibrationReport
  expect(report.overall).toMatchObject({ count: 5, keptShare: 0.6, judged: false })
  expect(report.bins.find((b) => b.from === 0.9)).toMatchObject({ count: 5, keptShare: 0.6 })
  expect(report.carriers.map((c) => [c.carrier, c.count])).toEqual([['swiftparcel', 5]])
  expect(report.honest).toBe(false) // five promises prove nothing
  expect((await edge.get('/v1/promise/calibration?placedTo=2020-01-01T00:00:00Z')).body).toMatchObject({ overall: { count: 0 } })
  expect((await edge.get('/v1/promise/calibration', 'demo-channel-web')).status).toBe(403)
})

it('keeps with every order what was told, the milestones of its part, and what was predicted', async () => {
  const asked = await edge.post('/v1/orders', {
    channel: 'web', channelOrderId: uuidv7(), placedAt: '2026-11-23T09:00:00Z', currency: 'EUR', customer: { name: 'Customer' }, delivery: { method: 'delivery', service: 'standard' },
    shipTo: { name: 'Customer', country: 'DE', postalCode: '10115', latitude: 52.5285, longitude: 13.3975 }, lines: [{ lineId: '1', sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 1000 }],
    shipping: { priceMinor: 490 }, totalMinor: 1490, taxIncluded: true, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: 1490 }],
  })
  expect(asked.status).toBe(201)
  const { promise } = (await edge.db('orders').where({ order_id: asked.body.orderId }).first<{ promise: { promisedBy: string; milestones: Record<string, Record<string, string>>; predicted: { upTo: number[] } } }>('promise'))
  const { pickBy, handOverBy, scanBy } = promise.milestones['store-mitte']!
  expect([pickBy! < handOverBy!, handOverBy! < scanBy!, scanBy! <= promise.promisedBy]).toEqual([true, true, true])
  expect(promise.predicted.upTo.at(-1)).toBeGreaterThan(0.9)
  expect((await edge.get(`/v1/orders/${String(asked.body.orderId)}`)).body.promise).toEqual({ promisedFrom: expect.any(String), promisedBy: promise.promisedBy, confidence: expect.any(Number), state: 'on_track' })
})

it('learns from the work of a node how long it takes, and promises accordingly', async () => {
  const slow = { name: 'Slow', type: 'store', timeZone: 'Europe/Berlin', country: 'DE', latitude: 52.52, longitude: 13.4, calendar: Object.fromEntries(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'].map((d) => [d, { opens: '08:00', closes: '20:00' }])), leadMinutes: 30 }
  for (const nodeId of ['store-slow', 'store-quick']) {
    await edge.put(`/v1/nodes/${nodeId}`, slow)
    await edge.put(`/v1/skus/ONLY-${nodeId}`, { name: nodeId, weightGrams: 100 })
    await edge.post('/v1/inventory/adjustments', { sku: `ONLY-${nodeId}`, nodeId, delta: 5, reason: 'opening' })
  }
  const orderId = await place(edge.db)
  for (let i = 0; i < 120; i += 1) {
    const released = Date.now() - (8 + (i % 40)) * 86_400_000
    await edge.db('fulfillments').insert({ fulfillment_id: uuidv7(), order_id: orderId, node_id: 'store-slow', method: 'delivery', service: '', status: 'handed_over', released_at: new Date(released), packed_at: new Date(released + 5 * 86_400_000), handed_over_at: new Date(released + 5 * 86_400_000) })
  }
  const other = anotherDesk(edge)
  const date = async (nodeId: string): Promise<number> => {
    const ask = { channel: 'web', currency: 'EUR', destination: { country: 'DE', postalCode: '10115' }, lines: [{ sku: `ONLY-${nodeId}`, quantity: 1 }] }
    return Date.parse(((await other.options(ask)) as { options: { promisedBy: string }[] }).options[0]!.promisedBy)
  }
  expect((await date('store-slow')) - (await date('store-quick'))).toBeGreaterThan(2 * 86_400_000)
})

/** Another api process on the same database, which has not yet learned anything. */
function anotherDesk({ db }: Edge): { options: (ask: object) => Promise<object> } {
  const promises = createPromiseDesk({ db, carriers: [parcelCarrier({ contract: contracts.swiftparcel, baseUrl: 'http://127.0.0.1:1', webhookSecret: 'test-secret', timeoutMs: 100 })], log: createLog('silent', 'test') })
  return { options: (ask) => giveOptions({ promises, quotes: createQuotes('test-quote-secret') }, ask as Parameters<typeof giveOptions>[1], Date.now()) }
}
