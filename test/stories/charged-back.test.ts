/** Her bank has taken the money back and keeps it: what she sends back is not paid for again, by money or by credit, and the books say where every cent went. */
import { caller, eventually, peopleOf, type Answer, type Call, type OrderWish, type People } from '../support/people'
import { expectInvariants } from '../support/invariants'
import { intentsOf, steer } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
let finance: Call
beforeAll(async () => {
  system = await startSystem({ policies: { returns: { window: 'PT0.5S', restockBy: 'PT1M' }, care: { retryEvery: 'PT1H' } } })
  people = peopleOf(system)
  finance = caller(system.url, 'demo-finance')
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

const control = async <Given>(path: string, body: object): Promise<Given> => {
  const answer = await fetch(`${system.payments.url}/control/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Given
}

interface Sold {
  orderId: string
  reference: string
}

/** Two units at 20.00 and the shipping, delivered and paid: 44.90. */
async function delivered(wish: OrderWish = {}): Promise<Sold> {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const orderId = await people.place({ lines: [{ sku, quantity: 2, unitPriceMinor: 2_000 }], ...wish })
  await people.deliver((await people.until(orderId, (o) => o.fulfillments.length === 1)).fulfillments[0]!)
  const { payments } = await people.until(orderId, (o) => o.lines[0]!.delivered === 2 && o.money.capturedMinor === 4_490, 'delivery')
  return { orderId, reference: payments.find((p) => p.provider === 'stripe')!.reference! }
}

async function sentBack(orderId: string): Promise<string> {
  const { returnId } = (await people.support<{ returnId: string }>('POST', `/v1/orders/${orderId}/returns`, { lines: [{ lineId: '1', quantity: 1, reason: 'too big' }], method: 'store' })).body
  await people.store('store-mitte')('POST', `/v1/returns/${returnId}/receive`, { nodeId: 'store-mitte', lines: [{ lineId: '1', quantity: 1, grade: 'as_new', disposition: 'restock' }] })
  return returnId
}

const told = (orderId: string, type: string): Promise<string[]> => eventually(() => people.told(orderId), (types) => types.includes(type), { what: type })
const chargedBack = async ({ orderId, reference }: Sold, amountMinor?: number): Promise<{ id: string }> => {
  const dispute = await control<{ id: string }>('disputes', { paymentIntent: reference, amountMinor })
  await told(orderId, 'payment.disputed')
  return dispute
}
async function lost({ orderId }: Sold, { id }: { id: string }): Promise<void> {
  await control(`disputes/${id}`, { status: 'lost' })
  await told(orderId, 'payment.dispute_closed')
}

/** Of each account that is not zero. */
async function balances(orderId: string): Promise<Record<string, number>> {
  const { entries } = (await finance<{ entries: { account: string; amountMinor: number }[] }>('GET', `/v1/orders/${orderId}/ledger`)).body
  const sums: Record<string, number> = {}
  for (const { account, amountMinor } of entries) sums[account] = (sums[account] ?? 0) + amountMinor
  return Object.fromEntries(Object.entries(sums).filter(([, minor]) => minor !== 0))
}
const refunds = (orderId: string): Promise<object[]> => system.db('payment_operations').where({ order_id: orderId, kind: 'refund' }).select({ amountMinor: 'amount_minor' }, 'status').orderBy('operation_id')
const refundedByProvider = async (orderId: string): Promise<number> => (await intentsOf(system, orderId)).reduce((sum, i) => sum + i.refundedMinor, 0)

it('ends a refund that waited for the bank, and gives nothing for what comes back later: she has it', async () => {
  const sold = await delivered()
  const dispute = await chargedBack(sold)
  expect(await balances(sold.orderId)).toMatchObject({ disputes: 4_490 })
  expect(await balances(sold.orderId)).not.toHaveProperty('provider_clearing:stripe')
  await sentBack(sold.orderId)
  await told(sold.orderId, 'return.received')
  expect(await eventually(() => refunds(sold.orderId), (found) => found.length > 0)).toEqual([{ amountMinor: 2_000, status: 'intended' }])
  await lost(sold, dispute)
  expect(await refunds(sold.orderId)).toEqual([{ amountMinor: 2_000, status: 'abandoned' }])
  expect(await people.told(sold.orderId)).toContain('refund.counted')
  expect(await balances(sold.orderId)).toEqual({ revenue: -4_000, shipping: -490, refund: 2_000, adjustments: 2_490 })
  const second = await sentBack(sold.orderId)
  await people.until(sold.orderId, (o) => !o.workflowOpen && o.returns.every((r) => r.status === 'closed'), 'the order to close')
  expect((await people.support('GET', `/v1/returns/${second}`)).body).toMatchObject({ refunds: [], money: { refundMinor: 0, countedMinor: 2_490, owedMinor: 0 } })
  expect(await balances(sold.orderId)).toEqual({ revenue: -4_000, refund: 4_000 })
  expect(await refundedByProvider(sold.orderId)).toBe(0)
  expect((await people.order(sold.orderId)).money).toMatchObject({ refundedMinor: 0, owedMinor: 0 })
})

it('is given of two debits, when the order is cancelled, what her bank has not given her of the first', async () => {
  await control('pace', { settleMs: 50 })
  const orderId = await people.place({ lines: [{ sku: await people.stocked({ 'store-mitte': 2 }), quantity: 1 }], paymentMethod: 'pm_usBankAccount_success' })
  const { payments } = await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  const { body } = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 2 }] })
  expect((await people.support('POST', `/v1/orders/${orderId}/changes/${body.changeId}/confirm`, {})).status).toBe(200)
  const sold = { orderId, reference: payments[0]!.reference! }
  await lost(sold, await chargedBack(sold, 500))
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })).status).toBe(200)
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'cancelled', money: { capturedMinor: 2_490, refundedMinor: 1_990 } })
})

it('is given as well where it waited for her bank when the order was cancelled', async () => {
  await control('pace', { settleMs: 50 })
  const orderId = await people.place({ lines: [{ sku: await people.stocked({ 'store-mitte': 2 }), quantity: 2 }], paymentMethod: 'pm_usBankAccount_success' })
  const { payments } = await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  const sold = { orderId, reference: payments[0]!.reference! }
  const dispute = await chargedBack(sold, 500)
  await told(orderId, 'payment.disputed')
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })).status).toBe(200)
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'none at all' })).status).toBe(200)
  await lost(sold, dispute)
  expect(await people.until(orderId, (o) => !o.workflowOpen, 'the end')).toMatchObject({ status: 'cancelled', money: { capturedMinor: 2_490, refundedMinor: 1_990 } })
})

it('gives what waited when the dispute is won, and the ledger is as if there had been none', async () => {
  const sold = await delivered()
  const dispute = await chargedBack(sold)
  await sentBack(sold.orderId)
  await eventually(() => refunds(sold.orderId), (found) => found.length > 0)
  await control(`disputes/${dispute.id}`, { status: 'won' })
  const waits = async (): Promise<{ exceptionId: string }[]> => (await finance<{ items: { exceptionId: string }[] }>('GET', `/v1/exceptions?kind=payment.refund_failed&orderId=${sold.orderId}`)).body.items
  await told(sold.orderId, 'payment.dispute_closed')
  for (const { exceptionId } of await waits()) await finance('POST', `/v1/exceptions/${exceptionId}/retry`, {})
  await people.until(sold.orderId, (o) => o.money.refundedMinor === 2_000, 'the refund')
  expect(await balances(sold.orderId)).toEqual({ revenue: -4_000, shipping: -490, refund: 2_000, 'provider_clearing:stripe': 2_490 })
})

const ask = (orderId: string, body: object): Promise<Answer> => people.support('POST', `/v1/orders/${orderId}/refunds`, { reason: 'scratched', ...body })
const claim = (orderId: string, remedy: string): Promise<Answer> => people.support('POST', `/v1/orders/${orderId}/claims`, { reason: 'torn', lines: [{ lineId: '1', quantity: 1 }], remedy })

it('refuses money and credit by hand while her bank may give the same, and when it has', async () => {
  const sold = await delivered()
  const dispute = await chargedBack(sold)
  const refused = { status: 409, body: { code: 'payment.disputed', disputeId: dispute.id, amountMinor: 4_490 } }
  expect(await ask(sold.orderId, { amountMinor: 500 })).toMatchObject(refused)
  expect(await people.support('POST', `/v1/orders/${sold.orderId}/refunds?preview=true`, { amountMinor: 500, reason: 'scratched' })).toMatchObject(refused)
  expect(await claim(sold.orderId, 'credit')).toMatchObject(refused)
  expect(await claim(sold.orderId, 'refund')).toMatchObject(refused)
  await lost(sold, dispute)
  expect(await ask(sold.orderId, { amountMinor: 500 })).toMatchObject({ status: 409, body: { code: 'refund.above_captured', refundableMinor: 0 } })
  expect(await claim(sold.orderId, 'credit')).toMatchObject({ status: 409, body: { code: 'refund.above_captured' } })
  expect(await refunds(sold.orderId)).toEqual([])
  const { items } = (await people.support<{ items: { type: string; data: { code?: string } }[] }>('GET', `/v1/orders/${sold.orderId}/timeline?limit=200`)).body
  expect(items.filter((e) => e.type === 'order.command_refused').map((e) => e.data.code)).toContain('payment.disputed')
})

it('gives by the payments that no bank disputes, as far as they go', async () => {
  const { code } = (await people.support<{ code: string }>('POST', '/v1/gift-cards', { currency: 'EUR', amountMinor: 1_500, paidElsewhere: true, reason: 'sold at the till' })).body
  const sold = await delivered({ tenders: [{ provider: 'stripe', paymentMethod: 'pm_card_visa' }, { provider: 'gift_card', paymentMethod: code, amountMinor: 1_500 }] })
  await chargedBack(sold)
  expect(await ask(sold.orderId, { amountMinor: 1_600 })).toMatchObject({ status: 409, body: { code: 'payment.disputed', amountMinor: 2_990 } })
  expect((await people.giveBack(sold.orderId, { amountMinor: 700, reason: 'scratched' }, 'approve')).status).toBe(200)
  const { payments } = await people.until(sold.orderId, (o) => o.money.refundedMinor === 700)
  expect(payments.map((p) => [p.provider, p.refundedMinor]).sort()).toEqual([['gift_card', 700], ['stripe', 0]])
})

it('keeps of what her bank gave what a refund under way by the same payment needs: another return does not count it first', async () => {
  const { code } = (await people.support<{ code: string }>('POST', '/v1/gift-cards', { currency: 'EUR', amountMinor: 1_500, paidElsewhere: true, reason: 'sold at the till' })).body
  const sold = await delivered({ tenders: [{ provider: 'gift_card', paymentMethod: code, amountMinor: 1_500 }, { provider: 'stripe', paymentMethod: 'pm_card_visa' }] })
  const { tenderId } = (await people.order(sold.orderId)).payments.find((p) => p.provider === 'stripe')!
  expect((await people.giveBack(sold.orderId, { amountMinor: 900, tenderId, reason: 'scratched' }, 'approve')).status).toBe(200)
  await people.until(sold.orderId, (o) => o.money.refundedMinor === 900, 'the goodwill')
  await steer(system.payments.url, '/control/faults', { next: 100, kind: 'error_500', operation: 'refund' })
  await sentBack(sold.orderId) // 20.00 of the card, which has 20.90
  const waits = async (): Promise<{ exceptionId: string }[]> => (await finance<{ items: { exceptionId: string }[] }>('GET', `/v1/exceptions?kind=payment.refund_failed&orderId=${sold.orderId}`)).body.items
  const [waiting] = await eventually(waits, (found) => found.length === 1, { what: 'the refund to wait' })
  await lost(sold, await chargedBack(sold, 500)) // now it has 15.90
  await sentBack(sold.orderId) // 24.90: the gift card’s 15.00, 9.00 that she was given, and 0.90 by her bank
  await people.until(sold.orderId, (o) => o.returns.every((r) => r.lines[0]!.received === 1) && o.returns.length === 2, 'the second return')
  await steer(system.payments.url, '/control/faults', {}, 'DELETE')
  await finance('POST', `/v1/exceptions/${waiting!.exceptionId}/retry`, {})
  expect(await people.until(sold.orderId, (o) => !o.workflowOpen, 'the order to close')).toMatchObject({ money: { refundedMinor: 900 + 1_590 + 1_500, owedMinor: 0 } })
  expect(await refundedByProvider(sold.orderId)).toBe(2_490)
})
