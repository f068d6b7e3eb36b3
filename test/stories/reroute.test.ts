/** Customers want it elsewhere, another way or sooner: until anything is packed it goes there, from where that is best, for what that costs, and with a date of its own. */
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ carriers: ['swiftparcel', 'hansepost', 'kestrel'], policies: { sourcing: { maxShipments: 2, retryEvery: 'PT0.3S' } } })
  people = peopleOf(system)
  const { body: depot } = await people.operations<object>('GET', '/v1/nodes/dc-01')
  await people.operations('PUT', '/v1/nodes/slow-depot', { ...depot, nodeId: 'slow-depot', leadMinutes: 10_000 })
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

interface Proposed {
  changeId: string
  code: string
  promise: { promisedBy: string | null }
  [field: string]: unknown
}
const propose = (orderId: string, ...operations: object[]): Promise<Answer<Proposed>> => people.support<Proposed>('POST', `/v1/orders/${orderId}/changes`, { operations })
const confirm = (orderId: string, changeId: string): Promise<Answer<OrderView>> => people.support<OrderView>('POST', `/v1/orders/${orderId}/changes/${changeId}/confirm`, {})
const levels = async (sku: string): Promise<Record<string, [number, number]>> => {
  const { items } = (await people.operations<{ items: { nodeId: string; allocated: number; reserved: number }[] }>('GET', `/v1/inventory?sku=${sku}`)).body
  return Object.fromEntries(items.map((l) => [l.nodeId, [l.allocated, l.reserved]]))
}
/** In Kreuzberg, next door to the store there. */
const kreuzberg = { name: 'Customer', line1: 'Oranienstraße 30', city: 'Berlin', postalCode: '10999', country: 'DE', latitude: 52.5015, longitude: 13.418 }
const munich = { name: 'Customer', line1: 'Marienplatz 1', city: 'München', postalCode: '80331', country: 'DE', latitude: 48.137, longitude: 11.575 }

async function released(units: Record<string, number>, wish: OrderWish = {}): Promise<{ orderId: string; sku: string; order: OrderView }> {
  const sku = await people.stocked(units)
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 1000 }], ...wish })
  return { orderId, sku, order: await people.until(orderId, (o) => o.fulfillments.length === 1 && o.promise.promisedBy !== null) }
}
async function sendOff(orderId: string): Promise<OrderView> {
  const work = (await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released' || f.status === 'picking'))).fulfillments.find((f) => f.status === 'released' || f.status === 'picking')!
  await people.work(work, 'pick', { lines: work.lines.map((l) => ({ lineId: l.lineId, picked: l.quantity - l.picked })) })
  const packed = await people.packPicked(work)
  await people.handOver(work)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  return people.until(orderId, (o) => !o.workflowOpen)
}

it('goes to another postal code from the node that is best there: the first hears what goes back, the second picks', async () => {
  const { orderId, sku, order } = await released({ 'store-mitte': 3, 'store-kreuzberg': 3 })
  expect(order.fulfillments).toMatchObject([{ nodeId: 'store-mitte' }])
  await people.work(order.fulfillments[0]!, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
  const asked = await propose(orderId, { op: 'setShipTo', shipTo: kreuzberg })
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 0, chargeMinor: 0, promise: { promisedBy: expect.any(String) as string } } })
  expect(await levels(sku)).toEqual({ 'store-mitte': [2, 0], 'store-kreuzberg': [0, 2] })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { shipTo: { postalCode: '10999' }, promise: { promisedBy: asked.body.promise.promisedBy } } })
  expect(await levels(sku)).toEqual({ 'store-mitte': [0, 0], 'store-kreuzberg': [2, 0] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(fulfillments).toMatchObject([{ nodeId: 'store-mitte', status: 'cancelled' }, { nodeId: 'store-kreuzberg', status: 'released' }])
  const timeline = await people.support<{ items: { type: string; data: object }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)
  expect(timeline.body.items.filter((e) => e.type === 'fulfillment.reduced').map((e) => e.data)).toMatchObject([{ nodeId: 'store-mitte', status: 'cancelled', putBack: [{ lineId: '1', quantity: 1 }] }])
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 2490 }, shipments: [{ trackingNumber: expect.any(String) as string }] })
})

it('stays where it is when that is still best, and whoever picks goes on', async () => {
  const { orderId, sku, order } = await released({ 'store-mitte': 3 })
  await people.work(order.fulfillments[0]!, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
  const asked = await propose(orderId, { op: 'setShipTo', shipTo: munich })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { fulfillments: [{ status: 'picking', lines: [{ picked: 1 }] }] } })
  expect(await levels(sku)).toEqual({ 'store-mitte': [2, 0] })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', shipTo: { postalCode: '80331' }, money: { capturedMinor: 2490 } })
})

it('is sent faster for what that costs, charged before it is promised; and by a date, with the cheapest service that keeps it', async () => {
  const { orderId } = await released({ 'store-mitte': 3 })
  const express = await propose(orderId, { op: 'setDelivery', method: 'delivery', service: 'express' })
  expect(express).toMatchObject({ status: 201, body: { deltaMinor: 500, chargeMinor: 500 } })
  const soonest = express.body.promise.promisedBy!
  expect(await propose(orderId, { op: 'setDelivery', method: 'delivery', by: '2026-11-01T00:00:00Z' })).toMatchObject({ status: 409, body: { code: 'delivery.date_not_kept', earliest: soonest } })
  const relaxed = await propose(orderId, { op: 'setDelivery', method: 'delivery', by: new Date(Date.now() + 40 * 86_400_000).toISOString() })
  expect(relaxed).toMatchObject({ status: 201, body: { deltaMinor: 0, chargeMinor: 0 } })
  const inTime = await propose(orderId, { op: 'setDelivery', method: 'delivery', by: soonest })
  expect(inTime).toMatchObject({ status: 201, body: { chargeMinor: 500 } })
  expect(await confirm(orderId, inTime.body.changeId)).toMatchObject({ status: 200, body: { totalMinor: 2990, delivery: { service: 'express' }, shipping: { priceMinor: 990 }, promise: { promisedBy: soonest }, money: { authorizedMinor: 2990, owedMinor: 2990 } } })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', shipments: [{ service: 'express' }], money: { capturedMinor: 2990, owedMinor: 0 } })
})

it('goes elsewhere with one line more and fewer of another, as one change', async () => {
  const { orderId, sku } = await released({ 'store-mitte': 3, 'store-kreuzberg': 3 })
  const other = await people.stocked({ 'store-kreuzberg': 1 })
  const asked = await propose(orderId, { op: 'setShipTo', shipTo: kreuzberg }, { op: 'setQuantity', lineId: '1', quantity: 1 }, { op: 'addLine', lineId: 'socks', sku: other, quantity: 1, unitPriceMinor: 1500 })
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 500, chargeMinor: 500 } })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { lines: [{ cancelled: 1, allocated: 1 }, { lineId: 'socks', allocated: 1 }], money: { owedMinor: 2990 } } })
  expect(await levels(sku)).toEqual({ 'store-mitte': [0, 0], 'store-kreuzberg': [1, 0] })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', fulfillments: [{ status: 'cancelled' }, { nodeId: 'store-kreuzberg', lines: [{ quantity: 1 }, { quantity: 1 }] }], money: { capturedMinor: 2990, owedMinor: 0 } })
})

it('is promised for the later day of what it has and what is added, as was said before', async () => {
  const { orderId, order } = await released({ 'store-mitte': 2 })
  const later = await people.stocked({ 'slow-depot': 1 })
  const asked = await propose(orderId, { op: 'addLine', lineId: 'later', sku: later, quantity: 1, unitPriceMinor: 1500 })
  expect(Date.parse(asked.body.promise.promisedBy!)).toBeGreaterThan(Date.parse(order.promise.promisedBy!))
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { promise: { promisedBy: asked.body.promise.promisedBy } } })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('costs what it cost to be fetched once some of it has been', async () => {
  const { orderId } = await released({ 'store-mitte': 2 }, { delivery: { method: 'pickup', nodeId: 'store-mitte' } })
  const work = (await people.order(orderId)).fulfillments[0]!
  await people.work(work, 'pick', { lines: [{ lineId: '1', picked: 1, rejected: 1, reason: 'not_in_stock' }] })
  await people.work(work, 'ready-for-pickup', {})
  await people.work(work, 'collect', { proof: { name: 'Customer', pickupCode: (await people.order(orderId)).pickupCode } })
  expect(await propose(orderId, { op: 'setDelivery', method: 'pickup', nodeId: 'store-mitte', shipping: { priceMinor: 0 } })).toMatchObject({ status: 409, body: { code: 'order.delivery_too_late', states: ['collected'] } })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ money: { owedMinor: 0 } })
})

it('is fetched instead: free of the price of sending it, from the shelf of that store', async () => {
  const { orderId, sku } = await released({ 'store-mitte': 3, 'store-kreuzberg': 3 })
  const asked = await propose(orderId, { op: 'setDelivery', method: 'pickup', nodeId: 'store-kreuzberg' })
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: -490, letGoMinor: 490, chargeMinor: 0 } })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { delivery: { method: 'pickup', nodeId: 'store-kreuzberg' }, money: { owedMinor: 2000 } } })
  expect(await levels(sku)).toEqual({ 'store-mitte': [0, 0], 'store-kreuzberg': [2, 0] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const work = fulfillments.find((f) => f.status === 'released')!
  expect(work).toMatchObject({ nodeId: 'store-kreuzberg', method: 'pickup' })
  await people.pickAll(work)
  await people.work(work, 'ready-for-pickup', {})
  expect(await propose(orderId, { op: 'setDelivery', method: 'delivery' })).toMatchObject({ status: 409, body: { code: 'order.delivery_too_late', states: ['ready'] } })
  const { pickupCode } = await people.order(orderId)
  await people.work(work, 'collect', { proof: { name: 'Customer', pickupCode } })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 2000, owedMinor: 0 } })
})

it('keeps its stock and its place when the bank says no to the dearer way, or when it asks for a way nobody offers', async () => {
  const { orderId, sku } = await released({ 'store-mitte': 3, 'store-kreuzberg': 3 })
  const asked = await propose(orderId, { op: 'setShipTo', shipTo: kreuzberg }, { op: 'setDelivery', method: 'delivery', service: 'express' })
  await fetch(`${system.payments.url}/control/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ next: 1, operation: 'authorize', kind: 'decline' }) })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 409, body: { code: 'payment.declined' } })
  expect(await levels(sku)).toEqual({ 'store-mitte': [2, 0], 'store-kreuzberg': [0, 0] })
  expect(await propose(orderId, { op: 'setDelivery', method: 'delivery', service: 'by-balloon' })).toMatchObject({ status: 400, body: { code: 'delivery.service_not_offered' } })
  expect(await propose(orderId, { op: 'setDelivery', method: 'pickup', nodeId: 'store-nowhere' })).toMatchObject({ status: 400, body: { code: 'node.unknown' } })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', shipTo: { postalCode: '10115' }, money: { capturedMinor: 2490 } })
})
