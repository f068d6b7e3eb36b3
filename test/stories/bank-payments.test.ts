/** Payments that take their time: a customer who has to answer her bank, a debit that takes days, and money that comes when nobody counts on it any more. */
import { caller, eventually, peopleOf, type OrderWish, type People } from '../support/people'
import { historyText } from '../support/history-text'
import { expectInvariants } from '../support/invariants'
import { intentsOf, steer } from '../support/outside'
import { startSystem, type System } from '../support/system'

let system: System
let people: People
beforeAll(async () => {
  system = await startSystem({ policies: { payment: { deadline: 'PT30S', transferDeadline: 'P10D', lookAgainEvery: 'PT1.5S' }, returns: { window: 'PT4S' } } })
  people = peopleOf(system)
  await steer(system.payments.url, '/control/pace', { settleMs: 0 }) // banks decide when the story says so
})
afterAll(async () => {
  try {
    await expectInvariants(system)
  } finally {
    await system.stop()
  }
})

const debit: Pick<OrderWish, 'paymentMethod'> = { paymentMethod: 'pm_usBankAccount_success' }
const wish = async (more: OrderWish, units = 1): Promise<OrderWish> => ({ lines: [{ sku: await people.stocked({ 'store-mitte': units }), quantity: units }], ...more })

async function bankSays(orderId: string, status: 'requires_capture' | 'requires_payment_method'): Promise<void> {
  const [intent] = await intentsOf(system, orderId)
  await steer(system.payments.url, `/control/intents/${intent!.id}`, { status })
}

async function underWay(more: OrderWish = debit, units = 1): Promise<string> {
  const orderId = await people.place(await wish(more, units))
  await people.until(orderId, (o) => o.waitingOn?.what === 'bank_transfer', 'the bank')
  return orderId
}

async function deliver(orderId: string): Promise<void> {
  const { fulfillments } = await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  await people.pickAll(fulfillments[0]!)
  const packed = await people.packAll(fulfillments[0]!)
  expect(await people.handOver(fulfillments[0]!)).toMatchObject({ status: 200 })
  await people.carrierSays(packed.body.packages[0]!.trackingNumber!, 'delivered')
  await people.until(orderId, (o) => o.status === 'delivered' || o.status === 'completed', 'the delivery')
}

const count = async (orderId: string, type: string): Promise<number> => (await people.told(orderId)).filter((t) => t === type).length
const closed = (orderId: string) => people.until(orderId, (o) => !o.workflowOpen, 'the end')
const open = (orderId: string): Promise<object[]> => system.db('exceptions').where({ order_id: orderId, resolved_at: null }).select('kind')

it('tells the channel and support, and nobody else, what the customer needs to answer her bank', async () => {
  const orderId = await people.place(await wish({ paymentMethod: 'pm_card_threeDSecureRequired' }))
  const waiting = await people.until(orderId, (o) => o.waitingOn?.what === 'customer_action', 'the customer')
  const action = { type: 'use_stripe_sdk', clientSecret: expect.stringMatching(/^pi_.*_secret_/) as string, url: null }
  expect(waiting.payments[0]).toMatchObject({ status: 'action_required', action })
  const seen = async (key: string) => (await caller(system.url, key)<typeof waiting>('GET', `/v1/orders/${orderId}`)).body.payments[0]!.action
  expect(await seen('demo-channel-web')).toEqual(action)
  expect(await seen('demo-operations')).toBeUndefined()
  const history = await historyText(system, waiting.channelOrderId)
  expect(history).toContain('Authorise')
  expect(history).not.toContain('_secret_')
  await bankSays(orderId, 'requires_capture')
  const [payment] = (await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')).payments
  expect([payment!.status, payment!.action, payment!.takenAtOnce]).toEqual(['authorized', undefined, false])
})

it('waits for days for a debit, sends the goods when it has come, and takes nothing more when they leave', async () => {
  const orderId = await underWay()
  const { waitingOn, acceptedAt, fulfillments } = await people.order(orderId)
  expect(Date.parse(waitingOn!.deadline!) - Date.parse(acceptedAt)).toBe(10 * 86_400_000)
  expect(fulfillments).toEqual([])
  await bankSays(orderId, 'requires_capture')
  await deliver(orderId)
  expect(await closed(orderId)).toMatchObject({ status: 'completed', paymentStatus: 'captured', payments: [{ takenAtOnce: true }], money: { capturedMinor: 1_490, refundedMinor: 0, owedMinor: 0 } })
  expect(await count(orderId, 'payment.captured')).toBe(1)
  expect(await people.told(orderId)).toEqual(expect.arrayContaining(['payment.processing', 'payment.captured', 'order.completed']))
})

it('counts what was given by hand of a debit when units are cancelled, or all of them: no more goes back than was taken, and the books are square', async () => {
  const byHand = async (orderId: string, amountMinor: number): Promise<void> => {
    await bankSays(orderId, 'requires_capture')
    await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
    await people.giveBack(orderId, { amountMinor, reason: 'late' }, 'approve')
    await people.until(orderId, (o) => o.money.refundedMinor === amountMinor, 'the refund by hand')
  }
  const counted = (orderId: string): Promise<object[]> => system.db('counted_goodwill').where({ order_id: orderId }).select({ amountMinor: 'amount_minor' })
  const [some, none] = [await underWay(debit, 2), await underWay()]
  const foretold = async (orderId: string, lines?: object[]): Promise<object> =>
    (await people.support<{ money: object }>('POST', `/v1/orders/${orderId}/cancel?preview=true`, { ...(lines && { lines }), reason: 'one is enough' })).body.money
  await byHand(some, 2_000)
  expect(await foretold(some, [{ lineId: '1', quantity: 1 }])).toMatchObject({ cancelledMinor: 1_000, letGoMinor: 0, refundMinor: 490, countedMinor: 510, owedMinor: 0 })
  const change = await people.support('POST', `/v1/orders/${some}/changes`, { operations: [{ op: 'setQuantity', lineId: '1', quantity: 1 }] })
  expect(change).toMatchObject({ status: 201, body: { deltaMinor: -1_000, letGoMinor: 0, refundMinor: 490, countedMinor: 510, owedMinor: 0 } })
  expect([await people.told(some), await counted(some), (await people.order(some)).lines]).toMatchObject([expect.not.arrayContaining(['order.lines_cancelled']), [], [{ cancelled: 0 }]])
  await people.support('POST', `/v1/orders/${some}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })
  await people.until(some, (o) => o.money.refundedMinor === 2_490, 'the rest')
  await deliver(some)
  expect([await closed(some), await counted(some)]).toMatchObject([{ status: 'completed', money: { capturedMinor: 2_490, refundedMinor: 2_490 } }, [{ amountMinor: 510 }]])
  await byHand(none, 500)
  expect(await foretold(none)).toMatchObject({ cancelledMinor: 1_490, letGoMinor: 0, refundMinor: 990, countedMinor: 500 })
  await people.support('POST', `/v1/orders/${none}/cancel`, { reason: 'changed her mind' })
  expect(await closed(none)).toMatchObject({ status: 'cancelled', money: { capturedMinor: 1_490, refundedMinor: 1_490, owedMinor: 0 } })
  expect(await counted(none)).toEqual([{ amountMinor: 500 }])
})

it('finds out by asking when the provider does not tell', async () => {
  const order = await wish(debit)
  await steer(system.payments.url, '/control/silences', { about: `web silent-${order.lines![0]!.sku}`, copies: 0 })
  const orderId = await people.place({ ...order, channelOrderId: `silent-${order.lines![0]!.sku}` })
  await people.until(orderId, (o) => o.waitingOn?.what === 'bank_transfer', 'the bank')
  await bankSays(orderId, 'requires_capture')
  await deliver(orderId)
  expect(await closed(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 1_490 } })
})

it('cancels the order when the bank says no after days, and frees its stock', async () => {
  const orderId = await underWay({ paymentMethod: 'pm_usBankAccount_insufficientFunds' })
  await bankSays(orderId, 'requires_payment_method')
  expect(await closed(orderId)).toMatchObject({ status: 'cancelled', paymentStatus: 'declined', lines: [{ allocated: 0, cancelled: 1 }], money: { capturedMinor: 0 } })
})

it('gives a debit back when the order is cancelled before it leaves, once', async () => {
  const orderId = await underWay()
  await bankSays(orderId, 'requires_capture')
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  const preview = await people.support<{ money: object }>('POST', `/v1/orders/${orderId}/cancel?preview=true`, { reason: 'changed her mind' })
  expect(preview.body.money).toMatchObject({ cancelledMinor: 1_490, letGoMinor: 0, refundMinor: 1_490, refundElsewhereMinor: 0 })
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })).status).toBe(200)
  expect(await closed(orderId)).toMatchObject({ status: 'cancelled', paymentStatus: 'refunded', money: { capturedMinor: 1_490, refundedMinor: 1_490 } })
  expect(await intentsOf(system, orderId)).toMatchObject([{ capturedMinor: 1_490, refundedMinor: 1_490 }])
  expect(await count(orderId, 'payment.refunded')).toBe(1)
})

it('gives back what a cancelled unit was paid with, and after the return of the other the rest', async () => {
  const orderId = await underWay(debit, 2)
  await bankSays(orderId, 'requires_capture')
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })).status).toBe(200)
  await people.until(orderId, (o) => o.money.refundedMinor === 1_000, 'the first refund')
  await deliver(orderId)
  expect((await people.claim(orderId, { lines: [{ lineId: '1', quantity: 1 }], remedy: 'refund' })).body).toMatchObject({ status: 'given' })
  await people.until(orderId, (o) => o.money.refundedMinor === 2_490 && !o.workflowOpen, 'the second refund')
  expect(await intentsOf(system, orderId)).toMatchObject([{ capturedMinor: 2_490, refundedMinor: 2_490 }])
})

it('gives back of a debit what a cheaper way costs less, as was said before', async () => {
  const orderId = await underWay()
  await bankSays(orderId, 'requires_capture')
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  const operations = [{ op: 'setDelivery', method: 'delivery', service: 'standard', shipping: { priceMinor: 200 } }]
  const change = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations })
  expect(change).toMatchObject({ status: 201, body: { deltaMinor: -290, letGoMinor: 0, refundMinor: 290 } })
  expect(await people.support('POST', `/v1/orders/${orderId}/changes/${change.body.changeId}/confirm`, {})).toMatchObject({ status: 200 })
  await people.until(orderId, (o) => o.money.refundedMinor === 290, 'the refund')
  await deliver(orderId)
  expect(await closed(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 1_490, refundedMinor: 290, owedMinor: 0 } })
})

it('charges anew for what costs more again, after a debit gave back what it was paid with', async () => {
  const orderId = await underWay(debit, 2)
  await bankSays(orderId, 'requires_capture')
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  const change = async (op: object, money: object, refundedMinor: number): Promise<void> => {
    const asked = await people.support<{ changeId: string }>('POST', `/v1/orders/${orderId}/changes`, { operations: [op], paymentMethod: 'pm_card_visa' })
    expect(asked).toMatchObject({ status: 201, body: money })
    expect(await people.support('POST', `/v1/orders/${orderId}/changes/${asked.body.changeId}/confirm`, {})).toMatchObject({ status: 200 })
    await people.until(orderId, (o) => o.money.refundedMinor === refundedMinor, 'the refund')
  }
  const way = (priceMinor: number): object => ({ op: 'setDelivery', method: 'delivery', service: 'standard', shipping: { priceMinor } })
  const units = (quantity: number): object => ({ op: 'setQuantity', lineId: '1', quantity })
  await change(way(200), { deltaMinor: -290, refundMinor: 290, chargeMinor: 0 }, 290)
  await change(way(490), { deltaMinor: 290, refundMinor: 0, chargeMinor: 290 }, 290)
  await change(units(1), { deltaMinor: -1_000, refundMinor: 710, letGoMinor: 290, chargeMinor: 0 }, 1_000)
  await change(units(2), { deltaMinor: 1_000, refundMinor: 0, chargeMinor: 1_000 }, 1_000)
  await deliver(orderId)
  expect(await closed(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 3_490, refundedMinor: 1_000, owedMinor: 0 } })
})

it('pays with a debit first and a card last, and lets go of the card first', async () => {
  const sku = await people.stocked({ 'store-mitte': 2 })
  const tenders = [{ provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor: 1_500 }, { provider: 'stripe', paymentMethod: 'pm_usBankAccount_success' }]
  const orderId = await people.place({ lines: [{ sku, quantity: 2 }], tenders })
  await people.until(orderId, (o) => o.waitingOn?.what === 'bank_transfer', 'the bank')
  const bank = (await people.order(orderId)).payments.find((p) => p.status === 'processing')!
  await steer(system.payments.url, `/control/intents/${bank.reference}`, { status: 'requires_capture' })
  await people.until(orderId, (o) => o.fulfillments.length === 1, 'the work order')
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })
  await deliver(orderId)
  expect(await closed(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 1_490, refundedMinor: 0, owedMinor: 0 } })
  expect((await intentsOf(system, orderId)).map((i) => i.capturedMinor).sort()).toEqual([500, 990])
})

it('waits for the bank when the order is cancelled while a debit is under way, and gives it back when it comes', async () => {
  const orderId = await underWay()
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })).status).toBe(200)
  await eventually(() => system.db('payment_operations').where({ order_id: orderId, kind: 'void' }).where('attempts', '>', 0).select('status'), (voids) => voids.length === 1, { what: 'the void that finds the debit under way' })
  await people.until(orderId, (o) => o.status === 'cancelled' && o.waitingOn?.what === 'bank_transfer', 'the bank')
  await bankSays(orderId, 'requires_capture')
  expect(await closed(orderId)).toMatchObject({ status: 'cancelled', paymentStatus: 'refunded', money: { capturedMinor: 1_490, refundedMinor: 1_490 } })
  expect(await count(orderId, 'payment.refunded')).toBe(1)
  expect(await open(orderId)).toEqual([])
})

it('gives back, once a debit has come, what a unit was to cost that was cancelled while it was under way', async () => {
  const orderId = await underWay(debit, 2)
  expect((await people.support('POST', `/v1/orders/${orderId}/cancel`, { lines: [{ lineId: '1', quantity: 1 }], reason: 'one is enough' })).status).toBe(200)
  await bankSays(orderId, 'requires_capture')
  await people.until(orderId, (o) => o.money.refundedMinor === 1_000, 'the refund')
  await deliver(orderId)
  expect(await closed(orderId)).toMatchObject({ status: 'completed', money: { capturedMinor: 2_490, refundedMinor: 1_000, owedMinor: 0 } })
  expect(await count(orderId, 'payment.refunded')).toBe(1)
  expect(await open(orderId)).toEqual([])
})

it('has nothing to give back when the bank says no to a debit of a cancelled order', async () => {
  const orderId = await underWay({ paymentMethod: 'pm_usBankAccount_insufficientFunds' })
  await people.support('POST', `/v1/orders/${orderId}/cancel`, { reason: 'changed her mind' })
  await bankSays(orderId, 'requires_payment_method')
  expect(await closed(orderId)).toMatchObject({ status: 'cancelled', money: { capturedMinor: 0, refundedMinor: 0 } })
  expect(await system.db('payment_operations').where({ order_id: orderId }).whereIn('status', ['intended', 'unknown'])).toEqual([])
})

it.each([
  ['held on a card', 'pm_card_visa', 'requires_capture', 'canceled', 0],
  ['debited', 'pm_usBankAccount_success', 'processing', 'succeeded', 1_490],
] as const)('lets go of money that is %s after the order was declined, cancelled and closed', async (_how, method, first, last, takenMinor) => {
  const orderId = await people.place(await wish({ paymentMethod: 'pm_card_chargeDeclined' }))
  expect(await closed(orderId)).toMatchObject({ status: 'cancelled', paymentStatus: 'declined' })
  const [intent] = await intentsOf(system, orderId)
  // She tries again in her browser, where the payment is still open.
  const again = await fetch(`${system.payments.url}/v1/payment_intents/${intent!.id}/confirm`, {
    method: 'POST', headers: { authorization: `Bearer ${system.workerEnv.STRIPE_API_KEY}`, 'content-type': 'application/x-www-form-urlencoded' }, body: `payment_method=${method}`,
  })
  expect(((await again.json()) as { status: string }).status).toBe(first)
  if (first === 'processing') await bankSays(orderId, 'requires_capture')
  const books = await eventually(() => intentsOf(system, orderId), ([i]) => i!.status === last && i!.refundedMinor === takenMinor, { what: 'nothing left of it' })
  expect(books).toMatchObject([{ capturedMinor: takenMinor }])
  await people.until(orderId, (o) => !o.workflowOpen && o.status === 'cancelled' && o.paymentStatus === (takenMinor ? 'refunded' : 'voided'), 'the end')
  await eventually(() => system.db('payment_operations').where({ order_id: orderId }).whereIn('status', ['intended', 'unknown']), (left) => left.length === 0)
  expect(await open(orderId)).toEqual([])
})

it('owes the customer a refund that came back, tells finance which ways are left, and counts the next one right', async () => {
  const orderId = await people.place(await wish({}, 2))
  await deliver(orderId)
  const claim = (): Promise<unknown> => people.claim(orderId, { lines: [{ lineId: '1', quantity: 1 }], remedy: 'refund' })
  await claim()
  const { payments } = await people.until(orderId, (o) => o.money.refundedMinor === 1_000, 'the refund')
  await steer(system.payments.url, '/control/webhooks', { duplicate: true })
  await steer(system.payments.url, '/control/refunds/fail', { paymentIntent: payments[0]!.reference })
  const [returned] = await eventually(() => system.db('exceptions').where({ order_id: orderId, kind: 'payment.refund_returned' }).select('owner', 'data', 'resolved_at'), (found) => found.length > 0, { what: 'the case' })
  expect(returned).toMatchObject({ owner: 'finance', resolved_at: null, data: { amountMinor: 1_000, currency: 'EUR', reason: 'expired_or_canceled_card', ways: ['store_credit', 'bank_transfer'] } })
  await claim()
  await people.until(orderId, (o) => o.money.refundedMinor === 2_490 && !o.workflowOpen, 'the second refund')
  await steer(system.payments.url, '/control/webhooks', {})
  expect(await intentsOf(system, orderId)).toMatchObject([{ capturedMinor: 2_490, refundedMinor: 1_490 }])
  const owed = await system.db('ledger_entries').where({ order_id: orderId, kind: 'refund_failed' }).orderBy('amount_minor').select('account', 'amount_minor')
  expect(owed.map((e: { account: string; amount_minor: unknown }) => [e.account, Number(e.amount_minor)])).toEqual([['refunds_owed', -1_000], ['provider_clearing:stripe', 1_000]])
  expect(await count(orderId, 'payment.refund_failed')).toBe(1)
  expect(await open(orderId)).toEqual([{ kind: 'payment.refund_returned' }])
})
