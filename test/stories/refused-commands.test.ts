/** What is refused about an order moves nothing, says why, and is in the log of the order once. */
import { randomUUID } from 'node:crypto'
import type { OrderView } from '../../db/views/orders'
import { caller, eventually, peopleOf, type Answer, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT4S', restockBy: 'PT30S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

async function delivered(units: number): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': units })
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor: 2_000 }] })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.lines[0]!.delivered === units && o.money.owedMinor === 0, 'delivery')
  return orderId
}

/** Everything the bank tells of the capture has been heard, and the order waits for nothing but time: nobody but a command moves its version now. */
async function heardOfTheBank(orderId: string): Promise<OrderView> {
  const { payments } = await people.until(orderId, (o) => o.waitingOn?.what === 'return_window', 'the return window')
  const news = (): Promise<{ status: string; type: string }[]> => system.db('inbound_events').where({ source: 'stripe', subject: payments[0]!.reference }).select('status', system.db.raw(`payload->'view'->>'status' AS type`))
  await eventually(news, (all) => all.some((e) => e.type === 'captured') && all.every((e) => e.status === 'done'), { what: 'word of the capture' })
  return people.order(orderId)
}

const line = (more: object = {}): object => ({ lineId: '1', quantity: 1, reason: 'too big', ...more })
const returned = (orderId: string, lines: object[], key = 'demo-channel-web', headers = {}): Promise<Answer<{ returnId: string }>> => caller(system.url, key)('POST', `/v1/orders/${orderId}/returns`, { lines, method: 'store' }, headers)
const log = async (orderId: string): Promise<object[]> =>
  (await people.support<{ items: { type: string; actor: string; data: object }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items
    .filter((e) => e.type === 'order.command_refused')
    .map(({ actor, data }) => ({ actor, ...data }))
const shop = 'channel:demo-channel-web'
const support = 'support:demo-support'

it('refuses returns of more than was delivered, of the same twice and after the window, and says so in the log', async () => {
  const orderId = await delivered(2)
  const before = await heardOfTheBank(orderId)
  const headers = { 'idempotency-key': `more-${orderId}` }
  const more = await returned(orderId, [line({ quantity: 3 })], undefined, headers)
  expect(more).toMatchObject({ status: 409, body: { code: 'return.quantity', lineId: '1', open: 2, given: 3 } })
  expect((await returned(orderId, [line({ quantity: 3 })], undefined, headers)).headers.get('idempotent-replayed')).toBe('true')
  expect(await people.order(orderId)).toMatchObject({ returns: [], money: before.money, version: before.version })
  const { returnId } = (await returned(orderId, [line({ quantity: 2 })])).body
  expect((await returned(orderId, [line()])).body).toMatchObject({ code: 'return.quantity', open: 0, given: 1 })
  await people.support('POST', `/v1/returns/${returnId}/cancel`, { reason: 'keeps them' })
  expect((await people.support('POST', `/v1/returns/${returnId}/approve`, {})).body).toMatchObject({ code: 'return.state', state: 'cancelled' })
  await people.until(orderId, (o) => !o.workflowOpen, 'the window to close')
  expect(await returned(orderId, [line()])).toMatchObject({ status: 409, body: { code: 'return.window_closed', closedAt: expect.any(String) } })
  expect(await log(orderId)).toEqual([
    { actor: shop, command: 'orders/returns', code: 'return.quantity' },
    { actor: shop, command: 'orders/returns', code: 'return.quantity' },
    { actor: support, command: 'returns/approve', code: 'return.state' },
    { actor: shop, command: 'orders/returns', code: 'return.window_closed' },
  ])
})

it('refuses changes of a line that was cancelled, writes nothing and says so in the log', async () => {
  const [kept, gone] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-mitte': 3 })]
  const orderId = await people.place({ lines: [{ sku: kept, quantity: 1 }, { sku: gone, quantity: 2 }] })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '2', quantity: 2 }], reason: 'too many' })
  const before = await people.order(orderId)
  for (const operation of [{ op: 'setQuantity', lineId: '2', quantity: 1 }, { op: 'removeLine', lineId: '2' }])
    expect(await people.support('POST', `/v1/orders/${orderId}/changes`, { operations: [operation] })).toMatchObject({ status: 409, body: { code: 'order.line_cancelled', lineId: '2', state: 'cancelled' } })
  expect(await people.order(orderId)).toMatchObject({ version: before.version, lines: before.lines })
  expect((await people.support<{ items: object[] }>('GET', `/v1/orders/${orderId}/changes`)).body.items).toEqual([])
  expect(await log(orderId)).toEqual([1, 2].map(() => ({ actor: support, command: 'orders/changes', code: 'order.line_cancelled' })))
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('logs amounts with decimals and other wrong shapes by the fields they are in, once per command, and nothing of what was sent', async () => {
  const orderId = await delivered(1)
  const before = await people.order(orderId)
  const headers = { 'idempotency-key': `decimals-${orderId}` }
  const invalid = (pointers: string[]) => ({ status: 400, body: { code: 'request.invalid', errors: pointers.map((pointer) => ({ pointer })) } })
  const asked = (): Promise<Answer> => returned(orderId, [line({ quantity: 1.5, 'Erika Mustermann': 1 })], undefined, headers)
  for (const _ of [1, 2]) expect(await asked()).toMatchObject(invalid(['/lines/0/quantity', '/lines/0/Erika Mustermann']))
  expect(await people.support('POST', `/v1/orders/${orderId}/refunds`, { amountMinor: 10.5, reason: 'by phone' })).toMatchObject(invalid(['/amountMinor']))
  expect(await people.support('POST', `/v1/orders/${orderId}/replacements`, { lines: [line({ sku: 'A-1', unitPriceMinor: 19.99 })], collectOld: 'store' })).toMatchObject(invalid(['/lines/0/unitPriceMinor']))
  expect(await people.support('POST', `/v1/orders/${orderId}/returns?preview=true`, { lines: [line({ quantity: 0.5 })], method: 'store' })).toMatchObject({ status: 400 })
  expect((await returned(orderId, [line({ quantity: 2 })], undefined, headers)).body).toMatchObject({ code: 'return.quantity' })
  const { returnId } = (await returned(orderId, [line()])).body
  const count = (nodeId: string, quantity: number): Promise<Answer> => people.store('store-kreuzberg')('POST', `/v1/returns/${returnId}/receive`, { nodeId, lines: [{ lineId: '1', quantity, grade: 'as_new', disposition: 'restock' }] })
  expect(await count('store-kreuzberg', 0.5)).toMatchObject(invalid(['/lines/0/quantity']))
  expect(await people.operations('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mite', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })).toMatchObject({ body: { code: 'node.unknown' } })
  expect(await log(orderId)).toEqual([
    { actor: shop, command: 'orders/returns', code: 'request.invalid', pointers: ['/lines/0/quantity', '/lines/0'] },
    { actor: support, command: 'orders/refunds', code: 'request.invalid', pointers: ['/amountMinor'] },
    { actor: support, command: 'orders/replacements', code: 'request.invalid', pointers: ['/lines/0/unitPriceMinor'] },
    { actor: shop, command: 'orders/returns', code: 'return.quantity' },
    { actor: 'store:demo-store-store-kreuzberg', command: 'returns/receive', code: 'request.invalid', pointers: ['/lines/0/quantity'] },
    { actor: 'operations:demo-operations', command: 'returns/receive', code: 'node.unknown' },
  ])
  expect(JSON.stringify(await log(orderId))).not.toContain('Erika')
  expect(await people.order(orderId)).toMatchObject({ money: before.money, lines: [{ delivered: 1, returned: 0 }] })
})

it('logs a stranger once per command, however often she asks, and lets her hear nothing of it', async () => {
  const orderId = await delivered(1)
  const { returnId } = (await returned(orderId, [line()])).body
  const unknown = { status: 404, body: { code: 'order.unknown' } }
  for (const _ of [1, 2, 3]) expect(await returned(orderId, [line()], 'demo-channel-pos')).toMatchObject(unknown)
  expect(await returned(orderId, [line({ quantity: 1.5 })], 'demo-channel-pos')).toMatchObject({ status: 400 })
  expect(await caller(system.url, 'demo-channel-pos')('POST', `/v1/returns/${returnId}/cancel`, {})).toMatchObject({ status: 404, body: { code: 'return.unknown' } })
  expect(await returned(randomUUID(), [line()], 'demo-channel-pos')).toMatchObject(unknown)
  expect(await log(orderId)).toEqual([
    { actor: 'channel:demo-channel-pos', command: 'orders/returns', code: 'order.unknown' },
    { actor: 'channel:demo-channel-pos', command: 'returns/cancel', code: 'return.unknown' },
  ])
})

it('keeps missing roles and what is no command at all out of the log', async () => {
  const orderId = await delivered(1)
  expect((await returned(orderId, [line()], 'demo-finance')).status).toBe(403)
  expect((await returned(orderId, [line({ quantity: 1.5 })], undefined, { 'idempotency-key': '' })).status).toBe(400)
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'x' }, { 'idempotency-key': '' })).body).toMatchObject({ code: 'request.idempotency_key_missing' })
  expect(await log(orderId)).toEqual([])
})

it('logs a replacement with an unknown SKU, a change of an unknown line, a cancellation that is too late and a version that is old', async () => {
  const orderId = await delivered(1)
  expect(await people.support('POST', `/v1/orders/${orderId}/replacements`, { lines: [line({ sku: 'NO-SUCH' })], collectOld: 'store' })).toMatchObject({ status: 400, body: { code: 'sku.unknown', sku: 'NO-SUCH' } })
  expect((await people.support('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'removeLine', lineId: '9' }] })).body).toMatchObject({ code: 'order.line_unknown', lineId: '9' })
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'too late' })).body).toMatchObject({ code: 'order.already_handed_over' })
  expect(await people.support('POST', `/v1/orders/${orderId}/claims`, { lines: [{ lineId: '1', quantity: 1 }], remedy: 'refund', reason: 'torn' }, { 'if-match': '"0"' })).toMatchObject({ status: 412 })
  expect(await log(orderId)).toEqual([
    { actor: support, command: 'orders/replacements', code: 'sku.unknown' },
    { actor: support, command: 'orders/changes', code: 'order.line_unknown' },
    { actor: support, command: 'orders/cancel', code: 'order.already_handed_over' },
    { actor: support, command: 'orders/claims', code: 'request.version_mismatch' },
  ])
  expect(await people.order(orderId)).toMatchObject({ returns: [], money: { refundedMinor: 0 } })
})
