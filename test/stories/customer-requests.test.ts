/** Customers ask for a change or a cancellation themselves, and a merchant decides; what comes after the hand-over is said to be something else. */
import type { OrderView } from '../../db/views/orders'
import { expectInvariants } from '../support/invariants'
import { caller, peopleOf, type Answer, type People } from '../support/people'
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

it('asks a merchant about whatever the key of a web shop wants cancelled, as about its changes; marketplaces, tills and support are not asked about', async () => {
  const { orderId } = await released(4, 2)
  const wish = { reason: 'x' }
  const inPart = { ...wish, lines: [{ lineId: '1', quantity: 1 }] }
  const waits = { status: 202, body: { state: 'requested' } }
  expect(await people.shop('POST', `/v1/orders/${orderId}/cancel`, wish)).toMatchObject(waits)
  expect(await people.shop('POST', `/v1/orders/${orderId}/cancel`, { ...wish, requestedBy: 'merchant' })).toMatchObject(waits)
  expect(await people.shop('POST', `/v1/orders/${orderId}/cancel`, inPart)).toMatchObject(waits)
  expect(await people.order(orderId)).toMatchObject({ lines: [{ cancelled: 0 }] })
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, wish)).toMatchObject({ status: 200, body: { status: 'cancelled' } })
  const sku = await people.stocked({ 'store-mitte': 1 })
  const sold = await people.place({ channel: 'marketplace', lines: [{ sku, quantity: 1, unitPriceMinor: 1000 }] })
  const marketplace = caller(system.url, 'demo-channel-marketplace')
  expect(await marketplace('POST', `/v1/orders/${sold}/cancel`, wish)).toMatchObject({ status: 200, body: { status: 'cancelled' } })
  for (const id of [orderId, sold]) await people.until(id, (o) => !o.workflowOpen)
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

async function handedOver(units: number): Promise<{ orderId: string; trackingNumber: string }> {
  const { orderId } = await released(units, units)
  return { orderId, trackingNumber: await leaves(orderId) }
}
async function leaves(orderId: string): Promise<string> {
  const [work] = (await people.order(orderId)).fulfillments
  await people.pickAll(work!)
  const trackingNumber = (await people.packAll(work!)).body.packages[0]!.trackingNumber!
  await people.handOver(work!)
  await people.until(orderId, (o) => o.status === 'shipped' && o.money.owedMinor === 0, 'the hand-over')
  return trackingNumber
}
const askedBack = async (orderId: string): Promise<{ exceptionId: string; orderId: string; data: object }[]> =>
  (await people.operations<{ items: { exceptionId: string; orderId: string; data: object }[] }>('GET', '/v1/exceptions?kind=shipment.intercept_wanted&limit=200')).body.items.filter((e) => e.orderId === orderId)

it.each<[string, string, (orderId: string) => Promise<Answer<Requested>>, object?]>([
  ['the customer cancels it', 'order.already_handed_over', (orderId) => people.shop('POST', `/v1/orders/${orderId}/cancel`, { reason: 'not wanted', requestedBy: 'customer' })],
  ['the customer cancels a unit', 'order.units_not_cancellable', (orderId) => people.shop('POST', `/v1/orders/${orderId}/cancel`, { reason: 'not wanted', requestedBy: 'customer', lines: [{ lineId: '1', quantity: 1 }] }), { lineIds: ['1'] }],
  ['the customer asks for a cancellation as a change', 'order.already_handed_over', (orderId) => asks(orderId, { op: 'cancel' })],
  ['the customer wants fewer', 'order.units_not_cancellable', (orderId) => asks(orderId, { op: 'setQuantity', lineId: '1', quantity: 1 }), { lineIds: ['1'] }],
])('really asks for the parcel that is on its way when %s, and nobody else has', async (_, code, ask, of = {}) => {
  const { orderId, trackingNumber } = await handedOver(2)
  const before = await people.order(orderId)
  const late = await ask(orderId)
  expect(late).toMatchObject({ status: 409, body: { code, instead: 'intercept', exceptionId: expect.any(String) as string, parcels: [{ trackingNumber }] } })
  expect(await askedBack(orderId)).toMatchObject([{ exceptionId: late.body.exceptionId, data: { parcels: [{ trackingNumber }], ...of } }])
  expect((await people.told(orderId)).filter((type) => type === 'shipment.intercept_asked')).toHaveLength(1)
  expect(await waitingFor(orderId)).toEqual([])
  expect((await people.support<{ items: object[] }>('GET', `/v1/orders/${orderId}/changes`)).body.items).toEqual([])
  expect(await people.order(orderId)).toMatchObject({ lines: before.lines, money: before.money, status: before.status })
  expect((await ask(orderId)).body).toMatchObject({ exceptionId: late.body.exceptionId })
  expect(await askedBack(orderId)).toHaveLength(1)
})

it('asks for the parcel that has left while a merchant was thinking about the cancellation, when she says yes', async () => {
  const { orderId } = await released(2, 2)
  const asked = await asks(orderId, { op: 'setQuantity', lineId: '1', quantity: 1 })
  const trackingNumber = await leaves(orderId)
  expect(await people.support('POST', `/v1/orders/${orderId}/changes?preview=true`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 1 }] })).toMatchObject({ status: 409, body: { instead: 'intercept' } })
  expect(await askedBack(orderId)).toEqual([])
  const yes = await decide(orderId, asked.body.changeId, 'approve')
  expect(yes).toMatchObject({ status: 409, body: { code: 'order.units_not_cancellable', instead: 'intercept', parcels: [{ trackingNumber }] } })
  expect(await askedBack(orderId)).toMatchObject([{ exceptionId: (yes.body as unknown as Requested).exceptionId }])
})
