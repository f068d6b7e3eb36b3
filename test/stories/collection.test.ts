/** Goods that customers fetch: put aside at the counter, sent there by another store, carried out at the till; or left there until their time is over. */
import { rows } from '../../db/connection'
import type { OrderView } from '../../db/views/orders'
import { eventually, orderOf, peopleOf, type FulfillmentWork, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { retryEvery: 'PT0.3S', autoCancelAfter: 'PT3S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const pickup = { method: 'pickup', nodeId: 'store-mitte' }
const gathered = { method: 'ship_to_store', nodeId: 'store-mitte' }
const partOf = (order: OrderView, status: string): FulfillmentWork => order.fulfillments.find((f) => f.status === status)!
const sourced = async (orderId: string): Promise<FulfillmentWork> => partOf(await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released')), 'released')
const ready = async (work: FulfillmentWork): Promise<void> => {
  expect(await people.work(work, 'ready-for-pickup', {})).toMatchObject({ status: 200, body: { status: 'ready', allowedActions: ['collect'] } })
}
const levels = async (sku: string): Promise<object[]> =>
  rows(system.db, 'SELECT node_id AS "nodeId", on_hand AS "onHand", allocated FROM stock_levels WHERE sku = ? ORDER BY node_id', [sku])

it('is put aside at the counter, fetched with the code, and paid for with that', async () => {
  const sku = await people.stocked({ 'store-mitte': 1, 'dc-01': 9 })
  const orderId = await people.place({ delivery: pickup, lines: [{ sku, quantity: 1 }] })
  const work = await sourced(orderId)
  expect(work).toMatchObject({ nodeId: 'store-mitte', method: 'pickup' })
  expect(await people.work(work, 'ready-for-pickup', {})).toMatchObject({ status: 409, body: { code: 'fulfillment.not_all_picked' } })
  expect(await people.pickAll(work)).toMatchObject({ body: { allowedActions: ['assign', 'ready-for-pickup'] } })
  expect(await people.packAll(work)).toMatchObject({ status: 409, body: { code: 'fulfillment.state' } })
  await ready(work)
  const waiting = await people.until(orderId, (o) => o.waitingOn?.what === 'collection')
  expect(waiting.pickupCode).toMatch(/^\d{6}$/)
  expect((await people.operations<OrderView>('GET', `/v1/orders/${orderId}`)).body.pickupCode).toBeUndefined()
  const wrong = waiting.pickupCode === '000000' ? '000001' : '000000'
  expect(await people.work(work, 'collect', { proof: { name: 'Customer', pickupCode: wrong } })).toMatchObject({ status: 409, body: { code: 'collection.not_proven', triesLeft: 4 } })
  expect(await people.work(work, 'collect', { proof: { name: 'Customer', pickupCode: waiting.pickupCode } })).toMatchObject({ status: 200, body: { status: 'collected', pickup: { collectedBy: 'code' } } })
  expect(await people.work(work, 'collect', { proof: { name: 'Customer', pickupCode: waiting.pickupCode } })).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'collected' } })
  const done = await people.until(orderId, (o) => !o.workflowOpen)
  expect(done).toMatchObject({ status: 'completed', paymentStatus: 'captured', lines: [{ shipped: 1, delivered: 1 }], money: { capturedMinor: 1_490 } })
  expect(done.pickupCode).toBeUndefined()
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['fulfillment.ready', 'fulfillment.collected', 'payment.captured', 'order.completed']))
  expect(await rows(system.db, 'SELECT proof FROM collection_proofs WHERE fulfillment_id = ?', [work.fulfillmentId])).toHaveLength(1)
})

it('counts only an identity document after five wrong codes', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ delivery: pickup, lines: [{ sku, quantity: 1 }] })
  const work = await sourced(orderId)
  await people.pickAll(work)
  await ready(work)
  const { pickupCode } = await people.until(orderId, (o) => o.pickupCode !== undefined)
  const give = (proof: object): Promise<{ status: number; body: object }> => people.work(work, 'collect', { proof: { name: 'Customer', ...proof } })
  for (const triesLeft of [4, 3, 2, 1, 0, 0]) expect(await give({ pickupCode: 'x' })).toMatchObject({ status: 409, body: { triesLeft } })
  expect(await give({ pickupCode })).toMatchObject({ status: 409, body: { code: 'collection.not_proven', triesLeft: 0 } })
  expect(await give({ idChecked: true })).toMatchObject({ status: 200, body: { pickup: { collectedBy: 'identity document' } } })
  await people.until(orderId, (o) => !o.workflowOpen)
})

describe('when nobody comes', () => {
  let hasty: System
  let there: People
  beforeAll(async () => {
    hasty = await startSystem({ policies: { store_work: { pickupWindow: 'PT1.5S', pickupReminder: 'PT0.8S' } } })
    there = peopleOf(hasty)
  })
  afterAll(async () => {
    await expectInvariants(hasty)
    await hasty.stop()
  })

  it('reminds the customer, then puts the goods back, cancels the order and lets the money go', async () => {
    const sku = await there.stocked({ 'store-mitte': 1 })
    const orderId = await there.place({ delivery: pickup, lines: [{ sku, quantity: 1 }] })
    const work = partOf(await there.until(orderId, (o) => o.fulfillments.length > 0), 'released')
    await there.pickAll(work)
    await there.work(work, 'ready-for-pickup', {})
    const closed = await there.until(orderId, (o) => !o.workflowOpen)
    expect(closed).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', fulfillments: [{ status: 'expired' }], lines: [{ cancelled: 1, allocated: 0 }] })
    const told = await there.told(orderId)
    expect(told.filter((t) => t.startsWith('fulfillment.'))).toEqual(['fulfillment.released', 'fulfillment.picked', 'fulfillment.ready', 'fulfillment.pickup_reminded', 'fulfillment.expired'])
    expect(await rows(hasty.db, 'SELECT on_hand AS "onHand", allocated FROM stock_levels WHERE sku = ?', [sku])).toEqual([{ onHand: 1, allocated: 0 }])
  })
})

it('sends what the store does not have from elsewhere, takes it in there, and gives it to the customer', async () => {
  const sku = await people.stocked({ 'dc-01': 3 })
  const orderId = await people.place({ delivery: gathered, lines: [{ sku, quantity: 2 }] })
  const sent = await sourced(orderId)
  expect(sent).toMatchObject({ nodeId: 'dc-01', method: 'transfer' })
  await people.pickAll(sent)
  const packed = await people.packAll(sent)
  expect(await people.work(sent, 'receive', {}, 'store-mitte')).toMatchObject({ status: 409, body: { code: 'fulfillment.state' } })
  expect(await people.handOver(sent)).toMatchObject({ status: 200, body: { status: 'handed_over', toNodeId: 'store-mitte' } })
  expect(await levels(sku)).toEqual([{ nodeId: 'dc-01', onHand: 1, allocated: 0 }])
  expect(await people.order(orderId)).toMatchObject({ status: 'in_fulfillment', waitingOn: { what: 'transfer' }, lines: [{ allocated: 2, shipped: 0 }], money: { capturedMinor: 0 } })
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await eventually(() => people.order(orderId), (o) => o.shipments[0]?.status === 'delivered')
  expect(await people.work(sent, 'receive', {}, 'store-kreuzberg')).toMatchObject({ status: 404 })
  expect(await people.work(sent, 'receive', {}, 'store-mitte')).toMatchObject({ status: 200, body: { status: 'delivered' } })
  expect(await levels(sku)).toEqual([{ nodeId: 'dc-01', onHand: 1, allocated: 0 }, { nodeId: 'store-mitte', onHand: 2, allocated: 2 }])
  const here = partOf(await people.order(orderId), 'picked')
  expect(here).toMatchObject({ nodeId: 'store-mitte', method: 'pickup' })
  await ready(here)
  const { pickupCode } = await people.until(orderId, (o) => o.pickupCode !== undefined)
  await people.work(here, 'collect', { proof: { name: 'Customer', pickupCode } })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', paymentStatus: 'captured', lines: [{ shipped: 2, delivered: 2 }] })
  expect(await levels(sku)).toEqual([{ nodeId: 'dc-01', onHand: 1, allocated: 0 }, { nodeId: 'store-mitte', onHand: 0, allocated: 0 }])
})

it('looks elsewhere for what was missing in the parcel, and has operations look for that also after the customer has everything', async () => {
  const sku = await people.stocked({ 'dc-01': 2, 'store-kreuzberg': 1 })
  const orderId = await people.place({ delivery: gathered, lines: [{ sku, quantity: 2 }] })
  const sent = await sourced(orderId)
  await people.pickAll(sent)
  await people.packAll(sent)
  await people.handOver(sent)
  expect(await people.work(sent, 'receive', { lines: [{ lineId: '1', quantity: 3 }] }, 'store-mitte')).toMatchObject({ status: 409, body: { code: 'fulfillment.quantity' } })
  await people.work(sent, 'receive', { lines: [{ lineId: '1', quantity: 1 }] }, 'store-mitte')
  const again = await people.until(orderId, (o) => o.fulfillments.length === 3 && o.fulfillments.some((f) => f.status === 'released'), 'another node')
  expect(again.fulfillments.map((f) => [f.nodeId, f.method, f.status])).toContainEqual(['store-mitte', 'pickup', 'picked'])
  const rest = partOf(again, 'released')
  await people.pickAll(rest)
  await people.packAll(rest)
  await people.handOver(rest)
  await people.work(rest, 'receive', {}, 'store-mitte')
  const here = (await people.until(orderId, (o) => o.fulfillments.filter((f) => f.status === 'picked').length === 2, 'both parts')).fulfillments.filter((f) => f.status === 'picked')
  for (const part of here) await ready(part)
  const { pickupCode } = await people.until(orderId, (o) => o.pickupCode !== undefined)
  for (const part of here) await people.work(part, 'collect', { proof: { name: 'Customer', pickupCode } })
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'completed', lines: [{ delivered: 2 }] })
  const looked = async (): Promise<{ exceptionId: string }[]> => (await people.operations<{ items: { exceptionId: string }[] }>('GET', `/v1/exceptions?orderId=${orderId}`)).body.items
  const open = await looked()
  expect(open).toMatchObject([{ kind: 'transfer.short', subject: sent.fulfillmentId, owner: 'operations', status: 'open' }])
  expect((await people.operations('POST', `/v1/exceptions/${open[0]!.exceptionId}/resolve`, { resolution: 'claimed from the carrier' })).status).toBe(200)
  expect(await looked()).toEqual([])
})

it('keeps what was on its way to a cancelled order as stock of the store that receives it', async () => {
  const sku = await people.stocked({ 'dc-01': 1 })
  const orderId = await people.place({ delivery: gathered, lines: [{ sku, quantity: 1 }] })
  const sent = await sourced(orderId)
  await people.pickAll(sent)
  await people.packAll(sent)
  await people.handOver(sent)
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })).toMatchObject({ status: 200, body: { status: 'cancelled' } })
  await people.until(orderId, (o) => !o.workflowOpen)
  expect(await people.work(sent, 'receive', {}, 'store-mitte')).toMatchObject({ status: 200, body: { status: 'delivered' } })
  expect(await levels(sku)).toEqual([{ nodeId: 'dc-01', onHand: 0, allocated: 0 }, { nodeId: 'store-mitte', onHand: 1, allocated: 0 }])
})

it('has a store that finds its shelf empty filled from elsewhere', async () => {
  const sku = await people.stocked({ 'store-mitte': 1, 'dc-01': 1 })
  const orderId = await people.place({ delivery: pickup, lines: [{ sku, quantity: 1 }] })
  const work = await sourced(orderId)
  await people.work(work, 'pick', { lines: [{ lineId: '1', picked: 0, rejected: 1, reason: 'not_in_stock' }] })
  const moved = await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(partOf(moved, 'released')).toMatchObject({ nodeId: 'dc-01', method: 'transfer' })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'end of the story' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('is carried out of the store at once, and paid for', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ delivery: { method: 'carry_out', nodeId: 'store-mitte' }, lines: [{ sku, quantity: 1 }] })
  const done = await people.until(orderId, (o) => !o.workflowOpen)
  expect(done).toMatchObject({ status: 'completed', paymentStatus: 'captured', fulfillments: [{ nodeId: 'store-mitte', method: 'carry_out', status: 'collected' }] })
  expect(await levels(sku)).toEqual([{ nodeId: 'store-mitte', onHand: 0, allocated: 0 }])
})

it('is refused where the store does not offer it, or none is named', async () => {
  const order = orderOf({ delivery: { method: 'pickup' } })
  expect(await people.shop('POST', '/v1/orders', order)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/delivery/nodeId' }] } })
  expect(await people.shop('POST', '/v1/orders', { ...order, delivery: { method: 'pickup', nodeId: 'dc-01' } })).toMatchObject({ status: 400, body: { code: 'delivery.method_not_offered' } })
})
