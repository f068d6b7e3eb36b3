/** Customers ask for a change or a cancellation themselves, and a merchant decides; what comes after the hand-over is said to be something else. */
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { peopleOf, type Answer, type People } from '../support/people'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT1H', restockBy: 'PT2H' }, care: { retryEvery: 'PT1S', customerRequests: { approval: true, decideWithin: 'PT1H' } } } })
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

interface Requested {
  changeId: string
  code: string
  [field: string]: unknown
}
const asks = (orderId: string, ...operations: object[]): Promise<Answer<Requested>> => people.shop<Requested>('POST', `/v1/orders/${orderId}/changes`, { operations })
const decide = (orderId: string, changeId: string, verb: string, body = {}): Promise<Answer<OrderView & { code: string }>> => people.support('POST', `/v1/orders/${orderId}/changes/${changeId}/${verb}`, body)
const waitingFor = async (orderId: string): Promise<{ subject: string }[]> =>
  (await people.support<{ items: { orderId: string; subject: string }[] }>('GET', '/v1/exceptions?kind=order.change_requested')).body.items.filter((e) => e.orderId === orderId)
async function released(units: number, quantity: number): Promise<{ orderId: string; sku: string }> {
  const sku = await people.stocked({ 'store-mitte': units })
  const orderId = await people.place({ lines: [{ sku, quantity, unitPriceMinor: 1000 }] })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  return { orderId, sku }
}
const ended = async (orderId: string): Promise<void> => {
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'enough' })
  await people.until(orderId, (o) => !o.workflowOpen)
}

it('waits for a merchant, is done with her yes although the order has gone on, and nobody is asked any more', async () => {
  const { orderId, sku } = await released(5, 2)
  const asked = await asks(orderId, { op: 'setQuantity', lineId: '1', quantity: 3 })
  expect(asked).toMatchObject({ status: 201, body: { state: 'requested', chargeMinor: 1000 } })
  expect(await waitingFor(orderId)).toMatchObject([{ subject: asked.body.changeId }])
  expect(await decide(orderId, asked.body.changeId, 'confirm')).toMatchObject({ status: 409, body: { code: 'order.change_undecided' } })
  expect(await people.shop('POST', `/v1/orders/${orderId}/changes/${asked.body.changeId}/approve`, {})).toMatchObject({ status: 403 })
  const [work] = (await people.order(orderId)).fulfillments
  await people.work(work!, 'pick', { lines: [{ lineId: '1', picked: 1 }] })
  expect(await decide(orderId, asked.body.changeId, 'approve')).toMatchObject({ status: 200, body: { lines: [{ quantity: 3, allocated: 3 }], money: { authorizedMinor: 3490 } } })
  expect(await waitingFor(orderId)).toEqual([])
  const all = await people.support<{ items: object[] }>('GET', `/v1/orders/${orderId}/changes`)
  expect(all.body.items).toMatchObject([{ changeId: asked.body.changeId, state: 'confirmed', requestedBy: 'customer', deltaMinor: 1000, chargeMinor: 1000, decidedBy: expect.stringContaining('support') as string }])
  expect(await decide(orderId, asked.body.changeId, 'reject', { reason: 'too late' })).toMatchObject({ status: 409, body: { code: 'order.change_ended', state: 'confirmed' } })
  expect((await people.operations<{ items: object[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items).toMatchObject([{ allocated: 3, reserved: 0 }])
  await ended(orderId)
})

it('is refused with the reason, and what it held is free; undecided in time it is refused by itself', async () => {
  const { orderId, sku } = await released(5, 2)
  const level = async (): Promise<object[]> => (await people.operations<{ items: object[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items
  const first = await asks(orderId, { op: 'setQuantity', lineId: '1', quantity: 4 })
  expect(await level()).toMatchObject([{ allocated: 2, reserved: 2 }])
  expect(await decide(orderId, first.body.changeId, 'reject', { reason: 'promised to others' })).toMatchObject({ status: 200, body: { lines: [{ quantity: 2 }] } })
  expect(await level()).toMatchObject([{ allocated: 2, reserved: 0 }])
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['order.change_requested', 'order.change_rejected']))
  const second = await asks(orderId, { op: 'setQuantity', lineId: '1', quantity: 1 })
  await system.db('order_changes').where({ change_id: second.body.changeId }).update({ expires_at: '2026-01-01T00:00:00Z' })
  expect(await decide(orderId, second.body.changeId, 'approve')).toMatchObject({ status: 409, body: { code: 'order.change_expired' } })
  await system.client.workflow.execute('sweep', { taskQueue: `${system.queuePrefix}orders`, workflowId: `sweep-${orderId}` })
  expect(await waitingFor(orderId)).toEqual([])
  expect((await people.support<{ items: object[] }>('GET', `/v1/orders/${orderId}/changes`)).body.items).toMatchObject([{ state: 'rejected', reason: 'promised to others' }, { state: 'rejected', reason: 'nobody decided in time' }])
  await ended(orderId)
})

it('cancels with a yes what the customer wanted cancelled, in part and as a whole', async () => {
  const { orderId } = await released(5, 3)
  const asksToCancel = (body: object): Promise<Answer<Requested>> => people.shop<Requested>('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed my mind', requestedBy: 'customer', ...body })
  const old = { 'if-match': '"0"' }
  expect(await people.shop('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed my mind', requestedBy: 'customer' }, old)).toMatchObject({ status: 412, body: { code: 'request.version_mismatch' } })
  const part = await asksToCancel({ lines: [{ lineId: '1', quantity: 1 }] })
  expect(part).toMatchObject({ status: 202, body: { state: 'requested', deltaMinor: -1000, letGoMinor: 1000 } })
  expect((await people.order(orderId)).lines[0]).toMatchObject({ cancelled: 0 })
  expect(await people.support('POST', `/v1/orders/${orderId}/changes/${part.body.changeId}/reject`, { reason: 'no' }, old)).toMatchObject({ status: 412 })
  expect(await decide(orderId, part.body.changeId, 'approve')).toMatchObject({ status: 200, body: { lines: [{ cancelled: 1 }] } })
  const whole = await asksToCancel({})
  expect(whole).toMatchObject({ status: 202, body: { deltaMinor: -2490, letGoMinor: 2490 } })
  expect(await decide(orderId, whole.body.changeId, 'approve')).toMatchObject({ status: 200, body: { status: 'cancelled' } })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' })
})

it('says after the hand-over what a cancellation becomes: the parcel is asked back while it travels, and sent back once it has arrived', async () => {
  const { orderId } = await released(2, 1)
  const [work] = (await people.order(orderId)).fulfillments
  await people.pickAll(work!)
  const trackingNumber = (await people.packAll(work!)).body.packages[0]!.trackingNumber!
  await people.handOver(work!)
  const late = (): Promise<Answer> => people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'too late' })
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel?preview=true`, { reason: 'too late' })).toMatchObject({ status: 409, body: { instead: 'intercept' } })
  expect(await late()).toMatchObject({ status: 409, body: { code: 'order.already_handed_over', instead: 'intercept', exceptionId: expect.any(String) as string, parcels: [{ trackingNumber }] } })
  const unit = (): Promise<Answer> => people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'too late' })
  expect(await unit()).toMatchObject({ status: 409, body: { code: 'order.units_not_cancellable', lines: [{ lineId: '1', cancellable: 0 }], instead: 'intercept', exceptionId: expect.any(String) as string, parcels: [{ trackingNumber }] } })
  expect(await asks(orderId, { op: 'cancel' })).toMatchObject({ status: 409, body: { code: 'order.already_handed_over', instead: 'intercept' } })
  await people.carrierSays(trackingNumber, 'delivered')
  await people.until(orderId, (o) => o.status === 'delivered')
  expect(await unit()).toMatchObject({ status: 409, body: { code: 'order.units_not_cancellable', instead: 'return' } })
  const refused = await late()
  expect(refused).toMatchObject({ status: 409, body: { code: 'order.already_handed_over', instead: 'return' } })
})
