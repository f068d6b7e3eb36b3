/** Reading orders and the work they become: the single view, the list and its search, who sees what. */
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { routes } from '../../api/routes'
import { releaseFulfillment, insertPackages } from '../../db/fulfillments'
import { openEdge, type Edge, type Reply } from './edge'
import { place } from './orders-in-store'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

const release = (orderId: string, nodeId = 'store-mitte'): Promise<string> =>
  edge.db.transaction(async (tx) => {
    await tx('allocations').insert({ allocation_id: uuidv7(), order_id: orderId, line_id: '1', sku: 'SHOE-LB-42', node_id: nodeId, quantity: 1 })
    const at = new Date().toISOString()
    return (await releaseFulfillment(tx, { orderId, nodeId, method: 'delivery', dueAt: at, waitingOn: { what: 'picking', since: at, deadline: null } })).fulfillmentId
  })
/** The answer has the shape the documentation promises. */
const documented = (path: string, reply: Reply): void => {
  const schema = routes.find((r) => r.method === 'get' && r.path === path)!.answers[200]!
  expect(z.prettifyError(schema.safeParse(reply.body).error ?? new z.ZodError([]))).toBe('')
}
const idsOf = (reply: Reply): string[] => (reply.body.items as { orderId: string }[]).map((o) => o.orderId)

describe('the single view', () => {
  it('shows everything about a new order', async () => {
    const orderId = await place(edge.db)
    const reply = await edge.get(`/v1/orders/${orderId}`, 'demo-channel-web')
    documented('/v1/orders/{orderId}', reply)
    expect(reply.headers.get('etag')).toBe('"1"')
    expect(reply.body).toMatchObject({
      orderId, channel: 'web', status: 'placed', paymentStatus: 'pending', fulfillmentStatus: 'none', workflowOpen: true, holds: [], returns: [], shipments: [],
      lines: [{ lineId: '1', sku: 'SHOE-LB-42', quantity: 1, allocated: 0, shipped: 0 }],
      payments: [{ tenderId: 't1', provider: 'stripe', amountMinor: 9390 }],
      money: { currency: 'EUR', authorizedMinor: 0, capturedMinor: 0, refundedMinor: 0, owedMinor: 9390 },
      waitingOn: { what: 'payment', deadline: expect.stringMatching(/Z$/) },
      allowedActions: ['cancel'],
    })
  })

  it('shows packages with their tracking, and what the role may do now', async () => {
    const orderId = await place(edge.db)
    const fulfillmentId = await release(orderId)
    const [packageId] = await edge.db.transaction((tx) => insertPackages(tx, fulfillmentId, [{ weightGrams: 900, lines: [{ lineId: '1', quantity: 1 }] }]))
    const shipmentId = orderId
    await edge.db('shipments').insert({ shipment_id: shipmentId, fulfillment_id: fulfillmentId, order_id: orderId, carrier: 'kestrel', service: 'standard', promised_by: '2026-11-25T17:00:00Z' })
    await edge.db('packages').where({ package_id: packageId }).update({ shipment_id: shipmentId, carrier: 'kestrel', tracking_number: 'TR-77', label: '{}' })
    const reply = await edge.get(`/v1/orders/${orderId}`, 'demo-support')
    documented('/v1/orders/{orderId}', reply)
    expect(reply.body).toMatchObject({
      fulfillments: [{ fulfillmentId, nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1 }], packages: [{ packageId, trackingNumber: 'TR-77' }] }],
      shipments: [{ shipmentId, fulfillmentId, carrier: 'kestrel', service: 'standard', trackingNumber: 'TR-77', status: 'label_created', promisedBy: '2026-11-25T17:00:00.000Z' }],
      allowedActions: ['cancel', 'holds'],
    })
    expect((await edge.get(`/v1/orders/${orderId}`, 'demo-finance')).body.allowedActions).toEqual([])
    await edge.db('fulfillments').where({ fulfillment_id: fulfillmentId }).update({ status: 'handed_over' })
    await edge.db('order_lines').where({ order_id: orderId }).update({ allocated: 0, shipped: edge.db.ref('quantity') })
    expect((await edge.get(`/v1/orders/${orderId}`, 'demo-support')).body.allowedActions).toEqual([])
  })

  it('owes nothing once cancelled', async () => {
    const orderId = await place(edge.db)
    await edge.db('orders').where({ order_id: orderId }).update({ stage: 'cancelled', status: 'cancelled' })
    expect((await edge.get(`/v1/orders/${orderId}`)).body).toMatchObject({ money: { owedMinor: 0 }, allowedActions: [] })
  })

  it('is the same 404 for an order of another channel as for one that is not there', async () => {
    const orderId = await place(edge.db, { channel: 'marketplace' })
    for (const path of ['', '/timeline', '/sourcing', '/events'])
      expect((await edge.get(`/v1/orders/${orderId}${path}`, 'demo-channel-web')).body).toMatchObject({ status: 404, code: 'order.unknown' })
    expect((await edge.get(`/v1/orders/${orderId}`, 'demo-channel-marketplace')).status).toBe(200)
  })

  it('lets a store read what its tills sold and nothing else', async () => {
    const [till, web] = [await place(edge.db, { channel: 'pos' }), await place(edge.db)]
    expect((await edge.get(`/v1/orders/${till}`, 'demo-store-store-mitte')).status).toBe(200)
    expect((await edge.get(`/v1/orders/${web}`, 'demo-store-store-mitte')).status).toBe(404)
  })

  it('tells the timeline and the sourcing decisions', async () => {
    const orderId = await place(edge.db, { claim: 'required', lines: [{ lineId: '1', sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 8900, discountMinor: 0, taxMinor: 1421 }] })
    const timeline = await edge.get(`/v1/orders/${orderId}/timeline`)
    documented('/v1/orders/{orderId}/timeline', timeline)
    expect(timeline.body.items).toEqual([expect.objectContaining({ type: 'order.placed', actor: 'channel:test' })])
    const sourcing = await edge.get(`/v1/orders/${orderId}/sourcing`)
    documented('/v1/orders/{orderId}/sourcing', sourcing)
    expect(sourcing.body.items).toEqual([expect.objectContaining({ number: 1, chosen: expect.anything(), candidates: expect.any(Array) })])
  })
})

describe('the list', () => {
  let own: string[]
  beforeAll(async () => {
    own = []
    for (let i = 0; i < 5; i++) own.push(await place(edge.db, { channelOrderId: `LIST-${i}`, customer: { name: 'Jonas 50% Weiß', email: `jonas${i}@example.net`, phone: '+49 171 5550100' } }))
    own.reverse()
  })

  it('shows the newest first, in pages without gap or repeat', async () => {
    const first = await edge.get('/v1/orders?q=jonas&limit=2')
    documented('/v1/orders', first)
    const second = await edge.get(`/v1/orders?q=jonas&limit=2&cursor=${first.body.nextCursor as string}`)
    const third = await edge.get(`/v1/orders?q=jonas&limit=2&cursor=${second.body.nextCursor as string}`)
    expect([...idsOf(first), ...idsOf(second), ...idsOf(third)]).toEqual(own)
    expect(third.body.nextCursor).toBeNull()
  })

  it.each([
    ['an order number', 'LIST-3', 1],
    ['an order number in other letters', 'list-3', 1],
    ['an e-mail address', 'jonas2@example.net', 1],
    ['a part of a name', 'weiß', 5],
    ['two words in any order', 'weiß jonas', 5],
    ['a telephone number', '+49 171 5550100', 5],
    ['a per cent sign as itself', '50%', 5],
    ['a per cent sign between letters as itself', 'jon%as', 0],
    ['an underscore as itself', 'list_3', 0],
    ['a backslash as itself', 'list\\3', 0],
    ['a quote as itself', "o'brien", 0],
  ])('finds %s', async (_what, q, found) => {
    expect(idsOf(await edge.get(`/v1/orders?q=${encodeURIComponent(q)}`))).toHaveLength(found)
  })

  it('finds an order number of one or two characters as a whole', async () => {
    const orderId = await place(edge.db, { channelOrderId: '7' })
    expect(idsOf(await edge.get('/v1/orders?q=7'))).toEqual([orderId])
  })

  it('finds a tracking number', async () => {
    await edge.db.raw(`UPDATE orders SET search = search || ' tr-99887766' WHERE order_id = ?`, [own[0]!])
    expect(idsOf(await edge.get('/v1/orders?q=TR-99887766'))).toEqual([own[0]])
  })

  it('narrows by status, channel, node, time and open exceptions', async () => {
    const orderId = await place(edge.db, { channel: 'marketplace', placedAt: '2026-01-02T03:04:05.000Z' })
    await release(orderId, 'store-kreuzberg')
    await edge.db('exceptions').insert({ exception_id: orderId, order_id: orderId, kind: 'test', subject: orderId, owner: 'support', summary: 'waits' })
    await edge.db('orders').where({ order_id: orderId }).update({ status: 'in_fulfillment' })
    for (const query of [
      'status=in_fulfillment',
      'channel=marketplace&status=in_fulfillment',
      'nodeId=store-kreuzberg',
      'placedFrom=2026-01-02T03:04:05Z&placedTo=2026-01-02T04:04:06%2B01:00',
      'hasException=true',
    ])
      expect([query, idsOf(await edge.get(`/v1/orders?${query}`))]).toEqual([query, [orderId]])
    expect(idsOf(await edge.get('/v1/orders?hasException=false&limit=200'))).not.toContain(orderId)
    expect(idsOf(await edge.get('/v1/orders?nodeId=dc-01'))).toEqual([])
  })

  it('holds only what the key may see', async () => {
    const reply = await edge.get('/v1/orders?limit=200', 'demo-channel-marketplace')
    expect(new Set((reply.body.items as { channel: string }[]).map((o) => o.channel))).toEqual(new Set(['marketplace']))
    expect(idsOf(await edge.get('/v1/orders?channel=web', 'demo-channel-marketplace'))).toEqual([])
  })
})

describe('fulfillments', () => {
  it('are listed for the node that works on them, oldest first', async () => {
    const mine = [await release(await place(edge.db), 'store-charlottenburg'), await release(await place(edge.db), 'store-charlottenburg')]
    const reply = await edge.get('/v1/fulfillments?nodeId=store-charlottenburg&status=released', 'demo-store-store-charlottenburg')
    documented('/v1/fulfillments', reply)
    expect((reply.body.items as { fulfillmentId: string }[]).map((f) => f.fulfillmentId)).toEqual(mine)
    const one = await edge.get(`/v1/fulfillments/${mine[0]!}`, 'demo-store-store-charlottenburg')
    documented('/v1/fulfillments/{fulfillmentId}', one)
    expect(one.body).toMatchObject({ status: 'released', lines: [{ sku: 'SHOE-LB-42', name: expect.any(String), quantity: 1, picked: 0 }], allowedActions: ['assign', 'pick'] })
  })

  it('of other nodes are not there for a store; support sees them and may do nothing', async () => {
    const fulfillmentId = await release(await place(edge.db), 'dc-01')
    expect((await edge.get(`/v1/fulfillments/${fulfillmentId}`, 'demo-store-store-mitte')).body.code).toBe('fulfillment.unknown')
    expect((await edge.get('/v1/fulfillments?nodeId=dc-01', 'demo-store-store-mitte')).body.items).toEqual([])
    expect((await edge.get(`/v1/fulfillments/${fulfillmentId}`, 'demo-support')).body).toMatchObject({ fulfillmentId, allowedActions: [] })
  })
})
