/** Packing over HTTP: the cartons a node has, a proposal from them, and what is refused at the table and at the door. */
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { routes } from '../../api/routes'
import { insertPackages, releaseFulfillment } from '../../db/fulfillments'
import { openEdge, type Edge, type Reply } from './edge'
import { place } from './orders-in-store'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

const at = '2026-11-23T10:00:00.000Z'
/** A work order at store-mitte for so many units of each SKU. */
async function work(wanted: Record<string, number>): Promise<string> {
  const lines = Object.entries(wanted).map(([sku, quantity], i) => ({ lineId: String(i + 1), sku, quantity, unitPriceMinor: 100, discountMinor: 0, taxMinor: 0 }))
  const totalMinor = lines.reduce((sum, l) => sum + 100 * l.quantity, 0)
  const orderId = await place(edge.db, { lines, shipping: { priceMinor: 0, taxMinor: 0 }, totalMinor, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: totalMinor }] })
  return edge.db.transaction(async (tx) => {
    for (const { lineId, sku, quantity } of lines) await tx('allocations').insert({ allocation_id: uuidv7(), order_id: orderId, line_id: lineId, sku, node_id: 'store-mitte', quantity })
    return (await releaseFulfillment(tx, { orderId, nodeId: 'store-mitte', method: 'delivery', dueAt: at, waitingOn: { what: 'picking', since: at, deadline: null } })).fulfillmentId
  })
}
const status = (fulfillmentId: string, to: string): Promise<unknown> => edge.db('fulfillments').where({ fulfillment_id: fulfillmentId }).update({ status: to, assignee: 'Ines' })
const proposal = (fulfillmentId: string, key = 'demo-store-store-mitte'): Promise<Reply> => edge.get(`/v1/fulfillments/${fulfillmentId}/packing-proposal`, key)
/** The answer has the shape the documentation promises. */
const documented = (path: string, reply: Reply): void => {
  const schema = routes.find((r) => r.method === 'get' && r.path === path)!.answers[200]!
  expect(z.prettifyError(schema.safeParse(reply.body).error ?? new z.ZodError([]))).toBe('')
}

describe('cartons', () => {
  const settings = { name: 'Tube', innerLengthMm: 900, innerWidthMm: 100, innerHeightMm: 100, maxWeightGrams: 5_000, tareGrams: 200, costMinor: 90 }

  it('are set up, listed, and taken out of use', async () => {
    expect(await edge.put('/v1/cartons/tube', settings)).toMatchObject({ status: 201, body: { cartonId: 'tube', nodes: [], active: true } })
    const again = await edge.put('/v1/cartons/tube', { ...settings, nodes: ['dc-01'], active: false })
    expect(again).toMatchObject({ status: 200, body: { nodes: ['dc-01'], active: false } })
    documented('/v1/cartons/{cartonId}', await edge.get('/v1/cartons/tube'))
    const listed = await edge.get('/v1/cartons?limit=2')
    documented('/v1/cartons', listed)
    expect((listed.body.items as { cartonId: string }[]).map((c) => c.cartonId)).toEqual(['carton-l', 'carton-m'])
    expect((await edge.get('/v1/cartons/none')).body.code).toBe('carton.not_found')
  })

  it.each([
    ['nothing may be in it', { ...settings, tareGrams: 5_000 }, '/tareGrams'],
    ['a node is not known', { ...settings, nodes: ['dc-01', 'nowhere'] }, '/nodes/1'],
    ['it has no inside', { ...settings, innerHeightMm: 0 }, '/innerHeightMm'],
  ])('are refused when %s', async (_, body, pointer) => {
    expect(await edge.put('/v1/cartons/wrong', body)).toMatchObject({ status: 400, body: { errors: [{ pointer }] } })
  })
})

describe('the proposal', () => {
  it('names cartons, what goes into which and where it lies, and what no carton takes', async () => {
    await edge.put('/v1/skus/SURFBOARD', { name: 'Surfboard', weightGrams: 4_000, lengthMm: 1_900, widthMm: 500, heightMm: 70 })
    await edge.put('/v1/skus/LOOSE', { name: 'Something of no known size', weightGrams: 100 })
    const fulfillmentId = await work({ 'SHOE-LB-42': 2, 'SOCKS-3P': 3, SURFBOARD: 1, LOOSE: 2 })
    const reply = await proposal(fulfillmentId)
    documented('/v1/fulfillments/{fulfillmentId}/packing-proposal', reply)
    const { packages, unpacked } = reply.body as { packages: { cartonId: string; weightGrams: number; lines: object[]; placements: object[] }[]; unpacked: object[] }
    expect(unpacked).toEqual([
      { lineId: '3', sku: 'SURFBOARD', quantity: 1, why: 'too_large' },
      { lineId: '4', sku: 'LOOSE', quantity: 2, why: 'size_unknown' },
    ])
    expect(packages).toMatchObject([{ cartonId: 'carton-m', weightGrams: 380 + 2 * 780 + 3 * 90, lines: expect.arrayContaining([{ lineId: '1', quantity: 2 }, { lineId: '2', quantity: 3 }]) }])
    expect(packages[0]!.placements).toHaveLength(5)
  })

  it('takes only cartons that the node has', async () => {
    const fulfillmentId = await work({ 'SHOE-LB-42': 1 })
    const cartonOf = async (): Promise<unknown> => ((await proposal(fulfillmentId)).body.packages as { cartonId: string }[])[0]?.cartonId
    expect(await cartonOf()).toBe('carton-s')
    await edge.db('cartons').where({ carton_id: 'carton-s' }).update({ nodes: ['dc-01'] })
    expect(await cartonOf()).toBe('carton-m')
    await edge.db('cartons').where({ carton_id: 'carton-s' }).update({ nodes: [] })
  })

  it('leaves out what was rejected, and is not made for what is packed or for too much', async () => {
    const fulfillmentId = await work({ 'SOCKS-3P': 3 })
    await edge.db('fulfillment_lines').where({ fulfillment_id: fulfillmentId }).update({ rejected: 1 })
    expect((await proposal(fulfillmentId)).body.packages).toMatchObject([{ lines: [{ lineId: '1', quantity: 2 }] }])
    await status(fulfillmentId, 'packed')
    expect(await proposal(fulfillmentId)).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'packed' } })
    expect((await proposal(fulfillmentId, 'demo-store-store-kreuzberg')).status).toBe(404)
    expect(await proposal(await work({ 'SOCKS-3P': 1_001 }))).toMatchObject({ status: 409, body: { code: 'fulfillment.too_many_units', units: 1_001, most: 1_000 } })
  })
})

describe('hand-over by scan', () => {
  const handOver = (fulfillmentId: string, body: object): Promise<Reply> => edge.post(`/v1/fulfillments/${fulfillmentId}/hand-over`, body, { key: 'demo-store-store-mitte' })
  const packed = async (...numbers: (string | null)[]): Promise<string> => {
    const fulfillmentId = await work({ 'SOCKS-3P': 2 })
    const ids = await edge.db.transaction((tx) => insertPackages(tx, fulfillmentId, numbers.map(() => ({ weightGrams: 500, lines: [{ lineId: '1', quantity: 1 }] }))))
    for (const [i, packageId] of ids.entries()) await edge.db('packages').where({ package_id: packageId }).update({ carrier: 'swiftparcel', tracking_number: numbers[i] })
    await status(fulfillmentId, 'packed')
    return fulfillmentId
  }

  it('asks the order only when every parcel was scanned, once', async () => {
    const fulfillmentId = await packed('SP-11', 'SP-12')
    edge.threads.asks = []
    expect(await handOver(fulfillmentId, { scans: ['SP-11'] })).toMatchObject({
      status: 409, body: { code: 'fulfillment.scans_differ', detail: 'not scanned: package 2', missing: [{ number: 2, trackingNumber: 'SP-12' }], foreign: [], repeated: [], state: 'packed', assignee: 'Ines' },
    })
    expect((await handOver(fulfillmentId, { scans: [] })).body.code).toBe('fulfillment.scans_differ')
    expect(edge.threads.asks).toEqual([])
    expect((await handOver(fulfillmentId, { scans: ['sp-12', 'SP-11 '] })).status).toBe(200)
    expect(edge.threads.asks).toMatchObject([{ update: 'handOver', args: { fulfillmentId } }])
    expect(edge.threads.asks[0]!.args).not.toHaveProperty('scans')
  })

  it('goes on without scans, waits for labels, and says how far the work is', async () => {
    expect((await handOver(await packed('SP-21', 'SP-22'), {})).status).toBe(200)
    expect(await handOver(await packed('SP-31', null), { scans: ['SP-31'] })).toMatchObject({ status: 409, body: { code: 'fulfillment.label_missing' } })
    const early = await work({ 'SOCKS-3P': 1 })
    expect(await handOver(early, {})).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'released', assignee: null, allowedActions: ['assign', 'pick'] } })
  })
})
