/** The money for goods that stand packed is not held, and will not be while nobody asks the customer: what support does about it. */
import { randomUUID } from 'node:crypto'
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { intentsOf, parcels, steer } from '../support/outside'
import { eventually, peopleOf, type Answer, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { payment: { deadline: 'PT6S' }, sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT30S' }, care: { retryEvery: 'PT1H' } } })
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

const give = <Body = OrderView>(orderId: string, method: object, key: string = randomUUID()): Promise<Answer<Body>> =>
  people.support<Body>('POST', `/v1/orders/${orderId}/payment-methods`, method, { 'idempotency-key': key })
const card = (paymentMethod: string): object => ({ provider: 'stripe', paymentMethod })
const captured = async (orderId: string): Promise<number[]> => (await people.order(orderId)).payments.filter((p) => p.capturedMinor > 0).map((p) => p.capturedMinor)

/** Both parts arrive, and the order comes to its end. */
async function arrives({ orderId, gone, packed: work, label }: Stuck): Promise<OrderView> {
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  for (const number of [gone, label]) await people.carrierSays(number, 'delivered')
  return people.until(orderId, (o) => !o.workflowOpen)
}

describe('she gives another way of paying', () => {
  it('a card: held before the goods leave, taken when they do; the case settles itself, and a refund goes back to the card it was taken from', async () => {
    const order = await stuck()
    const { orderId } = order
    const answer = await give(orderId, card('pm_card_visa'), 'another-card')
    expect(answer).toMatchObject({ status: 200, body: { money: { authorizedMinor: 3_490 }, payments: [{ status: 'captured' }, { status: 'declined' }, { tenderId: 't1', status: 'authorized', amountMinor: 1_000 }] } })
    expect((await give(orderId, card('pm_card_visa'), 'another-card')).headers.get('idempotent-replayed')).toBe('true')
    expect(await give(orderId, card('pm_card_visa'))).toMatchObject({ status: 409, body: { code: 'order.nothing_to_hold' } })
    await eventually(() => openCase(orderId), (found) => found === undefined, { what: 'the case to settle itself' })
    expect(await arrives(order)).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 3_490, owedMinor: 0 } })
    expect(await captured(orderId)).toEqual([2_490, 1_000])
    expect(await people.told(orderId)).toEqual(expect.arrayContaining(['payment.method_given']))
    await people.claim(orderId, { lines: [{ lineId: '2', quantity: 1 }], remedy: 'refund' })
    const refunded = await people.until(orderId, (o) => o.money.refundedMinor === 1_000, 'the refund')
    expect(refunded.payments.map((p) => p.refundedMinor)).toEqual([0, 0, 1_000])
    expect(await give(orderId, card('pm_card_visa'))).toMatchObject({ status: 409, body: { code: 'order.closed' } })
  })

  it('a card that is declined changes nothing, nor one that cannot be held; the next may be better', async () => {
    const order = await stuck()
    const { orderId } = order
    expect(await give(orderId, card('pm_card_chargeDeclinedInsufficientFunds'))).toMatchObject({ status: 409, body: { code: 'payment.declined', tenderId: 't1', declineCode: 'insufficient_funds' } })
    expect(await give(orderId, card('pm_usBankAccount_success'))).toMatchObject({ status: 409, body: { code: 'payment.declined' } })
    expect(await people.handOver(order.packed)).toMatchObject({ status: 409, body: { code: 'order.not_authorized' } })
    expect(await openCase(orderId)).toBeDefined()
    expect(await give(orderId, { ...card('pm_card_visa'), tenderId: 't9' })).toMatchObject({ status: 409, body: { code: 'order.nothing_to_hold', tenderId: 't9' } })
    expect(await give(orderId, { ...card('pm_card_visa'), tenderId: 't1' })).toMatchObject({ status: 200 })
    expect(await arrives(order)).toMatchObject({ status: 'completed', money: { capturedMinor: 3_490 } })
  })

  it('a card whose bank asks for her: the answer says what she needs, and once she has said yes there the goods go on by themselves', async () => {
    const order = await stuck()
    const { orderId } = order
    const asked = await give(orderId, card('pm_card_threeDSecureRequired'))
    expect(asked).toMatchObject({ status: 200, body: { payments: [{}, {}, { status: 'action_required', action: { clientSecret: expect.any(String) as string } }] } })
    expect(await people.handOver(order.packed)).toMatchObject({ status: 409, body: { code: 'order.not_authorized' } })
    await steer(system.payments.url, `/control/intents/${asked.body.payments[2]!.reference}`, { status: 'requires_capture' })
    await eventually(() => openCase(orderId), (found) => found === undefined, { what: 'the case to settle itself' })
    expect(await arrives(order)).toMatchObject({ status: 'completed', money: { capturedMinor: 3_490 } })
  })

  it('a card whose bank says no after the parcel was cancelled, while nobody could be told that it is not needed: the order comes to its end', async () => {
    const order = await stuck()
    const { orderId } = order
    const asked = await give(orderId, card('pm_card_threeDSecureRequired'))
    await steer(system.payments.url, '/control/faults', { next: 100, kind: 'error_500', operation: 'void' })
    expect(await cancel(orderId, [{ lineId: '2', quantity: 1 }])).toMatchObject({ status: 200 })
    await steer(system.payments.url, `/control/intents/${asked.body.payments[2]!.reference}`, { status: 'requires_payment_method' })
    await people.until(orderId, (o) => o.payments[2]!.status === 'declined', 'the bank to say no')
    await steer(system.payments.url, '/control/faults', {}, 'DELETE')
    await people.carrierSays(order.gone, 'delivered')
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 2_490, owedMinor: 0 } })
  })

  it('a card in place of one whose bank still waits for her: that is let go', async () => {
    const order = await stuck()
    const { orderId } = order
    const first = await give(orderId, card('pm_card_threeDSecureRequired'))
    const second = await give(orderId, card('pm_card_mastercard'))
    expect(second).toMatchObject({ status: 200, body: { money: { authorizedMinor: 3_490 } } })
    expect(await arrives(order)).toMatchObject({ status: 'completed', money: { capturedMinor: 3_490 } })
    expect((await intentsOf(system, orderId)).find((i) => i.id === first.body.payments[2]!.reference)).toMatchObject({ status: 'canceled', authorizedMinor: 0 })
  })

  it('a gift card, where it has enough on it', async () => {
    const order = await stuck()
    const { orderId } = order
    const issue = async (amountMinor: number): Promise<object> => ({ provider: 'gift_card', paymentMethod: (await people.support<{ code: string }>('POST', '/v1/gift-cards', { currency: 'EUR', amountMinor, paidElsewhere: true, reason: 'sold at the till' })).body.code })
    expect(await give(orderId, { provider: 'gift_card', paymentMethod: 'NOBODY-HAS-THIS' })).toMatchObject({ status: 400, body: { code: 'tender.unknown' } })
    expect(await give(orderId, { provider: 'store_credit' })).toMatchObject({ status: 400, body: { code: 'tender.unknown' } })
    expect(await give(orderId, await issue(999))).toMatchObject({ status: 409, body: { code: 'payment.declined' } })
    expect(await give(orderId, await issue(1_500))).toMatchObject({ status: 200, body: { money: { authorizedMinor: 3_490 } } })
    expect(await arrives(order)).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 3_490, owedMinor: 0 } })
    expect((await intentsOf(system, orderId)).reduce((sum, i) => sum + i.capturedMinor, 0)).toBe(2_490)
  })

  it('what she takes for more in exchange afterwards is paid by it too', async () => {
    const order = await stuck()
    const { orderId, skus } = order
    await give(orderId, card('pm_card_visa'))
    await arrives(order)
    const lines = [{ lineId: '2', quantity: 1, sku: skus[0], unitPriceMinor: 1_700, reason: 'the other kind' }]
    await people.operations('POST', '/v1/inventory/adjustments', { sku: skus[0], nodeId: 'store-mitte', delta: 1, reason: 'found' })
    expect(await people.support('POST', `/v1/orders/${orderId}/replacements`, { lines, collectOld: 'none', send: 'now' })).toMatchObject({ status: 201 })
    const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 3, 'the work for the new goods')
    await people.carrierSays(await sent(fulfillments.at(-1)!), 'delivered')
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ money: { capturedMinor: 4_190 } })
  })

  it('is refused where nothing is missing, and before the bank has said anything about the first payment', async () => {
    const sku = await people.stocked({ 'store-mitte': 2 })
    const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
    await people.until(orderId, (o) => o.fulfillments.length === 1)
    expect(await give(orderId, card('pm_card_visa'))).toMatchObject({ status: 409, body: { code: 'order.nothing_to_hold' } })
    await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
    expect(await give(orderId, card('pm_card_visa'))).toMatchObject({ status: 409, body: { code: 'order.already_cancelled' } })
    expect(await give(orderId, { provider: 'cash' })).toMatchObject({ status: 400 })
    const waits = await people.place({ paymentMethod: 'pm_card_threeDSecureRequired', lines: [{ sku, quantity: 1 }] })
    await people.until(waits, (o) => o.payments[0]!.status === 'action_required')
    expect(await give(waits, card('pm_card_visa'))).toMatchObject({ status: 409, body: { code: 'order.payment_under_way', state: 'action_required' } })
    await people.support('POST', `/v1/orders/${waits}/cancel`, { reason: 'enough' })
    await people.until(waits, (o) => !o.workflowOpen)
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
  const sold = async (): Promise<object[]> => {
    const bought = await system.db('carrier_operations').where({ fulfillment_id: work!.fulfillmentId, kind: 'label' }).pluck<string[]>('operation_id')
    return (await parcels(system)).filter((p) => bought.includes(p.reference))
  }
  await eventually(sold, (found) => found.length === 1, { what: 'the carrier to have sold the label it does not tell of' })
  expect(await cancel(orderId, [{ lineId: work!.lines[0]!.lineId, quantity: 1 }])).toMatchObject({ status: 200 })
  expect(await packing).toMatchObject({ status: 409, body: { code: 'fulfillment.state', state: 'cancelled' } })
  await people.carrierSays(await sent(staying!), 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1_490, owedMinor: 0 } })
  expect(await sold()).toMatchObject([{ voided: true }])
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
