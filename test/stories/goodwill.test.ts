/** Money given back by hand: never more than was taken; beyond what came back, only with another person's yes, who stands in the books. */
import { caller, eventually, peopleOf, type Answer, type Call, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { intentsOf } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let finance: Call
let admin: Call
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT0.5S', restockBy: 'PT30S', feeMinor: 300 } } })
  people = peopleOf(system)
  finance = caller(system.url, 'demo-finance')
  admin = caller(system.url, 'demo-admin')
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

async function delivered(wish: { paidElsewhere?: boolean } = {}): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 2_000 }], ...wish })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.lines[0]!.delivered === 2 && o.money.capturedMinor === 4_490, 'delivery')
  return orderId
}

interface Refund {
  refundId: string
  status: string
  code: string
  [more: string]: unknown
}
const ask = (call: Call, orderId: string, body: object, query = ''): Promise<Answer<Refund>> => call('POST', `/v1/orders/${orderId}/refunds${query}`, { reason: 'scratched on arrival', ...body })
const decide = (call: Call, orderId: string, refundId: string, decision: string): Promise<Answer<Refund>> => call('POST', `/v1/orders/${orderId}/refunds/${refundId}/${decision}`, { reason: 'agreed by phone' })
const adjustments = async (orderId: string): Promise<{ amountMinor: number; cause: string }[]> =>
  (await finance<{ entries: { account: string; amountMinor: number; cause: string }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body.entries.filter((e) => e.account === 'adjustments').map(({ amountMinor, cause }) => ({ amountMinor, cause }))
const refused = async (orderId: string): Promise<object[]> =>
  (await people.support<{ items: { type: string; data: object }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items.filter((e) => e.type === 'order.command_refused').map((e) => e.data)

it('waits for another person above what came back, pays when she agrees, and names both in ledger, audit and timeline', async () => {
  const orderId = await delivered()
  await people.until(orderId, (o) => !o.workflowOpen, 'the order to close')
  expect((await ask(people.support, orderId, { amountMinor: 500 }, '?preview=true')).body).toEqual({ preview: true, needsApproval: true, money: { currency: 'EUR', amountMinor: 500, aboveMinor: 500, receivedMinor: 0, refundableMinor: 4_490 } })
  const { status, body } = await ask(people.support, orderId, { amountMinor: 500 })
  expect([status, body]).toMatchObject([201, { status: 'waiting', amountMinor: 500, aboveMinor: 500, askedBy: 'support:demo-support', decidedBy: null }])
  const cases = async (): Promise<object[]> => (await finance<{ items: object[] }>('GET', `/v1/exceptions?status=all&kind=refund.to_approve&orderId=${orderId}`)).body.items
  expect(await cases()).toMatchObject([{ owner: 'finance', status: 'open', data: { amountMinor: 500, askedBy: 'support:demo-support' } }])
  expect((await people.order(orderId)).money.refundedMinor).toBe(0)
  expect((await decide(people.support, orderId, body.refundId, 'approve')).status).toBe(403)
  expect(await decide(finance, orderId, body.refundId, 'approve')).toMatchObject({ status: 200, body: { status: 'given', decidedBy: 'finance:demo-finance' } })
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 500 && !o.workflowOpen)).toMatchObject({ status: 'completed', money: { owedMinor: 0 } })
  expect(await intentsOf(system, orderId)).toMatchObject([{ refundedMinor: 500 }])
  expect(await adjustments(orderId)).toEqual([{ amountMinor: 500, cause: 'Given to the customer beyond what came back: asked by support:demo-support, approved by finance:demo-finance' }])
  expect(await cases()).toMatchObject([{ status: 'resolved' }])
  const told = (await people.support<{ items: { type: string; actor: string }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items
  expect(told.filter((e) => e.type.startsWith('refund.')).map(({ type, actor }) => [type, actor])).toEqual([['refund.asked', 'support:demo-support'], ['refund.approved', 'finance:demo-finance']])
  const audit = await system.db.raw<{ rows: { action: string; actor: string }[] }>('SELECT action, actor FROM audit WHERE subject = ? ORDER BY audit_id', [body.refundId])
  expect(audit.rows).toEqual([{ action: 'refund.ask', actor: 'support:demo-support' }, { action: 'refund.approve', actor: 'finance:demo-finance' }])
  expect((await decide(finance, orderId, body.refundId, 'reject')).body).toMatchObject({ code: 'refund.state', state: 'given' })
})

it('waits for that person also when the order ends before she answers', async () => {
  const orderId = await delivered()
  const { refundId } = (await ask(people.support, orderId, { amountMinor: 500 })).body
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect((await finance<{ items: object[] }>('GET', `/v1/exceptions?kind=refund.to_approve&orderId=${orderId}`)).body.items).toMatchObject([{ subject: refundId, status: 'open' }])
  expect((await decide(finance, orderId, refundId, 'approve')).body).toMatchObject({ status: 'given' })
  await people.until(orderId, (o) => o.money.refundedMinor === 500 && !o.workflowOpen, 'the money')
})

it('refuses what still waits for her when the order is cancelled: all of it goes back anyway', async () => {
  const orderId = await people.place({ lines: [{ sku: await people.stocked({ 'store-mitte': 1 }), quantity: 1, unitPriceMinor: 2_000 }], paidElsewhere: true })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  const { refundId } = (await ask(people.support, orderId, { amountMinor: 500 })).body
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  await people.until(orderId, (o) => !o.workflowOpen, 'the end')
  expect((await finance<{ items: object[] }>('GET', `/v1/exceptions?status=all&kind=refund.to_approve&orderId=${orderId}`)).body.items).toMatchObject([{ subject: refundId, status: 'resolved' }])
  expect(await timeline(orderId, 'refund.rejected')).toEqual([{ refundId, amountMinor: 500, currency: 'EUR', askedBy: 'support:demo-support' }])
})

it('lets nobody approve what she asked for herself, and takes a no for an answer', async () => {
  const orderId = await delivered()
  const { body } = await ask(finance, orderId, { lines: [{ lineId: '1', quantity: 1 }] })
  expect(body).toMatchObject({ status: 'waiting', amountMinor: 2_000 })
  expect((await decide(finance, orderId, body.refundId, 'approve')).body).toMatchObject({ code: 'refund.same_person', askedBy: 'finance:demo-finance' })
  expect((await decide(admin, orderId, body.refundId, 'reject')).body).toMatchObject({ status: 'rejected' })
  expect((await decide(admin, orderId, body.refundId, 'approve')).body).toMatchObject({ code: 'refund.state', state: 'rejected' })
  expect((await people.order(orderId)).money.refundedMinor).toBe(0)
})

it('gives a fee that was kept back at once, and the next cent only with a yes', async () => {
  const orderId = await delivered()
  const { returnId } = (await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' })).body
  await people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await people.until(orderId, (o) => o.money.refundedMinor === 1_700)
  expect((await ask(people.support, orderId, { amountMinor: 300 })).body).toMatchObject({ status: 'given', aboveMinor: 0 })
  await people.until(orderId, (o) => o.money.refundedMinor === 2_000)
  expect((await ask(people.support, orderId, { amountMinor: 1 })).body).toMatchObject({ status: 'waiting', aboveMinor: 1 })
  expect(await adjustments(orderId)).toEqual([
    { amountMinor: -300, cause: 'Kept of it: the fee for sending back' },
    { amountMinor: 300, cause: 'Given to the customer beyond what came back: asked by support:demo-support' },
  ])
})

it('refuses more than was taken and is left, also when the yes comes too late, and says so in the log', async () => {
  const orderId = await delivered()
  expect(await ask(people.support, orderId, { amountMinor: 4_491 })).toMatchObject({ status: 409, body: { code: 'refund.above_captured', refundableMinor: 4_490 } })
  expect((await ask(people.support, orderId, { amountMinor: 100, tenderId: 'another' })).body).toMatchObject({ code: 'refund.above_captured', refundableMinor: 0 })
  expect((await ask(people.support, orderId, { lines: [{ lineId: '1', quantity: 3 }] })).body).toMatchObject({ code: 'return.quantity', open: 2, given: 3 })
  const first = (await ask(people.support, orderId, { amountMinor: 4_000 })).body.refundId
  const second = (await ask(people.support, orderId, { amountMinor: 4_490 })).body.refundId
  await decide(finance, orderId, first, 'approve')
  expect((await decide(finance, orderId, second, 'approve')).body).toMatchObject({ code: 'refund.above_captured', refundableMinor: 490 })
  await people.until(orderId, (o) => o.money.refundedMinor === 4_000)
  expect(await refused(orderId)).toEqual([
    { command: 'orders/refunds', code: 'refund.above_captured' },
    { command: 'orders/refunds', code: 'refund.above_captured' },
    { command: 'orders/refunds', code: 'return.quantity' },
    { command: 'orders/refunds/approve', code: 'refund.above_captured' },
  ])
})

const sendBack = async (orderId: string, quantity: number): Promise<string> => {
  const { returnId } = (await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity, reason: 'too big' }], method: 'store' })).body
  await people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity, grade: 'as_new', disposition: 'restock' }] })
  return returnId
}
const given = async (orderId: string, amountMinor: number): Promise<void> => {
  const { body } = await ask(people.support, orderId, { amountMinor })
  await decide(finance, orderId, body.refundId, 'approve')
  await people.until(orderId, (o) => o.money.refundedMinor >= amountMinor, 'the refund by hand')
}
const timeline = async (orderId: string, type: string): Promise<object[]> =>
  (await people.support<{ items: { type: string; data: object }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items.filter((e) => e.type === type).map((e) => e.data)
const shortCases = async (orderId: string): Promise<object[]> => (await finance<{ items: object[] }>('GET', `/v1/exceptions?status=all&kind=payment.refund_short&orderId=${orderId}`)).body.items

it('counts what was given ahead when all of it comes back: the fee is kept whole, nobody is owed the rest, and everyone is told why', async () => {
  const orderId = await delivered()
  await given(orderId, 500)
  const preview = (await people.support<{ money: object }>('POST', `/v1/orders/${orderId}/returns?preview=true`, { lines: [{ lineId: '1', quantity: 2, reason: 'too big' }], method: 'store' })).body
  expect(preview.money).toMatchObject({ refundMinor: 3_990, goodsMinor: 4_000, shippingMinor: 490, feeMinor: -300, countedMinor: 200, owedMinor: 0 })
  const returnId = await sendBack(orderId, 2)
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 4_490 && !o.workflowOpen)).toMatchObject({ paymentStatus: 'refunded', money: { owedMinor: 0 } })
  expect(await intentsOf(system, orderId)).toMatchObject([{ capturedMinor: 4_490, refundedMinor: 4_490 }])
  expect(await timeline(orderId, 'refund.limited')).toEqual([{ returnId, amountMinor: 4_190, feeMinor: 300, givenMinor: 3_990, countedMinor: 200, owedMinor: 0, currency: 'EUR' }])
  expect((await people.support('GET', `/v1/returns/${returnId}`)).body).toMatchObject({ money: { refundMinor: 3_990, feeMinor: 300, countedMinor: 200, owedMinor: 0 } })
  // Of the goodwill nothing is left that it cost: of 5.00 that were given, 2.00 were counted and 3.00 is the fee.
  expect((await adjustments(orderId)).map((a) => a.amountMinor)).toEqual([500, -200, -300])
  expect(await shortCases(orderId)).toEqual([])
})

it('counts all of it where everything was given ahead, unit by unit, and then no payment gives more', async () => {
  const orderId = await delivered()
  await given(orderId, 4_490)
  const first = await sendBack(orderId, 1)
  const second = await sendBack(orderId, 1)
  await eventually(() => timeline(orderId, 'refund.limited'), (all) => all.length === 2)
  expect(await timeline(orderId, 'refund.limited')).toMatchObject([{ returnId: first, amountMinor: 1_700, givenMinor: 0, countedMinor: 1_700, owedMinor: 0 }, { returnId: second, amountMinor: 2_190, givenMinor: 0, countedMinor: 2_190 }])
  expect((await people.support('GET', `/v1/returns/${second}`)).body).toMatchObject({ refunds: [], money: { refundMinor: 0, feeMinor: 300, countedMinor: 2_190 } })
  expect(await people.until(orderId, (o) => !o.workflowOpen)).toMatchObject({ money: { refundedMinor: 4_490, owedMinor: 0 } })
  expect((await adjustments(orderId)).reduce((sum, a) => sum + a.amountMinor, 0)).toBe(0)
  expect(await shortCases(orderId)).toEqual([])
})

it('refuses amounts that are none, by field, and logs which field it was; and whoever may not', async () => {
  const orderId = await delivered()
  for (const amountMinor of [12.5, 0, -1, '5']) expect(await ask(people.support, orderId, { amountMinor })).toMatchObject({ status: 400, body: { code: 'request.invalid', errors: [{ pointer: '/amountMinor' }] } })
  expect((await ask(people.support, orderId, {})).body).toMatchObject({ code: 'request.invalid' })
  expect((await ask(people.support, orderId, { amountMinor: 5, lines: [{ lineId: '1', quantity: 1 }] })).body).toMatchObject({ code: 'request.invalid' })
  expect((await ask(people.shop, orderId, { amountMinor: 5 })).status).toBe(403)
  expect((await decide(finance, orderId, '00000000-0000-7000-8000-000000000000', 'approve')).body).toMatchObject({ code: 'refund.unknown' })
  const invalid = { command: 'orders/refunds', code: 'request.invalid' }
  expect(await refused(orderId)).toMatchObject([...[12.5, 0, -1, '5'].map(() => ({ ...invalid, pointers: ['/amountMinor'] })), invalid, invalid])
})

const claims = (orderId: string, body: object, call = people.support): Promise<Answer<Refund & { returnId: string | null }>> => call('POST', `/v1/orders/${orderId}/claims`, { reason: 'torn', lines: [{ lineId: '1', quantity: 1 }], remedy: 'refund', ...body })

it('lets a claim wait for another person as well, and pays its units back when she agrees', async () => {
  const orderId = await delivered()
  expect((await people.support('POST', `/v1/orders/${orderId}/claims?preview=true`, { reason: 'torn', lines: [{ lineId: '1', quantity: 1 }], remedy: 'refund' })).body).toMatchObject({ needsApproval: true, money: { refundMinor: 2_000 } })
  const { status, body } = await claims(orderId, {}, admin)
  expect([status, body]).toMatchObject([201, { status: 'waiting', remedy: 'refund', amountMinor: 2_000, aboveMinor: 2_000, askedBy: 'admin:demo-admin', returnId: null }])
  expect(await people.order(orderId)).toMatchObject({ money: { refundedMinor: 0 }, lines: [{ credited: 0 }], returns: [] })
  expect((await decide(admin, orderId, body.refundId, 'approve')).body).toMatchObject({ code: 'refund.same_person' })
  const given = (await decide(finance, orderId, body.refundId, 'approve')).body
  expect(given).toMatchObject({ status: 'given', decidedBy: 'finance:demo-finance', returnId: expect.any(String) })
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 2_000)).toMatchObject({ lines: [{ credited: 1, returned: 0 }], money: { owedMinor: 0 } })
  expect((await people.support('GET', `/v1/returns/${String(given.returnId)}`)).body).toMatchObject({ status: 'closed', method: 'none', requestedBy: 'admin:demo-admin' })
  // What was given for units is no goodwill: the next claim is judged by what is left.
  expect((await claims(orderId, {})).body).toMatchObject({ status: 'waiting', amountMinor: 2_490, aboveMinor: 2_490 })
})

it('gives a claim at once within what came back, refuses it above what was taken, and takes a no', async () => {
  const [dear, cheap] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'store-mitte': 2 })]
  const orderId = await people.place({ lines: [{ sku: dear, quantity: 1, unitPriceMinor: 3_500 }, { sku: cheap, quantity: 2, unitPriceMinor: 250 }] })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.money.capturedMinor === 4_490, 'the capture')
  const { returnId } = (await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' })).body
  await people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await people.until(orderId, (o) => o.money.refundedMinor === 3_200, 'the refund less the fee')
  const cheapOne = { lines: [{ lineId: '2', quantity: 1 }] }
  expect((await claims(orderId, cheapOne)).body).toMatchObject({ status: 'closed', method: 'none' }) // 2.50 of the 3.00 that were kept
  const { body } = await claims(orderId, cheapOne)
  expect(body).toMatchObject({ status: 'waiting', amountMinor: 740, aboveMinor: 690 })
  const extra = (await ask(people.support, orderId, { amountMinor: 1_000 })).body
  await decide(finance, orderId, extra.refundId, 'approve')
  expect((await decide(finance, orderId, body.refundId, 'approve')).body).toMatchObject({ code: 'refund.above_captured' })
  expect((await decide(finance, orderId, body.refundId, 'reject')).body).toMatchObject({ status: 'rejected', returnId: null })
  expect(await claims(orderId, cheapOne)).toMatchObject({ status: 409, body: { code: 'refund.above_captured' } })
})

it('gives a claim that comes to something else by now to nobody', async () => {
  const orderId = await delivered()
  const [first, second] = [(await claims(orderId, {})).body, (await claims(orderId, { remedy: 'credit' })).body]
  expect((await decide(finance, orderId, first.refundId, 'approve')).body).toMatchObject({ status: 'given' })
  expect((await decide(finance, orderId, second.refundId, 'approve')).body).toMatchObject({ code: 'refund.changed', amountMinor: 2_000, nowMinor: 2_490 })
})

it('records at a channel what that has to give back', async () => {
  const orderId = await delivered({ paidElsewhere: true })
  const { body } = await ask(people.support, orderId, { amountMinor: 700 })
  await decide(finance, orderId, body.refundId, 'approve')
  await eventually(() => people.order(orderId), (o) => o.money.refundedMinor === 700)
  expect(await adjustments(orderId)).toMatchObject([{ amountMinor: 700 }])
})

it('counts it where the order is cancelled then, and tells finance what the channel has given back already', async () => {
  const orderId = await people.place({ lines: [{ sku: await people.stocked({ 'store-mitte': 1 }), quantity: 1, unitPriceMinor: 2_000 }], paidElsewhere: true })
  await people.until(orderId, (o) => o.fulfillments.length === 1)
  await given(orderId, 700)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  await people.until(orderId, (o) => !o.workflowOpen)
  expect((await finance<{ items: object[] }>('GET', `/v1/exceptions?kind=order.refund_elsewhere&orderId=${orderId}`)).body.items).toMatchObject([{ data: { givenMinor: 700 } }])
  const { body } = await finance<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)
  for (const account of ['adjustments', 'elsewhere']) expect(body.entries.filter((e) => e.account === account).map((e) => Math.abs(e.amountMinor))).toEqual([700, 700])
})
