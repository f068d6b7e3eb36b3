/** Orders that come from several places: each part goes its own way and is paid for as it leaves. */
import type { OrderView } from '../../db/views/orders'
import { peopleOf, type FulfillmentWork, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT3S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const partAt = (order: OrderView, nodeId: string): FulfillmentWork => order.fulfillments.find((f) => f.nodeId === nodeId && f.status !== 'rejected')!

async function sendOut(work: FulfillmentWork): Promise<string> {
  await people.pickAll(work)
  const packed = await people.packAll(work)
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  return packed.body.packages[0]!.trackingNumber!
}
const picked = (work: FulfillmentWork, report: object): Promise<{ status: number; body: { status: string } }> =>
  people.store(work.nodeId)<{ status: string }>('POST', `/v1/fulfillments/${work.fulfillmentId}/pick`, report)

it('sends two parts from two stores, takes the money for each as it leaves, and is delivered with the last', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 2 })]
  const orderId = await people.place({ lines: [{ sku: here, quantity: 1, unitPriceMinor: 3_000 }, { sku: there, quantity: 2, unitPriceMinor: 1_000 }] })
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(sourced).toMatchObject({ status: 'in_fulfillment', waitingOn: { what: 'picking' } })
  const first = await sendOut(partAt(sourced, 'store-mitte'))
  const half = await people.until(orderId, (o) => o.money.capturedMinor > 0 && o.money.authorizedMinor === o.totalMinor)
  expect(half).toMatchObject({ status: 'partially_shipped', paymentStatus: 'partially_captured', money: { capturedMinor: 3_490 } })
  const second = await sendOut(partAt(half, 'store-kreuzberg'))
  await people.carrierSays(first, 'delivered')
  await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'delivered'))
  await people.carrierSays(second, 'delivered')
  const done = await people.until(orderId, (o) => !o.workflowOpen)
  expect(done).toMatchObject({ status: 'completed', fulfillmentStatus: 'fulfilled', money: { capturedMinor: 5_490, owedMinor: 0 } })
})

it('keeps what a store has picked and sends for the rest elsewhere, when it finds one unit missing', async () => {
  const sku = await people.stocked({ 'store-mitte': 2, 'dc-01': 5 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  expect(work!.nodeId).toBe('store-mitte')
  expect(await picked(work!, { lines: [{ lineId: '1', picked: 1, rejected: 1, reason: 'not_in_stock' }] })).toMatchObject({ status: 200, body: { status: 'picked' } })
  const split = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(split.fulfillments.map((f) => [f.nodeId, f.status])).toEqual([['store-mitte', 'picked'], ['dc-01', 'released']])
  expect(split.lines).toMatchObject([{ quantity: 2, allocated: 2, picked: 1 }])
  const stays = partAt(split, 'store-mitte')
  const packed = await people.packPicked(stays)
  expect(packed.status).toBe(200)
  await people.handOver(stays)
  await people.until(orderId, (o) => o.money.capturedMinor === 1_490 && o.money.authorizedMinor === 2_490)
  await people.carrierSays(await sendOut(partAt(split, 'dc-01')), 'delivered')
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 2_490 } })
})

it('cancels what nobody can fill by its deadline, sends the rest and charges for that alone', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await picked(work!, { lines: [{ lineId: '1', picked: 1, rejected: 1, reason: 'damaged' }] })
  const given = await people.until(orderId, (o) => o.lines[0]!.cancelled === 1)
  expect(given).toMatchObject({ status: 'in_fulfillment', lines: [{ quantity: 2, cancelled: 1, allocated: 1 }] })
  expect(await people.told(orderId)).toContain('order.lines_cancelled')
  const packed = await people.packPicked(work!)
  await people.handOver(work!)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  const done = await people.until(orderId, (o) => !o.workflowOpen)
  expect(done).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 1_490, authorizedMinor: 1_490, owedMinor: 0 } })
})

it('sends what was added and claimed meanwhile, when what it waited with is given up', async () => {
  const [sku, more] = [await people.stocked({ 'store-mitte': 2 }), await people.stocked({ 'dc-01': 1 })]
  const orderId = await people.place({ lines: [{ sku, quantity: 2 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await picked(work!, { lines: [{ lineId: '1', picked: 1, rejected: 1, reason: 'damaged' }] })
  await people.until(orderId, (o) => o.waitingOn?.what === 'stock' || o.lines[0]!.backordered === 1, 'the wait for stock')
  const asked = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'addLine', lineId: '2', sku: more, quantity: 1, unitPriceMinor: 700, discountMinor: 0, taxMinor: 0 }] })
  expect(await people.support('POST', `/v1/orders/${orderId}/changes/${asked.body.changeId}/confirm`, {})).toMatchObject({ status: 200 })
  const given = await people.until(orderId, (o) => o.fulfillments.some((f) => f.nodeId === 'dc-01'), 'the work for what was added')
  expect(given.lines).toMatchObject([{ cancelled: 1 }, { lineId: '2', allocated: 1 }])
  const first = await people.packPicked(work!)
  await people.handOver(work!)
  await people.carrierSays(first.body.packages[0]!.trackingNumber!, 'delivered')
  await people.carrierSays(await sendOut(partAt(given, 'dc-01')), 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 2_190, owedMinor: 0 } })
})

it('lets nothing more leave when the bank does not hold the rest, until it does', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 1 })]
  const orderId = await people.place({ lines: [{ sku: here, quantity: 1 }, { sku: there, quantity: 1 }] })
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 2)
  await fetch(`${system.payments.url}/control/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ next: 1, kind: 'decline', operation: 'authorize' }) })
  const first = await sendOut(partAt(sourced, 'store-mitte'))
  const queue = (): Promise<{ body: { items: { exceptionId: string; orderId: string }[] } }> => people.operations('GET', '/v1/exceptions?kind=payment.remainder_not_held')
  await people.until(orderId, (o) => o.payments.some((p) => p.status === 'declined'))
  const later = partAt(sourced, 'store-kreuzberg')
  await people.pickAll(later)
  const packed = await people.packAll(later)
  expect(await people.handOver(later)).toMatchObject({ status: 409, body: { code: 'order.not_authorized' } })
  const mine = async (): Promise<{ exceptionId: string } | undefined> => (await queue()).body.items.find((e) => e.orderId === orderId)
  const { exceptionId } = (await mine())!
  expect(await people.operations('POST', `/v1/exceptions/${exceptionId}/retry`, {})).toMatchObject({ status: 200 })
  await people.until(orderId, (o) => o.money.authorizedMinor === o.totalMinor)
  expect(await people.handOver(later)).toMatchObject({ status: 200 })
  await people.carrierSays(first, 'delivered')
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', paymentStatus: 'captured' })
  expect(await mine()).toBeUndefined()
})

it('comes to its end when what the bank does not hold cannot be had either', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 1 })]
  const orderId = await people.place({ lines: [{ sku: here, quantity: 1 }, { sku: there, quantity: 1 }] })
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 2)
  await fetch(`${system.payments.url}/control/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ next: 1, kind: 'decline', operation: 'authorize' }) })
  const first = await sendOut(partAt(sourced, 'store-mitte'))
  await people.until(orderId, (o) => o.payments.some((p) => p.status === 'declined'))
  await picked(partAt(sourced, 'store-kreuzberg'), { lines: [{ lineId: '2', picked: 0, rejected: 1, reason: 'damaged' }] })
  await people.until(orderId, (o) => o.lines[1]!.cancelled === 1, 'the rest to be given up')
  await people.carrierSays(first, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1_490, owedMinor: 0 } })
  expect((await people.operations<{ items: { orderId: string }[] }>('GET', '/v1/exceptions?kind=payment.remainder_not_held')).body.items.filter((e) => e.orderId === orderId)).toEqual([])
})

it('cancels all parts of an order while they are in the building', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 1 })]
  const orderId = await people.place({ lines: [{ sku: here, quantity: 1 }, { sku: there, quantity: 1 }] })
  await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })).toMatchObject({ status: 200 })
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', fulfillments: [{ status: 'cancelled' }, { status: 'cancelled' }] })
})
