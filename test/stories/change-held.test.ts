/** A change or an exchange that costs more is asked for while payment is held: it is refused at once, by the name of the hold, and nobody asks the bank; once somebody lets it go it is charged once, or the order ends, and it never is. */
import type { HoldView } from '../../db/views/holds'
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { peopleOf, type Answer, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { payment: { deadline: 'PT4S' }, returns: { window: 'PT5S', restockBy: 'PT5S' } } })
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

async function held(blocks = ['payment', 'shipping']): Promise<{ orderId: string; sku: string; holdId: string }> {
  const sku = await people.stocked({ 'store-mitte': 4 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 1_000 }] })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  const { body } = await people.support<HoldView>('POST', `/v1/orders/${orderId}/holds`, { type: 'fraud', reason: 'is it her card?', blocks })
  return { orderId, sku, holdId: body.holdId }
}
const stateOf = async (changeId: string): Promise<string> => (await system.db('order_changes').where({ change_id: changeId }).first<{ state: string }>('state')).state
const asked = async (orderId: string, quantity: number): Promise<{ changeId: string; confirm: () => Promise<Answer<OrderView>> }> => {
  const { changeId } = (await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity }] })).body
  return { changeId, confirm: () => people.support<OrderView>('POST', `/v1/orders/${orderId}/changes/${changeId}/confirm`, {}) }
}
const authorised = async (orderId: string): Promise<number[]> => (await intentsOf(system, orderId)).map((i) => i.authorizedMinor)
const stopped = (holdId: string) => ({ status: 409, body: { code: 'order.held', step: 'payment', holdId, holdType: 'fraud', holds: [{ holdId }] } })

it('is refused at once by the name of the hold, and confirmed and charged once when that is released', async () => {
  const { orderId, sku, holdId } = await held()
  const { changeId, confirm } = await asked(orderId, 3)
  expect(await confirm()).toMatchObject(stopped(holdId))
  expect([await stateOf(changeId), await authorised(orderId)]).toEqual(['asked', [2_490]])
  expect(await people.order(orderId)).toMatchObject({ totalMinor: 2_490, lines: [{ quantity: 2, allocated: 2 }], holds: [{ holdId }] })
  expect((await people.support('POST', `/v1/orders/${orderId}/holds/${holdId}/release`, {})).status).toBe(200)
  expect(await confirm()).toMatchObject({ status: 200, body: { totalMinor: 3_490, lines: [{ quantity: 3, allocated: 3 }], money: { authorizedMinor: 3_490 } } })
  expect([await stateOf(changeId), (await authorised(orderId)).sort()]).toEqual(['confirmed', [1_000, 2_490]])
  expect((await people.told(orderId)).filter((t) => t === 'order.changed')).toHaveLength(1)
  expect(await system.db('stock_levels').where({ sku }).first('allocated')).toEqual({ allocated: 3 })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'end of the story' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('is never charged when the order is cancelled before', async () => {
  const { orderId, sku, holdId } = await held()
  const { confirm } = await asked(orderId, 3)
  expect(await confirm()).toMatchObject(stopped(holdId))
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'it was not her card' })).status).toBe(200)
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', lines: [{ quantity: 2, cancelled: 2 }] })
  expect(await confirm()).toMatchObject({ status: 409, body: { code: 'order.already_cancelled' } })
  expect((await intentsOf(system, orderId)).map((i) => i.status)).toEqual(['canceled']) // of the order; nobody was asked for more
  expect(await system.db('stock_levels').where({ sku }).first('allocated', 'reserved')).toEqual({ allocated: 0, reserved: 0 })
})

it('is the same for another thing that costs more, and for its preview, and the bank is not asked; what costs no more is sent', async () => {
  const { orderId, holdId } = await held(['payment'])
  const { fulfillments } = await people.order(orderId)
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  expect((await people.handOver(fulfillments[0]!)).status).toBe(200)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.lines[0]!.delivered === 2, 'the delivery')
  const sku = await people.stocked({ 'dc-01': 2 })
  const exchange = (unitPriceMinor: number, query = ''): Promise<Answer<{ code: string }>> =>
    people.support('POST', `/v1/orders/${orderId}/replacements${query}`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big', sku, unitPriceMinor }], collectOld: 'store' })
  for (const query of ['?preview=true', '']) expect(await exchange(1_400, query)).toMatchObject(stopped(holdId))
  expect(await people.order(orderId)).toMatchObject({ totalMinor: 2_490, returns: [], payments: [{}] })
  for (const [query, status] of [['?preview=true', 200], ['', 201]] as const) expect((await exchange(1_000, query)).status).toBe(status)
  await people.support('POST', `/v1/orders/${orderId}/holds/${holdId}/release`, {})
  for (const [query, status] of [['?preview=true', 200], ['', 201]] as const) expect((await exchange(1_400, query)).status).toBe(status)
  expect((await authorised(orderId)).sort()).toEqual([2_490, 400])
})

it('does not wait where it costs nothing more', async () => {
  const { orderId } = await held()
  const { confirm } = await asked(orderId, 1)
  expect(await confirm()).toMatchObject({ status: 200, body: { lines: [{ cancelled: 1 }], money: { owedMinor: 1_490 } } })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'end of the story' })
  await people.until(orderId, (o) => !o.workflowOpen)
})
