/** Money that a bank takes at once joins an order of which a part has left, or something has come back: it pays for what comes after, and what is not wanted of it goes back whole. */
jest.mock('@temporalio/workflow', () => jest.requireActual<object>('../support/in-memory/workflow'))
jest.mock('../../workflows/support/clock', () => jest.requireActual<object>('../support/in-memory/workflow'))
import { randomUUID } from 'node:crypto'
import type { OrderView } from '../../db/views/orders'
import { checkInvariants } from '../invariants/checker'
import { wrongWith } from '../support/in-memory/adds-up'
import { messageOf } from '../support/in-memory/provider'
import { startInMemory, type InMemory } from '../support/in-memory/system'
import { peopleOf, type OrderWish, type People } from '../support/people'

let system: InMemory
let people: People
beforeAll(async () => {
  system = await startInMemory({ returns: { window: 'P14D', restockBy: 'P7D', feeMinor: 150 }, sourcing: { maxShipments: 2, splitLines: true } })
  people = peopleOf(system)
})
afterAll(async () => {
  try {
    expect(await checkInvariants({ db: system.db, books: system.provider.books }, true)).toEqual([])
  } finally {
    await system.stop()
  }
})

/** The provider holds nothing of it. */
const takenAtOnce = 'pm_wallet'

/** A line of 1,000 from the store, one of 2,000 from elsewhere, 490 for shipping; the first has left and is delivered. */
async function firstDelivered(wish: OrderWish): Promise<string> {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 3 })]
  const orderId = await people.place({ ...wish, lines: [{ sku: here, quantity: 1, unitPriceMinor: 1_000 }, { sku: there, quantity: 1, unitPriceMinor: 2_000 }] })
  await system.settled(orderId)
  await leaves(orderId, '1')
  return orderId
}

async function leaves(orderId: string, lineId: string): Promise<void> {
  const work = (await people.order(orderId)).fulfillments.find((f) => f.status === 'released' && f.lines.some((l) => l.lineId === lineId))!
  await people.pickAll(work)
  const { trackingNumber } = (await people.packAll(work)).body.packages[0]!
  expect((await people.handOver(work)).status).toBe(200)
  await system.settled(orderId)
  await system.tell(orderId, { source: 'carrier:swiftparcel', eventId: randomUUID(), kind: 'carrier', subject: trackingNumber!, payload: { status: 'delivered', at: new Date().toISOString() } })
  await system.settled(orderId)
}

async function change(orderId: string, operations: object[], by: { paymentMethod?: string } = {}): Promise<void> {
  const asked = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations, ...by })
  expect(asked.status).toBe(201)
  expect((await people.support('POST', `/v1/orders/${orderId}/changes/${asked.body.changeId}/confirm`, {})).status).toBe(200)
  await system.settled(orderId)
}
const oneMore = { op: 'setQuantity', lineId: '2', quantity: 2 }

async function ends(orderId: string): Promise<OrderView> {
  for (let turns = 0; (await people.order(orderId)).workflowOpen && turns < 20; turns += 1) await system.elapse(orderId)
  const order = await people.order(orderId)
  expect(order).toMatchObject({ workflowOpen: false, status: 'completed', money: { owedMinor: 0 } })
  expect(await wrongWith(system, order)).toEqual([])
  return order
}
const kept = ({ money }: OrderView): number => money.capturedMinor - money.refundedMinor

it.each([
  ['a card', { paymentMethod: 'pm_card' }, takenAtOnce],
  ['a debit and a card', { tenders: [{ provider: 'stripe', paymentMethod: takenAtOnce, amountMinor: 900 }, { provider: 'stripe', paymentMethod: 'pm_card' }] }, undefined],
])('pays with it for what is added, and not for what has left and was paid with %s', async (_what, wish, paymentMethod) => {
  const orderId = await firstDelivered(wish)
  await change(orderId, [oneMore], { paymentMethod })
  expect((await people.order(orderId)).payments.find((p) => p.amountMinor === 2_000)).toMatchObject({ capturedMinor: 2_000, takenAtOnce: true })
  await leaves(orderId, '2')
  const order = await ends(orderId)
  expect([order.totalMinor, kept(order)]).toEqual([5_490, 5_490])
})

it('counts what somebody takes by hand at the provider for what has still to leave, and not for what has left', async () => {
  const card = { provider: 'stripe', paymentMethod: 'pm_card' }
  const orderId = await firstDelivered({ tenders: [{ ...card, amountMinor: 1_990 }, { ...card, amountMinor: 1_500 }] })
  const hold = system.provider.books().find((i) => i.orderRef === orderId && i.amountMinor === 1_500)!
  Object.assign(hold, { status: 'captured', capturedMinor: 1_500 })
  await system.tell(orderId, { source: 'stripe', eventId: randomUUID(), kind: 'payment', subject: hold.id, payload: { type: 'payment', paymentId: hold.paymentId, view: messageOf(hold) } })
  await system.settled(orderId)
  expect((await people.order(orderId)).payments.find((p) => p.amountMinor === 1_500)).toMatchObject({ takenAtOnce: true })
  await leaves(orderId, '2')
  expect(kept(await ends(orderId))).toBe(3_490)
})

it('gives it back when what was added is not wanted, and not what has left', async () => {
  const orderId = await firstDelivered({ paymentMethod: 'pm_card' })
  await change(orderId, [oneMore], { paymentMethod: takenAtOnce })
  await change(orderId, [{ op: 'setQuantity', lineId: '2', quantity: 1 }])
  const { payments } = await people.order(orderId)
  expect(payments.filter((p) => p.takenAtOnce)).toMatchObject([{ capturedMinor: 2_000, refundedMinor: 2_000 }])
  await leaves(orderId, '2')
  expect(kept(await ends(orderId))).toBe(3_490)
})

it.each([
  ['another debit', { paymentMethod: takenAtOnce }],
  ['a card', { paymentMethod: 'pm_card' }],
])('gives all of it back when what was added is not wanted after a return has drawn on it: what it lacks comes from %s, and more again is charged whole', async (_what, wish) => {
  const orderId = await firstDelivered(wish)
  await change(orderId, [oneMore], { paymentMethod: takenAtOnce })
  const returned = await people.shop<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' })
  await people.store('store-mitte')('POST', `/v1/returns/${returned.body.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await system.settled(orderId)
  expect((await people.order(orderId)).payments.find((p) => p.amountMinor === 2_000)).toMatchObject({ refundedMinor: 850 })
  const fewer = [{ op: 'setQuantity', lineId: '2', quantity: 1 }]
  expect((await people.support('POST', `/v1/orders/${orderId}/changes`, { operations: fewer })).body).toMatchObject({ deltaMinor: -2_000, refundMinor: 2_000 })
  await change(orderId, fewer)
  expect((await people.order(orderId)).money).toMatchObject({ refundedMinor: 2_850 })
  expect((await people.support('POST', `/v1/orders/${orderId}/changes`, { operations: [oneMore], paymentMethod: takenAtOnce })).body).toMatchObject({ deltaMinor: 2_000, chargeMinor: 2_000 })
  await leaves(orderId, '2')
  expect(kept(await ends(orderId))).toBe(2_000 + 490 + 150)
})
