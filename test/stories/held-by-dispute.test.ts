/** Her bank takes back what she paid while something has still to leave: it waits until the bank has decided, and goes on only where the shop has won or somebody says so. */
import { expectInvariants } from '../support/invariants'
import { steer } from '../support/outside'
import { eventually, peopleOf, type Answer, type FulfillmentWork, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT30S' }, returns: { window: 'PT0.5S', restockBy: 'PT1M' } } })
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

interface Half {
  orderId: string
  reference: string
  /** Its line, and the work that is still inside. */
  lineId: string
  inside: FulfillmentWork
}

/** One of its two parts is with her, and its money taken; the other is released to a store. */
async function half(): Promise<Half> {
  const skus = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-kreuzberg': 1 })]
  const orderId = await people.place({ lines: skus.map((sku) => ({ sku, quantity: 1 })) })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2)
  const at = (nodeId: string): FulfillmentWork => fulfillments.find((f) => f.nodeId === nodeId)!
  await people.deliver(at('store-mitte'))
  const { payments } = await people.until(orderId, (o) => o.payments.some((p) => p.capturedMinor > 0) && o.lines.some((l) => l.delivered === 1), 'the first part')
  const inside = at('store-kreuzberg')
  return { orderId, reference: payments.find((p) => p.capturedMinor > 0)!.reference!, lineId: inside.lines[0]!.lineId, inside }
}

async function disputed({ orderId, reference }: Pick<Half, 'orderId' | 'reference'>): Promise<(status: 'won' | 'lost') => Promise<void>> {
  await steer(system.payments.url, '/control/disputes', { paymentIntent: reference })
  await eventually(() => people.told(orderId), (types) => types.includes('payment.disputed'), { what: 'the dispute' })
  const { disputes } = (await (await fetch(`${system.payments.url}/control/disputes`)).json()) as { disputes: { id: string; intent: string }[] }
  const { id } = disputes.find((d) => d.intent === reference)!
  return async (status) => {
    await steer(system.payments.url, `/control/disputes/${id}`, { status })
    await eventually(() => people.told(orderId), (types) => types.includes('payment.dispute_closed'), { what: 'the decision' })
  }
}

const held = { status: 409, body: { code: 'order.held', holdType: 'dispute', owner: 'support' } }
const pick = (work: FulfillmentWork): Promise<object> => people.work(work, 'pick', { lines: [{ lineId: work.lines[0]!.lineId, picked: 1 }] })
const release = async (orderId: string): Promise<Answer> => people.support('POST', `/v1/orders/${orderId}/holds/${(await people.order(orderId)).holds[0]!.holdId}/release`, { reason: 'she has paid in cash' })

it('is asked back from the store, and goes on by itself when the shop has won', async () => {
  const order = await half()
  const decided = await disputed(order)
  expect(await people.order(order.orderId)).toMatchObject({ holds: [{ type: 'dispute', blocks: ['picking', 'shipping'], deadline: null }], waitingOn: { what: 'hold' } })
  expect(await pick(order.inside)).toMatchObject(held)
  await decided('won')
  await people.deliver(order.inside)
  expect(await people.until(order.orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', holds: [], money: { capturedMinor: 2_490 } })
})

it('stays when it is lost, for nobody pays for it: support cancels what is inside', async () => {
  const order = await half()
  await (await disputed(order))('lost')
  expect(await pick(order.inside)).toMatchObject(held)
  expect(await people.support('POST', `/v1/orders/${order.orderId}/cancel`, { lines: [{ lineId: order.lineId, quantity: 1 }], reason: 'charged back' })).toMatchObject({ status: 200 })
  expect(await people.until(order.orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed', money: { capturedMinor: 1_490 } })
})

it('is let go by support, who knows better, and is not held again by the end of the same dispute', async () => {
  const order = await half()
  await people.pickAll(order.inside)
  await people.packAll(order.inside)
  const decided = await disputed(order)
  expect(await people.handOver(order.inside)).toMatchObject(held)
  expect(await release(order.orderId)).toMatchObject({ status: 200 })
  await decided('lost')
  expect(await people.order(order.orderId)).toMatchObject({ holds: [] })
  expect(await people.handOver(order.inside)).toMatchObject({ status: 200 })
})

it('holds what is sent in replacement on an order that had come to its end', async () => {
  const sku = await people.stocked({ 'dc-01': 2 })
  const orderId = await people.place({ lines: [{ sku, quantity: 1 }] })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  const { payments } = await people.until(orderId, (o) => !o.workflowOpen)
  const decided = await disputed({ orderId, reference: payments[0]!.reference! })
  expect(await people.support('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, reason: 'leaks' }], collectOld: 'none' })).toMatchObject({ status: 201 })
  await people.until(orderId, (o) => o.holds.some((h) => h.type === 'dispute'), 'the hold')
  expect((await people.order(orderId)).fulfillments).toHaveLength(1)
  await decided('won')
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 2, 'the work for the new goods')).fulfillments[1]!)
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ money: { capturedMinor: 1_490 } })
})
