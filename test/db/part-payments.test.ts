/** The money of an order that leaves in three parts, step by step through the real steps and activities, with the provider's own books as the judge. */
import { createCarrierActivities } from '../../activities/carriers'
import { createOrderSteps } from '../../activities/order-steps'
import { createPaymentActivities } from '../../activities/payments'
import type { Carrier, PaymentProvider, ProviderEvent } from '../../activities/ports'
import { contracts } from '../../adapters/carriers/contracts'
import { parcelCarrier } from '../../adapters/carriers/parcel-carrier'
import { stripeProvider } from '../../adapters/stripe/provider'
import { stripeWebhook } from '../../adapters/stripe/webhook'
import { applyPaymentFact } from '../../db/facts'
import { receiveFact } from '../../db/inbox'
import { intendVoids } from '../../db/payment-operations'
import { pickFulfillment } from '../../db/steps/pick'
import { orderView, type OrderView } from '../../db/views/orders'
import { seedDemoNetwork } from '../../dev/seed-demo'
import { defaultPolicies } from '../../domain/policy/kinds'
import type { NewTender } from '../../domain/order/new-order'
import type { HandOverOutcome } from '../../db/steps/hand-over'
import { startCarrierSimulator } from '../../simulators/carriers/server'
import { startPaymentSimulator, type PaymentSimulator } from '../../simulators/payments/server'
import { place } from '../api/orders-in-store'
import { money } from '../invariants/money'
import { control, eventually, startReceiver, type Receiver } from '../simulators/receiver'
import { freshDatabase, type FreshDatabase } from '../support/database'

const secrets = { apiKey: 'sk_test_parts', webhookSecret: 'whsec_parts' }
const webhook = stripeWebhook({ secret: secrets.webhookSecret })
let database: FreshDatabase
let carriers: Awaited<ReturnType<typeof startCarrierSimulator>>
let receiver: Receiver
let payments: PaymentSimulator
let activities: ReturnType<typeof activitiesOf>

beforeAll(async () => {
  database = await freshDatabase()
  carriers = await startCarrierSimulator({ port: 0, webhookSecret: 'carrier-parts', inTransitMs: 0, deliveredMs: 0 })
  await seedDemoNetwork(database.db)
  const document = JSON.stringify({ ...defaultPolicies.sourcing, maxShipments: 3 })
  await database.db('policies').insert({ kind: 'sourcing', version: 2, document, status: 'active', created_by: 'test', activate_at: database.db.fn.now() })
  // Each SKU lies in one place only, so that nothing but three parts will do.
  const places = [['SOCKS-3P', 'dc-01'], ['SHOE-LB-42', 'store-mitte'], ['SHOE-LB-43', 'store-kreuzberg']] as const
  await database.db('stock_levels').update({ on_hand: 0 })
  for (const [sku, node_id] of places) await database.db('stock_levels').where({ sku, node_id }).update({ on_hand: 1_000 })
})
afterAll(async () => {
  await carriers.close()
  await database.drop()
})
afterEach(async () => {
  await payments.close()
  await receiver.close()
})

async function world(options: { multicapture: boolean }): Promise<void> {
  receiver = await startReceiver()
  payments = await startPaymentSimulator({ port: 0, webhookUrl: receiver.url, ...secrets, ...options })
  const provider = stripeProvider({ apiKey: secrets.apiKey, baseUrl: payments.url, timeoutMs: 300 })
  const carrier = parcelCarrier({ contract: contracts.swiftparcel, baseUrl: carriers.url, webhookSecret: 'carrier-parts', timeoutMs: 2_000 })
  activities = activitiesOf(provider, carrier)
}

/** Without the heartbeats, which only a worker can send. */
const activitiesOf = (provider: PaymentProvider, carrier: Carrier) => ({
  orders: createOrderSteps(database.db, [carrier], { afterSale: () => Promise.reject(new Error('no dates are asked for here')) }),
  payments: createPaymentActivities(database.db, () => provider),
  carriers: createCarrierActivities(database.db, [carrier]),
})

const then = { what: 'delivery', since: '2026-11-23T09:00:00.000Z', deadline: null } as const
const ifPending = { ...then, what: 'customer_action' } as const
const fault = (kind: string, operation: string): Promise<unknown> => control(payments.url, 'POST', '/faults', { next: 1, kind, operation, ...(kind === 'decline' ? {} : { delayMs: 2_000 }) })

/** Three lines for three places, one with a discount that does not divide; 9,093 in all. */
const lines = [
  { lineId: '1', sku: 'SOCKS-3P', quantity: 3, unitPriceMinor: 1000, discountMinor: 100, taxMinor: 551 },
  { lineId: '2', sku: 'SHOE-LB-42', quantity: 1, unitPriceMinor: 2999, discountMinor: 0, taxMinor: 570 },
  { lineId: '3', sku: 'SHOE-LB-43', quantity: 2, unitPriceMinor: 750, discountMinor: 1, taxMinor: 0 },
]
const shares = { '1': 3451, '2': 3569, '3': 1499 }
const shipping = { priceMinor: 490, taxMinor: 84 }
const card = (amountMinor: number): NewTender => ({ tenderId: 'card', provider: 'stripe', paymentMethod: 'pm_card_visa', amountMinor })

/** An authorised order with three packed parts, in the order of its lines. */
async function packedOrder(tenders: NewTender[] = [card(9_093)]): Promise<{ orderId: string; parts: string[] }> {
  const orderId = await place(database.db, { lines, shipping, taxIncluded: false, totalMinor: 9_093, tenders })
  for (const { operationId } of await operations(orderId, 'authorize'))
    expect(await activities.payments.authorizePayment({ operationId, ifPending })).toMatchObject({ status: 'authorized' })
  const sourced = await activities.orders.sourceOrder({ orderId, attempt: 1, dueAt: then.since, ifSourced: then, ifShort: then })
  if (sourced.outcome !== 'sourced') throw new Error('it is in stock')
  const works = await database.db<{ fulfillment_id: string; line_id: string; quantity: number }>('fulfillment_lines').whereIn('fulfillment_id', sourced.fulfillments.map((f) => f.fulfillmentId)).orderBy('line_id')
  for (const { fulfillment_id: fulfillmentId, line_id: lineId, quantity } of works) {
    await database.db.transaction((tx) => pickFulfillment(tx, { fulfillmentId, actor: 'test', lines: [{ lineId, picked: quantity, rejected: 0 }] }))
    const packages = [{ weightGrams: 1_500 * quantity, lines: [{ lineId, quantity }] }]
    await activities.orders.packFulfillment({ fulfillmentId, packages, commandId: `pack:${fulfillmentId}`, actor: 'test', waitingOn: then })
    await activities.carriers.buyLabels({ fulfillmentId, then })
  }
  return { orderId, parts: works.map((w) => w.fulfillment_id) }
}

let commands = 0
const handOver = (fulfillmentId: string): Promise<HandOverOutcome> =>
  activities.orders.handOver({ fulfillmentId, commandId: `leave:${(commands += 1)}`, actor: 'test', ifCapture: then, ifPaid: then })

async function captured(fulfillmentId: string): Promise<HandOverOutcome> {
  const left = await handOver(fulfillmentId)
  for (const operationId of left.captures) await activities.payments.capturePayment({ operationId, then, fulfillmentId })
  return left
}

let attempts = 0
/** Holds the rest again. @returns what came of each authorisation. */
async function heldAgain(orderId: string): Promise<{ amountMinor: number; status: string; declineCode?: string }[]> {
  const { remainders } = await activities.orders.holdRemainder({ orderId, attempt: (attempts += 1) })
  const outcomes = []
  for (const { operationId, amountMinor } of remainders) outcomes.push({ amountMinor, ...(await activities.payments.authorizePayment({ operationId, then, ifPending })) })
  return outcomes
}

const operations = (orderId: string, kind: string): Promise<{ operationId: string; amountMinor: number; status: string; keyNumber: number }[]> =>
  database.db('payment_operations').where({ order_id: orderId, kind }).orderBy('created_at').select({ operationId: 'operation_id', amountMinor: 'amount_minor', status: 'status', keyNumber: 'key_number' })
const view = async (orderId: string): Promise<OrderView> => (await orderView(database.db, orderId, { role: 'support' }))!
const booksOf = async (orderId: string) =>
  (await control<{ intents: { id: string; orderRef: string; status: string; authorizedMinor: number; capturedMinor: number }[] }>(payments.url, 'GET', '/books')).json.intents.filter((i) => i.orderRef === orderId)
const sum = (amounts: readonly number[]): number => amounts.reduce((a, b) => a + b, 0)
const told = async (orderId: string): Promise<[string, number][]> =>
  (await database.db<{ order_id: string; type: string; seq: number; data: { amountMinor: number } }>('order_events').where({ order_id: orderId }).whereLike('type', 'payment.%').orderBy('seq')).map((e) => [e.type, e.data.amountMinor])

const messagesOf = (orderId: string): ProviderEvent[] =>
  receiver.attempts.flatMap((a) => webhook.read(a.body, a.headers['stripe-signature'] as string) ?? []).filter((e) => e.orderId === orderId)

async function apply(message: ProviderEvent, time: string): Promise<void> {
  const fact = { source: 'stripe', eventId: `${message.eventId}:${time}`, kind: 'payment', subject: message.view.reference, payload: { ...message } }
  await receiveFact(database.db, fact)
  await applyPaymentFact(database.db, fact)
}

/** Every message of the provider comes late, last first, twice: nothing may change. And the provider's books are ours to the cent. */
async function expectSettled(orderId: string): Promise<void> {
  const rows = (): Promise<object[]> => database.db('payments').where({ order_id: orderId }).orderBy('part').then(async (p) => [...p, ...(await operations(orderId, 'capture'))])
  const before = await rows()
  const messages = messagesOf(orderId).reverse()
  expect(messages.length).toBeGreaterThan(0)
  for (const [i, message] of [...messages, ...messages].entries()) await apply(message, String(i))
  expect(await rows()).toEqual(before)
  const books = await booksOf(orderId)
  const ours = (await view(orderId)).payments.filter((p) => p.provider === 'stripe')
  for (const amount of ['authorizedMinor', 'capturedMinor'] as const) expect(sum(books.map((b) => b[amount]))).toBe(sum(ours.map((p) => p[amount])))
  for (const rule of money.filter((m) => m.when === 'always')) expect([rule.id, await rule.violations({ db: database.db })]).toEqual([rule.id, []])
}

it('takes each part from one hold where it may be captured several times, also when an answer is lost', async () => {
  await world({ multicapture: true })
  const { orderId, parts } = await packedOrder()
  expect(await captured(parts[0]!)).not.toHaveProperty('remainder')
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'partially_captured', payments: [{ status: 'authorized', capturedMinor: shares['1'] + 574 }], money: { authorizedMinor: 9_093, capturedMinor: 4_025, owedMinor: 5_068 } })
  const second = await handOver(parts[1]!)
  await fault('timeout_after_effect', 'capture')
  const capture = { operationId: second.captures[0]!, then, fulfillmentId: parts[1]! }
  await expect(activities.payments.capturePayment(capture)).rejects.toThrow()
  expect((await operations(orderId, 'capture')).map((o) => o.status)).toEqual(['succeeded', 'unknown'])
  await activities.payments.capturePayment(capture)
  expect((await view(orderId)).money).toMatchObject({ capturedMinor: 4_025 + shares['2'] })
  await captured(parts[2]!)
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'captured', payments: [{ status: 'captured', capturedMinor: 9_093 }], money: { authorizedMinor: 9_093, capturedMinor: 9_093, owedMinor: 0 } })
  expect((await operations(orderId, 'capture')).map((o) => [o.amountMinor, o.status, o.keyNumber])).toEqual([[4_025, 'succeeded', 1], [shares['2'], 'succeeded', 1], [shares['3'], 'succeeded', 1]])
  expect(await told(orderId)).toEqual([['payment.authorized', 9_093], ['payment.captured', 4_025], ['payment.captured', shares['2']], ['payment.captured', shares['3']]])
  await expectSettled(orderId)
})

it('holds what is left again before the next part leaves where a hold is captured once, also when answers are lost', async () => {
  await world({ multicapture: false })
  const { orderId, parts } = await packedOrder()
  await fault('timeout_after_effect', 'capture')
  const first = await handOver(parts[0]!)
  expect(first.remainder).toBe(true)
  await expect(activities.payments.capturePayment({ operationId: first.captures[0]! })).rejects.toThrow()
  await expect(handOver(parts[1]!)).rejects.toMatchObject({ code: 'order.not_authorized' })
  await activities.payments.capturePayment({ operationId: first.captures[0]! })
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'partially_captured', money: { authorizedMinor: 4_025, capturedMinor: 4_025 } })
  await expect(handOver(parts[1]!)).rejects.toMatchObject({ code: 'order.not_authorized' })
  await fault('timeout_after_effect', 'authorize')
  await expect(heldAgain(orderId)).rejects.toThrow()
  expect(await heldAgain(orderId)).toMatchObject([{ amountMinor: 5_068, status: 'authorized' }])
  expect(await heldAgain(orderId)).toEqual([])
  expect(await view(orderId)).toMatchObject({ money: { authorizedMinor: 9_093, capturedMinor: 4_025 } })
  expect(await captured(parts[1]!)).toMatchObject({ remainder: true })
  expect(await heldAgain(orderId)).toMatchObject([{ amountMinor: shares['3'], status: 'authorized' }])
  expect(await captured(parts[2]!)).not.toHaveProperty('remainder')
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'captured', money: { authorizedMinor: 9_093, capturedMinor: 9_093, owedMinor: 0 } })
  expect(await booksOf(orderId)).toMatchObject([{ authorizedMinor: 9_093, capturedMinor: 4_025 }, { authorizedMinor: 5_068, capturedMinor: shares['2'] }, { authorizedMinor: shares['3'], capturedMinor: shares['3'] }])
  await expectSettled(orderId)
})

it('ships nothing on a remainder that is declined, and holds it again on another try', async () => {
  await world({ multicapture: false })
  const { orderId, parts } = await packedOrder()
  await captured(parts[0]!)
  await fault('decline', 'authorize')
  expect(await heldAgain(orderId)).toMatchObject([{ status: 'declined', declineCode: 'generic_decline' }])
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'partially_captured', payments: [{ status: 'captured' }, { status: 'declined' }] })
  await expect(handOver(parts[1]!)).rejects.toMatchObject({ code: 'order.not_authorized' })
  expect(await heldAgain(orderId)).toMatchObject([{ amountMinor: 5_068, status: 'authorized' }])
  expect(await captured(parts[1]!)).toMatchObject({ status: 'handed_over' })
  await expectSettled(orderId)
})

it('takes the voucher first, and holds again only what the card has still to pay', async () => {
  await world({ multicapture: false })
  const { orderId, parts } = await packedOrder([card(3_093), { tenderId: 'voucher', provider: 'paid_elsewhere', amountMinor: 6_000 }])
  expect(await captured(parts[0]!)).toMatchObject({ captures: [] })
  expect((await captured(parts[1]!)).captures).toHaveLength(1)
  expect((await operations(orderId, 'capture')).map((o) => o.amountMinor)).toEqual([4_025 + shares['2'] - 6_000])
  expect(await heldAgain(orderId)).toMatchObject([{ amountMinor: shares['3'] }])
  await captured(parts[2]!)
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'captured', money: { capturedMinor: 9_093 } })
  await expectSettled(orderId)
})

it('learns what a hold can do when the provider’s message comes before the answer', async () => {
  await world({ multicapture: true })
  const orderId = await place(database.db, { lines, shipping, taxIncluded: false, totalMinor: 9_093, tenders: [card(9_093)] })
  const operationId = (await operations(orderId, 'authorize'))[0]!.operationId
  await fault('timeout_after_effect', 'authorize')
  await expect(activities.payments.authorizePayment({ operationId, ifPending })).rejects.toThrow()
  await apply(await eventually('the message that it is held', () => messagesOf(orderId)[0]), 'at once')
  expect(await operations(orderId, 'authorize')).toMatchObject([{ status: 'succeeded' }])
  expect(await activities.payments.authorizePayment({ operationId, ifPending })).toMatchObject({ status: 'authorized' })
  const method = expect.stringMatching(/^pm_/) as string
  expect(await database.db('payments').where({ order_id: orderId })).toMatchObject([{ multicapture: true, saved_method: method, authorization_expires_at: expect.any(String) as string }])
})

it('ends a hold only after the captures that were to be made before', async () => {
  await world({ multicapture: true })
  const { orderId, parts } = await packedOrder()
  const captures: string[] = []
  for (const part of parts) captures.push(...(await handOver(part)).captures)
  await expect(activities.payments.capturePayment({ operationId: captures[2]! })).rejects.toThrow('goes first')
  await activities.payments.capturePayment({ operationId: captures[1]! })
  await expect(activities.payments.capturePayment({ operationId: captures[2]! })).rejects.toThrow('goes first')
  await activities.payments.capturePayment({ operationId: captures[0]! })
  await activities.payments.capturePayment({ operationId: captures[2]! })
  expect(await booksOf(orderId)).toMatchObject([{ capturedMinor: 9_093, status: 'succeeded' }])
  await expectSettled(orderId)
})

it.each([
  ['a hold that is captured several times', true],
  ['a remainder that is held', false],
])('lets go of %s when what has not left is cancelled', async (_what, multicapture) => {
  await world({ multicapture })
  const { orderId, parts } = await packedOrder()
  await captured(parts[0]!)
  if (!multicapture) await heldAgain(orderId)
  await database.db('fulfillments').whereIn('fulfillment_id', parts.slice(1)).update({ status: 'cancelled' })
  await database.db('order_lines').where({ order_id: orderId }).whereNot({ line_id: '1' }).update({ cancelled: database.db.ref('quantity'), allocated: 0 })
  const [release, ...more] = await database.db.transaction((tx) => intendVoids(tx, orderId))
  expect(more).toEqual([])
  await fault('timeout_after_effect', 'void')
  if (multicapture) await fault('timeout_after_effect', 'capture')
  await expect(activities.payments.voidPayment({ operationId: release!.operationId })).rejects.toThrow()
  await activities.payments.voidPayment({ operationId: release!.operationId })
  expect(await operations(orderId, 'void')).toMatchObject([{ status: 'succeeded', amountMinor: 5_068 }])
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'captured', money: { capturedMinor: 4_025, owedMinor: 0 } })
  expect((await told(orderId)).at(-1)).toEqual(['payment.voided', 5_068])
  expect((await booksOf(orderId)).filter((b) => b.status === 'requires_capture')).toEqual([])
  await expectSettled(orderId)
})

it('takes of the last part what is left of the order when one before it was cancelled, and the provider lets go of the rest', async () => {
  await world({ multicapture: true })
  const { orderId, parts } = await packedOrder()
  await captured(parts[0]!)
  await database.db('fulfillments').where({ fulfillment_id: parts[1] }).update({ status: 'cancelled' })
  await database.db('order_lines').where({ order_id: orderId, line_id: '2' }).update({ cancelled: 1, allocated: 0 })
  await captured(parts[2]!)
  expect(await booksOf(orderId)).toMatchObject([{ authorizedMinor: 9_093, capturedMinor: 4_025 + shares['3'], status: 'succeeded' }])
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'captured', money: { capturedMinor: 5_524, owedMinor: 0 } })
  await expectSettled(orderId)
})

it('lets go of the rest with the last part that costs anything, though something is still to be sent in place of another', async () => {
  await world({ multicapture: true })
  const { orderId, parts } = await packedOrder()
  await captured(parts[0]!)
  await database.db('fulfillments').where({ fulfillment_id: parts[1] }).update({ status: 'cancelled' })
  await database.db('order_lines').where({ order_id: orderId, line_id: '2' }).update({ cancelled: 1, allocated: 0 })
  await database.db('order_lines').insert({ order_id: orderId, line_id: 'r1-1', position: 9, sku: 'SOCKS-3P', quantity: 1, unit_price_minor: 0, discount_minor: 0, tax_minor: 0, replaces: '1' })
  expect(await captured(parts[2]!)).not.toHaveProperty('remainder')
  expect(await booksOf(orderId)).toMatchObject([{ authorizedMinor: 9_093, capturedMinor: 4_025 + shares['3'], status: 'succeeded' }])
  await expectSettled(orderId)
})

it('holds again what a hold whose time ran out no longer covers, and keeps what was taken of it', async () => {
  await world({ multicapture: true })
  const { orderId, parts } = await packedOrder()
  await captured(parts[0]!)
  const [hold] = await booksOf(orderId)
  await control(payments.url, 'POST', `/intents/${hold!.id}`, { status: 'canceled' })
  const ended = await eventually('the message that it has ended', () => messagesOf(orderId).find((m) => m.type === 'payment_intent.succeeded'))
  await apply(ended, 'at once')
  expect(await view(orderId)).toMatchObject({ paymentStatus: 'partially_captured', money: { authorizedMinor: 4_025, capturedMinor: 4_025 } })
  await expect(handOver(parts[1]!)).rejects.toMatchObject({ code: 'order.not_authorized' })
  expect(await heldAgain(orderId)).toMatchObject([{ amountMinor: 5_068, status: 'authorized' }])
  expect(await captured(parts[1]!)).not.toHaveProperty('remainder')
  await captured(parts[2]!)
  expect(await booksOf(orderId)).toMatchObject([{ capturedMinor: 4_025 }, { authorizedMinor: 5_068, capturedMinor: 5_068 }])
  await expectSettled(orderId)
})
