/** Money that is held runs out before the goods can leave: it is held anew in time, once, and what the bank does not hold keeps the goods in the building. */
import { expectInvariants } from '../support/invariants'
import { control } from '../simulators/receiver'
import { eventually, peopleOf, type Answer, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

/** The bank holds money for a little while, and the policy looks ahead further than that lasts after a moment. */
const heldForMs = 6_000

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ watch: true, authorizationDays: heldForMs / 86_400_000, policies: { payment: { deadline: 'PT20S', reauthorizeBefore: 'PT4S' }, sourcing: { retryEvery: 'PT1H', autoCancelAfter: 'PT10H' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Held {
  part: number
  status: string
  amount_minor: string
}
const holds = (orderId: string): Promise<Held[]> => system.db('payments').where({ order_id: orderId }).orderBy('part').select('part', 'status', 'amount_minor')
const live = async (orderId: string): Promise<Held[]> => (await holds(orderId)).filter((h) => h.status === 'authorized')
const books = async (orderId: string): Promise<{ status: string; capturedMinor: number }[]> => {
  const answer = await fetch(`${system.payments.url}/control/books?orderRef=${orderId}`)
  return ((await answer.json()) as { intents: { status: string; capturedMinor: number }[] }).intents
}

/** Sold before it is there, and announced for a day that is further away than any hold lasts. */
async function soldAhead(sku: string, quantity = 1): Promise<string> {
  await people.operations('PUT', `/v1/skus/${sku}`, { name: sku, weightGrams: 100, backorder: true })
  await people.operations('POST', '/v1/inventory/supply', { sku, nodeId: 'dc-01', quantity, expectedAt: new Date(Date.now() + 20 * 86_400_000).toISOString(), reference: `PO-${sku}` })
  const orderId = await people.place({ lines: [{ sku, quantity }] })
  await people.until(orderId, (o) => o.waitingOn?.what === 'stock', 'the wait for stock')
  return orderId
}
const comes = (sku: string): Promise<object> => people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta: 1, reason: 'delivered', supplyReference: `PO-${sku}` })

async function packed(orderId: string): Promise<FulfillmentWork> {
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  expect(await people.pickAll(fulfillments[0]!)).toMatchObject({ status: 200 })
  expect(await people.packAll(fulfillments[0]!)).toMatchObject({ status: 200 })
  return fulfillments[0]!
}

it('holds the money anew before it runs out, lets go of the old hold, and takes the new one when the goods leave', async () => {
  const orderId = await soldAhead('LATER-A')
  const renewed = await eventually(() => holds(orderId), (found) => found.length >= 3 && found.at(-1)!.status === 'authorized', { what: 'the second renewal' })
  expect(renewed.slice(0, -2).map((h) => h.status)).toEqual(renewed.slice(0, -2).map(() => 'voided'))
  await eventually(() => live(orderId), (found) => found.length === 1, { what: 'one hold' })
  await comes('LATER-A')
  expect(await people.handOver(await packed(orderId))).toMatchObject({ status: 200 })
  await people.until(orderId, (o) => o.paymentStatus === 'captured', 'the capture')
  expect((await books(orderId)).filter((i) => i.capturedMinor > 0)).toMatchObject([{ capturedMinor: 1_490 }])
  await eventually(() => books(orderId), (found) => found.every((i) => i.status !== 'requires_capture'), { what: 'nothing held at the provider' })
  expect(await people.told(orderId)).not.toContain('exception.opened')
})

it('keeps the goods in the building when the bank does not hold it anew, until it does', async () => {
  const orderId = await soldAhead('LATER-B')
  // Once for its time running out, and once when the goods come, which is worth another try.
  await control(system.payments.url, 'POST', '/faults', { next: 2, kind: 'decline', operation: 'authorize' })
  const exception = await eventually(
    async () => (await people.operations<{ items: { exceptionId: string; orderId: string; kind: string }[] }>('GET', '/v1/exceptions?limit=200')).body.items.find((e) => e.orderId === orderId),
    (found) => found !== undefined,
    { what: 'word to support' },
  )
  expect(exception).toMatchObject({ kind: 'payment.remainder_not_held' })
  await comes('LATER-B')
  const work = await packed(orderId)
  await eventually(() => books(orderId), (found) => found.every((i) => i.status !== 'requires_capture'), { what: 'the end of the old hold' })
  expect(await people.handOver(work)).toMatchObject({ status: 409, body: { code: 'order.not_authorized' } })
  expect(await people.support('POST', `/v1/exceptions/${exception!.exceptionId}/retry`, {})).toMatchObject({ status: 200 })
  await eventually(() => live(orderId), (found) => found.length === 1, { what: 'the new hold' })
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  await people.until(orderId, (o) => o.paymentStatus === 'captured', 'the capture')
})

it('charges no more for a change than was said, where what was held for it has run out meanwhile', async () => {
  const orderId = await soldAhead('LATER-D', 2)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })
  const sku = await people.stocked({ 'dc-01': 1 })
  const ask = (): Promise<Answer<{ changeId: string; chargeMinor: number }>> => people.support('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'addLine', lineId: 'more', sku, quantity: 1, unitPriceMinor: 500 }] })
  const asked = await ask()
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 500, chargeMinor: 0 } })
  await eventually(() => live(orderId), (found) => found.length === 1 && Number(found[0]!.amount_minor) === 1_490, { what: 'less being held anew' })
  expect(await people.support('POST', `/v1/orders/${orderId}/changes/${asked.body.changeId}/confirm`, {})).toMatchObject({ status: 409, body: { code: 'order.version_changed' } })
  expect((await ask()).body).toMatchObject({ deltaMinor: 500, chargeMinor: 500 })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('lets the goods leave on another card, where the first was never charged and is not held any more', async () => {
  const orderId = await soldAhead('LATER-C')
  await control(system.payments.url, 'POST', '/faults', { next: 2, kind: 'decline', operation: 'authorize' })
  const open = async (): Promise<object[]> => (await people.support<{ items: { orderId: string }[] }>('GET', '/v1/exceptions?kind=payment.remainder_not_held&limit=200')).body.items.filter((e) => e.orderId === orderId)
  await eventually(open, (found) => found.length === 1, { what: 'word to support' })
  await comes('LATER-C')
  const work = await packed(orderId)
  await eventually(() => books(orderId), (found) => found.every((i) => i.status !== 'requires_capture'), { what: 'the end of the old hold' })
  expect(await people.handOver(work)).toMatchObject({ status: 409, body: { code: 'order.not_authorized' } })
  expect(await people.support('POST', `/v1/orders/${orderId}/payment-methods`, { provider: 'stripe', paymentMethod: 'pm_card_mastercard' })).toMatchObject({ status: 200 })
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  await people.until(orderId, (o) => o.paymentStatus === 'captured', 'the capture')
  expect((await books(orderId)).filter((i) => i.capturedMinor > 0)).toMatchObject([{ capturedMinor: 1_490 }])
  await eventually(open, (found) => found.length === 0, { what: 'the case to settle itself' })
})
