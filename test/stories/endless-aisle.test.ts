/** Sold in a store: carried out of it, or, where the shelf is empty, sent home from wherever it is; paid at the till, each unit counted once. */
import { caller, orderOf, peopleOf, type Call, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let till: Call
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
  till = caller(system.url, 'demo-store-store-mitte')
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

interface Options {
  options: { optionId: string; method: string; nodeId?: string }[]
  quoteId: string
}
const options = async (sku: string): Promise<Options> =>
  (
    await till<Options>('POST', '/v1/delivery-options', {
      channel: 'pos', currency: 'EUR', sourceNodeId: 'store-mitte', destination: { country: 'DE', postalCode: '10115', latitude: 52.5285, longitude: 13.3975 }, lines: [{ sku, quantity: 1 }],
    })
  ).body

it('sells from the endless aisle: not on the shelf here, sent home from another store', async () => {
  const sku = await people.stocked({ 'store-kreuzberg': 3 })
  const offered = await options(sku)
  expect(offered.options.some((o) => o.method === 'carry_out')).toBe(false)
  expect(offered.options.some((o) => o.method === 'delivery')).toBe(true)

  const sold = orderOf({ channel: 'pos', paidElsewhere: true, lines: [{ sku, quantity: 1, unitPriceMinor: 2000 }] })
  const { status, body } = await till<{ orderId: string }>('POST', '/v1/orders', sold)
  expect(status).toBe(201)
  const { fulfillments } = await people.until(body.orderId, (o) => o.fulfillments.length === 1)
  expect(fulfillments[0]).toMatchObject({ nodeId: 'store-kreuzberg', method: 'delivery' })
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  await people.handOver(fulfillments[0]!)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await people.until(body.orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', paymentStatus: 'captured', money: { owedMinor: 0 } })
  const levels = await people.operations<{ items: { nodeId: string; onHand: number; allocated: number }[] }>('GET', `/v1/inventory?sku=${sku}`)
  expect(levels.body.items).toMatchObject([{ nodeId: 'store-kreuzberg', onHand: 2, allocated: 0 }])
})

it('offers to carry it out where it is on the shelf, and to nobody else in another store', async () => {
  const sku = await people.stocked({ 'store-mitte': 1, 'store-kreuzberg': 1 })
  const carried = (await options(sku)).options.filter((o) => o.method === 'carry_out')
  expect(carried.map((o) => o.nodeId)).toEqual(['store-mitte'])
})

it('refuses at the till what is nowhere, and lets a till see no other channel’s orders', async () => {
  const sku = await people.stocked({ 'store-mitte': 0 })
  const none = await till('POST', '/v1/orders', orderOf({ channel: 'pos', paidElsewhere: true, lines: [{ sku, quantity: 1 }] }))
  expect(none).toMatchObject({ status: 409, body: { code: 'stock.short' } })
  const online = await people.place()
  expect((await till('GET', `/v1/orders/${online}`)).status).toBe(404)
})
