/** A refund that came back to the provider: the customer is owed it until finance gives it another way, once, and the books say which way and by whom. */
import { caller, eventually, peopleOf, type Answer, type Call, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { intentsOf, steer } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let finance: Call
let admin: Call
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT0.5S', restockBy: 'PT30S' } } })
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

async function delivered(more: OrderWish = {}): Promise<string> {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 2_000 }], customer: { customerRef: `c-${sku}`, name: 'Customer', email: 'customer@example.com' }, ...more })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  await people.until(orderId, (o) => o.lines[0]!.delivered === 2 && o.money.capturedMinor === 4_490, 'delivery')
  return orderId
}

/** One of two comes back, its money is given, and the bank sends that back. @returns the refund's reference */
async function cameBack(orderId: string): Promise<string> {
  const { returnId } = (await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' })).body
  await people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  await people.until(orderId, (o) => o.money.refundedMinor === 2_000, 'the refund')
  return sentBack(orderId)
}

async function sentBack(orderId: string): Promise<string> {
  const refunded = (await people.order(orderId)).payments.find((p) => p.refundedMinor > 0)!
  await steer(system.payments.url, '/control/refunds/fail', { paymentIntent: refunded.reference })
  return (await eventually(() => casesOf(orderId), (found) => found.length > 0, { what: 'the case' }))[0]!.data.refundReference
}

interface Case {
  exceptionId: string
  status: string
  data: { refundReference: string; ways: string[] }
}
const casesOf = async (orderId: string): Promise<Case[]> => (await finance<{ items: Case[] }>('GET', `/v1/exceptions?status=all&kind=payment.refund_returned&orderId=${orderId}`)).body.items
const give = (call: Call, orderId: string, reference: string, by: object, headers = {}): Promise<Answer> => call('POST', `/v1/orders/${orderId}/refunds-owed/${reference}/give`, by, headers)
const transfer = { way: 'bank_transfer', transferReference: 'RF18 5390 0754', sentBy: 'Anna of accounts' }
const booked = async (orderId: string, journal: string): Promise<[string, number][]> =>
  (await finance<{ entries: { journalId: string; account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body.entries.filter((e) => e.journalId.startsWith(journal)).map((e) => [e.account, e.amountMinor])
const owed = async (orderId: string): Promise<number> => (await people.order(orderId)).money.refundsOwedMinor

it('is sent by a transfer that somebody made: booked once with its reference and who sent it, and the case is closed', async () => {
  const orderId = await delivered()
  const reference = await cameBack(orderId)
  expect((await casesOf(orderId))[0]).toMatchObject({ status: 'open', data: { ways: ['store_credit', 'bank_transfer'] } })
  expect(await owed(orderId)).toBe(2_000)
  const again = { 'idempotency-key': `transfer-${reference}` }
  const { status, body } = await give(finance, orderId, reference, transfer, again)
  expect([status, body]).toMatchObject([200, { refundReference: reference, amountMinor: 2_000, status: 'given', ...transfer, givenBy: 'finance:demo-finance' }])
  expect((await give(finance, orderId, reference, transfer, again)).body).toEqual(body)
  expect(await give(admin, orderId, reference, { way: 'store_credit' })).toMatchObject({ status: 409, body: { code: 'refund.state', state: 'given' } })
  expect(await booked(orderId, 'given-again:')).toEqual([['refunds_owed', 2_000], ['bank', -2_000]])
  expect(await casesOf(orderId)).toMatchObject([{ status: 'resolved', resolution: 'given again: bank_transfer' }])
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'completed', money: { refundedMinor: 2_000, refundsOwedMinor: 0, owedMinor: 0 } })
  const told = (await people.support<{ items: { type: string; data: object }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items.filter((e) => e.type === 'refund.given_again')
  expect(told.map((e) => e.data)).toEqual([{ refundReference: reference, amountMinor: 2_000, currency: 'EUR', ...transfer }])
  expect(await system.db('audit').where({ subject: reference }).select('action', 'actor', 'cause')).toEqual([{ action: 'refund.give_again', actor: 'finance:demo-finance', cause: 'transfer RF18 5390 0754 by Anna of accounts' }])
})

it('is the customer’s as store credit, which the liability account shows; of ten people at once one gives it', async () => {
  const orderId = await delivered()
  const reference = await cameBack(orderId)
  const all = await Promise.all(Array.from({ length: 10 }, () => give(finance, orderId, reference, { way: 'store_credit' })))
  expect(all.map((a) => a.status).sort()).toEqual([200, ...Array<number>(9).fill(409)])
  expect(await booked(orderId, 'given-again:')).toEqual([['refunds_owed', 2_000], ['store_credit_liability', -2_000]])
  const { customerRef } = (await people.order(orderId)).customer as { customerRef: string }
  expect((await finance('GET', `/v1/store-credits/${customerRef}?currency=EUR`)).body).toMatchObject({ balanceMinor: 2_000, moves: [{ kind: 'credited', amountMinor: 2_000, actor: 'finance:demo-finance' }] })
})

it('is given by another payment of the order, and where that comes back too it is owed again', async () => {
  const orderId = await delivered({ tenders: [{ provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: 2_400 }, { provider: 'stripe', paymentMethod: 'pm_card_visa' }] })
  const first = await cameBack(orderId)
  expect((await casesOf(orderId))[0]!.data.ways).toContain('another_payment')
  const { payments } = await people.order(orderId)
  const [gave, other] = [payments.find((p) => p.refundedMinor > 0)!, payments.find((p) => p.refundedMinor === 0)!]
  expect((await give(finance, orderId, first, { way: 'another_payment', tenderId: gave.tenderId })).body).toMatchObject({ code: 'refund.above_captured', refundableMinor: 0, amountMinor: 2_000 })
  expect((await give(finance, orderId, first, { way: 'another_payment', tenderId: other.tenderId })).body).toMatchObject({ status: 'given', way: 'another_payment' })
  const books = await eventually(() => intentsOf(system, orderId), (intents) => intents.some((i) => i.refundedMinor === 2_000), { what: 'the other refund' })
  expect(books.map((i) => [i.id, i.refundedMinor]).sort()).toEqual([[gave.reference, 0], [other.reference, 2_000]].sort())
  const after = await people.until(orderId, (o) => o.payments.every((p) => p.refundedMinor === 2_000) && !o.workflowOpen, 'the news')
  expect(after.money).toMatchObject({ refundedMinor: 2_000, refundsOwedMinor: 0, owedMinor: 0 })
  expect(await booked(orderId, `refund:${other.paymentId}`)).toEqual([['refunds_owed', 2_000], ['provider_clearing:stripe', -2_000]])
  await steer(system.payments.url, '/control/refunds/fail', { paymentIntent: other.reference })
  const cases = await eventually(() => casesOf(orderId), (found) => found.length === 2, { what: 'the second case' })
  const second = cases.find((c) => c.status === 'open')!.data.refundReference
  expect((await people.order(orderId)).money).toMatchObject({ refundedMinor: 2_000, refundsOwedMinor: 2_000 })
  expect((await give(finance, orderId, second, transfer)).status).toBe(200)
  // What the order has left of its payments is what it had: the ceiling counts what was given once.
  expect((await people.support('POST', `/v1/orders/${orderId}/refunds?preview=true`, { amountMinor: 490, reason: 'the parcel was late' })).body).toMatchObject({ money: { receivedMinor: 0, refundableMinor: 490 } })
})

it('is not given by whoever wished for it beyond what came back', async () => {
  const orderId = await delivered()
  const { refundId } = (await finance<{ refundId: string }>('POST', `/v1/orders/${orderId}/refunds`, { amountMinor: 700, reason: 'scratched' })).body
  await admin('POST', `/v1/orders/${orderId}/refunds/${refundId}/approve`, {})
  await people.until(orderId, (o) => o.money.refundedMinor === 700, 'the refund')
  const reference = await sentBack(orderId)
  expect((await give(finance, orderId, reference, transfer)).body).toMatchObject({ code: 'refund.same_person', askedBy: 'finance:demo-finance' })
  expect((await give(admin, orderId, reference, transfer)).body).toMatchObject({ status: 'given', givenBy: 'admin:demo-admin' })
})

it('is owed by an order that is cancelled meanwhile', async () => {
  await steer(system.payments.url, '/control/pace', { settleMs: 0 }) // the bank decides when the story says so
  const sku = await people.stocked({ 'store-mitte': 2 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 2_000 }], paymentMethod: 'pm_usBankAccount_success' })
  await people.until(orderId, (o) => o.waitingOn?.what === 'bank_transfer', 'the bank')
  await steer(system.payments.url, `/control/intents/${(await intentsOf(system, orderId))[0]!.id}`, { status: 'requires_capture' })
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })
  await people.until(orderId, (o) => o.money.refundedMinor === 2_000, 'the refund')
  const reference = await sentBack(orderId)
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'none at all' })
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'cancelled', money: { refundedMinor: 4_490, refundsOwedMinor: 2_000 } })
  expect(await casesOf(orderId)).toMatchObject([{ status: 'open' }])
  expect((await give(finance, orderId, reference, transfer)).status).toBe(200)
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'cancelled', money: { refundedMinor: 4_490, refundsOwedMinor: 0 } })
})

it('is not forgotten: the case stays until the money is given, and what cannot be is refused', async () => {
  const orderId = await delivered({ customer: { name: 'Customer', email: 'customer@example.com' } })
  const reference = await cameBack(orderId)
  const [{ exceptionId }] = (await casesOf(orderId)) as [Case]
  expect((await finance('POST', `/v1/exceptions/${exceptionId}/resolve`, { resolution: 'done' })).body).toMatchObject({ code: 'refund.still_owed', refundReference: reference, amountMinor: 2_000 })
  expect((await give(finance, orderId, reference, { way: 'store_credit' })).body).toMatchObject({ code: 'claim.no_customer' })
  expect((await give(finance, orderId, reference, { way: 'another_payment' })).body).toMatchObject({ code: 'refund.above_captured', refundableMinor: 0 })
  expect(await give(finance, orderId, reference, { ...transfer, transferReference: '€' })).toMatchObject({ status: 400, body: { code: 'request.invalid', errors: [{ pointer: '/transferReference' }] } })
  expect(await give(finance, orderId, reference, { way: 'bank_transfer' })).toMatchObject({ status: 400 })
  expect((await give(finance, orderId, 're_nobody', transfer)).body).toMatchObject({ code: 'refund.unknown' })
  expect((await give(people.support, orderId, reference, transfer)).status).toBe(403)
  expect([await owed(orderId), await booked(orderId, 'given-again:')]).toEqual([2_000, []])
  const refused = (await people.support<{ items: { type: string; data: { code: string } }[] }>('GET', `/v1/orders/${orderId}/timeline?limit=200`)).body.items.filter((e) => e.type === 'order.command_refused')
  expect(refused.map((e) => e.data.code)).toEqual(['claim.no_customer', 'refund.above_captured', 'request.invalid', 'request.invalid'])
  expect((await give(finance, orderId, reference, transfer)).status).toBe(200)
})
