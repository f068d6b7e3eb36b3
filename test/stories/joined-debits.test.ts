/** Money that a bank takes at once joins an order of which a part has left, or something has come back: it pays for what comes after, and what is not wanted of it goes back whole. */
jest.mock('@temporalio/workflow', () => jest.requireActual<object>('../support/in-memory/workflow'))
jest.mock('../../workflows/support/clock', () => jest.requireActual<object>('../support/in-memory/workflow'))
import { randomUUID } from 'node:crypto'
import type { OrderView } from '../../db/views/orders'
import { checkInvariants } from '../invariants/checker'
import { wrongWith } from '../support/in-memory/adds-up'
import { messageOf } from '../support/in-memory/provider'
import { handsOf } from '../support/in-memory/parcels'
import { startInMemory, type InMemory } from '../support/in-memory/system'
import { peopleOf, type OrderWish, type People } from '../support/people'

type Hands = ReturnType<typeof handsOf>
let system: InMemory
let people: People
let handedOver: Hands['handedOver'], says: Hands['says'], change: Hands['change']
beforeAll(async () => {
  system = await startInMemory({ returns: { window: 'P14D', restockBy: 'P7D', feeMinor: 150 }, sourcing: { maxShipments: 2, splitLines: true } })
  people = peopleOf(system)
  ;({ handedOver, says, change } = handsOf(system, people))
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
  const orderId = await placed(wish)
  await leaves(orderId, '1')
  return orderId
}
async function placed(wish: OrderWish): Promise<string> {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 3 })]
  const orderId = await people.place({ ...wish, lines: [{ sku: here, quantity: 1, unitPriceMinor: 1_000 }, { sku: there, quantity: 1, unitPriceMinor: 2_000 }] })
  await system.settled(orderId)
  return orderId
}

async function leaves(orderId: string, lineId: string): Promise<void> {
  await says(orderId, await handedOver(orderId, lineId), 'delivered')
}
const cancel = async (orderId: string, lineId: string): Promise<void> => {
  const lines = [{ lineId, quantity: 1 }]
  const told = await people.support<{ money: { refundMinor: number } }>('POST', `/v1/orders/${orderId}/cancel?preview=true`, { lines, reason: 'not any more' })
  const before = (await people.order(orderId)).money.refundedMinor
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines, reason: 'not any more' })).status).toBe(200)
  await system.settled(orderId)
  expect((await people.order(orderId)).money.refundedMinor - before).toBe(told.body.money.refundMinor)
}
async function returned(orderId: string): Promise<void> {
  const asked = await people.shop<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' })
  await counted(orderId, asked.body.returnId)
}
async function counted(orderId: string, returnId: string): Promise<void> {
  await people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await system.settled(orderId)
}
const cases = (orderId: string): Promise<object[]> => system.db('exceptions').where({ order_id: orderId, resolved_at: null }).select('kind')

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
  await returned(orderId)
  expect((await people.order(orderId)).payments.find((p) => p.amountMinor === 2_000)).toMatchObject({ refundedMinor: 850 })
  const fewer = [{ op: 'setQuantity', lineId: '2', quantity: 1 }]
  expect((await people.support('POST', `/v1/orders/${orderId}/changes`, { operations: fewer })).body).toMatchObject({ deltaMinor: -2_000, refundMinor: 2_000 })
  await change(orderId, fewer)
  expect((await people.order(orderId)).money).toMatchObject({ refundedMinor: 2_850 })
  expect((await people.support('POST', `/v1/orders/${orderId}/changes`, { operations: [oneMore], paymentMethod: takenAtOnce })).body).toMatchObject({ deltaMinor: 2_000, chargeMinor: 2_000 })
  await leaves(orderId, '2')
  expect(kept(await ends(orderId))).toBe(2_000 + 490 + 150)
})

describe('where the first parcel comes back to its sender, and its money was given', () => {
  const debitAnd = (amountMinor: number): OrderWish => ({ tenders: [{ provider: 'stripe', paymentMethod: takenAtOnce, amountMinor }, { provider: 'stripe', paymentMethod: 'pm_card' }] })

  it('gives back what a debit has paid of the rest, and owes nothing more', async () => {
    const orderId = await placed(debitAnd(2_000))
    await says(orderId, await handedOver(orderId, '1'), 'returned')
    await cancel(orderId, '2')
    for (let turns = 0; (await people.order(orderId)).workflowOpen && turns < 20; turns += 1) await system.elapse(orderId)
    const order = await people.order(orderId)
    expect([order.workflowOpen, kept(order), await cases(orderId), await wrongWith(system, order)]).toEqual([false, 0, [], []])
  })

  it('gives back all of a debit that joined when what it was to pay is not wanted', async () => {
    const orderId = await placed({ paymentMethod: 'pm_card' })
    const parcel = await handedOver(orderId, '1')
    await change(orderId, [oneMore], { paymentMethod: takenAtOnce })
    await says(orderId, parcel, 'returned')
    await change(orderId, [{ op: 'setQuantity', lineId: '2', quantity: 1 }])
    await leaves(orderId, '2')
    expect(kept(await ends(orderId))).toBe(2_490)
  })

  it('gives nothing back of a debit for what a card was to pay', async () => {
    const orderId = await placed(debitAnd(3_000))
    const parcel = await handedOver(orderId, '1')
    await change(orderId, [{ op: 'addLine', lineId: 'more', sku: await people.stocked({ 'store-kreuzberg': 1 }), quantity: 1, unitPriceMinor: 1_500 }], { paymentMethod: 'pm_card' })
    await leaves(orderId, '2')
    await says(orderId, parcel, 'returned')
    expect((await people.support('POST', `/v1/orders/${orderId}/cancel?preview=true`, { lines: [{ lineId: 'more', quantity: 1 }], reason: 'x' })).body).toMatchObject({ money: { letGoMinor: 1_500, refundMinor: 0, remainingMinor: 2_490 } })
    await cancel(orderId, 'more')
    expect(kept(await ends(orderId))).toBe(2_490)
  })
})

it('has the channel give what a debit lacks, where a return has drawn on that and the channel took money for what came back', async () => {
  const orderId = await firstDelivered({ tenders: [{ provider: 'paid_elsewhere', amountMinor: 1_000 }, { provider: 'stripe', paymentMethod: 'pm_card' }] })
  await change(orderId, [oneMore], { paymentMethod: takenAtOnce })
  await returned(orderId)
  await change(orderId, [{ op: 'setQuantity', lineId: '2', quantity: 1 }])
  await leaves(orderId, '2')
  for (let turns = 0; (await people.order(orderId)).workflowOpen && turns < 20; turns += 1) await system.elapse(orderId)
  expect([kept(await people.order(orderId)), await cases(orderId)]).toEqual([2_000 + 490 + 150, [{ kind: 'order.refund_elsewhere' }]])
})

it('keeps of a debit what it paid for dearer goods that were sent in exchange', async () => {
  const orderId = await firstDelivered({ paymentMethod: takenAtOnce })
  const other = await people.stocked({ 'store-mitte': 1 })
  const asked = await people.shop<{ returnId: string }>('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big', sku: other, unitPriceMinor: 1_500 }], collectOld: 'store', paymentMethod: 'pm_card' })
  await counted(orderId, asked.body.returnId)
  await leaves(orderId, (await people.order(orderId)).lines.find((l) => l.sku === other)!.lineId)
  await cancel(orderId, '2')
  expect(kept(await ends(orderId))).toBe(1_500 + 490)
})
