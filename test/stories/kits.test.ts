/** A kit on its way: its components are picked, packed and shipped, and what is taken is the price of the kit. */
import { peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

it('ships the components of a kit and captures its price to the cent', async () => {
  await people.operations('PUT', '/v1/skus/STARTER-SET', { name: 'Starter set', weightGrams: 500, kit: [{ sku: 'SOCKS-3P', quantity: 2 }, { sku: 'SHIRT-RUN-M', quantity: 1 }] })
  const orderId = await people.place({ lines: [{ sku: 'STARTER-SET', quantity: 2, unitPriceMinor: 4_999 }] })
  const { fulfillments, totalMinor } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  expect(totalMinor).toBe(2 * 4_999 + 490)
  expect(fulfillments[0]!.lines).toMatchObject([{ lineId: '1/1', sku: 'SOCKS-3P', quantity: 4 }, { lineId: '1/2', sku: 'SHIRT-RUN-M', quantity: 2 }])
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  expect(await people.handOver(fulfillments[0]!)).toMatchObject({ status: 200 })
  expect(await people.until(orderId, (o) => o.paymentStatus === 'captured')).toMatchObject({ money: { capturedMinor: totalMinor } })
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen)
})
