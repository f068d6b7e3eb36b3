/** Customers change their minds about some of it: those units are free at once, whoever picks is told, the rest goes on, and the cents add up. */
import type { OrderView } from '../../db/views/orders'
import { eventually, peopleOf, type Answer, type FulfillmentWork, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT30S' } } })
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

const level = async (sku: string): Promise<{ allocated: number; available: number; onHand: number }[]> =>
  (await people.operations<{ items: { allocated: number; available: number; onHand: number }[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items
const cancel = <Body = OrderView>(orderId: string, lines: object, query = '', headers = {}): Promise<Answer<Body>> =>
  people.support<Body>('POST', `/v1/orders/${orderId}/cancel${query}`, { lines, reason: 'changed her mind' }, headers)
const books = async (orderId: string): Promise<{ status: string; authorizedMinor: number; capturedMinor: number }[]> => {
  const answer = await fetch(`${system.payments.url}/control/books`)
  return ((await answer.json()) as { intents: { orderRef: string; status: string; authorizedMinor: number; capturedMinor: number }[] }).intents.filter((i) => i.orderRef === orderId)
}
async function released(units: Record<string, number>, quantity: number, works = 1): Promise<{ orderId: string; sku: string; fulfillments: FulfillmentWork[] }> {
  const sku = await people.stocked(units)
  const orderId = await people.place({ lines: [{ sku, quantity, unitPriceMinor: 1000 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === works)
  return { orderId, sku, fulfillments }
}
async function sendOff(work: FulfillmentWork): Promise<void> {
  const packed = await people.packPicked(work)
  await people.handOver(work)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
}
const pick = (work: FulfillmentWork, picked: number) => people.work(work, 'pick', { lines: [{ lineId: '1', picked }] })

it('cancels units nobody has begun: stock free with the answer, and what leaves is all that is taken', async () => {
  const { orderId, sku, fulfillments } = await released({ 'store-mitte': 5 }, 3)
  const answer = await cancel(orderId, [{ lineId: '1', quantity: 2 }])
  expect(answer).toMatchObject({ status: 200, body: { status: 'in_fulfillment', lines: [{ quantity: 3, cancelled: 2, allocated: 1 }], fulfillments: [{ lines: [{ quantity: 1, cancelled: 2 }] }], money: { owedMinor: 1490 } } })
  expect(await level(sku)).toMatchObject([{ allocated: 1, available: 4, onHand: 5 }])
  await pick(fulfillments[0]!, 1)
  await sendOff(fulfillments[0]!)
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 1490, owedMinor: 0 } })
  expect(await books(orderId)).toMatchObject([{ capturedMinor: 1490 }])
})

it('takes less from whoever is picking: first what is not picked, then what goes back to the shelf', async () => {
  const { orderId, sku, fulfillments } = await released({ 'store-mitte': 4 }, 4)
  const [work] = fulfillments
  await pick(work!, 2)
  await cancel(orderId, [{ lineId: '1', quantity: 1 }])
  expect((await people.order(orderId)).fulfillments[0]).toMatchObject({ status: 'picking', lines: [{ quantity: 3, picked: 2, cancelled: 1 }] })
  await cancel(orderId, [{ lineId: '1', quantity: 2 }])
  expect((await people.order(orderId)).fulfillments[0]).toMatchObject({ status: 'picked', lines: [{ quantity: 1, picked: 1, cancelled: 3 }] })
  expect(await level(sku)).toMatchObject([{ allocated: 1, available: 3 }])
  const timeline = await people.support<{ items: { type: string; data: Record<string, unknown> }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)
  expect(timeline.body.items.filter((e) => e.type === 'fulfillment.reduced').map((e) => e.data)).toMatchObject([
    { fulfillmentId: work!.fulfillmentId, status: 'picking', lines: [{ lineId: '1', quantity: 1 }], putBack: [] },
    { fulfillmentId: work!.fulfillmentId, status: 'picked', lines: [{ lineId: '1', quantity: 2 }], putBack: [{ lineId: '1', sku, quantity: 1 }] },
  ])
  await sendOff(work!)
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1490 } })
})

it('refuses units that are packed or gone, and says which, while the others can be had back', async () => {
  const sku = await people.stocked({ 'store-mitte': 1, 'store-kreuzberg': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const [first, second] = fulfillments
  await pick(first!, 1)
  const packed = await people.packPicked(first!)
  const refused = await cancel<Record<string, unknown>>(orderId, [{ lineId: '1', quantity: 3 }])
  expect(refused).toMatchObject({ status: 409, body: { code: 'order.units_not_cancellable', lines: [{ lineId: '1', asked: 3, cancellable: 1, elsewhere: [{ state: 'packed', quantity: 1, fulfillmentId: first!.fulfillmentId }] }] } })
  await people.handOver(first!)
  expect((await people.order(orderId)).allowedActions).toContain('cancel')
  const answer = await cancel(orderId, [{ lineId: '1', quantity: 1 }])
  expect(answer).toMatchObject({ status: 200, body: { status: 'shipped', lines: [{ cancelled: 1, shipped: 1, allocated: 0 }] } })
  expect(answer.body.fulfillments.find((f) => f.fulfillmentId === second!.fulfillmentId)).toMatchObject({ status: 'cancelled' })
  expect(answer.body.allowedActions).toEqual([])
  expect(await cancel(orderId, [{ lineId: '1', quantity: 1 }])).toMatchObject({ status: 409, body: { lines: [{ cancellable: 0, elsewhere: [{ state: 'gone', quantity: 1 }] }] } })
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'completed', money: { capturedMinor: 1490, owedMinor: 0 } })
  expect((await books(orderId)).every((i) => i.status !== 'requires_capture')).toBe(true)
})

it.each([
  ['the bank declines to hold the rest', { kind: 'decline' }],
  ['the bank is slow to hold the rest', { kind: 'slow', delayMs: 1_000 }],
  ['the bank holds the rest and its answer is lost', { kind: 'timeout_after_effect' }],
])('comes to its end when the rest is cancelled while %s', async (_name, fault) => {
  const { orderId, fulfillments } = await released({ 'store-mitte': 1, 'store-kreuzberg': 1 }, 2, 2)
  const [first] = fulfillments
  await pick(first!, 1)
  const packed = await people.packPicked(first!)
  await fetch(`${system.payments.url}/control/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ next: 1, operation: 'authorize', ...fault }) })
  await people.handOver(first!)
  await people.until(orderId, (o) => o.payments.length === 2 && (fault.kind !== 'decline' || o.payments[1]!.status === 'declined'), 'the rest to be held again')
  expect(await cancel(orderId, [{ lineId: '1', quantity: 1 }])).toMatchObject({ status: 200, body: { lines: [{ cancelled: 1, shipped: 1 }] } })
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 1490, owedMinor: 0 } })
  expect((await books(orderId)).every((i) => i.status !== 'requires_capture')).toBe(true)
  const open = await people.support<{ items: { orderId: string }[] }>('GET', '/v1/exceptions?kind=payment.remainder_not_held')
  expect(open.body.items.filter((e) => e.orderId === orderId)).toEqual([])
})

it('cancelled unit by unit, an order ends as if it had been cancelled whole', async () => {
  const { orderId, sku } = await released({ 'store-mitte': 3 }, 3)
  for (const _ of [1, 2, 3]) expect(await cancel(orderId, [{ lineId: '1', quantity: 1 }])).toMatchObject({ status: 200 })
  const bitByBit = await people.until(orderId, (o) => !o.workflowOpen)
  const whole = await released({ 'store-mitte': 3 }, 3)
  await people.support('POST', `/v1/orders/${whole.orderId}/cancel`, { reason: 'changed her mind' })
  const atOnce = await people.until(whole.orderId, (o) => !o.workflowOpen)
  const end = ({ status, paymentStatus, fulfillmentStatus, money, waitingOn, lines, fulfillments }: OrderView): unknown => ({
    status, paymentStatus, fulfillmentStatus, money, waitingOn, lines: lines.map((l) => [l.quantity, l.cancelled, l.allocated]), works: fulfillments.map((f) => f.status),
  })
  expect(end(bitByBit)).toEqual(end(atOnce))
  expect(bitByBit).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' })
  expect(await books(orderId)).toMatchObject([{ status: 'canceled', capturedMinor: 0 }])
  expect(await level(sku)).toMatchObject([{ allocated: 0, available: 3 }])
})

it('stops waiting for stock that nobody wants any more', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ channel: 'web', claim: 'later', lines: [{ sku, quantity: 3 }] })
  await people.until(orderId, (o) => o.status === 'backordered')
  expect(await cancel(orderId, [{ lineId: '1', quantity: 2 }])).toMatchObject({ status: 200, body: { lines: [{ cancelled: 2 }] } })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await pick(fulfillments[0]!, 1)
  await sendOff(fulfillments[0]!)
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1490 } })
})

it('gives what was promised of stock to come to others once it is not wanted', async () => {
  const sku = await people.stocked({ 'dc-01': 1 })
  await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 100, backorder: true })
  const expectedAt = new Date(Date.now() + 3_600_000).toISOString()
  await people.operations('POST', '/v1/inventory/supply', { sku, nodeId: 'dc-01', quantity: 5, expectedAt, reference: 'PO-9' })
  const orderId = await people.place({ lines: [{ sku, quantity: 4, unitPriceMinor: 1000 }] })
  const promised = async (): Promise<number> => (await system.db<{ sku: string; promised: number }>('supply').where({ sku }).first())!.promised
  await people.until(orderId, (o) => o.waitingOn?.what === 'stock')
  expect(await promised()).toBe(3)
  await cancel(orderId, [{ lineId: '1', quantity: 2 }])
  expect(await promised()).toBe(1)
  await cancel(orderId, [{ lineId: '1', quantity: 1 }])
  expect(await promised()).toBe(0)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await pick(fulfillments[0]!, 1)
  await sendOff(fulfillments[0]!)
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1490 } })
})

it('says beforehand what it would move, does nothing by that, and heeds the version it was based on', async () => {
  const { orderId, sku, fulfillments } = await released({ 'store-mitte': 3 }, 3)
  const before = await people.order(orderId)
  const preview = await cancel<Record<string, unknown>>(orderId, [{ lineId: '1', quantity: 1 }], '?preview=true')
  expect(preview).toMatchObject({
    status: 200,
    body: { preview: true, whole: false, goods: [{ lineId: '1', sku, quantity: 1, state: 'released', fulfillmentId: fulfillments[0]!.fulfillmentId }], money: { cancelledMinor: 1000, remainingMinor: 2490, letGoMinor: 1000, refundMinor: 0, refundElsewhereMinor: 0 } },
  })
  expect((await people.order(orderId)).version).toBe(before.version)
  expect(await cancel(orderId, [{ lineId: '1', quantity: 1 }], '?preview=true', { 'if-match': '"0"' })).toMatchObject({ status: 412, body: { version: before.version } })
  expect(await cancel(orderId, [{ lineId: '1', quantity: 1 }], '', { 'if-match': '"0"' })).toMatchObject({ status: 412, body: { code: 'request.version_mismatch', version: before.version } })
  expect(await cancel(orderId, [{ lineId: '1', quantity: 1 }], '', { 'if-match': `"${before.version}"` })).toMatchObject({ status: 200 })
  expect(await cancel<Record<string, unknown>>(orderId, [{ lineId: '1', quantity: 2 }], '?preview=true')).toMatchObject({ status: 200, body: { whole: true, money: { cancelledMinor: 2490, remainingMinor: 0 } } })
  expect(await cancel(orderId, [{ lineId: '7', quantity: 1 }])).toMatchObject({ status: 400, body: { code: 'order.line_unknown' } })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('does what one of several asks for who have all seen the same order, and tells the others that it has changed', async () => {
  const { orderId } = await released({ 'store-mitte': 9 }, 9)
  const { version } = await people.order(orderId)
  const seen = { 'if-match': `"${version}"` }
  const answers = await Promise.all([1, 2, 3].map((quantity) => cancel(orderId, [{ lineId: '1', quantity }], '', seen)))
  expect(answers.map((a) => a.status).sort()).toEqual([200, 412, 412])
  const [yes] = [1, 2, 3].filter((_, i) => answers[i]!.status === 200)
  expect((await people.order(orderId)).lines[0]).toMatchObject({ cancelled: yes, quantity: 9 })
  const change = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 5 }] }, seen)
  expect(change).toMatchObject({ status: 412, body: { code: 'request.version_mismatch' } })
  const now = { 'if-match': `"${(await people.order(orderId)).version}"` }
  const [one, other] = await Promise.all([4, 5].map(async (quantity) => (await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity }] }, now)).body.changeId))
  const both = await Promise.all([one, other].map((changeId) => people.support<{ code?: string }>('POST', `/v1/orders/${orderId}/changes/${changeId}/confirm`, {}, now)))
  expect(both.map((a) => a.status).sort()).toEqual([200, 412])
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('asks for the part that has left, and says which part can still be cancelled by itself', async () => {
  const [gone, inside] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 2 })]
  const orderId = await people.place({ lines: [{ sku: gone, quantity: 1, unitPriceMinor: 1000 }, { sku: inside, quantity: 2, unitPriceMinor: 1000 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const work = fulfillments.find((f) => f.nodeId === 'store-mitte')!
  await people.pickAll(work)
  const trackingNumber = (await people.packAll(work)).body.packages[0]!.trackingNumber!
  await people.handOver(work)
  const refused = await people.support<{ cancellable: object[] }>('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  expect(refused).toMatchObject({ status: 409, body: { code: 'order.already_handed_over', instead: 'intercept', parcels: [{ trackingNumber }], cancellable: [{ lineId: '2', quantity: 2 }] } })
  expect(await cancel(orderId, refused.body.cancellable)).toMatchObject({ status: 200, body: { lines: [{ cancelled: 0 }, { cancelled: 2 }] } })
  await people.carrierSays(trackingNumber, 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('still sends and takes the rest when a parcel came back and its units were given up', async () => {
  const sku = await people.stocked({ 'store-mitte': 1, 'store-kreuzberg': 1, 'dc-01': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 3, unitPriceMinor: 1000 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 3)
  const leave = async (work: FulfillmentWork): Promise<string> => {
    await people.until(orderId, (o) => o.money.authorizedMinor >= 3_490, 'what has still to leave to be held')
    await people.pickAll(work)
    const packed = await people.packAll(work)
    expect(await people.handOver(work)).toMatchObject({ status: 200 })
    return packed.body.packages[0]!.trackingNumber!
  }
  const first = await leave(fulfillments[0]!)
  await people.carrierSays(first, 'returning')
  await people.carrierSays(first, 'returned')
  await people.until(orderId, (o) => o.lines[0]!.cancelled === 1)
  for (const work of fulfillments.slice(1)) await people.carrierSays(await leave(work), 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', lines: [{ shipped: 2, cancelled: 1 }], money: { capturedMinor: 3_490 } })
})

it('has no more lines than an order may be placed with', async () => {
  const { orderId, sku } = await released({ 'store-mitte': 3 }, 3)
  const operations = Array.from({ length: 500 }, (_, i) => ({ op: 'addLine', lineId: `more-${i}`, sku, quantity: 1, unitPriceMinor: 100 }))
  expect(await people.support('POST', `/v1/orders/${orderId}/changes?preview=true`, { operations })).toMatchObject({ status: 400, body: { code: 'order.too_many_lines', lines: 501, most: 500 } })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('answers the same request once: two at a time take what one asked for, and no unit more', async () => {
  const { orderId } = await released({ 'store-mitte': 6 }, 6)
  const same = { 'idempotency-key': 'part-once' }
  const [first] = await Promise.all([cancel(orderId, [{ lineId: '1', quantity: 2 }], '', same), cancel(orderId, [{ lineId: '1', quantity: 1 }])])
  expect(first.status).toBe(200)
  expect((await cancel(orderId, [{ lineId: '1', quantity: 2 }], '', same)).headers.get('idempotent-replayed')).toBe('true')
  const seen = await eventually(() => people.order(orderId), (o) => o.lines[0]!.cancelled === 3)
  expect(seen.lines[0]).toMatchObject({ allocated: 3, cancelled: 3 })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

describe('a change that is asked for and confirmed', () => {
  interface Proposed {
    changeId: string
    version: number
    code: string
    [field: string]: unknown
  }
  const propose = (orderId: string, ...operations: object[]): Promise<Answer<Proposed>> => people.support<Proposed>('POST', `/v1/orders/${orderId}/changes`, { operations })
  const confirm = (orderId: string, changeId: string): Promise<Answer<OrderView>> => people.support<OrderView>('POST', `/v1/orders/${orderId}/changes/${changeId}/confirm`, {})
  const moved = { name: 'Customer', line1: 'Street 2', city: 'Berlin', postalCode: '10115', country: 'DE', latitude: 52.5285, longitude: 13.3975 }

  it('gives up units and goes to another door, and what the order was can be read again', async () => {
    const { orderId, fulfillments } = await released({ 'store-mitte': 3 }, 3)
    const asked = await propose(orderId, { op: 'setQuantity', lineId: '1', quantity: 1 }, { op: 'setShipTo', shipTo: moved })
    expect(asked).toMatchObject({ status: 201, body: { deltaMinor: -2000, refundMinor: 0, letGoMinor: 2000, chargeMinor: 0 } })
    const { changeId: _, state: __, expiresAt: ___, ...said } = asked.body
    const operations = [{ op: 'setQuantity', lineId: '1', quantity: 1 }, { op: 'setShipTo', shipTo: moved }]
    const preview = await people.support('POST', `/v1/orders/${orderId}/changes?preview=true`, { operations }, { 'idempotency-key': '' })
    expect(preview).toMatchObject({ status: 200, body: { ...said, preview: true } })
    expect(preview.body).not.toHaveProperty('changeId')
    expect((await people.support<{ items: object[] }>('GET', `/v1/orders/${orderId}/changes`)).body.items).toHaveLength(1)
    expect((await people.order(orderId)).lines[0]).toMatchObject({ cancelled: 0 })
    expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { lines: [{ cancelled: 2 }], shipTo: { line1: 'Street 2' }, money: { owedMinor: 1490 } } })
    expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 409, body: { code: 'order.change_ended' } })
    const versions = await people.support<{ items: { number: number; cause: string }[] }>('GET', `/v1/orders/${orderId}/versions`)
    expect(versions.body.items).toMatchObject([{ number: 1, cause: 'placed' }, { number: 2, cause: `change ${asked.body.changeId}` }])
    const was = async (n: number) => (await people.support<{ document: object }>('GET', `/v1/orders/${orderId}/versions/${n}`)).body.document
    expect(await was(1)).toMatchObject({ lines: [{ lineId: '1', quantity: 3 }], totalMinor: 3490, shipTo: { line1: 'Street 1' } })
    expect(await was(2)).toMatchObject({ lines: [{ lineId: '1', quantity: 1 }], totalMinor: 1490, shipTo: { line1: 'Street 2' } })
    expect(await people.support('GET', `/v1/orders/${orderId}/versions/3`)).toMatchObject({ status: 404, body: { code: 'version.unknown' } })
    await pick(fulfillments[0]!, 1)
    await sendOff(fulfillments[0]!)
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1490, owedMinor: 0 } })
  })

  it('is refused when the order has gone on meanwhile, or its time is over, and changes nothing then', async () => {
    const { orderId, fulfillments } = await released({ 'store-mitte': 3 }, 3)
    const stale = await propose(orderId, { op: 'setQuantity', lineId: '1', quantity: 2 })
    await pick(fulfillments[0]!, 1)
    const now = await people.order(orderId)
    expect(await confirm(orderId, stale.body.changeId)).toMatchObject({ status: 409, body: { code: 'order.version_changed', was: stale.body.version, version: now.version } })
    const late = await propose(orderId, { op: 'setQuantity', lineId: '1', quantity: 2 })
    await system.db('order_changes').where({ change_id: late.body.changeId }).update({ expires_at: '2026-01-01T00:00:00Z' })
    expect(await confirm(orderId, late.body.changeId)).toMatchObject({ status: 409, body: { code: 'order.change_expired' } })
    expect(await confirm(orderId, orderId)).toMatchObject({ status: 404, body: { code: 'change.unknown' } })
    expect((await people.order(orderId)).lines[0]).toMatchObject({ cancelled: 0, quantity: 3 })
    await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
    await people.until(orderId, (o) => !o.workflowOpen)
  })

  it('stands while only the bank has something to say', async () => {
    const { orderId } = await released({ 'store-mitte': 2 }, 2)
    const asked = await propose(orderId, { op: 'setQuantity', lineId: '1', quantity: 1 })
    await system.db('orders').where({ order_id: orderId }).increment('version', 1)
    expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { lines: [{ cancelled: 1 }] } })
    await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
    await people.until(orderId, (o) => !o.workflowOpen)
  })

  it('is refused where it asks for more than there is, for nothing, for another place, or for what is packed', async () => {
    const { orderId, fulfillments } = await released({ 'store-mitte': 2 }, 2)
    expect(await propose(orderId, { op: 'setQuantity', lineId: '1', quantity: 3 })).toMatchObject({ status: 409, body: { code: 'stock.short' } })
    expect(await propose(orderId, { op: 'removeLine', lineId: '1' })).toMatchObject({ status: 409, body: { code: 'order.change_leaves_nothing', instead: 'cancel' } })
    expect(await propose(orderId, { op: 'removeLine', lineId: '9' })).toMatchObject({ status: 400, body: { code: 'order.line_unknown' } })
    expect(await propose(orderId, { op: 'setDelivery', method: 'pickup', nodeId: 'store-kreuzberg' })).toMatchObject({ status: 409, body: { code: 'stock.short' } })
    await people.pickAll(fulfillments[0]!)
    await people.packAll(fulfillments[0]!)
    expect(await propose(orderId, { op: 'setShipTo', shipTo: moved })).toMatchObject({ status: 409, body: { code: 'order.address_too_late' } })
    expect(await propose(orderId, { op: 'setShipTo', shipTo: { ...moved, postalCode: '80331' } })).toMatchObject({ status: 409, body: { code: 'order.delivery_too_late', fulfillmentIds: [fulfillments[0]!.fulfillmentId], states: ['packed'] } })
    expect(await propose(orderId, { op: 'setQuantity', lineId: '1', quantity: 1 })).toMatchObject({ status: 409, body: { code: 'order.units_not_cancellable' } })
    await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
    await people.until(orderId, (o) => !o.workflowOpen)
  })
})
