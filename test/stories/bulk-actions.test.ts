/** One thing done to many orders, each with a result of its own. */
import type { BulkResult, BulkView } from '../../db/views/bulk-actions'
import { expectInvariants } from '../support/invariants'
import { eventually, peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const socks: OrderWish = { lines: [{ sku: 'SOCKS-3P', quantity: 1, unitPriceMinor: 1_000 }] }
const bulk = (body: object, query = ''): Promise<Answer<BulkView>> => people.support<BulkView>('POST', `/v1/bulk-actions${query}`, { reason: 'the supplier called', ...body })
const soon = { undoWithin: 'PT0.1S' }

async function released(count: number): Promise<string[]> {
  const orderIds = await Promise.all(Array.from({ length: count }, () => people.place(socks)))
  await Promise.all(orderIds.map((orderId) => people.until(orderId, (o) => o.fulfillments.length === 1)))
  return orderIds
}

const ended = (bulkActionId: string): Promise<BulkView> =>
  eventually(async () => (await people.support<BulkView>('GET', `/v1/bulk-actions/${bulkActionId}`)).body, (b) => b.status === 'done' || (b.status === 'withdrawn' && b.progress.waiting === 0), { what: 'the end of the bulk action' })

const resultsOf = async (bulkActionId: string, query = ''): Promise<BulkResult[]> =>
  (await people.support<{ items: BulkResult[] }>('GET', `/v1/bulk-actions/${bulkActionId}/results?limit=200${query}`)).body.items

it('says what it would move before it does, then cancels what it can and says of each other why not', async () => {
  const [first, second, third] = await released(3) as [string, string, string]
  const { fulfillments } = await people.order(third)
  await people.pickAll(fulfillments[0]!)
  await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  const ask = { action: 'cancel', orderIds: [first, second, third], ...soon }
  const preview = await bulk(ask, '?preview=true')
  expect(preview).toMatchObject({ status: 200, body: { preview: true, orders: 3, willDo: 2, units: 2, refused: [{ code: 'order.already_handed_over', orders: 1 }], money: [{ currency: 'EUR', letGoMinor: 2_980, refundElsewhereMinor: 0 }] } })
  expect((await people.order(first)).status).toBe('in_fulfillment')
  const begun = await bulk(ask)
  expect(begun).toMatchObject({ status: 201, body: { status: 'waiting', orders: 3, preview: { willDo: 2 }, allowedActions: ['withdraw'] } })
  const done = await ended(begun.body.bulkActionId)
  expect(done).toMatchObject({ progress: { done: 2, refused: 1, failed: 0, waiting: 0 }, refusedBy: [{ code: 'order.already_handed_over', orders: 1 }], allowedActions: [] })
  expect(await resultsOf(done.bulkActionId)).toMatchObject([
    { orderId: first, outcome: 'done' }, { orderId: second, outcome: 'done' }, { orderId: third, outcome: 'refused', code: 'order.already_handed_over' },
  ])
  for (const orderId of [first, second]) expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', lines: [{ allocated: 0 }] })
  const causes = await system.db('audit').where({ action: 'order.cancel', subject: first }).select<{ actor: string; cause: string }[]>('actor', 'cause')
  expect(causes).toEqual([{ actor: 'support:demo-support', cause: `the supplier called (bulk action ${done.bulkActionId})` }])
})

it('can be withdrawn as if it had never been, until it begins', async () => {
  const orderIds = await released(2)
  const { body } = await bulk({ action: 'cancel', orderIds, undoWithin: 'PT1H' })
  const withdrawn = await people.support<BulkView>('POST', `/v1/bulk-actions/${body.bulkActionId}/withdraw`, {})
  expect(withdrawn).toMatchObject({ status: 200, body: { status: 'withdrawn', progress: { withdrawn: 2, waiting: 0 }, allowedActions: [] } })
  expect(await people.support('POST', `/v1/bulk-actions/${body.bulkActionId}/withdraw`, {})).toMatchObject({ status: 409, body: { code: 'bulk.ended', state: 'withdrawn' } })
  for (const orderId of orderIds) expect((await people.order(orderId)).status).toBe('in_fulfillment')
})

it('releases the holds of one type that whoever asks may release', async () => {
  const orderIds = await released(3)
  for (const orderId of orderIds.slice(0, 2)) await people.support('POST', `/v1/orders/${orderId}/holds`, { type: 'recall', reason: 'a batch is looked at', blocks: ['shipping', 'picking'] })
  await people.support('POST', `/v1/orders/${orderIds[0]!}/holds`, { type: 'address', reason: 'wrong door', blocks: ['shipping'], owner: 'operations' })
  const { body } = await bulk({ action: 'release', filter: { holdType: 'recall' } })
  expect(body).toMatchObject({ orders: 2, preview: { willDo: 2 } })
  await ended(body.bulkActionId)
  expect((await people.order(orderIds[0]!)).holds).toMatchObject([{ type: 'address' }])
  expect((await people.order(orderIds[1]!)).holds).toEqual([])
  const again = await bulk({ action: 'release', orderIds })
  expect(await ended(again.body.bulkActionId)).toMatchObject({ progress: { refused: 3 }, refusedBy: [{ code: 'hold.none', orders: 3 }] })
})

it('gives work that nobody has begun to other nodes, and tells another date where the one told cannot be kept', async () => {
  const sku = await people.stocked({ 'store-mitte': 5, 'dc-01': 5 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const before = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!
  const moved = await ended((await bulk({ action: 're-source', orderIds: [orderId] })).body.bulkActionId)
  expect(moved.progress).toMatchObject({ done: 1 })
  const { fulfillments } = await people.order(orderId)
  expect(fulfillments.find((f) => f.status === 'released')!.nodeId).not.toBe(before.nodeId)
  expect(await people.told(orderId)).toContain('fulfillment.moved')
  const kept = await ended((await bulk({ action: 're-promise', orderIds: [orderId], ...soon })).body.bulkActionId)
  expect(kept.refusedBy).toEqual([{ code: 'order.promise_stays', orders: 1 }])
  await system.db.raw(`UPDATE orders SET promise = promise || '{"promisedFrom": "2026-01-01T08:00:00.000Z", "promisedBy": "2026-01-02T17:00:00.000Z"}' WHERE order_id = ?`, [orderId])
  const told = await ended((await bulk({ action: 're-promise', orderIds: [orderId], ...soon })).body.bulkActionId)
  expect(told.progress).toMatchObject({ done: 1 })
  expect(await people.told(orderId)).toContain('promise.renewed')
  await people.pickAll(fulfillments.find((f) => f.status === 'released')!)
  const late = await ended((await bulk({ action: 're-source', orderIds: [orderId] })).body.bulkActionId)
  expect(late.refusedBy).toEqual([{ code: 'order.not_moved', orders: 1 }])
})

it('asks each order once, though whoever asked died before the answer was written', async () => {
  const orderIds = await released(2)
  const { body } = await bulk({ action: 'cancel', orderIds, ...soon })
  await ended(body.bulkActionId)
  await system.db('bulk_actions').where({ bulk_action_id: body.bulkActionId }).update({ status: 'running', ended_at: null })
  await system.db('bulk_action_orders').where({ bulk_action_id: body.bulkActionId }).update({ outcome: 'waiting', at: null, leased_until: null })
  expect(await ended(body.bulkActionId)).toMatchObject({ progress: { done: 2, refused: 0 } })
  for (const orderId of orderIds) expect((await people.told(orderId)).filter((t) => t === 'order.cancelled')).toHaveLength(1)
})

it('is refused by name: nothing matches, an order is not there, no reason is given', async () => {
  expect(await bulk({ action: 'release', filter: { holdType: 'nobody-has-it' } })).toMatchObject({ status: 409, body: { code: 'bulk.no_orders' } })
  expect(await bulk({ action: 'cancel', orderIds: ['01890000-0000-7000-8000-000000000000'] })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/orderIds/0' }] } })
  expect(await bulk({ action: 'cancel' })).toMatchObject({ status: 400 })
  expect(await bulk({ action: 'cancel', filter: {} })).toMatchObject({ status: 400 })
  expect(await people.shop('POST', '/v1/bulk-actions', { action: 'cancel', orderIds: ['x'], reason: 'x' })).toMatchObject({ status: 403 })
  expect(await people.support('GET', '/v1/bulk-actions/01890000-0000-7000-8000-000000000000')).toMatchObject({ status: 404, body: { code: 'bulk.unknown' } })
})
