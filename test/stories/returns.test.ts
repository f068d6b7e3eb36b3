/** What comes back: asked for, counted, paid back; and what is sent in place of it. */
import type { ReturnView } from '../../db/views/returns'
import { orderWorkflowId } from '../../domain/ids'
import { caller, orderOf, peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT3S', restockBy: 'PT30S' }, sourcing: { maxShipments: 3, splitLines: true, retryEvery: 'PT0.3S', autoCancelAfter: 'PT3S' } } })
  people = peopleOf(system)
})
afterAll(async () => {
  await expectInvariants(system)
  await system.stop()
})

/** An order that the customer has. */
async function delivered(wish: OrderWish & { unitPriceMinor?: number; units?: number }): Promise<{ orderId: string; sku: string }> {
  const { unitPriceMinor = 1_000, units = 1 } = wish
  const sku = wish.lines?.[0]?.sku ?? (await people.stocked({ 'store-mitte': units }))
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor }], ...wish })
  await deliver(orderId)
  return { orderId, sku }
}

/** Whatever is still in the building goes all the way. */
async function deliver(orderId: string): Promise<void> {
  const sourced = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'), 'a work order')
  const work = sourced.fulfillments.find((f) => f.status === 'released')!
  await people.pickAll(work)
  const packed = await people.packAll(work)
  await people.handOver(work)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.fulfillments.find((f) => f.fulfillmentId === work.fulfillmentId)!.status === 'delivered' && o.money.owedMinor === 0, 'delivery')
}

const asked = (orderId: string, lines: object[], { key = 'demo-channel-web', method = 'store', preview = false } = {}): Promise<Answer<ReturnView>> =>
  caller(system.url, key)<ReturnView>('POST', `/v1/orders/${orderId}/returns${preview ? '?preview=true' : ''}`, { lines: lines.map((l) => ({ reason: 'too big', ...l })), method })
const replaced = (orderId: string, lines: object[], collectOld: string, query = ''): Promise<Answer<ReturnView>> =>
  people.support<ReturnView>('POST', `/v1/orders/${orderId}/replacements${query}`, { lines: lines.map((l) => ({ reason: 'broken', ...l })), collectOld })
const received = (returnId: string, lines: object[], nodeId = 'store-mitte'): Promise<Answer<ReturnView>> =>
  people.store(nodeId)<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId, lines: lines.map((l) => ({ grade: 'as_new', disposition: 'restock', ...l })) })
const onHand = async (sku: string, nodeId: string): Promise<number | undefined> =>
  (await people.operations<{ items: { sku: string; nodeId: string; onHand: number }[] }>('GET', `/v1/inventory?sku=${sku}`)).body.items.find((l) => l.nodeId === nodeId)?.onHand

it('takes goods back at the counter, puts them back on the shelf and gives the money back, shipping with the last unit', async () => {
  const { orderId, sku } = await delivered({ units: 2 })
  expect((await asked(orderId, [{ lineId: '1', quantity: 1 }], { preview: true })).body).toMatchObject({ preview: true, approved: true, money: { refundMinor: 1_000, goodsMinor: 1_000, shippingMinor: 0 } })
  expect((await asked(orderId, [{ lineId: '1', quantity: 2 }], { preview: true })).body).toMatchObject({ money: { refundMinor: 2_490, goodsMinor: 2_000, shippingMinor: 490, refundOn: 'receipt' } })
  expect((await people.order(orderId)).returns).toEqual([])
  const back = await asked(orderId, [{ lineId: '1', quantity: 2 }])
  expect(back).toMatchObject({ status: 201, body: { number: 1, status: 'approved', waitingOn: { what: 'return' }, allowedActions: ['receive', 'cancel', 'close', 'remind'] } })
  expect(await people.order(orderId)).toMatchObject({ waitingOn: { what: 'return' }, returns: [{ status: 'approved', lines: [{ lineId: '1', quantity: 2, received: 0 }] }] })
  expect(await received(back.body.returnId, [{ lineId: '1', quantity: 1 }])).toMatchObject({ status: 200, body: { status: 'approved', lines: [{ received: 1 }] } })
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 1_000)).toMatchObject({ paymentStatus: 'partially_refunded', lines: [{ returned: 1, credited: 1 }] })
  await received(back.body.returnId, [{ lineId: '1', quantity: 1, grade: 'damaged', disposition: 'refurbish' }])
  const whole = await people.until(orderId, (o) => o.money.refundedMinor === 2_490 && o.returns[0]!.status === 'closed')
  expect(whole).toMatchObject({ paymentStatus: 'refunded', lines: [{ returned: 2, credited: 2 }], money: { owedMinor: 0 } })
  expect((await people.support<ReturnView>('GET', `/v1/returns/${back.body.returnId}`)).body).toMatchObject({ status: 'closed', refunds: [{ amountMinor: 1_000, status: 'succeeded' }, { amountMinor: 1_490, status: 'succeeded' }] })
  expect(await onHand(sku, 'store-mitte')).toBe(2)
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['return.requested', 'return.received', 'payment.refunded', 'return.closed']))
})

it('sends another in place of a faulty one that nobody wants back, from wherever there is one', async () => {
  const { orderId, sku } = await delivered({})
  await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta: 1, reason: 'opening' })
  expect((await replaced(orderId, [{ lineId: '1', quantity: 1 }], 'none', '?preview=true')).body).toMatchObject({ goods: { back: [], sent: [{ sku, quantity: 1 }], sends: 'now' }, money: { chargeMinor: 0, refundMinor: 0 } })
  const answer = await replaced(orderId, [{ lineId: '1', quantity: 1 }], 'none')
  expect(answer).toMatchObject({ status: 201, body: { status: 'closed', remedy: 'replacement', method: 'none' } })
  const sourced = await people.until(orderId, (o) => o.fulfillments.some((f) => f.nodeId === 'dc-01' && f.status === 'released'), 'the replacement')
  expect(sourced.lines[1]).toMatchObject({ lineId: 'r1-1', sku, replaces: '1', unitPriceMinor: 0, allocated: 1 })
  const versions = await people.support<{ items: object[] }>('GET', `/v1/orders/${orderId}/versions`)
  expect(versions.body.items).toMatchObject([{ number: 1, cause: 'placed' }, { number: 2, cause: `replacement ${(answer.body as { returnId: string }).returnId}` }])
  expect((await people.support('GET', `/v1/orders/${orderId}/versions/2`)).body).toMatchObject({ document: { lines: [{ lineId: '1' }, { lineId: 'r1-1', sku, quantity: 1 }], totalMinor: 1_490 } })
  await deliver(orderId)
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'completed', money: { capturedMinor: 1_490, refundedMinor: 0, owedMinor: 0 } })
})

it('sends another size once the old goods are counted, and gives back what was paid for it when that is sent back too', async () => {
  const bigger = await people.stocked({ 'dc-01': 1 })
  const { orderId, sku } = await delivered({ unitPriceMinor: 5_000 })
  const exchange = await replaced(orderId, [{ lineId: '1', quantity: 1, sku: bigger }], 'store')
  expect(exchange).toMatchObject({ status: 201, body: { status: 'approved', remedy: 'replacement' } })
  expect((await people.order(orderId)).lines).toHaveLength(1)
  await received(exchange.body.returnId, [{ lineId: '1', quantity: 1 }])
  await people.until(orderId, (o) => o.fulfillments.length === 2, 'the other size')
  await deliver(orderId)
  const shipped = await people.order(orderId)
  expect(shipped).toMatchObject({ lines: [{ sku, returned: 1, credited: 0 }, { sku: bigger, delivered: 1, replaces: '1' }], money: { refundedMinor: 0 } })
  const back = await asked(orderId, [{ lineId: 'r1-1', quantity: 1 }])
  await received(back.body.returnId, [{ lineId: 'r1-1', quantity: 1 }], 'store-kreuzberg')
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 5_490)).toMatchObject({ lines: [{ credited: 1 }, { returned: 1, credited: 0 }] })
  expect((await asked(orderId, [{ lineId: '1', quantity: 1 }])).body).toMatchObject({ code: 'return.quantity', open: 0 })
})

it('opens an order again that had come to its end, when one of us lets a late return through', async () => {
  const { orderId, sku } = await delivered({})
  const before = await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect((await asked(orderId, [{ lineId: '1', quantity: 1 }])).body).toMatchObject({ code: 'return.window_closed' })
  await people.until(orderId, (o) => !o.workflowOpen, 'the end after that')
  const back = await caller(system.url, 'demo-support')<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' }, { 'if-match': `"${(await people.order(orderId)).version}"` })
  expect(back).toMatchObject({ status: 201, body: { override: { rule: 'window' } } })
  expect(await people.order(orderId)).toMatchObject({ status: 'completed', workflowOpen: true, closedAt: before.closedAt, waitingOn: { what: 'return' } })
  await received(back.body.returnId, [{ lineId: '1', quantity: 1, grade: 'used', disposition: 'write_off' }])
  const again = await people.until(orderId, (o) => !o.workflowOpen && o.money.refundedMinor === 1_490, 'the end again')
  expect(again).toMatchObject({ status: 'completed', paymentStatus: 'refunded', returns: [{ status: 'closed' }] })
  const told = await people.told(orderId)
  expect(told.filter((type) => type === 'order.completed')).toHaveLength(1)
  expect(told.slice(-7)).toEqual(['order.reopened', 'order.command_refused', 'order.reopened', 'return.requested', 'return.received', 'payment.refunded', 'return.closed'])
  expect(await onHand(sku, 'store-mitte')).toBe(0)
})

it('sends another of an order that had come to its end, and one more when that had ended too', async () => {
  const { orderId, sku } = await delivered({ units: 2 })
  for (const nodeId of ['dc-01', 'store-kreuzberg']) {
    await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId, delta: 1, reason: 'opening' })
    await people.until(orderId, (o) => !o.workflowOpen, 'the end')
    expect(await replaced(orderId, [{ lineId: '1', quantity: 1 }], 'none')).toMatchObject({ status: 201, body: { status: 'closed', remedy: 'replacement' } })
    await deliver(orderId)
  }
  const again = await people.until(orderId, (o) => !o.workflowOpen, 'the end again')
  expect(again.fulfillments.map((f) => f.nodeId)).toEqual(['store-mitte', 'dc-01', 'store-kreuzberg'])
  expect(again.lines.slice(1)).toMatchObject([{ lineId: 'r1-1', delivered: 1 }, { lineId: 'r2-1', delivered: 1 }])
  expect(again.money).toMatchObject({ capturedMinor: 2_490, refundedMinor: 0, owedMinor: 0 })
})

it('gives what is sent in place of another a name that no line of the channel has', async () => {
  const [sku, other] = [await people.stocked({ 'store-mitte': 3, 'dc-01': 9 }), await people.stocked({ 'store-mitte': 1 })]
  const order = orderOf({ lines: [{ sku, quantity: 3 }, { sku: other, quantity: 1 }] })
  const { orderId } = (await people.shop<{ orderId: string }>('POST', '/v1/orders', { ...order, lines: (order.lines as object[]).map((l, i) => ({ ...l, lineId: ['1', 'r1-1'][i] })) })).body
  await deliver(orderId)
  const sent = async (): Promise<string[]> => (await people.order(orderId)).lines.map((l) => l.lineId)
  expect(await replaced(orderId, [{ lineId: '1', quantity: 1 }], 'none')).toMatchObject({ status: 201 })
  expect(await sent()).toEqual(['1', 'r1-1', 'r2-1'])
  await deliver(orderId)
  expect(await replaced(orderId, [{ lineId: '1', quantity: 1 }, { lineId: 'r1-1', quantity: 1, sku }, { lineId: 'r2-1', quantity: 1 }], 'none')).toMatchObject({ status: 201 })
  expect(await sent()).toEqual(['1', 'r1-1', 'r2-1', 'r3-1', 'r4-r1-1', 'r5-1'])
  await deliver(orderId)
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'completed', money: { refundedMinor: 0, owedMinor: 0 } })
})

it('gives up what is nowhere to be had, also for an order that had come to its end, and gives back what was paid', async () => {
  const { orderId } = await delivered({})
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect(await replaced(orderId, [{ lineId: '1', quantity: 1 }], 'none')).toMatchObject({ status: 201 })
  const again = await people.until(orderId, (o) => !o.workflowOpen, 'the end again')
  expect(again).toMatchObject({ status: 'completed', lines: [{ delivered: 1 }, { lineId: 'r1-1', cancelled: 1, shipped: 0 }], money: { refundedMinor: 1_490, owedMinor: 0 } })
})

it('makes good a fault of ours without wanting the goods back, in money or with another one', async () => {
  const { orderId, sku } = await delivered({ units: 3 })
  await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta: 1, reason: 'opening' })
  const claim = (body: object, query = '', who = people.support): Promise<Answer<ReturnView>> => who<ReturnView>('POST', `/v1/orders/${orderId}/claims${query}`, { reason: 'torn', ...body })
  const one = [{ lineId: '1', quantity: 1 }]
  expect((await claim({ lines: one, remedy: 'refund' }, '', people.shop)).status).toBe(403)
  expect((await claim({ lines: one, remedy: 'refund' }, '?preview=true')).body).toMatchObject({ money: { refundMinor: 1_000, feeMinor: 0, refundOn: 'request' } })
  const { body: given } = await people.claim(orderId, { lines: one, remedy: 'refund' })
  expect((await people.support('GET', `/v1/returns/${(given as { returnId: string }).returnId}`)).body).toMatchObject({ status: 'closed', method: 'none', requestedBy: 'support:demo-support', allowedActions: [] })
  await people.until(orderId, (o) => o.money.refundedMinor === 1_000, 'the money')
  expect(await claim({ lines: one, remedy: 'replace' })).toMatchObject({ status: 201, body: { status: 'closed', remedy: 'replacement' } })
  await deliver(orderId)
  expect((await claim({ lines: [{ lineId: '1', quantity: 2 }], remedy: 'refund' })).body).toMatchObject({ code: 'return.quantity', open: 1, given: 2 })
  expect(await onHand(sku, 'store-mitte')).toBe(0)
})

it('replaces what support asks for in the Temporal UI, and shows there what cannot be done', async () => {
  const { orderId, sku } = await delivered({})
  await people.operations('POST', '/v1/inventory/adjustments', { sku, nodeId: 'dc-01', delta: 1, reason: 'opening' })
  const handle = system.client.workflow.getHandle(orderWorkflowId('web', (await people.order(orderId)).channelOrderId))
  await handle.signal('requestReplacement', 'not what anybody meant')
  await handle.signal('requestReplacement', { lines: [{ lineId: '1', quantity: 2 }] })
  const ask = { lines: [{ lineId: '1', quantity: 1 }], collectOld: 'none', actor: 'ada', reason: 'torn' }
  await handle.signal('requestReplacement', ask)
  await handle.signal('requestReplacement', ask)
  await deliver(orderId)
  expect((await people.order(orderId)).returns).toMatchObject([{ status: 'closed', remedy: 'replacement' }])
  const { items } = (await people.support<{ items: { type: string; actor: string; data: object }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body
  expect(items.filter((e) => e.type === 'return.refused').map((e) => e.data)).toEqual([{ code: 'request.invalid' }, { code: 'return.quantity', lineId: '1', open: 1, given: 2 }])
  expect(items.find((e) => e.type === 'replacement.requested')).toMatchObject({ actor: 'support:ada' })
})
