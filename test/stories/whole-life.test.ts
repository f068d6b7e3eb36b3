/** The plainest tale: an order from the shop's click to the end of the return window. */
import { orderWorkflowId } from '../../domain/ids'
import { eventually, peopleOf, type People } from '../support/people'
import { expectEventsAsDocumented } from '../support/event-schemas'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  await expectEventsAsDocumented(system.db)
  await expectInvariants(system)
  await system.stop()
})

it('follows an order from the click to the closed return window', async () => {
  const orderId = await people.place()
  const sourced = await people.until(orderId, (o) => o.fulfillments.length === 1, 'a work order')
  expect(sourced).toMatchObject({ status: 'in_fulfillment', paymentStatus: 'authorized', waitingOn: { what: 'picking' } })
  const [work] = sourced.fulfillments
  expect(work).toMatchObject({ nodeId: 'store-mitte', status: 'released' })

  expect(await people.pickAll(work!)).toMatchObject({ status: 200, body: { status: 'picked' } })
  const packed = await people.packAll(work!)
  expect(packed).toMatchObject({ status: 200, body: { status: 'packed', packages: [{ carrier: 'swiftparcel', trackingNumber: expect.any(String) }] } })
  expect(await people.handOver(work!)).toMatchObject({ status: 200, body: { status: 'handed_over' } })

  const shipped = await people.until(orderId, (o) => o.paymentStatus === 'captured', 'the capture')
  expect(shipped).toMatchObject({ status: 'shipped', money: { capturedMinor: 9390, owedMinor: 0 } })
  const trackingNumber = packed.body.packages[0]!.trackingNumber!
  await people.carrierSays(trackingNumber, 'in_transit')
  await eventually(() => people.told(orderId), (types) => types.includes('shipment.in_transit'))
  await people.carrierSays(trackingNumber, 'delivered')
  const closed = await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(closed).toMatchObject({ status: 'completed', fulfillmentStatus: 'fulfilled', waitingOn: null, lines: [{ quantity: 1, shipped: 1, delivered: 1, allocated: 0 }] })
  expect(await people.told(orderId)).toEqual([
    'order.placed', 'payment.authorized', 'order.sourced', 'fulfillment.released', 'fulfillment.picked', 'fulfillment.packed', 'shipment.labelled',
    'shipment.handed_over', 'payment.captured', 'shipment.in_transit', 'shipment.delivered', 'order.completed',
  ])
  const history = await system.client.workflow.getHandle(orderWorkflowId('web', closed.channelOrderId)).fetchHistory()
  expect(history.events!.length).toBeLessThanOrEqual(60)
})
