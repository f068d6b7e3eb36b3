/** The money for goods that stand packed is not held, and will not be while nobody asks the customer: what support does about it. */
import { expectInvariants } from '../support/invariants'
import { intentsOf, parcels, steer } from '../support/outside'
import { eventually, peopleOf, type Answer, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { payment: { deadline: 'PT0.5S' }, sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT30S' }, care: { retryEvery: 'PT1H' } } })
  people = peopleOf(system)
})
afterEach(async () => {
  await steer(system.carriers.url, '/control/faults', {}, 'DELETE')
  await expectInvariants(system)
})
afterAll(() => system.stop())

interface Stuck {
  orderId: string
  skus: string[]
  gone: string
  packed: FulfillmentWork
  label: string
}

/** A card that always asks its holder, charged for the first part; the second stands packed, and the bank does not hold its money while she is away. */
async function stuck(units = 1): Promise<Stuck> {
  const skus = [await people.stocked({ 'store-mitte': 2 }), await people.stocked({ 'store-kreuzberg': units })]
  const orderId = await people.place({ paymentMethod: 'pm_card_threeDSecureRequired', lines: [{ sku: skus[0]!, quantity: 2 }, { sku: skus[1]!, quantity: units }] })
  const [asked] = (await people.until(orderId, (o) => o.payments[0]!.status === 'action_required')).payments
  await steer(system.payments.url, `/control/intents/${asked!.reference}`, { status: 'requires_capture' })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const at = (nodeId: string): FulfillmentWork => fulfillments.find((f) => f.nodeId === nodeId)!
  const [gone, label] = [await sent(at('store-mitte')), await packed(at('store-kreuzberg'))]
  await people.until(orderId, (o) => o.payments.some((p) => p.status === 'declined'), 'the bank to say no')
  expect(await people.handOver(at('store-kreuzberg'))).toMatchObject({ status: 409, body: { code: 'order.not_authorized' } })
  await eventually(() => openCase(orderId), (found) => found !== undefined, { what: 'the case' })
  return { orderId, skus, gone, packed: at('store-kreuzberg'), label }
}

async function packed(work: FulfillmentWork): Promise<string> {
  await people.pickAll(work)
  return (await people.packAll(work)).body.packages[0]!.trackingNumber!
}
async function sent(work: FulfillmentWork): Promise<string> {
  const trackingNumber = await packed(work)
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  return trackingNumber
}
const openCase = async (orderId: string): Promise<{ exceptionId: string } | undefined> =>
  (await people.support<{ items: { exceptionId: string; orderId: string }[] }>('GET', '/v1/exceptions?kind=payment.remainder_not_held&limit=200')).body.items.find((e) => e.orderId === orderId)
const cancel = (orderId: string, lines: object): Promise<Answer> => people.support('POST', `/v1/orders/${orderId}/cancel`, { lines, reason: 'not paid' })
const shelf = async (sku: string): Promise<object[]> => (await people.operations<{ items: object[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items
const isVoided = async (trackingNumber: string): Promise<boolean | undefined> => (await parcels(system)).find((p) => p.trackingNumber === trackingNumber)?.voided

describe('she does not want it any more', () => {
  it('the parcel is cancelled: its labels go back to the carrier, its goods to the shelf, and the order comes to its end with what had left', async () => {
    const { orderId, skus, gone, packed: work, label } = await stuck()
    expect(await people.support('POST', `/v1/orders/${orderId}/cancel?preview=true`, { lines: [{ lineId: '2', quantity: 1 }], reason: 'not paid' })).toMatchObject({
      status: 200, body: { whole: false, goods: [{ lineId: '2', state: 'packed', quantity: 1, together: 1 }], money: { cancelledMinor: 1_000, letGoMinor: 1_000, refundMinor: 0 } },
    })
    const answer = await cancel(orderId, [{ lineId: '2', quantity: 1 }])
    expect(answer).toMatchObject({ status: 200, body: { lines: [{ cancelled: 0, shipped: 2 }, { cancelled: 1, allocated: 0 }] } })
    expect(await shelf(skus[1]!)).toMatchObject([{ allocated: 0, available: 1, onHand: 1 }])
    expect(await people.handOver(work)).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'cancelled' } })
    await people.carrierSays(gone, 'delivered')
    const closed = await people.until(orderId, (o) => !o.workflowOpen)
    expect(closed).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 2_490, owedMinor: 0 } })
    expect(closed.fulfillments.map((f) => f.status).sort()).toEqual(['cancelled', 'delivered'])
    expect(await isVoided(label)).toBe(true)
    expect(await openCase(orderId)).toBeUndefined()
    expect((await intentsOf(system, orderId)).every((i) => i.status !== 'requires_capture')).toBe(true)
    const told = await people.support<{ items: { type: string; data: object }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)
    expect(told.body.items.find((e) => e.type === 'fulfillment.reduced')!.data).toMatchObject({ fulfillmentId: work.fulfillmentId, status: 'cancelled', putBack: [{ lineId: '2', sku: skus[1], quantity: 1 }] })
  })

  it('nobody opens the box for a part of what is in it', async () => {
    const { orderId, gone, packed: work } = await stuck(2)
    expect(await cancel(orderId, [{ lineId: '2', quantity: 1 }])).toMatchObject({
      status: 409, body: { code: 'order.units_not_cancellable', lines: [{ lineId: '2', asked: 1, cancellable: 0, elsewhere: [{ state: 'packed', quantity: 2, together: 2, fulfillmentId: work.fulfillmentId }] }] },
    })
    expect(await cancel(orderId, [{ lineId: '2', quantity: 2 }])).toMatchObject({ status: 200 })
    await people.carrierSays(gone, 'delivered')
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { owedMinor: 0 } })
  })
})

it('a parcel is cancelled while its labels are being bought: who packs hears it, and what the carrier sold all the same is given back', async () => {
  const skus = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 1 })]
  const orderId = await people.place({ lines: skus.map((sku) => ({ sku, quantity: 1 })) })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const [staying, work] = fulfillments
  await people.pickAll(work!)
  await steer(system.carriers.url, '/control/faults', { next: 1, kind: 'timeout_after_effect', operation: 'label', delayMs: 3_000 })
  const packing = people.packAll(work!)
  await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'packed'), 'the box')
  expect(await cancel(orderId, [{ lineId: work!.lines[0]!.lineId, quantity: 1 }])).toMatchObject({ status: 200 })
  expect(await packing).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'cancelled' } })
  await people.carrierSays(await sent(staying!), 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1_490, owedMinor: 0 } })
  const bought = await system.db('carrier_operations').where({ fulfillment_id: work!.fulfillmentId, kind: 'label' }).pluck<string[]>('operation_id')
  expect((await parcels(system)).filter((p) => bought.includes(p.reference))).toMatchObject([{ voided: true }])
})

it('a parcel that waits for one of our drivers is nobody’s to bring once it is cancelled', async () => {
  await people.operations('PUT', '/v1/drivers/driver-mark', { name: 'Driver Mark', homeNodes: ['store-mitte'], shift: {}, vehicle: { kind: 'van', maxParcels: 60, maxWeightGrams: 400_000 } })
  const skus = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 1 })]
  const orderId = await people.place({ delivery: { method: 'delivery', service: 'own_driver' }, lines: skus.map((sku) => ({ sku, quantity: 1 })) })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length > 0)
  const work = fulfillments.find((f) => f.nodeId === 'store-mitte')!
  await packed(work)
  const waiting = async (): Promise<string[]> => (await people.store('store-mitte')<{ items: { orderId: string }[] }>('GET', '/v1/nodes/store-mitte/dispatch')).body.items.map((i) => i.orderId)
  await eventually(waiting, (found) => found.includes(orderId), { what: 'the parcel to wait for a driver' })
  expect(await cancel(orderId, [{ lineId: work.lines[0]!.lineId, quantity: 1 }])).toMatchObject({ status: 200 })
  expect(await waiting()).not.toContain(orderId)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled' })
})
