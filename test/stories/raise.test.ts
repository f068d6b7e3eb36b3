/** Customers want more after the click: the stock is held while they decide, the difference while the bank does, and only then the order is another. */
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { eventually, nextOrderNumber, orderOf, peopleOf, type Answer, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT30S' } } })
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

interface Proposed {
  changeId: string
  version: number
  code: string
  [field: string]: unknown
}
const propose = (orderId: string, operations: object[], more = {}): Promise<Answer<Proposed>> => people.support<Proposed>('POST', `/v1/orders/${orderId}/changes`, { operations, ...more })
const confirm = (orderId: string, changeId: string): Promise<Answer<OrderView>> => people.support<OrderView>('POST', `/v1/orders/${orderId}/changes/${changeId}/confirm`, {})
const level = async (sku: string): Promise<{ allocated: number; reserved: number; available: number }[]> =>
  (await people.operations<{ items: { allocated: number; reserved: number; available: number }[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items
const books = async (orderId: string): Promise<{ status: string; authorizedMinor: number; capturedMinor: number }[]> => {
  const answer = await fetch(`${system.payments.url}/control/books`)
  return ((await answer.json()) as { intents: { orderRef: string; status: string; authorizedMinor: number; capturedMinor: number }[] }).intents.filter((i) => i.orderRef === orderId)
}
const bank = (fault: object): Promise<unknown> => fetch(`${system.payments.url}/control/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ next: 1, operation: 'authorize', ...fault }) })
async function released(units: Record<string, number>, quantity: number, works = 1): Promise<{ orderId: string; sku: string; fulfillments: FulfillmentWork[] }> {
  const sku = await people.stocked(units)
  const orderId = await people.place({ lines: [{ sku, quantity, unitPriceMinor: 1000 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === works)
  return { orderId, sku, fulfillments }
}
async function sendOff(orderId: string): Promise<OrderView> {
  for (const work of (await people.order(orderId)).fulfillments.filter((f) => ['released', 'picking', 'picked'].includes(f.status))) {
    const open = work.lines.filter((l) => l.quantity > l.picked)
    if (open.length) await people.work(work, 'pick', { lines: open.map((l) => ({ lineId: l.lineId, picked: l.quantity - l.picked })) })
    const packed = await people.packPicked(work)
    await people.until(orderId, (o) => o.money.authorizedMinor >= o.money.owedMinor, 'the rest to be held')
    expect(await people.handOver(work)).toMatchObject({ status: 200 })
    await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  }
  return people.until(orderId, (o) => !o.workflowOpen)
}

it('adds units of a line to the work that is under way: shown to the cent, held while it waits, charged before it is done', async () => {
  const { orderId, sku, fulfillments } = await released({ 'store-mitte': 5 }, 2)
  await people.work(fulfillments[0]!, 'pick', { lines: [{ lineId: '1', picked: 2 }] })
  const asked = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 4 }])
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 2000, chargeMinor: 2000, letGoMinor: 0, refundMinor: 0 } })
  expect(await level(sku)).toMatchObject([{ allocated: 2, reserved: 2, available: 1 }])
  expect((await people.order(orderId)).lines[0]).toMatchObject({ quantity: 2, allocated: 2 })
  const done = await confirm(orderId, asked.body.changeId)
  expect(done).toMatchObject({ status: 200, body: { totalMinor: 4490, lines: [{ quantity: 4, allocated: 4 }], money: { authorizedMinor: 4490, owedMinor: 4490 }, fulfillments: [{ status: 'picking', lines: [{ quantity: 4, picked: 2 }] }] } })
  expect(await level(sku)).toMatchObject([{ allocated: 4, reserved: 0, available: 1 }])
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['order.changed', 'fulfillment.extended']))
  const version = await people.support<{ document: object }>('GET', `/v1/orders/${orderId}/versions/2`)
  expect(version.body.document).toMatchObject({ lines: [{ lineId: '1', quantity: 4 }], totalMinor: 4490 })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 4490, owedMinor: 0 } })
  expect((await books(orderId)).map((i) => i.capturedMinor)).toEqual([2490, 2000])
})

it('adds another line with its price, discount and tax, from another place where it must be', async () => {
  const { orderId } = await released({ 'store-mitte': 2 }, 1)
  const other = await people.stocked({ 'store-kreuzberg': 3 })
  const asked = await propose(orderId, [{ op: 'addLine', lineId: 'socks', sku: other, quantity: 3, unitPriceMinor: 500, discountMinor: 100, taxMinor: 224 }])
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 1400, chargeMinor: 1400 } })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { totalMinor: 2890, lines: [{ lineId: '1' }, { lineId: 'socks', quantity: 3, allocated: 3 }] } })
  await people.until(orderId, (o) => o.fulfillments.length === 2)
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 2890, owedMinor: 0 } })
})

it('leaves the order as it was when the bank says no to the difference, and frees what was held', async () => {
  const { orderId, sku } = await released({ 'store-mitte': 3 }, 1)
  const asked = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 3 }])
  await bank({ kind: 'decline' })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 409, body: { code: 'payment.declined' } })
  expect(await people.order(orderId)).toMatchObject({ paymentStatus: 'authorized', totalMinor: 1490, lines: [{ quantity: 1, allocated: 1 }], money: { authorizedMinor: 1490 } })
  expect(await level(sku)).toMatchObject([{ allocated: 1, reserved: 0, available: 2 }])
  expect(await people.told(orderId)).toContain('order.change_failed')
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 409, body: { code: 'order.change_ended', state: 'failed' } })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 1490 } })
})

it('holds the difference once when the answer of the bank is lost', async () => {
  const { orderId } = await released({ 'store-mitte': 3 }, 1)
  const asked = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])
  await bank({ kind: 'timeout_after_effect' })
  await confirm(orderId, asked.body.changeId)
  await people.until(orderId, (o) => o.lines[0]!.quantity === 2)
  expect((await books(orderId)).filter((i) => i.authorizedMinor === 1000)).toHaveLength(1)
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 2490 } })
})

it('swaps a line for another of the same price without asking the bank', async () => {
  const { orderId } = await released({ 'store-mitte': 1 }, 1)
  const other = await people.stocked({ 'store-mitte': 1 })
  const asked = await propose(orderId, [{ op: 'removeLine', lineId: '1' }, { op: 'addLine', lineId: '2', sku: other, quantity: 1, unitPriceMinor: 1000 }])
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 0, chargeMinor: 0, letGoMinor: 0 } })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { lines: [{ cancelled: 1 }, { quantity: 1, allocated: 1 }], money: { owedMinor: 1490, authorizedMinor: 1490 } } })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 1490 } })
  expect(await books(orderId)).toHaveLength(1)
})

it('undone, costs what it did before; and asked for again, it is charged again', async () => {
  const { orderId } = await released({ 'store-mitte': 4 }, 2)
  const up = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 4 }])
  await confirm(orderId, up.body.changeId)
  const down = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])
  expect(down).toMatchObject({ status: 201, body: { deltaMinor: -2000, letGoMinor: 2000, chargeMinor: 0 } })
  expect(await confirm(orderId, down.body.changeId)).toMatchObject({ status: 200, body: { money: { owedMinor: 2490 } } })
  const again = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 3 }])
  expect(again).toMatchObject({ status: 201, body: { deltaMinor: 1000, chargeMinor: 1000 } })
  expect(await confirm(orderId, again.body.changeId)).toMatchObject({ status: 200, body: { money: { owedMinor: 3490 } } })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 3490, owedMinor: 0 } })
  expect((await books(orderId)).filter((i) => i.status === 'requires_capture')).toEqual([])
})

it('refuses what is not there, what has left, what is unknown, and what nobody could charge; an expired change holds nothing', async () => {
  const { orderId, sku, fulfillments } = await released({ 'store-mitte': 2 }, 1)
  expect(await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 9 }])).toMatchObject({ status: 409, body: { code: 'stock.short', short: [{ sku, wanted: 8, available: 1 }] } })
  expect(await propose(orderId, [{ op: 'addLine', lineId: '1', sku, quantity: 1, unitPriceMinor: 1 }])).toMatchObject({ status: 400, body: { code: 'order.lines_repeated' } })
  expect(await propose(orderId, [{ op: 'addLine', lineId: '2', sku: 'NOBODY-HAS-IT', quantity: 1, unitPriceMinor: 1 }])).toMatchObject({ status: 400, body: { code: 'sku.unknown' } })
  const held = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])
  expect(await level(sku)).toMatchObject([{ reserved: 1, available: 0 }])
  await system.db('order_changes').where({ change_id: held.body.changeId }).update({ expires_at: '2026-01-01T00:00:00Z' })
  await system.db('reservations').where({ quote_id: held.body.changeId }).update({ expires_at: '2026-01-01T00:00:00Z' })
  expect(await confirm(orderId, held.body.changeId)).toMatchObject({ status: 409, body: { code: 'order.change_expired' } })
  const again = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])
  expect(again).toMatchObject({ status: 201 })
  await people.pickAll(fulfillments[0]!)
  await people.packAll(fulfillments[0]!)
  expect(await confirm(orderId, again.body.changeId)).toMatchObject({ status: 409, body: { code: 'order.version_changed' } })
  expect(await level(sku)).toMatchObject([{ allocated: 1, reserved: 0, available: 1 }])
  expect(await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])).toMatchObject({ status: 409, body: { code: 'order.change_too_late' } })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
  const elsewhere = await people.stocked({ 'dc-01': 3 })
  const paid = await people.place({ channel: 'marketplace', paidElsewhere: true, lines: [{ sku: elsewhere, quantity: 1 }] })
  await people.until(paid, (o) => o.fulfillments.length === 1)
  expect(await propose(paid, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])).toMatchObject({ status: 409, body: { code: 'order.change_not_payable', chargeMinor: 1000 } })
  const byCard = await propose(paid, [{ op: 'setQuantity', lineId: '1', quantity: 2 }], { paymentMethod: 'pm_card_visa' })
  expect(await confirm(paid, byCard.body.changeId)).toMatchObject({ status: 200, body: { payments: [{ provider: 'paid_elsewhere' }, { provider: 'stripe', authorizedMinor: 1000 }] } })
  expect(await sendOff(paid)).toMatchObject({ status: 'completed', money: { capturedMinor: 2490, owedMinor: 0 } })
})

it('is charged to another card where one is given; a card whose bank wants the customer there is a no', async () => {
  const { orderId } = await released({ 'store-mitte': 4 }, 1)
  const refused = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }], { paymentMethod: 'pm_card_authenticationRequired' })
  expect(await confirm(orderId, refused.body.changeId)).toMatchObject({ status: 409, body: { code: 'payment.declined', declineCode: 'authentication_required' } })
  const other = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }], { paymentMethod: 'pm_card_mastercard' })
  expect(await confirm(orderId, other.body.changeId)).toMatchObject({ status: 200, body: { lines: [{ quantity: 2 }], paymentStatus: 'authorized' } })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 2490 } })
})

it('frees what waits for a decision when the whole order is cancelled', async () => {
  const { orderId, sku } = await released({ 'store-mitte': 3 }, 1)
  const asked = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])
  expect(await level(sku)).toMatchObject([{ allocated: 1, reserved: 1 }])
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  expect(await level(sku)).toMatchObject([{ allocated: 0, reserved: 0, available: 3 }])
  expect((await people.support<{ items: object[] }>('GET', `/v1/orders/${orderId}/changes`)).body.items).toMatchObject([{ changeId: asked.body.changeId, state: 'failed', reason: 'order.already_cancelled' }])
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('takes to the cent what a raise comes to after part of the order has left, with a discount that does not divide and taxes on top', async () => {
  const sku = await people.stocked({ 'store-mitte': 1, 'store-kreuzberg': 2, 'dc-01': 9 })
  await system.db('stock_levels').where({ sku, node_id: 'dc-01' }).update({ safety_stock: 9 })
  const document = { ...orderOf(), channelOrderId: nextOrderNumber(), taxIncluded: false, totalMinor: 4_025, shipping: { priceMinor: 490, taxMinor: 84 },
    lines: [{ lineId: '1', sku, quantity: 3, unitPriceMinor: 1000, discountMinor: 100, taxMinor: 551 }], tenders: [{ tenderId: 't1', provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: 4_025 }] }
  const { orderId } = (await people.shop<{ orderId: string }>('POST', '/v1/orders', document)).body
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  const taken = (await people.until(orderId, (o) => o.money.capturedMinor > 0 && o.money.authorizedMinor === 4_025, 'the rest to be held again')).money.capturedMinor
  await system.db('stock_levels').where({ sku, node_id: 'dc-01' }).update({ safety_stock: 0 })
  const asked = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 5 }])
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 2000 + 380, chargeMinor: 2000 + 380 } })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { totalMinor: 6_405, lines: [{ quantity: 5, taxMinor: 931 }], money: { capturedMinor: taken, owedMinor: 6_405 - taken } } })
  await people.until(orderId, (o) => o.fulfillments.length === 3)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { capturedMinor: 6_405, owedMinor: 0 } })
})

it('adds a kit as its components, and more of one only as another line', async () => {
  const { orderId } = await released({ 'store-mitte': 3 }, 1)
  const [shoe, lace] = [await people.stocked({ 'store-mitte': 2 }), await people.stocked({ 'store-mitte': 4 })]
  await people.operations('PUT', `/v1/skus/KIT-${shoe}`, { name: 'Kit', weightGrams: 900, kit: [{ sku: shoe, quantity: 1 }, { sku: lace, quantity: 2 }] })
  const asked = await propose(orderId, [{ op: 'addLine', lineId: 'kit', sku: `KIT-${shoe}`, quantity: 1, unitPriceMinor: 2000 }])
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 2000 } })
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { lines: [{ lineId: '1' }, { lineId: 'kit/1', quantity: 1, allocated: 1 }, { lineId: 'kit/2', quantity: 2, allocated: 2 }] } })
  expect(await propose(orderId, [{ op: 'setQuantity', lineId: 'kit', quantity: 2 }])).toMatchObject({ status: 409, body: { code: 'order.kit_not_raised', lineId: 'kit' } })
  expect(await sendOff(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 3490 } })
})

it('puts more beside what waits to be fetched, as long as it is not at the counter', async () => {
  const sku = await people.stocked({ 'store-mitte': 3 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 1000 }], delivery: { method: 'pickup', nodeId: 'store-mitte' } })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await people.pickAll(work!)
  const asked = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200, body: { fulfillments: [{ status: 'picking', lines: [{ quantity: 2, picked: 1 }] }] } })
  await people.work(work!, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
  await people.work(work!, 'ready-for-pickup', {})
  expect(await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 3 }])).toMatchObject({ status: 409, body: { code: 'order.change_too_late' } })
  const { pickupCode } = await people.order(orderId)
  await people.work(work!, 'collect', { proof: { name: 'Customer', pickupCode } })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 2490, owedMinor: 0 } })
})

it('lets go of the difference when the order is cancelled while the bank thinks', async () => {
  const { orderId, sku } = await released({ 'store-mitte': 3 }, 1)
  const asked = await propose(orderId, [{ op: 'setQuantity', lineId: '1', quantity: 2 }])
  await bank({ kind: 'slow', delayMs: 1_000 })
  const confirming = confirm(orderId, asked.body.changeId)
  await eventually(async () => (await people.order(orderId)).payments.length, (n) => n === 2)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  expect(await confirming).toMatchObject({ status: 409, body: { code: 'order.already_cancelled' } })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' })
  expect((await books(orderId)).every((i) => i.status === 'canceled' && i.capturedMinor === 0)).toBe(true)
  expect(await level(sku)).toMatchObject([{ allocated: 0, reserved: 0, available: 3 }])
})

describe('while the bank does not answer at all', () => {
  let patient: System
  beforeAll(async () => {
    patient = await startSystem({ policies: { payment: { deadline: 'PT4S' }, care: { retryEvery: 'PT0.5S' } } })
  })
  afterAll(() => patient.stop())

  it('gives the change up at its deadline: nothing is changed, and nothing stays held', async () => {
    const they = peopleOf(patient)
    const sku = await they.stocked({ 'store-mitte': 3 })
    const orderId = await they.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 1000 }] })
    const [work] = (await they.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
    const { body } = await they.support<Proposed>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 3 }] })
    await fetch(`${patient.payments.url}/control/outage`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ms: 8_000 }) })
    const key = { 'idempotency-key': 'patient' }
    const ask = (): Promise<Answer> => they.support('POST', `/v1/orders/${orderId}/changes/${body.changeId}/confirm`, {}, key)
    expect(await eventually(ask, (a) => a.status === 409 && a.body.code !== 'request.in_progress', { timeoutMs: 30_000 })).toMatchObject({ body: { code: 'payment.not_settled' } })
    const now = await they.order(orderId)
    expect(now).toMatchObject({ totalMinor: 1490, lines: [{ quantity: 1 }], paymentStatus: 'authorized' })
    expect((await they.operations<{ items: object[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items).toMatchObject([{ allocated: 1, reserved: 0 }])
    await they.pickAll(work!)
    const packed = await they.packAll(work!)
    await they.handOver(work!)
    await they.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
    expect(await they.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1490 } })
    await expectInvariants(patient)
  })
})
