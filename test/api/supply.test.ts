/** What is still to come: announced with a date, replaced, withdrawn, and less with every receipt. */
import { openEdge, type Edge, type Reply } from './edge'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

const hoursAhead = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString()
const announce = (supply: object, key?: string): Promise<Reply> => edge.post('/v1/inventory/supply', supply, key ? { key } : undefined)
const level = async (sku: string, nodeId: string): Promise<Record<string, unknown>> =>
  ((await edge.get(`/v1/inventory?sku=${encodeURIComponent(sku)}&nodeId=${nodeId}`)).body.items as Record<string, unknown>[])[0]!

let skus = 0
const newShelf = async (): Promise<{ sku: string; nodeId: string }> => {
  const sku = `SUPPLY-${++skus}`
  await edge.put(`/v1/skus/${sku}`, { name: sku, weightGrams: 90 })
  return { sku, nodeId: 'dc-01' }
}

it('shows what is expected on a shelf, the next first, and sells none of it', async () => {
  const shelf = await newShelf()
  const [soon, later] = [hoursAhead(24), hoursAhead(240)]
  expect(await announce({ ...shelf, quantity: 40, expectedAt: later, reference: 'PO-2' })).toMatchObject({ status: 200 })
  await announce({ ...shelf, quantity: 5, expectedAt: soon, reference: 'PO-1' })
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({
    onHand: 0,
    available: 0,
    expected: [{ quantity: 5, expectedAt: soon, reference: 'PO-1' }, { quantity: 40, expectedAt: later, reference: 'PO-2' }],
  })
})

it('takes the newest announcement of a reference for the truth, and nothing for a withdrawal', async () => {
  const shelf = await newShelf()
  const expectedAt = hoursAhead(48)
  await announce({ ...shelf, quantity: 40, expectedAt: hoursAhead(24), reference: 'PO-1' })
  await announce({ ...shelf, quantity: 30, expectedAt, reference: 'PO-1' })
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ expected: [{ quantity: 30, expectedAt, reference: 'PO-1' }] })
  expect(await announce({ ...shelf, quantity: 0, reference: 'PO-1' })).toMatchObject({ status: 200, body: { expected: [] } })
  expect(await edge.db('audit').where({ action: 'supply.announce', subject: `${shelf.sku}@dc-01` })).toHaveLength(3)
})

it('expects less by what was received, and never less than nothing', async () => {
  const shelf = await newShelf()
  await announce({ ...shelf, quantity: 10, expectedAt: hoursAhead(24), reference: 'PO-1' })
  const receive = (delta: number): Promise<Reply> => edge.post('/v1/inventory/adjustments', { ...shelf, delta, reason: 'delivered', supplyReference: 'PO-1' })
  expect(await receive(4)).toMatchObject({ status: 200, body: { onHand: 4, expected: [{ quantity: 6 }] } })
  expect(await receive(8)).toMatchObject({ status: 200, body: { onHand: 12, expected: [] } })
  const { items } = (await edge.get(`/v1/inventory/${shelf.sku}/movements`)).body as { items: object[] }
  expect(items).toMatchObject([{ type: 'receipt', onHandDelta: 8 }, { type: 'receipt', onHandDelta: 4 }])
})

it('refuses what cannot be, and says which field and why', async () => {
  const shelf = await newShelf()
  const good = { ...shelf, quantity: 10, expectedAt: hoursAhead(24), reference: 'PO-1' }
  const refused = async (supply: object): Promise<unknown[]> => {
    const { status, body } = await announce(supply)
    const [first] = body.errors as { pointer: string; message: string }[]
    return [status, body.code, first!.pointer, first!.message]
  }
  expect(await refused({ ...good, expectedAt: hoursAhead(-1) })).toEqual([400, 'request.invalid', '/expectedAt', 'Must be in the future'])
  expect(await refused({ ...good, expectedAt: undefined })).toEqual([400, 'request.invalid', '/expectedAt', 'Is needed for what is still to come'])
  expect(await refused({ ...good, quantity: -1 })).toEqual([400, 'request.invalid', '/quantity', 'Must be at least 0'])
  expect(await refused({ ...good, sku: 'NONE' })).toEqual([400, 'sku.unknown', '/sku', expect.any(String)])
  expect(await refused({ ...good, nodeId: 'nowhere' })).toEqual([400, 'node.unknown', '/nodeId', expect.any(String)])
  expect(await announce(good, 'demo-store-store-mitte')).toMatchObject({ status: 403, body: { code: 'auth.scope' } })
  expect(await level(shelf.sku, shelf.nodeId)).toBeUndefined()
})

it('receives nothing on a reference that was never announced, and takes nothing back on one', async () => {
  const shelf = await newShelf()
  await announce({ ...shelf, quantity: 10, expectedAt: hoursAhead(24), reference: 'PO-1' })
  const adjust = (change: object): Promise<Reply> => edge.post('/v1/inventory/adjustments', { ...shelf, delta: 1, reason: 'delivered', ...change })
  expect(await adjust({ supplyReference: 'PO-9' })).toMatchObject({ status: 400, body: { code: 'supply.unknown', reference: 'PO-9', errors: [{ pointer: '/supplyReference' }] } })
  expect(await adjust({ supplyReference: 'PO-1', delta: -1 })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/delta' }] } })
  expect(await level(shelf.sku, shelf.nodeId)).toMatchObject({ onHand: 0, expected: [{ quantity: 10 }] })
})

describe('a SKU that is sold before it is there', () => {
  const settings = { name: 'Soon', weightGrams: 90 }

  it('is set up with a cap and a date, and what a GET gives can be sent back', async () => {
    const shipBy = hoursAhead(500)
    expect(await edge.put('/v1/skus/SOON-1', { ...settings, backorder: true, preorder: { cap: 10, shipBy } })).toMatchObject({ status: 201, body: { backorder: true, preorder: { cap: 10, shipBy, promised: 0 } } })
    const { body } = await edge.get('/v1/skus/SOON-1')
    expect(await edge.put('/v1/skus/SOON-1', body)).toMatchObject({ status: 200, body })
    expect(await edge.put('/v1/skus/SOON-1', settings)).toMatchObject({ body: { backorder: false, preorder: null } })
  })

  it('keeps its cap at or above what is promised already', async () => {
    await edge.put('/v1/skus/SOON-2', { ...settings, preorder: { cap: 10, shipBy: hoursAhead(500) } })
    await edge.db('skus').where({ sku: 'SOON-2' }).update({ preorder_promised: 4 })
    const refused = await edge.put('/v1/skus/SOON-2', { ...settings, preorder: { cap: 3, shipBy: hoursAhead(500) } })
    expect(refused).toMatchObject({ status: 400, body: { code: 'request.invalid', errors: [{ pointer: '/preorder/cap', message: 'Must be at least 4: so many are promised already' }] } })
    expect(await edge.put('/v1/skus/SOON-2', { ...settings, preorder: { cap: 4, shipBy: hoursAhead(500) } })).toMatchObject({ status: 200 })
  })

  it.each([
    ['/preorder/shipBy', { cap: 1 }],
    ['/preorder/cap', { cap: -1, shipBy: '2030-01-01T00:00:00Z' }],
  ])('is refused with %s where that makes no sense', async (pointer, preorder) => {
    expect(await edge.put('/v1/skus/SOON-3', { ...settings, preorder })).toMatchObject({ status: 400, body: { errors: [{ pointer }] } })
  })
})
