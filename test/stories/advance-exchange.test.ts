/** The new goods leave before the old ones are back, with their value held: let go of when they are counted, taken when they are not, and given back when they come late. */
import type { OrderView } from '../../db/views/orders'
import type { ReturnView } from '../../db/views/returns'
import { eventually, peopleOf, type Answer, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
const policies = (restockBy: string, window = 'PT60S'): object => ({ returns: { window, restockBy, whenLost: 'ask', advance: { hold: true } } })
beforeAll(async () => {
  system = await startSystem({ policies: { ...policies('PT60S'), parcels: { answerWithin: 'PT3S' }, sourcing: { maxShipments: 2 } } })
  people = peopleOf(system)
})
afterEach(() => expectInvariants(system))
afterAll(() => system.stop())

async function arrives(orderId: string): Promise<OrderView> {
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'), 'a work order')
  const work = fulfillments.find((f) => f.status === 'released')!
  await people.pickAll(work)
  const packed = await people.packAll(work)
  expect((await people.handOver(work)).status).toBe(200)
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  return people.until(orderId, (o) => o.fulfillments.every((f) => f.status === 'delivered') && o.money.owedMinor === 0, 'delivery')
}
/** Delivered, at 5,000 each and 490 for shipping; and as many others to be had. */
async function delivered({ units = 1, ...wish }: OrderWish & { units?: number } = {}): Promise<{ orderId: string; other: string }> {
  const [sku, other] = [await people.stocked({ 'store-mitte': units }), await people.stocked({ 'dc-01': units })]
  const orderId = await people.place({ lines: [{ sku, quantity: units, unitPriceMinor: 5_000 }], ...wish })
  await arrives(orderId)
  return { orderId, other }
}
const ask = <Body = ReturnView>(orderId: string, line: object, more: object = {}, query = ''): Promise<Answer<Body & { code: string }>> =>
  people.shop<Body & { code: string }>('POST', `/v1/orders/${orderId}/replacements${query}`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big', ...line }], collectOld: 'mail', ...more })
const receive = (returnId: string, quantity = 1, grade = 'as_new'): Promise<Answer<ReturnView>> =>
  people.store('store-mitte')<ReturnView>('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity, grade, disposition: 'restock' }] })
const read = async (returnId: string): Promise<ReturnView> => (await people.support<ReturnView>('GET', `/v1/returns/${returnId}`)).body
const guard = (returnId: string, state: string): Promise<ReturnView> => eventually(() => read(returnId), (r) => r.guard?.state === state, { what: `the guard to be ${state}` })
const bank = (fault: object): Promise<unknown> => fetch(`${system.payments.url}/control/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ next: 1, operation: 'authorize', ...fault }) })
const account = async (orderId: string, name: string): Promise<number> =>
  (await people.support<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body.entries.reduce((sum, e) => (e.account === name ? sum + e.amountMinor : sum), 0)
const cases = async (orderId: string): Promise<string[]> =>
  (await people.operations<{ items: { orderId: string; kind: string }[] }>('GET', '/v1/exceptions?status=open&limit=200')).body.items.filter((c) => c.orderId === orderId).map((c) => c.kind)
/** A shorter date, and a short window, for what is placed meanwhile. */
async function dueIn<Result>(restockBy: string, act: () => Promise<Result>, window = 'PT6S'): Promise<Result> {
  await activate(restockBy, window)
  const result = await act()
  await activate('PT60S')
  return result
}
async function activate(restockBy: string, window?: string): Promise<void> {
  const { returns } = policies(restockBy, window) as { returns: object }
  const { body } = await people.operations<{ version: number }>('POST', '/v1/policies/returns', returns)
  expect((await people.operations('POST', `/v1/policies/returns/${body.version}/activate`, {})).status).toBe(200)
}

it('holds the value of the old goods before anything is sent, and lets it go when they are counted', async () => {
  const { orderId, other } = await dueIn('PT60S', delivered)
  expect((await ask<object>(orderId, { sku: other }, {}, '?preview=true')).body).toMatchObject({ goods: { sends: 'now' }, money: { chargeMinor: 0, refundMinor: 0, guard: { amountMinor: 5_000 } } })
  const asked = await ask(orderId, { sku: other })
  expect(asked).toMatchObject({ status: 201, body: { status: 'approved', guard: { state: 'held', amountMinor: 5_000, chargedMinor: 0 }, allowedActions: expect.arrayContaining(['receive', 'charge', 'waive']) } })
  expect(await arrives(orderId)).toMatchObject({ money: { authorizedMinor: 5_490, capturedMinor: 5_490, owedMinor: 0 }, payments: [{ purpose: 'order' }, { purpose: 'guard', status: 'authorized' }], returns: [{ guard: { state: 'held' } }] })
  expect((await people.shop('POST', `/v1/returns/${asked.body.returnId}/cancel`, {})).body).toMatchObject({ code: 'return.state' })
  await receive(asked.body.returnId)
  await guard(asked.body.returnId, 'let_go')
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'completed', payments: [{ capturedMinor: 5_490 }, { status: 'voided' }], money: { capturedMinor: 5_490, refundedMinor: 0 }, returns: [{ status: 'closed' }] })
})

it('takes it when they do not come by the date, says so in the ledger, and gives it back when they come late', async () => {
  const { orderId, other } = await dueIn('PT3S', delivered)
  const { body } = await ask(orderId, { sku: other })
  await arrives(orderId)
  const charged = await guard(body.returnId, 'charged')
  expect(charged).toMatchObject({ status: 'closed', guard: { chargedMinor: 5_000 }, allowedActions: ['receive'] })
  expect(await people.until(orderId, (o) => o.money.capturedMinor === 10_490 && !o.workflowOpen, 'the charge')).toMatchObject({ totalMinor: 5_490, money: { refundedMinor: 0, owedMinor: 0 } })
  expect([await account(orderId, 'revenue'), await account(orderId, 'receivable')]).toEqual([-10_000, 0])
  expect(await people.told(orderId)).toContain('return.charged')
  expect((await people.support('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'late' }], method: 'store' })).body).toMatchObject({ code: 'return.quantity' })
  expect(await receive(body.returnId)).toMatchObject({ status: 200, body: { status: 'closed', lines: [{ received: 1 }] } })
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 5_000 && !o.workflowOpen, 'the money back')).toMatchObject({ payments: [{ refundedMinor: 0 }, { purpose: 'guard', refundedMinor: 5_000 }] })
  expect((await receive(body.returnId)).body).toMatchObject({ code: 'return.state' })
})

it('takes nothing by a date at which she has not got the new ones yet, and leaves her time with them', async () => {
  const { orderId, other } = await dueIn('PT2S', delivered)
  const { body } = await ask(orderId, { sku: other })
  const later = await eventually(() => read(body.returnId), (r) => r.dueAt > body.dueAt, { what: 'a later date' })
  expect(later).toMatchObject({ status: 'approved', guard: { state: 'held' }, waitingOn: { deadline: later.dueAt } })
  await arrives(orderId)
  const left = (await people.order(orderId)).fulfillments.at(-1)!
  expect(left.nodeId).toBe('dc-01')
  await guard(body.returnId, 'charged')
  const { endedAt } = await read(body.returnId)
  const [{ handed_over_at: handedOverAt }] = (await system.db('fulfillments').where({ fulfillment_id: left.fulfillmentId }).select('handed_over_at')) as [{ handed_over_at: string }]
  expect(Date.parse(endedAt!) - Date.parse(handedOverAt)).toBeGreaterThanOrEqual(2_000)
})

it('gives it back as well where they come while the order is still open', async () => {
  const { orderId, other } = await dueIn('PT2S', delivered, 'PT25S')
  const { body } = await ask(orderId, { sku: other })
  await arrives(orderId)
  await guard(body.returnId, 'charged')
  expect(await people.until(orderId, (o) => o.money.capturedMinor === 10_490, 'the charge')).toMatchObject({ workflowOpen: true })
  expect((await receive(body.returnId)).status).toBe(200)
  expect(await people.until(orderId, (o) => o.money.refundedMinor === 5_000, 'the money back')).toMatchObject({ workflowOpen: true })
})

it('takes only the rest where some of it came, and once where the bank’s answer to that is lost', async () => {
  const { orderId, other } = await dueIn('PT6S', () => delivered({ units: 3 }))
  const { body } = await ask(orderId, { sku: other, quantity: 3 })
  expect(body.guard).toMatchObject({ amountMinor: 15_000 })
  await receive(body.returnId, 2)
  await arrives(orderId)
  await bank({ kind: 'timeout_after_effect', operation: 'capture', delayMs: 200 })
  await guard(body.returnId, 'charged')
  expect(await people.until(orderId, (o) => o.money.capturedMinor === 20_490, 'the charge')).toMatchObject({ payments: [{}, { purpose: 'guard', amountMinor: 15_000, capturedMinor: 5_000, status: 'captured' }] })
})

it('leaves all as it was where the bank does not hold it, says what can be done instead, and does that', async () => {
  const { orderId, other } = await delivered()
  await bank({ kind: 'decline' })
  expect(await ask(orderId, { sku: other })).toMatchObject({ status: 409, body: { code: 'exchange.not_secured', amountMinor: 5_000, instead: ['on_receipt'] } })
  expect(await people.order(orderId)).toMatchObject({ returns: [], lines: [{ lineId: '1' }] })
  const asked = await ask(orderId, { sku: other }, { send: 'on_receipt' })
  expect(asked).toMatchObject({ status: 201, body: { guard: null } })
  expect((await people.order(orderId)).lines).toHaveLength(1)
  await receive(asked.body.returnId)
  await arrives(orderId)
})

it('lets go of both where the difference is held and the value of the old goods is not', async () => {
  const { orderId, other } = await delivered()
  await bank({ kind: 'slow', delayMs: 1 })
  await bank({ kind: 'decline' })
  expect((await ask(orderId, { sku: other, unitPriceMinor: 6_000 })).body).toMatchObject({ code: 'exchange.not_secured' })
  expect((await people.order(orderId)).payments).toMatchObject([{}, { purpose: 'difference', status: 'voided' }, { purpose: 'guard', status: 'declined' }])
  const asked = await ask(orderId, { sku: other, unitPriceMinor: 6_000 })
  expect(asked.status).toBe(201)
  expect(await arrives(orderId)).toMatchObject({ money: { capturedMinor: 6_490 } })
  await receive(asked.body.returnId)
  await guard(asked.body.returnId, 'let_go')
})

it('leaves an empty box to a person: charged for what was not sent back, less what the new goods cost less; or not', async () => {
  const { orderId, other } = await delivered({ units: 2 })
  const { body } = await ask(orderId, { sku: other, unitPriceMinor: 4_000, quantity: 2 })
  await arrives(orderId)
  await receive(body.returnId)
  await people.until(orderId, (o) => o.money.refundedMinor === 1_000, 'the difference of one')
  expect(await receive(body.returnId, 1, 'empty_box')).toMatchObject({ body: { status: 'approved', guard: { state: 'held' }, allowedActions: expect.arrayContaining(['receive', 'charge', 'waive']) } })
  expect((await people.shop('POST', `/v1/returns/${body.returnId}/charge`, { reason: 'mine' })).status).toBe(403)
  expect(await people.support('POST', `/v1/returns/${body.returnId}/charge`, { reason: 'the box was empty' })).toMatchObject({ status: 200, body: { status: 'closed', guard: { state: 'charged', chargedMinor: 4_000 } } })
  await people.until(orderId, (o) => o.money.capturedMinor === 14_490, 'the charge')
  expect(await account(orderId, 'receivable')).toBe(0)
  expect((await people.support('POST', `/v1/returns/${body.returnId}/charge`, { reason: 'again' })).body).toMatchObject({ status: 'closed', guard: { chargedMinor: 4_000 } })
})

it('takes it by its date as well where the carrier brought something else and nobody decides, and then nobody is told that it is not counted', async () => {
  const { orderId, other } = await dueIn('PT2S', delivered)
  const { body } = await ask(orderId, { sku: other })
  const { label } = await eventually(() => read(body.returnId), (r) => typeof r.label?.trackingNumber === 'string', { what: 'the label' })
  await people.carrierSays(label!.trackingNumber!, 'delivered')
  await eventually(() => read(body.returnId), (r) => r.status === 'in_transit', { what: 'the parcel' })
  expect((await receive(body.returnId, 1, 'empty_box')).body).toMatchObject({ status: 'in_transit', lines: [{ disputed: 1 }] })
  await arrives(orderId)
  await guard(body.returnId, 'charged')
  expect(await people.until(orderId, (o) => o.money.capturedMinor === 10_490 && !o.workflowOpen, 'the charge')).toMatchObject({ returns: [{ status: 'closed' }], money: { owedMinor: 0 } })
  expect(await system.db('exceptions').where({ order_id: orderId, kind: 'return.not_counted' }).select('kind')).toEqual([])
})

it('takes it by its date where something else was counted before the carrier said that it had brought it', async () => {
  const { orderId, other } = await dueIn('PT2S', delivered)
  const { body } = await ask(orderId, { sku: other })
  const { label } = await eventually(() => read(body.returnId), (r) => typeof r.label?.trackingNumber === 'string', { what: 'the label' })
  expect((await receive(body.returnId, 1, 'empty_box')).body).toMatchObject({ status: 'approved', lines: [{ disputed: 1 }] })
  await people.carrierSays(label!.trackingNumber!, 'in_transit')
  await people.carrierSays(label!.trackingNumber!, 'delivered')
  await arrives(orderId)
  await guard(body.returnId, 'charged')
  await people.until(orderId, (o) => o.money.capturedMinor === 10_490 && !o.workflowOpen, 'the charge')
  expect(await system.db('exceptions').where({ order_id: orderId, kind: 'return.not_counted' }).select('kind')).toEqual([])
})

it('takes nothing by its date where the carrier has lost them and support is asked what becomes of it', async () => {
  const { orderId, other } = await dueIn('PT2S', delivered)
  const { body } = await ask(orderId, { sku: other })
  const { label } = await eventually(() => read(body.returnId), (r) => typeof r.label?.trackingNumber === 'string', { what: 'the label' })
  await people.carrierSays(label!.trackingNumber!, 'lost')
  await arrives(orderId)
  const kinds = async (): Promise<string[]> => (await people.support<{ items: { kind: string }[] }>('GET', `/v1/exceptions?orderId=${orderId}`)).body.items.map((e) => e.kind)
  await eventually(kinds, (all) => all.length === 2, { what: 'its date' })
  expect([(await kinds()).sort(), await read(body.returnId)]).toMatchObject([['return.lost', 'return.overdue'], { status: 'in_transit', guard: { state: 'held', chargedMinor: 0 } }])
  await people.store('store-mitte')('POST', `/v1/returns/${body.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'write_off' }] })
  await guard(body.returnId, 'let_go')
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ returns: [{ status: 'closed' }], money: { capturedMinor: 5_490, owedMinor: 0 } })
  expect(await kinds()).toEqual([])
})

it('is over by its date where something else came and the new goods were cancelled: nothing is left to judge, and nothing is taken', async () => {
  const { orderId, other } = await dueIn('PT3S', delivered)
  const { body } = await ask(orderId, { sku: other })
  expect((await receive(body.returnId, 1, 'wrong_item')).body).toMatchObject({ status: 'approved', lines: [{ disputed: 1 }] })
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: 'r1-1', quantity: 1 }], reason: 'not for that' })).status).toBe(200)
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ returns: [{ status: 'closed' }], payments: [{ capturedMinor: 5_490 }, { purpose: 'guard', status: 'voided' }], money: { owedMinor: 0 } })
})

it('takes nothing where a person waives it, nor where the new goods were cancelled before they left', async () => {
  const kept = await delivered()
  const waived = await ask(kept.orderId, { sku: kept.other })
  await arrives(kept.orderId)
  await people.support('POST', `/v1/returns/${waived.body.returnId}/waive`, { reason: 'a good customer' })
  await guard(waived.body.returnId, 'let_go')
  const cancelled = await delivered()
  const asked = await ask(cancelled.orderId, { sku: cancelled.other })
  await people.until(cancelled.orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  await people.support('POST', `/v1/orders/${cancelled.orderId}/cancel`, { lines: [{ lineId: 'r1-1', quantity: 1 }], reason: 'no more wanted' })
  await guard(asked.body.returnId, 'let_go')
  expect((await people.support('POST', `/v1/returns/${asked.body.returnId}/charge`, { reason: 'still' })).body).toMatchObject({ code: 'return.not_guarded' })
  await receive(asked.body.returnId)
  await people.until(cancelled.orderId, (o) => o.money.refundedMinor === 5_490, 'the money for the old goods')
})

it('is counted with the return that waits for it, not with the one under which it was charged', async () => {
  const { orderId, other } = await dueIn('PT60S', () => delivered({ units: 2 }), 'PT60S')
  const first = (await ask(orderId, { sku: other, quantity: 2 })).body
  await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  await receive(first.returnId)
  expect((await people.support('POST', `/v1/returns/${first.returnId}/charge`, { reason: 'she keeps one' })).body).toMatchObject({ status: 'closed', guard: { chargedMinor: 5_000 } })
  await people.until(orderId, (o) => o.money.capturedMinor === 15_490, 'the charge')
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: 'r1-1', quantity: 1 }], reason: 'one is enough' })).status).toBe(200)
  const second = (await people.support<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big as well' }], method: 'store' })).body
  expect(await receive(first.returnId)).toMatchObject({ status: 409, body: { code: 'return.quantity', open: 0, given: 1 } })
  expect(await receive(second.returnId)).toMatchObject({ status: 200, body: { lines: [{ received: 1 }] } })
  expect((await receive(first.returnId)).status).toBe(409)
  await arrives(orderId)
})

it('counts what was sent when it comes after something else was counted for it: nothing is held any more, and what was charged goes back', async () => {
  const later = await dueIn('PT60S', () => delivered(), 'PT60S')
  const { returnId } = (await ask(later.orderId, { sku: later.other })).body
  await arrives(later.orderId)
  expect((await receive(returnId, 1, 'wrong_item')).body).toMatchObject({ status: 'approved', lines: [{ received: 0, disputed: 1 }] })
  expect(await receive(returnId, 2)).toMatchObject({ status: 409, body: { code: 'return.quantity', open: 1, given: 2 } })
  expect(await receive(returnId)).toMatchObject({ status: 200, body: { lines: [{ received: 1, disputed: 0 }] } })
  await guard(returnId, 'let_go')
  expect(await people.told(later.orderId)).not.toContain('return.charged')
  expect(await cases(later.orderId)).not.toContain('return.disputed')
  const charged = await dueIn('PT60S', () => delivered(), 'PT60S')
  const second = (await ask(charged.orderId, { sku: charged.other })).body
  await arrives(charged.orderId)
  await receive(second.returnId, 1, 'empty_box')
  await people.support('POST', `/v1/returns/${second.returnId}/charge`, { reason: 'an empty box' })
  await people.until(charged.orderId, (o) => o.money.capturedMinor === 10_490, 'the charge')
  expect((await read(second.returnId)).allowedActions).toEqual(['receive'])
  expect(await receive(second.returnId)).toMatchObject({ status: 200, body: { status: 'closed', lines: [{ received: 1 }] } })
  await people.until(charged.orderId, (o) => o.money.refundedMinor === 5_000, 'what was charged')
  expect((await read(second.returnId)).allowedActions).toEqual([])
})

it('counts old goods that come though nobody waits for them any more, once, and takes and gives nothing for them', async () => {
  const { orderId, other } = await dueIn('PT60S', () => delivered(), 'PT60S')
  const { returnId } = (await ask(orderId, { sku: other })).body
  await arrives(orderId)
  expect((await people.support('POST', `/v1/returns/${returnId}/waive`, { reason: 'a good customer' })).body).toMatchObject({ status: 'closed' })
  expect((await people.support('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'back after all' }], method: 'store' })).body).toMatchObject({ code: 'return.quantity' })
  expect(await receive(returnId)).toMatchObject({ status: 200, body: { status: 'closed', lines: [{ received: 1 }] } })
  expect((await receive(returnId)).body).toMatchObject({ code: 'return.state' })
  expect(await people.until(orderId, (o) => o.lines[0]!.returned === 1)).toMatchObject({ money: { capturedMinor: 5_490, refundedMinor: 0, owedMinor: 0 } })
})

it('needs a card where nothing was paid by one', async () => {
  const { orderId, other } = await delivered({ paidElsewhere: true })
  expect((await ask(orderId, { sku: other })).body).toMatchObject({ code: 'exchange.not_payable', amountMinor: 5_000 })
  const asked = await ask(orderId, { sku: other }, { paymentMethod: 'pm_card_visa' })
  expect(asked.body.guard).toMatchObject({ state: 'held' })
  await receive(asked.body.returnId)
  await arrives(orderId)
})

it('gives back the charge for what nothing is sent for any more: she has what she had, and has paid for it once', async () => {
  const { orderId, other } = await delivered({ units: 2 })
  const { returnId } = (await ask(orderId, { sku: other, unitPriceMinor: 4_000, quantity: 2 })).body
  await people.until(orderId, (o) => o.fulfillments.some((f) => f.status === 'released'))
  expect(await people.support('POST', `/v1/returns/${returnId}/charge`, { reason: 'she keeps both' })).toMatchObject({ status: 200, body: { guard: { chargedMinor: 8_000 } } })
  await people.until(orderId, (o) => o.money.capturedMinor === 18_490, 'the charge')
  const one = { lines: [{ lineId: 'r1-1', quantity: 1 }], reason: 'one is enough' }
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel?preview=true`, one)).body).toMatchObject({ money: { refundMinor: 4_000 } })
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, one)).status).toBe(200)
  expect(await arrives(orderId)).toMatchObject({ money: { capturedMinor: 18_490 } })
  await people.until(orderId, (o) => o.money.refundedMinor === 4_000, 'the charge for one')
  await receive(returnId) // for the one that nothing is sent for she gets her money now; the other she has bought
  await people.until(orderId, (o) => o.money.refundedMinor === 9_000, 'its money')
  expect(await account(orderId, 'receivable')).toBe(0)
})

it('keeps what was charged for goods that she has when nothing else of the order is wanted any more', async () => {
  const [sku, other, waits] = [await people.stocked({ 'store-mitte': 1 }), await people.stocked({ 'dc-01': 1 }), await people.stocked({ 'store-kreuzberg': 1 })]
  const orderId = await people.place({ lines: [{ sku, quantity: 1, unitPriceMinor: 5_000 }, { sku: waits, quantity: 1, unitPriceMinor: 2_000 }] })
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 2, 'two work orders')
  await people.deliver(fulfillments.find((f) => f.nodeId === 'store-mitte')!)
  await people.until(orderId, (o) => o.lines[0]!.delivered === 1 && o.money.capturedMinor === 5_490, 'the first goods')
  const { returnId } = (await ask(orderId, { sku: other })).body
  const { fulfillments: more } = await people.until(orderId, (o) => o.fulfillments.some((f) => f.nodeId === 'dc-01'), 'the new goods')
  await people.deliver(more.find((f) => f.nodeId === 'dc-01')!)
  await people.until(orderId, (o) => o.lines[2]!.delivered === 1, 'the new goods')
  await people.support('POST', `/v1/returns/${returnId}/charge`, { reason: 'she keeps the old ones' })
  await people.until(orderId, (o) => o.money.capturedMinor === 10_490, 'the charge')
  const back = (await people.support<ReturnView>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: 'r1-1', quantity: 1, reason: 'not these either' }], method: 'store' })).body
  await people.store('store-mitte')('POST', `/v1/returns/${back.returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: 'r1-1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await people.until(orderId, (o) => o.money.refundedMinor === 5_000, 'the money for the new goods')
  const cancel = { lines: [{ lineId: '2', quantity: 1 }], reason: 'no more wanted' }
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel?preview=true`, cancel)).body).toMatchObject({ money: { refundMinor: 0 } })
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, cancel)).status).toBe(200)
  expect(await people.until(orderId, (o) => o.lines[1]!.cancelled === 1)).toMatchObject({ money: { capturedMinor: 10_490, refundedMinor: 5_000, refundsOwedMinor: 0 } })
})
