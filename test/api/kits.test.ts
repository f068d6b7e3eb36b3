/** Kits: set up from what exists, available as their components are, ordered as one line and taken as several. */
import { orderOf } from '../support/people'
import { money } from '../invariants/money'
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
  for (const sku of ['PART-A', 'PART-B']) await edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 90 })
  for (const [sku, delta] of [['PART-A', 7], ['PART-B', 9]]) await edge.post('/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta, reason: 'delivered' })
  await edge.post('/v1/inventory/adjustments', { sku: 'PART-A', nodeId: 'store-mitte', delta: 3, reason: 'delivered' })
})
afterAll(() => edge.close())

const setKit = (sku: string, kit: unknown, more: object = {}): Promise<Reply> => edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 180, kit, ...more })
const parts = [{ sku: 'PART-A', quantity: 1 }, { sku: 'PART-B', quantity: 2 }]
const submit = (order: object): Promise<Reply> => edge.post('/v1/orders', order, { key: 'demo-channel-web' })

it('shows what could be made of the components, node by node', async () => {
  expect(await setKit('SET-1', parts)).toMatchObject({ status: 201, body: { kit: parts } })
  const components = [{ ...parts[0], available: 7 }, { ...parts[1], available: 9 }]
  const { items } = (await edge.get('/v1/inventory?sku=SET-1')).body
  expect(items).toMatchObject([{ sku: 'SET-1', nodeId: 'dc-01', onHand: 0, available: 4, channels: { web: 4 }, components }])
  expect((await edge.get('/v1/inventory?sku=PART-A&nodeId=dc-01')).body.items).toMatchObject([{ available: 7 }])
})

it('takes a kit as its components, claims those, and keeps the price of the whole', async () => {
  await setKit('SET-2', parts)
  const order = orderOf({ lines: [{ sku: 'SET-2', quantity: 3, unitPriceMinor: 1000 }] })
  const { status, body } = await submit(order)
  expect(status).toBe(201)
  expect(body).toMatchObject({ totalMinor: 3490 })
  const kit = { lineId: '1', sku: 'SET-2', quantity: 3 }
  expect((await edge.get(`/v1/orders/${body.orderId as string}`, 'demo-support')).body).toMatchObject({
    totalMinor: 3490,
    lines: [{ lineId: '1/1', sku: 'PART-A', quantity: 3, allocated: 3, kit }, { lineId: '1/2', sku: 'PART-B', quantity: 6, allocated: 6, kit }],
  })
  expect(await money.find((i) => i.id === 'M5')!.violations({ db: edge.db })).toEqual([])
  expect(await submit(order)).toMatchObject({ status: 200, body: { orderId: body.orderId } })
  expect(await submit(orderOf({ lines: [{ sku: 'SET-2', quantity: 2 }] }))).toMatchObject({ status: 409, body: { code: 'stock.short', short: [{ sku: 'PART-B', wanted: 4, available: 3 }] } })
})

it('refuses a line that is called like a component', async () => {
  await setKit('SET-3', parts)
  const order = orderOf({ lines: [{ sku: 'SET-3', quantity: 1 }, { sku: 'CAP-BLACK', quantity: 1 }] })
  const lines = (order.lines as { lineId: string }[]).map((l, i) => (i === 1 ? { ...l, lineId: '1/2' } : l))
  expect(await submit({ ...order, lines })).toMatchObject({ status: 400, body: { code: 'order.lines_repeated', errors: [{ pointer: '/lines/1/lineId' }] } })
})

it('can be one thing again: what was ordered before stays as it was', async () => {
  await setKit('SET-4', parts)
  expect(await setKit('SET-4', null)).toMatchObject({ status: 200, body: { kit: null } })
  expect((await edge.get('/v1/inventory?sku=SET-4')).body.items).toEqual([])
})

describe('is refused', () => {
  const pointers = ({ status, body }: Reply): unknown[] => [status, ...(body.errors as { pointer: string }[]).map((e) => e.pointer)]

  it.each<[string, unknown, object, string]>([
    ['with a component nobody knows', [{ sku: 'NONE', quantity: 1 }], {}, '/kit/0/sku'],
    ['made of itself', [{ sku: 'SET-BAD', quantity: 1 }], {}, '/kit/0/sku'],
    ['with a component named twice', [parts[0], parts[0]], {}, '/kit/1/sku'],
    ['of no components', [], {}, '/kit'],
    ['with none of a component', [{ sku: 'PART-A', quantity: 0 }], {}, '/kit/0/quantity'],
    ['where it is to be backordered itself', parts, { backorder: true }, '/backorder'],
    ['where it is to be pre-ordered itself', parts, { preorder: { cap: 1, shipBy: '2030-01-01T00:00:00Z' } }, '/preorder'],
  ])('%s', async (_name, kit, more, pointer) => {
    expect(pointers(await setKit('SET-BAD', kit, more))).toEqual([400, pointer])
    expect((await edge.get('/v1/skus/SET-BAD')).status).toBe(404)
  })

  it('of another kit, and for a component of one', async () => {
    await setKit('SET-5', parts)
    expect(pointers(await setKit('SET-6', [{ sku: 'SET-5', quantity: 1 }]))).toEqual([400, '/kit/0/sku'])
    expect(pointers(await setKit('PART-A', [{ sku: 'CAP-BLACK', quantity: 1 }]))).toEqual([400, '/kit'])
  })

  it('for one of two that are made of each other at the same time', async () => {
    await Promise.all(['LOOP-1', 'LOOP-2'].map((sku) => edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 90 })))
    const replies = await Promise.all([setKit('LOOP-1', [{ sku: 'LOOP-2', quantity: 1 }]), setKit('LOOP-2', [{ sku: 'LOOP-1', quantity: 1 }])])
    expect(replies.map((r) => r.status).sort()).toEqual([200, 400])
  })
})
