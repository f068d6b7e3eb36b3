/** Money that is given back of orders that several payments pay for: none keeps what is not wanted, none gives what a bank has taken, and what a channel gave in place of another is counted once. */
jest.mock('@temporalio/workflow', () => jest.requireActual<object>('../support/in-memory/workflow'))
jest.mock('../../workflows/support/clock', () => jest.requireActual<object>('../support/in-memory/workflow'))
import { randomUUID } from 'node:crypto'
import { checkInvariants } from '../invariants/checker'
import { wrongWith } from '../support/in-memory/adds-up'
import { chanceOf } from '../support/in-memory/chance'
import { handsOf } from '../support/in-memory/parcels'
import { startInMemory, type InMemory } from '../support/in-memory/system'
import { peopleOf, type People } from '../support/people'

type Hands = ReturnType<typeof handsOf>
let system: InMemory
let people: People
let handedOver: Hands['handedOver'], says: Hands['says'], change: Hands['change']
beforeAll(async () => {
  system = await startInMemory({ returns: { window: 'P14D', restockBy: 'P7D', advance: { hold: true } }, sourcing: { maxShipments: 2, splitLines: true, retryEvery: 'PT10M', autoCancelAfter: 'PT1H' }, parcels: { lost: 'refund' } })
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
const debit = { provider: 'stripe', paymentMethod: 'pm_wallet' }

const kept = async (orderId: string): Promise<number> => {
  const { money } = await people.order(orderId)
  return money.capturedMinor - money.refundedMinor
}

async function ends(orderId: string): Promise<void> {
  for (let turns = 0; (await people.order(orderId)).workflowOpen && turns < 20; turns += 1) await system.elapse(orderId)
}

async function chargedBack(orderId: string, amountMinor: number): Promise<void> {
  const { reference } = (await people.order(orderId)).payments.find((p) => p.provider === 'stripe')!
  system.provider.dispute(reference!, 'lost')
  await system.tell(orderId, { source: 'stripe', eventId: randomUUID(), kind: 'dispute', subject: reference!, payload: { disputeId: `du_${reference}`, reference, amountMinor, currency: 'EUR', reason: 'fraudulent', status: 'lost' } })
  await system.settled(orderId)
}

async function balances(orderId: string, ...accounts: string[]): Promise<number[]> {
  const { entries } = (await people.support<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body
  return accounts.map((account) => entries.filter((e) => e.account === account).reduce((sum, e) => sum + e.amountMinor, 0))
}

it('gives back of a debit what it was to pay of dearer goods that are not sent in exchange after all', async () => {
  const orderId = await people.place({ paymentMethod: 'pm_card', lines: [{ sku: await people.stocked({ 'store-mitte': 1 }), quantity: 1, unitPriceMinor: 1_000 }] })
  await system.settled(orderId)
  await says(orderId, await handedOver(orderId), 'delivered')
  const [other, more] = [await people.stocked({ 'dc-01': 1 }), await people.stocked({ 'store-mitte': 1 })]
  await people.shop('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big', sku: other, unitPriceMinor: 2_100 }], collectOld: 'mail', send: 'now', paymentMethod: 'pm_card' })
  await system.settled(orderId)
  await change(orderId, [{ op: 'addLine', lineId: 'more', sku: more, quantity: 1, unitPriceMinor: 1_500 }], { paymentMethod: 'pm_wallet' })
  const sent = (await people.order(orderId)).lines.find((l) => l.sku === other)!.lineId
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: sent, quantity: 1 }], reason: 'not any more' })).status).toBe(200)
  await system.settled(orderId)
  await says(orderId, await handedOver(orderId), 'delivered')
  await ends(orderId)
  expect(await kept(orderId)).toBe(1_000 + 490 + 1_500)
  expect(await wrongWith(system, await people.order(orderId))).toEqual([])
})

it('does not give by one payment what a bank took of another that had given it already by hand', async () => {
  const { body } = await people.support<{ code: string }>('POST', '/v1/gift-cards', { currency: 'EUR', amountMinor: 1_200, paidElsewhere: true, reason: 'sold at the till' })
  const tenders = [{ provider: 'gift_card', paymentMethod: body.code, amountMinor: 1_200 }, { provider: 'stripe', paymentMethod: 'pm_card' }]
  const orderId = await people.place({ tenders, lines: [{ sku: await people.stocked({ 'store-mitte': 1 }), quantity: 1, unitPriceMinor: 1_000 }] })
  await system.settled(orderId)
  const parcel = await handedOver(orderId)
  expect((await people.giveBack(orderId, { amountMinor: 609, reason: 'late' }, 'approve')).status).toBeLessThan(300)
  await system.settled(orderId)
  await chargedBack(orderId, 290)
  await says(orderId, parcel, 'lost')
  expect(await kept(orderId)).toBe(290) // and her bank has given her those
})

it('gives all that is due for what comes back, though the money for it was still being taken when she was given store credit for the other', async () => {
  const lines = [{ sku: await people.stocked({ 'store-mitte': 1 }), quantity: 1, unitPriceMinor: 1_000 }, { sku: await people.stocked({ 'store-mitte': 1 }), quantity: 1, unitPriceMinor: 1_333 }]
  const orderId = await people.place({ paymentMethod: 'pm_card', lines })
  await system.settled(orderId)
  system.luck(orderId, { ...chanceOf(0), call: () => 'not done' })
  await says(orderId, await handedOver(orderId), 'delivered')
  expect((await people.claim(orderId, { lines: [{ lineId: '1', quantity: 1 }], remedy: 'credit', reason: 'leaks' })).status).toBeLessThan(300)
  expect(await people.order(orderId)).toMatchObject({ money: { capturedMinor: 0 }, payments: [{ creditedMinor: 1_000 }] })
  const counted = [{ quantity: 1, grade: 'as_new', disposition: 'restock' }]
  expect((await people.store('store-mitte')('POST', `/v1/orders/${orderId}/counter-returns`, { nodeId: 'store-mitte', lines: [{ lineId: '2', reason: 'too big', counted }] })).status).toBe(201)
  system.luck(orderId, chanceOf(0))
  await ends(orderId)
  expect(await kept(orderId)).toBe(1_000) // and those she has as credit
})

it('counts what she was given ahead no more than once, when her bank has given more than was left, and nothing of the order is wanted', async () => {
  const orderId = await people.place({ paymentMethod: 'pm_card', lines: [{ sku: await people.stocked({ 'store-mitte': 1, 'dc-01': 1 }), quantity: 1, unitPriceMinor: 1_000 }] })
  await system.settled(orderId)
  const parcel = await handedOver(orderId)
  expect((await people.giveBack(orderId, { amountMinor: 1_300, reason: 'late' }, 'approve')).status).toBeLessThan(300)
  await system.settled(orderId)
  await chargedBack(orderId, 500)
  await says(orderId, parcel, 'delivered')
  await people.shop('POST', `/v1/orders/${orderId}/replacements`, { lines: [{ lineId: '1', quantity: 1, reason: 'torn' }], collectOld: 'none' })
  await system.settled(orderId)
  const { lineId } = (await people.order(orderId)).lines[1]!
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId, quantity: 1 }], reason: 'not any more' })).status).toBe(200)
  await system.settled(orderId)
  expect(await balances(orderId, 'shipping', 'adjustments')).toEqual([0, 310]) // she has 310 more than she has paid
  await ends(orderId)
  expect(await wrongWith(system, await people.order(orderId))).toEqual([])
})

it('counts of what was given of a debit by hand no more than nobody has given otherwise, when a unit is cancelled, and then the rest', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
  const orderId = await people.place({ paymentMethod: 'pm_wallet', lines: [{ sku: here, quantity: 1, unitPriceMinor: 1_000 }, { sku: there, quantity: 1, unitPriceMinor: 1_000 }] })
  await system.settled(orderId)
  expect((await people.giveBack(orderId, { amountMinor: 2_300, reason: 'late' }, 'approve')).status).toBeLessThan(300)
  await system.settled(orderId)
  await chargedBack(orderId, 500)
  await change(orderId, [{ op: 'removeLine', lineId: '1' }])
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'not any more' })).status).toBe(200)
  await system.settled(orderId)
  expect(await balances(orderId, 'receivable', 'adjustments')).toEqual([0, 310])
  expect(await wrongWith(system, await people.order(orderId))).toEqual([])
})

it('counts what a channel gave in place of a debit with the channel, when nothing of the order is wanted', async () => {
  const [here, there] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 })]
  const orderId = await people.place({ tenders: [{ provider: 'paid_elsewhere', amountMinor: 900 }, debit], lines: [{ sku: here, quantity: 1, unitPriceMinor: 1_000 }, { sku: there, quantity: 1, unitPriceMinor: 1_333 }] })
  await system.settled(orderId)
  expect((await people.giveBack(orderId, { amountMinor: 1_022, reason: 'late' }, 'approve')).status).toBeLessThan(300)
  await system.settled(orderId)
  await change(orderId, [{ op: 'removeLine', lineId: '1' }])
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'not any more' })).status).toBe(200)
  await system.settled(orderId)
  expect(await balances(orderId, 'receivable')).toEqual([0])
})

it('counts a gift that her bank had given already when nothing of the order is wanted', async () => {
  const orderId = await people.place({ paymentMethod: 'pm_wallet', lines: [{ sku: await people.stocked({ 'store-mitte': 1 }), quantity: 1, unitPriceMinor: 1_000 }] })
  await system.settled(orderId)
  await chargedBack(orderId, 500)
  const calls = ['unknown, not done'] as const
  let made = 0
  system.luck(orderId, { ...chanceOf(0), call: () => calls[made++] ?? 'none' })
  expect((await people.giveBack(orderId, { amountMinor: 600, reason: 'late' }, 'approve')).status).toBeLessThan(300)
  await system.settled(orderId)
  await system.elapse(orderId)
  expect(await kept(orderId)).toBe(1_490 - 100)
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'not any more' })).status).toBe(200)
  await system.settled(orderId)
  await ends(orderId)
  expect(await kept(orderId)).toBe(500) // which her bank has taken
  expect(await balances(orderId, 'receivable', 'adjustments')).toEqual([0, 0])
  expect(await wrongWith(system, await people.order(orderId))).toEqual([])
})
