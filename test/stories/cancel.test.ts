/** Support and shops change their minds: up to the door, everything is given back; after it, they are told what to do instead. */
import { orderWorkflowId } from '../../domain/ids'
import { eventually, peopleOf, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem()
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

const sock = { lines: [{ sku: 'SOCKS-3P', quantity: 2 }] }
const level = async (nodeId: string): Promise<{ allocated: number; available: number; onHand: number }> =>
  (await people.operations<{ items: { allocated: number; available: number; onHand: number }[] }>('GET', `/v1/inventory?sku=SOCKS-3P&nodeId=${nodeId}`)).body.items[0]!
const books = async (orderId: string): Promise<{ status: string; capturedMinor: number }[]> => {
  const answer = await fetch(`${system.payments.url}/control/books`)
  return ((await answer.json()) as { intents: { orderRef: string; status: string; capturedMinor: number }[] }).intents.filter((i) => i.orderRef === orderId)
}

it('cancels an order the store has not begun: stock free at once, authorisation voided after', async () => {
  const orderId = await people.place(sock)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  const before = await level(fulfillments[0]!.nodeId)
  const answer = await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  expect(answer).toMatchObject({ status: 200, body: { status: 'cancelled', lines: [{ cancelled: 2, allocated: 0 }] } })
  expect((await people.support('GET', `/v1/orders/${orderId}/versions`)).body).toMatchObject({ items: [{ number: 1, cause: 'placed' }, { number: 2, cause: 'changed her mind', actor: 'support:demo-support' }] })
  expect((await people.support('GET', `/v1/orders/${orderId}/versions/2`)).body).toMatchObject({ document: { lines: [], totalMinor: 0 } })
  const after = await level(fulfillments[0]!.nodeId)
  expect(after).toMatchObject({ allocated: before.allocated - 2, available: before.available + 2, onHand: before.onHand })
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', waitingOn: null, allowedActions: [], money: { owedMinor: 0 } })
  expect(await books(orderId)).toMatchObject([{ status: 'canceled', capturedMinor: 0 }])
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['order.cancelled', 'payment.voided']))
})

it('cancels a packed order and gives its label back to the carrier', async () => {
  const orderId = await people.place(sock)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  const trackingNumber = packed.body.packages[0]!.trackingNumber
  expect(await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'ordered twice' })).toMatchObject({ status: 200 })
  await people.until(orderId, (o) => !o.workflowOpen)
  const carrierBooks = (await (await fetch(`${system.carriers.url}/control/books`)).json()) as { parcels: { trackingNumber: string; voided: boolean }[] }
  expect(carrierBooks.parcels.find((p) => p.trackingNumber === trackingNumber)).toMatchObject({ voided: true })
})

it('refuses to cancel once the goods have left, and says what to do instead', async () => {
  const orderId = await people.place(sock)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  const [work] = fulfillments
  await people.pickAll(work!)
  await people.packAll(work!)
  await people.handOver(work!)
  const refused = await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'too late' })
  expect(refused).toMatchObject({ status: 409, body: { code: 'order.already_handed_over', fulfillmentIds: [work!.fulfillmentId], instead: 'intercept', parcels: [{ fulfillmentId: work!.fulfillmentId }] } })
  const cases = await people.operations<{ items: { orderId: string; exceptionId: string }[] }>('GET', '/v1/exceptions?kind=shipment.intercept_wanted')
  expect(cases.body.items.filter((c) => c.orderId === orderId)).toMatchObject([{ exceptionId: refused.body.exceptionId, deadline: expect.any(String) as string }])
  expect(await people.told(orderId)).toContain('shipment.intercept_asked')
  expect(await people.order(orderId)).toMatchObject({ status: 'shipped', allowedActions: [] })
})

it('refuses to cancel twice, and replays the first answer for the same key', async () => {
  const orderId = await people.place(sock)
  const once = { 'idempotency-key': 'cancel-once' }
  const first = await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'x' }, once)
  const again = await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'x' }, once)
  expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 200, 'true'])
  const other = await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'y' })
  expect(other).toMatchObject({ status: 409, body: { code: 'order.already_cancelled' } })
})

const handleOf = async (orderId: string) => system.client.workflow.getHandle(orderWorkflowId('web', (await people.order(orderId)).channelOrderId))

it('cancels by the signal that support sends from the Temporal UI', async () => {
  const orderId = await people.place(sock)
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await (await handleOf(orderId)).signal('cancelOrder', { reason: 'customer called', actor: 'desk-1', messageId: 'm-1' })
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' })
})

it('does the same for the Cancel button of the Temporal UI', async () => {
  const orderId = await people.place(sock)
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await (await handleOf(orderId)).cancel()
  const closed = await people.until(orderId, (o) => !o.workflowOpen)
  expect(closed).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' })
})

it('cancels several orders from the Temporal UI, each with its audit row, though the UI names them all alike', async () => {
  for (const how of ['signal', 'signal', 'button', 'button'] as const) {
    const orderId = await people.place(sock)
    await people.until(orderId, (o) => o.fulfillments.length === 1)
    const handle = await handleOf(orderId)
    await (how === 'signal' ? handle.signal('cancelOrder', { reason: 'customer called' }) : handle.cancel())
    expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'cancelled' })
    expect(await system.db('audit').where({ subject: orderId, action: 'order.cancel' })).toMatchObject([{ actor: 'support:support', command_id: null }])
  }
})

it('tells a refused signal on the timeline and to support, and the order goes on', async () => {
  const orderId = await people.place(sock)
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1)
  const [work] = fulfillments
  await people.pickAll(work!)
  const packed = await people.packAll(work!)
  await people.handOver(work!)
  const handle = await handleOf(orderId)
  await handle.signal('cancelOrder', { reason: 'customer called', messageId: 'm-2' })
  await handle.cancel()
  await eventually(() => people.told(orderId), (types) => types.filter((t) => t === 'order.cancel_refused').length === 2)
  const open = await people.support<{ items: { orderId: string; kind: string; owner: string }[] }>('GET', '/v1/exceptions?kind=order.cancel_refused')
  expect(open.body.items.filter((e) => e.orderId === orderId)).toMatchObject([{ owner: 'support' }])
  await people.until(orderId, (o) => o.money.capturedMinor > 0, 'the capture')
  expect((await people.giveBack(orderId, { amountMinor: 100, reason: 'she called twice' }, 'approve')).status).toBe(200)
  await people.until(orderId, (o) => o.money.refundedMinor === 100, 'what was asked for after the button')
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ status: 'completed' })
})
