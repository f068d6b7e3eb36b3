/** A change that costs more is confirmed while payment is held: nobody asks the bank until somebody lets it go, and then it is charged once; or the order ends, and it never is. */
import type { HoldView } from '../../db/views/holds'
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { eventually, peopleOf, type Answer, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const bankDeadlineMs = 4_000
beforeAll(async () => {
  system = await startSystem({ policies: { payment: { deadline: 'PT4S' } } })
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

async function held(): Promise<{ orderId: string; sku: string; holdId: string }> {
  const sku = await people.stocked({ 'store-mitte': 4 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 1_000 }] })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  const { body } = await people.support<HoldView>('POST', `/v1/orders/${orderId}/holds`, { type: 'fraud', reason: 'is it her card?', blocks: ['payment', 'shipping'] })
  return { orderId, sku, holdId: body.holdId }
}
const stateOf = async (changeId: string): Promise<string> => (await system.db('order_changes').where({ change_id: changeId }).first<{ state: string }>('state')).state
/** Confirmed; whoever did hears of it when it is decided. */
async function confirmed(orderId: string, quantity: number): Promise<{ changeId: string; confirm: () => Promise<Answer<OrderView>>; first: Promise<Answer<OrderView>> }> {
  const { changeId } = (await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity }] })).body
  const confirm = (): Promise<Answer<OrderView>> => people.support<OrderView>('POST', `/v1/orders/${orderId}/changes/${changeId}/confirm`, {}, { 'idempotency-key': `confirm-${changeId}` })
  return { changeId, confirm, first: confirm() }
}
const authorised = async (orderId: string): Promise<number[]> => (await intentsOf(system, orderId)).map((i) => i.authorizedMinor)

it('asks the bank only once payment is let go, though its usual time was over by then, and is done once', async () => {
  const { orderId, sku, holdId } = await held()
  const { changeId, confirm, first } = await confirmed(orderId, 3)
  const startedAt = Date.now()
  await eventually(() => stateOf(changeId), (state) => state === 'paying', { what: 'a change that waits' })
  await people.until(orderId, () => Date.now() > startedAt + bankDeadlineMs + 500, 'the time after which the bank would not have been waited for')
  expect(await authorised(orderId)).toEqual([2_490])
  expect(await people.order(orderId)).toMatchObject({ totalMinor: 2_490, lines: [{ quantity: 2, allocated: 2 }], holds: [{ holdId }] })
  expect((await people.support('POST', `/v1/orders/${orderId}/holds/${holdId}/release`, {})).status).toBe(200)
  const changed = await people.until(orderId, (o) => o.lines[0]!.quantity === 3, 'the change')
  expect(changed).toMatchObject({ totalMinor: 3_490, lines: [{ allocated: 3 }], money: { authorizedMinor: 3_490 } })
  expect([await first.then((a) => [200, 503].includes(a.status)), await stateOf(changeId)]).toEqual([true, 'confirmed'])
  expect(await eventually(confirm, (a) => a.status === 200)).toMatchObject({ body: { totalMinor: 3_490 } })
  expect((await authorised(orderId)).sort()).toEqual([1_000, 2_490])
  expect((await people.told(orderId)).filter((t) => t === 'order.changed')).toHaveLength(1)
  expect(await system.db('stock_levels').where({ sku }).first('allocated')).toEqual({ allocated: 3 })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'end of the story' })
  await people.until(orderId, (o) => !o.workflowOpen)
})

it('is never charged when the order is cancelled before', async () => {
  const { orderId, sku } = await held()
  const { changeId, confirm } = await confirmed(orderId, 3)
  await eventually(() => stateOf(changeId), (state) => state === 'paying', { what: 'a change that waits' })
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'it was not her card' })).status).toBe(200)
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', lines: [{ quantity: 2, cancelled: 2 }] })
  expect(await stateOf(changeId)).toBe('failed')
  expect(await confirm()).toMatchObject({ status: 409, body: { code: 'order.already_cancelled' } })
  expect((await intentsOf(system, orderId)).map((i) => i.status)).toEqual(['canceled']) // of the order; nobody was asked for more
  expect(await system.db('stock_levels').where({ sku }).first('allocated', 'reserved')).toEqual({ allocated: 0, reserved: 0 })
})

it('does not wait where it costs nothing more', async () => {
  const { orderId } = await held()
  const { first } = await confirmed(orderId, 1)
  expect(await first).toMatchObject({ status: 200, body: { lines: [{ cancelled: 1 }], money: { owedMinor: 1_490 } } })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'end of the story' })
  await people.until(orderId, (o) => !o.workflowOpen)
})
