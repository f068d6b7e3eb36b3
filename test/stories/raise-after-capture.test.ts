/** A card that can be charged once was charged for the first part, and has let go of the rest: more is held anew before the order is another, or the order stays as it was. */
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { peopleOf, type Answer, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT30S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

async function leaves(work: FulfillmentWork): Promise<void> {
  await people.pickAll(work)
  const packed = await people.packAll(work)
  expect(await people.handOver(work)).toMatchObject({ status: 200 })
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
}

/** One of 2,000 and two of 1,000; one of the two is given up, the first part leaves, and the card was charged its once. */
async function oncePaid(): Promise<{ orderId: string; rest: FulfillmentWork }> {
  const [first, second] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 4 })]
  const orderId = await people.place({ paymentMethod: 'pm_card_mastercard', lines: [{ sku: first, quantity: 1, unitPriceMinor: 2_000 }, { sku: second, quantity: 2, unitPriceMinor: 1_000 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2, 'two work orders')
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '2', quantity: 1 }], reason: 'one is enough' })).status).toBe(200)
  await leaves(fulfillments.find((f) => f.nodeId === 'store-mitte')!)
  const { payments } = await people.until(orderId, (o) => o.money.capturedMinor === 2_490 && o.payments.some((p) => p.status === 'authorized'), 'the rest to be held anew')
  expect(payments.map((p) => [p.status, p.authorizedMinor, p.capturedMinor]).sort()).toEqual([['authorized', 1_000, 0], ['captured', 4_490, 2_490]])
  return { orderId, rest: fulfillments.find((f) => f.nodeId === 'dc-01')! }
}

interface Proposed {
  changeId: string
  deltaMinor: number
  chargeMinor: number
}
const more = (orderId: string, paid: object = {}): Promise<Answer<Proposed>> => people.support<Proposed>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '2', quantity: 2 }], ...paid })
const confirm = (orderId: string, changeId: string): Promise<Answer> => people.support('POST', `/v1/orders/${orderId}/changes/${changeId}/confirm`, {})

it('holds what more costs before it is confirmed, though the tender was once large enough for it', async () => {
  const { orderId } = await oncePaid()
  const asked = await more(orderId)
  expect(asked).toMatchObject({ status: 201, body: { deltaMinor: 1_000, chargeMinor: 1_000 } })
  expect((await intentsOf(system, orderId)).length).toBe(2)
  expect(await confirm(orderId, asked.body.changeId)).toMatchObject({ status: 200 })
  const now = await people.order(orderId)
  expect(now.payments.filter((p) => p.status === 'authorized').reduce((sum, p) => sum + p.authorizedMinor, 0)).toBe(2_000)
  expect(now).toMatchObject({ lines: [{}, { quantity: 3, cancelled: 1 }], money: { owedMinor: 2_000 } })
  await leaves((await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))).fulfillments.find((f) => f.status === 'released')!)
  expect(await people.until(orderId, (o) => !o.workflowOpen && o.money.owedMinor === 0, 'the end')).toMatchObject({ status: 'completed', money: { capturedMinor: 4_490 } })
  expect((await intentsOf(system, orderId)).map((i) => i.capturedMinor).sort()).toEqual([1_000, 1_000, 2_490])
})

it('stays as it was where the bank says no, says why, and takes another card', async () => {
  const { orderId, rest } = await oncePaid()
  const asked = await more(orderId, { paymentMethod: 'pm_card_chargeDeclined' })
  expect((await confirm(orderId, asked.body.changeId)).body).toMatchObject({ code: 'payment.declined', declineCode: expect.any(String) as string })
  expect(await people.order(orderId)).toMatchObject({ lines: [{}, { quantity: 2, cancelled: 1 }], money: { owedMinor: 1_000 } })
  const again = await more(orderId, { paymentMethod: 'pm_card_visa' })
  expect((await confirm(orderId, again.body.changeId)).status).toBe(200)
  await leaves((await people.order(orderId)).fulfillments.find((f) => f.fulfillmentId === rest.fulfillmentId)!)
  expect(await people.until(orderId, (o) => !o.workflowOpen && o.money.owedMinor === 0, 'the end')).toMatchObject({ money: { capturedMinor: 4_490 } })
})
