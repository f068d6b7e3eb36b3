/** Parcels that never arrive: lost, damaged, brought back. The goods are accounted for, the carrier is asked to pay, the customer gets the same again or her money. */
import { expectInvariants } from '../support/invariants'
import { heldAndTaken, intentsOf } from '../support/outside'
import { eventually, peopleOf, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ carriers: ['swiftparcel', 'hansepost', 'kestrel'], policies: { sourcing: { maxShipments: 3, retryEvery: 'PT0.3S', autoCancelAfter: 'PT4S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

interface Sent {
  orderId: string
  sku: string
  trackingNumber: string
}

async function send(work: FulfillmentWork): Promise<string> {
  await people.pickAll(work)
  const packed = await people.packAll(work)
  await people.handOver(work)
  return packed.body.packages[0]!.trackingNumber!
}

/** An order of two units that has left the store and is paid. */
async function sent(stock: Record<string, number>): Promise<Sent> {
  const sku = await people.stocked(stock)
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 2_000 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  const trackingNumber = await send(work!)
  await people.until(orderId, (o) => o.paymentStatus === 'captured' && o.waitingOn?.what === 'delivery')
  return { orderId, sku, trackingNumber }
}

const claims = async (): Promise<{ trackingNumber: string; reason: string; amountMinor: number }[]> =>
  ((await (await fetch(`${system.carriers.url}/control/books`)).json()) as { claims: { trackingNumber: string; reason: string; amountMinor: number }[] }).claims
const onHand = async (sku: string): Promise<number> =>
  (await people.operations<{ items: { onHand: number }[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items.reduce((sum, level) => sum + level.onHand, 0)
const exceptions = async (orderId: string): Promise<{ kind: string; owner: string; deadline: string | null }[]> =>
  (await people.operations<{ items: { orderId: string; kind: string; owner: string; deadline: string | null }[] }>('GET', '/v1/exceptions?status=all&limit=200')).body.items.filter((e) => e.orderId === orderId)

it.each(['lost', 'damaged'])('sends the same again when a parcel is %s, claims what it was worth, and takes no money twice', async (status) => {
  const { orderId, sku, trackingNumber } = await sent({ 'store-mitte': 4 })
  await people.carrierSays(trackingNumber, 'in_transit')
  await people.carrierSays(trackingNumber, status, { duplicate: true })
  const again = await people.until(orderId, (o) => o.fulfillments.length === 2, 'the same to be sent again')
  expect(again).toMatchObject({ status: 'in_fulfillment', lines: [{ shipped: 0, allocated: 2, cancelled: 0 }], fulfillments: [{ status: 'lost' }, { status: 'released' }] })
  // What is sent again has been paid: it is not cancelled while it is, wherever it is.
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'too long' })).toMatchObject({ status: 409, body: { code: 'order.units_not_cancellable' } })
  await eventually(claims, (all) => all.some((c) => c.trackingNumber === trackingNumber))
  expect((await claims()).filter((c) => c.trackingNumber === trackingNumber)).toEqual([expect.objectContaining({ reason: status, amountMinor: 4_000 })])
  await people.carrierSays(await send(again.fulfillments[1]!), 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', lines: [{ shipped: 2, delivered: 2 }], money: { capturedMinor: 4_490 } })
  expect(await heldAndTaken(system, orderId)).toMatchObject({ capturedMinor: 4_490, effects: 1 })
  expect(await onHand(sku)).toBe(0)
  const written = await system.db('stock_movements').where({ sku, type: 'write_off' }).sum<{ sum: string }[]>('on_hand_delta as sum')
  expect(Number(written[0]!.sum)).toBe(-2)
  expect((await exceptions(orderId)).find((e) => e.kind === 'shipment.troubled')).toMatchObject({ owner: 'support', deadline: expect.any(String) as string })
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['shipment.undelivered', 'shipment.claimed']))
})

it('puts back on the shelf what is returned to the sender, cancels it, and gives all the money back', async () => {
  const { orderId, sku, trackingNumber } = await sent({ 'store-mitte': 2 })
  await people.carrierSays(trackingNumber, 'returning')
  expect(await onHand(sku)).toBe(0)
  await people.carrierSays(trackingNumber, 'returned')
  const ended = await people.until(orderId, (o) => !o.workflowOpen)
  expect(ended).toMatchObject({ status: 'cancelled', lines: [{ shipped: 0, cancelled: 2 }], fulfillments: [{ status: 'returned' }] })
  expect(await onHand(sku)).toBe(2)
  expect(ended).toMatchObject({ paymentStatus: 'refunded', money: { capturedMinor: 4_490, refundedMinor: 4_490, owedMinor: 0 } })
  expect(await intentsOf(system, orderId)).toMatchObject([{ refundedMinor: 4_490 }])
  expect((await claims()).filter((c) => c.trackingNumber === trackingNumber)).toEqual([])
})

it('waits for stock when there is none to send again, and gives the money back when the policy gives up', async () => {
  const { orderId, trackingNumber } = await sent({ 'store-mitte': 2 })
  await people.carrierSays(trackingNumber, 'lost')
  expect(await people.until(orderId, (o) => o.status === 'backordered')).toMatchObject({ lines: [{ backordered: 2 }], waitingOn: { what: 'stock' } })
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end of waiting for stock')).toMatchObject({ money: { capturedMinor: 4_490, refundedMinor: 4_490 } })
  expect(await intentsOf(system, orderId)).toMatchObject([{ refundedMinor: 4_490 }])
}, 60_000)

it('gives back only what cannot be sent again, while the rest of the parcel is', async () => {
  const skus = [await people.stocked({ 'store-mitte': 2 }), await people.stocked({ 'store-mitte': 2 })]
  const orderId = await people.place({ lines: skus.map((sku) => ({ sku, quantity: 1, unitPriceMinor: 2_000 })) })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  const trackingNumber = await send(work!)
  await people.until(orderId, (o) => o.paymentStatus === 'captured' && o.waitingOn?.what === 'delivery')
  await people.carrierSays(trackingNumber, 'lost')
  const again = (await people.until(orderId, (o) => o.fulfillments.length === 2, 'the same to be sent again')).fulfillments[1]!
  await people.work(again, 'pick', { lines: [{ lineId: '1', picked: 1 }, { lineId: '2', picked: 0, rejected: 1, reason: 'damaged' }] })
  expect(await people.until(orderId, (o) => o.lines[1]!.cancelled === 1 && o.money.refundedMinor > 0, 'the end of waiting for the other')).toMatchObject({ lines: [{ cancelled: 0 }, { cancelled: 1 }], money: { refundedMinor: 2_000 } })
  const packed = await people.packPicked(again)
  await people.handOver(again)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 4_490, refundedMinor: 2_000, owedMinor: 0 } })
  expect(await heldAndTaken(system, orderId)).toMatchObject({ capturedMinor: 4_490, effects: 1 })
  expect(await intentsOf(system, orderId)).toMatchObject([{ refundedMinor: 2_000 }])
}, 60_000)

it('asks a person when a parcel that was given up is delivered after all, and changes nothing', async () => {
  const { orderId, trackingNumber } = await sent({ 'store-mitte': 4 })
  await people.carrierSays(trackingNumber, 'lost')
  await people.until(orderId, (o) => o.fulfillments.length === 2)
  await people.carrierSays(trackingNumber, 'delivered')
  await eventually(() => exceptions(orderId), (all) => all.some((e) => e.kind === 'shipment.turned_up'))
  const { fulfillments, lines } = await people.order(orderId)
  expect([fulfillments.map((f) => f.status), lines[0]!.delivered]).toEqual([['lost', 'released'], 0])
  await people.carrierSays(await send(fulfillments[1]!), 'delivered')
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect((await people.support<{ items: object[] }>('GET', `/v1/exceptions?orderId=${orderId}`)).body.items).toMatchObject([{ kind: 'shipment.turned_up' }]) // and nobody has answered that
})

it('tells operations of a parcel that travels although its shipment was cancelled', async () => {
  const sku = await people.stocked({ 'store-mitte': 1 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  const [work] = (await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments
  await people.pickAll(work!)
  const trackingNumber = (await people.packAll(work!)).body.packages[0]!.trackingNumber!
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'customer' })
  await people.until(orderId, (o) => !o.workflowOpen)
  await people.carrierSays(trackingNumber, 'in_transit')
  expect(await eventually(() => exceptions(orderId), (all) => all.length > 0)).toMatchObject([{ kind: 'shipment.not_expected', owner: 'operations' }])
})

it('leaves it to support when an address is not found, and delivers all the same when it is', async () => {
  const { orderId, trackingNumber } = await sent({ 'store-mitte': 2 })
  await people.carrierSays(trackingNumber, 'address_unknown')
  await eventually(() => exceptions(orderId), (all) => all.some((e) => e.kind === 'shipment.troubled' && e.deadline !== null))
  await people.carrierSays(trackingNumber, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', lines: [{ delivered: 2 }] })
})
