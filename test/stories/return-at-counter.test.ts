/** A customer stands at a counter with goods that nobody has announced: the associate opens the return and counts it, in one. */
import { randomUUID } from 'node:crypto'
import type { ReturnView } from '../../db/views/returns'
import { caller, peopleOf, type Answer, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT60S', restockBy: 'PT30S', approval: 'by_staff', feeMinor: 300, finalSale: ['KEEP-'] } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

async function delivered(units: number, prefix = ''): Promise<{ orderId: string; sku: string }> {
  const sku = prefix ? `${prefix}${randomUUID().slice(0, 8)}` : await people.stocked({ 'store-mitte': units })
  if (prefix) await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 100 })
  if (prefix) await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'store-mitte', delta: units, reason: 'opening' })
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor: 2_000 }] })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.waitingOn?.what === 'return_window' && o.money.owedMinor === 0, 'delivery')
  return { orderId, sku }
}

type Seen = ReturnView & { preview?: true; money: Record<string, unknown> }
const asNew = { quantity: 1, grade: 'as_new', disposition: 'restock' }
const brought = (orderId: string, counted: object[], { key = 'demo-store-store-kreuzberg', nodeId = 'store-kreuzberg', query = '', headers = {}, lineId = '1' } = {}): Promise<Answer<Seen>> =>
  caller(system.url, key)<Seen>('POST', `/v1/orders/${orderId}/counter-returns${query}`, { nodeId, lines: [{ lineId, reason: 'too big', counted }] }, headers)
const onHand = async (sku: string, nodeId: string): Promise<number | undefined> =>
  (await people.operations<{ items: { nodeId: string; onHand: number }[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items.find((l) => l.nodeId === nodeId)?.onHand

it('takes back what a web customer brings to a store, with nobody else asked: on the shelf at once, and the money follows once', async () => {
  const { orderId, sku } = await delivered(2)
  const both = [asNew, { quantity: 1, grade: 'damaged', disposition: 'write_off' }]
  expect(await brought(orderId, both, { query: '?preview=true' })).toMatchObject({ status: 200, body: { preview: true, approved: true, money: { refundMinor: 4_190, feeMinor: -300 } } })
  expect((await people.order(orderId)).returns).toEqual([])
  const headers = { 'idempotency-key': `counter-${orderId}` }
  const first = await brought(orderId, both, { headers })
  expect(first).toMatchObject({ status: 201, body: { method: 'store', requestedBy: 'store:demo-store-store-kreuzberg', lines: [{ quantity: 2, received: 2 }], receipts: [{ nodeId: 'store-kreuzberg', grade: 'as_new' }, { grade: 'damaged' }] } })
  expect((await brought(orderId, both, { headers })).body.returnId).toBe(first.body.returnId)
  await people.until(orderId, (o) => o.money.refundedMinor === 4_190 && o.returns[0]!.status === 'closed', 'the refund')
  expect(await people.order(orderId)).toMatchObject({ returns: [{ status: 'closed' }], money: { owedMinor: 0 } })
  expect(await onHand(sku, 'store-kreuzberg')).toBe(1)
  expect((await brought(orderId, [asNew])).body).toMatchObject({ code: 'return.quantity', open: 0 })
  expect((await people.told(orderId)).filter((type) => type.startsWith('return.'))).toEqual(['return.requested', 'return.received', 'return.closed'])
})

it('advises the associate by the same policy, and keeps who went beyond it', async () => {
  const { orderId } = await delivered(1, 'KEEP-')
  expect((await brought(orderId, [asNew], { query: '?preview=true' })).body).toMatchObject({ override: { rule: 'final_sale' } })
  expect((await brought(orderId, [asNew])).body).toMatchObject({ override: { rule: 'final_sale', by: 'store:demo-store-store-kreuzberg' } })
  const audit = await system.db.raw<{ rows: { actor: string }[] }>(`SELECT actor FROM audit WHERE action = 'return.override' AND subject = ?`, [orderId])
  expect(audit.rows).toEqual([{ actor: 'store:demo-store-store-kreuzberg' }])
})

it('pays nothing for what is not what was sent, and says so before', async () => {
  const { orderId } = await delivered(2)
  const half = [asNew, { ...asNew, grade: 'wrong_item' }]
  expect((await brought(orderId, half, { query: '?preview=true' })).body).toMatchObject({ goods: [{ quantity: 2 }], money: { refundMinor: 1_700 } })
  expect((await brought(orderId, half)).body).toMatchObject({ lines: [{ received: 1, disputed: 1 }] })
  await people.until(orderId, (o) => o.money.refundedMinor === 1_700 && o.returns[0]!.status === 'closed', 'the refund of one')
  const { items } = (await people.operations<{ items: { orderId: string; kind: string }[] }>('GET', '/v1/exceptions?limit=200')).body
  expect(items.filter((e) => e.orderId === orderId)).toMatchObject([{ kind: 'return.disputed' }])
})

it('refuses a counter that is not theirs, goods that were never delivered and orders there are not, and nothing is kept', async () => {
  const { orderId } = await delivered(1)
  expect(await brought(orderId, [asNew], { nodeId: 'store-mitte' })).toMatchObject({ status: 403, body: { code: 'auth.scope', pointer: '/nodeId' } })
  expect(await brought(orderId, [asNew], { nodeId: 'store-mitte', query: '?preview=true' })).toMatchObject({ status: 403, body: { code: 'auth.scope' } })
  expect(await brought(orderId, [asNew], { key: 'demo-channel-web' })).toMatchObject({ status: 403, body: { code: 'auth.role' } })
  expect(await brought(randomUUID(), [asNew])).toMatchObject({ status: 404, body: { code: 'order.unknown' } })
  expect(await brought(orderId, [{ ...asNew, quantity: 2 }])).toMatchObject({ status: 409, body: { code: 'return.quantity', open: 1, given: 2 } })
  expect(await brought(orderId, [asNew], { lineId: '9' })).toMatchObject({ status: 409, body: { code: 'return.quantity', lineId: '9', open: 0 } })
  expect(await brought(orderId, [{ ...asNew, quantity: 0.5 }])).toMatchObject({ status: 400, body: { errors: [{ pointer: '/lines/0/counted/0/quantity' }] } })
  expect((await people.order(orderId)).returns).toEqual([])
})

it('refuses to count at a node that is not there, and the order hears what comes next', async () => {
  const { orderId } = await delivered(2)
  const unknown = { status: 400, body: { code: 'node.unknown', nodeId: 'store-mite', errors: [{ pointer: '/nodeId' }] } }
  const nowhere = { key: 'demo-operations', nodeId: 'store-mite' }
  expect(await brought(orderId, [asNew], { ...nowhere, query: '?preview=true' })).toMatchObject(unknown)
  expect(await brought(orderId, [asNew], nowhere)).toMatchObject(unknown)
  const { returnId } = (await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'mail' })).body
  const counted = { lines: [{ lineId: '1', ...asNew }] }
  expect(await people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mite', ...counted })).toMatchObject(unknown)
  expect((await people.order(orderId)).returns).toMatchObject([{ returnId, status: 'approved' }])
  expect(await people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', ...counted })).toMatchObject({ status: 200, body: { lines: [{ received: 1 }] } })
})
