/** The work of a store over HTTP: what is due first, who has it, waves through the shelves, scans that count once. */
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { routes } from '../../api/routes'
import { releaseFulfillment } from '../../db/fulfillments'
import { cancelOrder } from '../../db/steps/cancel-order'
import { openEdge, type Edge, type Reply } from './edge'
import { place } from './orders-in-store'

let edge: Edge
beforeAll(async () => {
  edge = await openEdge()
})
afterAll(() => edge.close())

interface Wish {
  nodeId?: string
  sku?: string
  quantity?: number
  dueAt?: string
  handOverBy?: string
  priority?: number
}
interface Work {
  orderId: string
  fulfillmentId: string
}

const later = '2026-12-01T10:00:00.000Z'
/** A work order at a node, as sourcing would have released it. */
async function work({ nodeId = 'store-mitte', sku = 'SHOE-LB-42', quantity = 1, dueAt = later, handOverBy, priority = 5 }: Wish = {}): Promise<Work> {
  const line = { lineId: '1', sku, quantity, unitPriceMinor: 1_000, discountMinor: 0, taxMinor: 0 }
  const totalMinor = 1_000 * quantity
  const orderId = await place(edge.db, { priority, lines: [line], shipping: { priceMinor: 0, taxMinor: 0 }, totalMinor, tenders: [{ tenderId: 't1', provider: 'paid_elsewhere', amountMinor: totalMinor }] })
  const fulfillmentId = await edge.db.transaction(async (tx) => {
    await tx('stock_levels').where({ sku, node_id: nodeId }).increment('on_hand', quantity).increment('allocated', quantity)
    await tx('order_lines').where({ order_id: orderId }).update({ allocated: quantity })
    await tx('allocations').insert({ allocation_id: uuidv7(), order_id: orderId, line_id: '1', sku, node_id: nodeId, quantity })
    const waitingOn = { what: 'picking' as const, since: later, deadline: dueAt }
    return (await releaseFulfillment(tx, { orderId, nodeId, method: 'delivery', dueAt, handOverBy, waitingOn })).fulfillmentId
  })
  return { orderId, fulfillmentId }
}

const store = (nodeId: string): string => (nodeId.startsWith('store-') ? `demo-store-${nodeId}` : 'demo-operations')
const tell = (fulfillmentId: string, action: string, body: unknown, key = 'demo-operations'): Promise<Reply> => edge.post(`/v1/fulfillments/${fulfillmentId}/${action}`, body, { key })
const idsOf = (reply: Reply): string[] => (reply.body.items as { fulfillmentId: string }[]).map((f) => f.fulfillmentId)
const told = async (orderId: string): Promise<string[]> => ((await edge.get(`/v1/orders/${orderId}/timeline`, 'demo-support')).body.items as { type: string }[]).map((e) => e.type)
/** The answer has the shape the documentation promises. */
const documented = (method: string, path: string, reply: Reply): void => {
  const schema = routes.find((r) => r.method === method && r.path === path)!.answers[reply.status]!
  expect(z.prettifyError(schema.safeParse(reply.body).error ?? new z.ZodError([]))).toBe('')
}

describe('the work list of a node', () => {
  it('begins with the earliest hand-over, then the most urgent order, then the oldest; page after page', async () => {
    const nodeId = 'store-kreuzberg'
    const [noon, one] = ['2026-11-24T12:00:00.000Z', '2026-11-24T13:00:00.000Z']
    const old = await work({ nodeId, handOverBy: one })
    const young = await work({ nodeId, handOverBy: one })
    const urgent = await work({ nodeId, handOverBy: one, priority: 9 })
    const unpromised = await work({ nodeId, dueAt: '2026-11-24T12:30:00.000Z' })
    const first = await work({ nodeId, handOverBy: noon, dueAt: '2026-11-24T11:00:00.000Z' })
    const inOrder = [first, unpromised, urgent, old, young].map((w) => w.fulfillmentId)

    const whole = await edge.get(`/v1/fulfillments?nodeId=${nodeId}&status=open`, store(nodeId))
    documented('get', '/v1/fulfillments', whole)
    expect(idsOf(whole)).toEqual(inOrder)
    expect((whole.body.items as object[])[0]).toMatchObject({ dueAt: noon, packBy: '2026-11-24T11:00:00.000Z', priority: 5, assignee: null })
    expect(idsOf(await edge.get(`/v1/fulfillments?nodeId=${nodeId}&status=released`))).toEqual(inOrder)
    expect(idsOf(await edge.get('/v1/fulfillments', store(nodeId)))).toEqual(inOrder)

    const paged: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await edge.get(`/v1/fulfillments?nodeId=${nodeId}&limit=2${cursor && `&cursor=${cursor}`}`)
      paged.push(...idsOf(page))
      cursor = page.body.nextCursor as string | null
    }
    expect(paged).toEqual(inOrder)

    await tell(old.fulfillmentId, 'assign', { assignee: 'Ines' })
    expect(idsOf(await edge.get(`/v1/fulfillments?nodeId=${nodeId}&assignee=Ines`))).toEqual([old.fulfillmentId])
    expect((await edge.get('/v1/fulfillments?cursor=bm9uZQ')).body.code).toBe('request.invalid')
  })
})

describe('who has the work', () => {
  it('takes it over from another and says from whom; gives it back', async () => {
    const { orderId, fulfillmentId } = await work()
    const taken = await tell(fulfillmentId, 'assign', { assignee: 'Ines' })
    documented('post', '/v1/fulfillments/{fulfillmentId}/assign', taken)
    expect(taken.body).toMatchObject({ assignee: 'Ines', previousAssignee: null, allowedActions: ['assign', 'unassign', 'pick'] })
    expect((await tell(fulfillmentId, 'assign', { assignee: 'Jon' })).body).toMatchObject({ assignee: 'Jon', previousAssignee: 'Ines' })
    expect((await tell(fulfillmentId, 'unassign', {})).body).toMatchObject({ assignee: null, previousAssignee: 'Jon', allowedActions: ['assign', 'pick'] })
    expect((await told(orderId)).slice(1)).toEqual(['fulfillment.assigned', 'fulfillment.assigned', 'fulfillment.unassigned'])
  })

  it('goes to one of two who reach for it at the same time', async () => {
    const { fulfillmentId } = await work()
    const both = await Promise.all(['Ines', 'Jon'].map((assignee) => tell(fulfillmentId, 'assign', { assignee, from: null })))
    const won = both.find((r) => r.status === 200)!
    const lost = both.find((r) => r !== won)!
    expect([won.status, lost.status, lost.body.code]).toEqual([200, 409, 'fulfillment.taken'])
    expect(lost.body).toMatchObject({ state: 'released', assignee: won.body.assignee, allowedActions: ['assign', 'unassign', 'pick'] })
    expect((await tell(fulfillmentId, 'assign', { assignee: won.body.assignee, from: null })).status).toBe(200)
  })

  it('is hers who begins it: another who names herself is refused, and told who has it', async () => {
    const { fulfillmentId } = await work({ quantity: 2 })
    expect((await tell(fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1 }], associate: 'Ines' })).body).toMatchObject({ status: 'picking', assignee: 'Ines' })
    const other = await tell(fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1 }], associate: 'Jon' })
    expect(other).toMatchObject({ status: 409, body: { code: 'fulfillment.taken', state: 'picking', assignee: 'Ines', detail: 'Ines has this work' } })
    const rejecting = await tell(fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 0, rejected: 1, reason: 'damaged' }], associate: 'Jon' })
    expect(rejecting).toMatchObject({ status: 409, body: { code: 'fulfillment.taken' } })
    expect(edge.threads.asks).toEqual([])
    expect((await tell(fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1 }], associate: 'Ines' })).body).toMatchObject({ status: 'picked' })
  })

  it('cannot be given when there is nothing left to do', async () => {
    const { fulfillmentId } = await work()
    await edge.db('fulfillments').where({ fulfillment_id: fulfillmentId }).update({ status: 'handed_over', assignee: 'Ines' })
    expect(await tell(fulfillmentId, 'assign', { assignee: 'Jon' })).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'handed_over', assignee: 'Ines', allowedActions: [] } })
  })
})

describe('picking', () => {
  it('counts a scan once, whatever the scanner sends', async () => {
    const { fulfillmentId } = await work({ quantity: 3 })
    const scan = { lines: [{ lineId: '1', picked: 1, scanId: 'gun-7/0001' }] }
    expect((await tell(fulfillmentId, 'pick', scan)).body).toMatchObject({ lines: [{ picked: 1 }] })
    const again = await tell(fulfillmentId, 'pick', scan)
    expect(again).toMatchObject({ status: 409, body: { code: 'fulfillment.scan_repeated', scanId: 'gun-7/0001', lineId: '1', actor: 'operations:demo-operations', state: 'picking', assignee: null, at: expect.stringMatching(/Z$/) } })
    const mixed = await tell(fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1, scanId: 'gun-7/0002' }, { lineId: '1', picked: 1, scanId: 'gun-7/0001' }] })
    expect(mixed.body.code).toBe('fulfillment.scan_repeated')
    expect((await edge.get(`/v1/fulfillments/${fulfillmentId}`)).body).toMatchObject({ lines: [{ picked: 1 }] })
    expect((await tell(fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1, scanId: 'gun-7/0002' }, { lineId: '1', picked: 1, scanId: 'gun-7/0003' }] })).body).toMatchObject({ status: 'picked' })
  })

  it('adds several reports up, and says who has been there when too much is reported', async () => {
    const { fulfillmentId } = await work({ quantity: 3 })
    await tell(fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 2 }], associate: 'Ines' })
    expect(await tell(fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1 }, { lineId: '1', picked: 1 }] })).toMatchObject({
      status: 409, body: { code: 'fulfillment.quantity', lineId: '1', open: 0, given: 1, state: 'picking', assignee: 'Ines' },
    })
  })
})

describe('waves', () => {
  const nodeId = 'store-charlottenburg'
  const open = (body: object): Promise<Reply> => edge.post(`/v1/nodes/${nodeId}/waves`, body, { key: store(nodeId) })

  it('give one walk for what is due first, sorted by bin, and a fulfillment to one of them', async () => {
    await edge.put(`/v1/nodes/${nodeId}/bins`, { bins: [{ sku: 'SOCKS-3P', bin: 'A-10' }, { sku: 'SHIRT-RUN-M', bin: 'A-2' }] }, { key: store(nodeId) })
    const socks = await work({ nodeId, sku: 'SOCKS-3P', quantity: 2, handOverBy: '2026-11-24T12:00:00.000Z' })
    const shirt = await work({ nodeId, sku: 'SHIRT-RUN-M', handOverBy: '2026-11-24T11:00:00.000Z' })
    const more = await work({ nodeId, sku: 'SOCKS-3P', handOverBy: '2026-11-24T13:00:00.000Z' })
    const elsewhere = await work({ nodeId, sku: 'SHOE-LB-42', handOverBy: '2026-11-24T10:00:00.000Z' })
    await tell(elsewhere.fulfillmentId, 'assign', { assignee: 'Jon' })

    const wave = await open({ maxOrders: 2, assignee: 'Ines' })
    expect(wave.status).toBe(201)
    documented('post', '/v1/nodes/{nodeId}/waves', wave)
    expect(wave.headers.get('location')).toBe(`/v1/waves/${String(wave.body.waveId)}`)
    expect(wave.body).toMatchObject({
      nodeId, assignee: 'Ines', orders: 2, toPick: 2, left: [],
      pickList: [
        { bin: 'A-2', sku: 'SHIRT-RUN-M', quantity: 1, for: [{ fulfillmentId: shirt.fulfillmentId, lineId: '1', position: 1, quantity: 1 }] },
        { bin: 'A-10', sku: 'SOCKS-3P', quantity: 2, for: [{ fulfillmentId: socks.fulfillmentId, position: 2 }] },
      ],
      fulfillments: [{ fulfillmentId: shirt.fulfillmentId, position: 1, assignee: 'Ines' }, { fulfillmentId: socks.fulfillmentId, position: 2 }],
    })
    expect((await open({ maxOrders: 10 })).body).toMatchObject({ fulfillments: [{ fulfillmentId: more.fulfillmentId }] })
    expect(await open({ maxOrders: 10 })).toMatchObject({ status: 409, body: { code: 'wave.nothing_to_pick', nodeId } })
    expect(await told(shirt.orderId)).toContain('fulfillment.joined_wave')
    expect((await edge.get(`/v1/fulfillments/${socks.fulfillmentId}`)).body).toMatchObject({ lines: [{ bin: 'A-10' }] })
  })

  it('lose what is cancelled; the picker sees it, and what to put back', async () => {
    const kept = await work({ nodeId, sku: 'SOCKS-3P', quantity: 2 })
    const stopped = await work({ nodeId, sku: 'SOCKS-3P', quantity: 3 })
    const { waveId } = (await open({ maxOrders: 2 })).body as { waveId: string }
    await tell(stopped.fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
    await edge.db.transaction((tx) => cancelOrder(tx, { orderId: stopped.orderId, reason: 'changed her mind', commandId: 'c-1', actor: 'support:test' }))

    const now = await edge.get(`/v1/waves/${waveId}`, store(nodeId))
    documented('get', '/v1/waves/{waveId}', now)
    expect(now.body).toMatchObject({
      orders: 1, pickList: [{ sku: 'SOCKS-3P', quantity: 2 }], fulfillments: [{ fulfillmentId: kept.fulfillmentId }],
      left: [{ fulfillmentId: stopped.fulfillmentId, status: 'cancelled', why: 'cancelled', putBack: [{ sku: 'SOCKS-3P', bin: 'A-10', quantity: 1 }] }],
    })
    expect(await tell(stopped.fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1 }] })).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'cancelled', allowedActions: [] } })
    expect(await told(stopped.orderId)).toContain('fulfillment.left_wave')
  })

  it('opened at the same time share nothing', async () => {
    const works = new Set((await Promise.all(Array.from({ length: 6 }, () => work({ nodeId: 'dc-01', sku: 'SOCKS-3P' })))).map((w) => w.fulfillmentId))
    const opened = await Promise.all([1, 2, 3].map(() => edge.post('/v1/nodes/dc-01/waves', { maxOrders: 4 })))
    const given = opened.filter((w) => w.status === 201).flatMap((w) => (w.body.fulfillments as { fulfillmentId: string }[]).map((f) => f.fulfillmentId))
    expect(new Set(given).size).toBe(given.length)
    expect(given.every((id) => works.has(id))).toBe(true)
    const rest = await edge.post('/v1/nodes/dc-01/waves', { maxOrders: 10 })
    expect(given.length + (rest.status === 201 ? (rest.body.orders as number) : 0)).toBe(6)
  })

  it('closed, give back what nobody has begun', async () => {
    const begun = await work({ nodeId, sku: 'SOCKS-3P', quantity: 2 })
    const waiting = await work({ nodeId, sku: 'SOCKS-3P' })
    const { waveId } = (await open({ maxOrders: 2, assignee: 'Ines' })).body as { waveId: string }
    await tell(begun.fulfillmentId, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
    const closed = await edge.post(`/v1/waves/${waveId}/close`, {}, { key: store(nodeId) })
    expect(closed.body).toMatchObject({ closedAt: expect.any(String), fulfillments: [{ fulfillmentId: begun.fulfillmentId }], left: [{ fulfillmentId: waiting.fulfillmentId, why: 'closed', putBack: [] }] })
    expect((await open({ maxOrders: 9 })).body).toMatchObject({ fulfillments: [{ fulfillmentId: waiting.fulfillmentId, assignee: null }] })
    const listed = await edge.get(`/v1/nodes/${nodeId}/waves?limit=1`, store(nodeId))
    documented('get', '/v1/nodes/{nodeId}/waves', listed)
    expect(listed.body.nextCursor).toEqual(expect.any(String))
  })

  it('of other nodes are not there for a store, nor are its bins', async () => {
    const { waveId } = ((await edge.get(`/v1/nodes/${nodeId}/waves`)).body.items as { waveId: string }[])[0]!
    for (const [path, code] of [[`/v1/waves/${waveId}`, 'wave.unknown'], [`/v1/nodes/${nodeId}/waves`, 'node.not_found'], [`/v1/nodes/${nodeId}/bins`, 'node.not_found']] as const)
      expect(await edge.get(path, 'demo-store-store-mitte')).toMatchObject({ status: 404, body: { code } })
    expect((await edge.get('/v1/waves/none')).body.code).toBe('wave.unknown')
    expect(await edge.put(`/v1/nodes/${nodeId}/bins`, { bins: [{ sku: 'NOT-KNOWN', bin: 'A-1' }] })).toMatchObject({ status: 400, body: { code: 'sku.unknown', errors: [{ pointer: '/bins/0/sku' }] } })
    expect((await edge.put(`/v1/nodes/${nodeId}/bins`, { bins: [{ sku: 'SOCKS-3P', bin: null }] })).body).toEqual({ bins: 1 })
    expect((await edge.get(`/v1/nodes/${nodeId}/bins`)).body).toEqual({ items: [{ sku: 'SHIRT-RUN-M', bin: 'A-2' }], nextCursor: null })
  })
})
