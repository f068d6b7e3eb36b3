/** A hold that is captured several times keeps what was cancelled of it until its last capture; where others pay for what leaves last, it is let go of all the same. */
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { eventually, peopleOf, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ multicapture: true, policies: { sourcing: { maxShipments: 3, splitLines: true }, returns: { window: 'PT60S', restockBy: 'PT60S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

async function sent(orderId: string, work: FulfillmentWork): Promise<void> {
  await people.pickAll(work)
  const { body } = await people.packPicked(work)
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  await people.carrierSays(body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.fulfillments.find((f) => f.fulfillmentId === work.fulfillmentId)!.status === 'delivered', 'the delivery')
}

it('lets go of what is left on the first card when what an exchange costs more is all that is paid last', async () => {
  const [here, there, dearer] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 2 }), await people.stocked({ 'dc-01': 1 })]
  const orderId = await people.place({ lines: [{ sku: here, quantity: 1 }, { sku: there, quantity: 2 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const at = (nodeId: string): FulfillmentWork => fulfillments.find((f) => f.nodeId === nodeId)!
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '2', quantity: 1 }], reason: 'one is enough' })).toMatchObject({ status: 200 })
  await sent(orderId, at('store-mitte'))
  const asked = { lines: [{ lineId: '1', quantity: 1, sku: dearer, unitPriceMinor: 1_300, reason: 'too big' }], collectOld: 'none', send: 'now' }
  expect(await people.support('POST', `/v1/orders/${orderId}/replacements`, asked)).toMatchObject({ status: 201 })
  const exchanged = await people.until(orderId, (o) => o.fulfillments.some((f) => f.nodeId === 'dc-01'), 'the work for the new goods')
  const rest = (await people.order(orderId)).fulfillments.find((f) => f.nodeId === 'store-kreuzberg')!
  await sent(orderId, rest)
  expect((await intentsOf(system, orderId))[0]).toMatchObject({ status: 'requires_capture', authorizedMinor: 3_490, capturedMinor: 2_490 })
  await sent(orderId, exchanged.fulfillments.find((f) => f.nodeId === 'dc-01')!)
  await eventually(() => intentsOf(system, orderId), (intents) => intents.every((i) => i.status !== 'requires_capture'), { what: 'nothing to be held' })
  expect(await people.order(orderId)).toMatchObject({ money: { capturedMinor: 2_790, owedMinor: 0 } })
})
