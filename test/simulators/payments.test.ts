/** The payment simulator, judged by the provider's own client: what that client accepts, replays and throws is the wire format. */
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { startPaymentSimulator, type PaymentSimulator, type PaymentSimulatorOptions } from '../../simulators/payments/server'
import { control, eventually, startReceiver, type Receiver } from './receiver'

const apiKey = 'sk_test_simulator'
const webhookSecret = 'whsec_simulator'
const mainFile = join(__dirname, '../../simulators/payments/main.ts')

interface BookEntry {
  id: string
  orderRef: string | null
  authorizedMinor: number
  capturedMinor: number
  refundedMinor: number
  status: string
}

let simulator: PaymentSimulator
let receiver: Receiver
let stripe: Stripe
let folder: string

const clientOf = (at: PaymentSimulator, key = apiKey): Stripe =>
  new Stripe(key, { host: '127.0.0.1', port: at.port, protocol: 'http', maxNetworkRetries: 0, timeout: 5_000, telemetry: false })
const start = (more: Partial<PaymentSimulatorOptions> = {}): Promise<PaymentSimulator> =>
  startPaymentSimulator({ port: 0, webhookUrl: receiver.url, webhookSecret, apiKey, ...more })

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'payments-'))
  receiver = await startReceiver()
  simulator = await start({ statePath: join(folder, 'books.jsonl') })
  stripe = clientOf(simulator)
})
afterEach(async () => {
  await simulator.close()
  await receiver.close()
  rmSync(folder, { recursive: true })
})

const opened = (orderId = 'order-1', amount = 9390, how: Partial<Stripe.PaymentIntentCreateParams> = { capture_method: 'manual' }): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create({
    amount,
    currency: 'eur',
    ...how,
    metadata: { orderId },
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
const held = async (orderId?: string, amount?: number): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.confirm((await opened(orderId, amount)).id, { payment_method: 'pm_card_visa', expand: ['latest_charge'] })
const books = async (): Promise<BookEntry[]> => (await control<{ intents: BookEntry[] }>(simulator.url, 'GET', '/books')).json.intents
const fault = (body: object): Promise<unknown> => control(simulator.url, 'POST', '/faults', body)
const thrown = async (call: Promise<unknown>): Promise<Stripe.errors.StripeError> =>
  call.then(
    () => {
      throw new Error('the call was expected to fail')
    },
    (error: unknown) => error as Stripe.errors.StripeError,
  )
const eventTypes = (): string[] => receiver.bodies<Stripe.Event>().map((event) => event.type)

describe('the life of a payment', () => {
  it('holds money on confirmation, says until when, and moves nothing before', async () => {
    const intent = await opened()
    expect(intent).toMatchObject({
      object: 'payment_intent',
      status: 'requires_payment_method',
      amount: 9390,
      amount_capturable: 0,
      currency: 'eur',
      latest_charge: null,
    })
    expect(await books()).toEqual([
      expect.objectContaining({ id: intent.id, orderRef: 'order-1', authorizedMinor: 0, status: 'requires_payment_method' }),
    ])
    const confirmed = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa', expand: ['latest_charge'] })
    expect(confirmed).toMatchObject({ status: 'requires_capture', amount_capturable: 9390, amount_received: 0 })
    const charge = confirmed.latest_charge as Stripe.Charge
    expect(charge).toMatchObject({
      captured: false,
      amount_captured: 0,
      status: 'succeeded',
      payment_method_details: { type: 'card', card: { brand: 'visa' } },
    })
    expect(charge.payment_method_details!.card!.capture_before! - charge.created).toBeGreaterThanOrEqual(7 * 86_400 - 2)
    expect(await books()).toEqual([expect.objectContaining({ authorizedMinor: 9390, capturedMinor: 0, status: 'requires_capture' })])
  })

  it('captures a hold once and lets the rest go', async () => {
    const intent = await held()
    const captured = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 6000, expand: ['latest_charge'] })
    expect(captured).toMatchObject({ status: 'succeeded', amount_received: 6000, amount_capturable: 0 })
    expect(captured.latest_charge).toMatchObject({ captured: true, amount_captured: 6000, amount_refunded: 3390 })
    const again = await thrown(stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1000 }))
    expect(again).toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code: 'payment_intent_unexpected_state',
      payment_intent: { id: intent.id, status: 'succeeded' },
    })
    expect(await books()).toEqual([expect.objectContaining({ authorizedMinor: 9390, capturedMinor: 6000, refundedMinor: 0 })])
  })

  it('captures a hold several times where the account may and the shop asked for it', async () => {
    const asked: Stripe.PaymentIntentConfirmParams = {
      payment_method: 'pm_card_visa',
      payment_method_options: { card: { request_multicapture: 'if_available' } },
      expand: ['latest_charge'],
    }
    await simulator.close()
    simulator = await start({ multicapture: true })
    stripe = clientOf(simulator)
    const intent = await stripe.paymentIntents.confirm((await opened()).id, asked)
    expect(intent.latest_charge).toMatchObject({ payment_method_details: { card: { multicapture: { status: 'available' } } } })
    expect(await thrown(stripe.paymentIntents.capture(intent.id, { amount_to_capture: 0, final_capture: true }))).toMatchObject({ statusCode: 400 })
    expect(await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 4000, final_capture: false })).toMatchObject({
      status: 'requires_capture',
      amount_capturable: 5390,
    })
    expect(await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 5390 })).toMatchObject({ status: 'succeeded', amount_received: 9390 })
    const ended = await stripe.paymentIntents.confirm((await opened()).id, asked)
    await stripe.paymentIntents.capture(ended.id, { amount_to_capture: 4000, final_capture: false })
    expect(await thrown(stripe.paymentIntents.cancel(ended.id))).toMatchObject({ code: 'payment_intent_unexpected_state' })
    const rest = await stripe.paymentIntents.capture(ended.id, { amount_to_capture: 0, final_capture: true, expand: ['latest_charge'] })
    expect(rest).toMatchObject({ status: 'succeeded', amount_received: 4000, latest_charge: { amount_captured: 4000, amount_refunded: 5390 } })
    expect((await held()).latest_charge).toMatchObject({ payment_method_details: { card: { multicapture: { status: 'unavailable' } } } })
  })

  it('charges a payment method again only for the customer a payment saved it with', async () => {
    const customer = await stripe.customers.create({ metadata: { orderId: 'order-1' } })
    const open = (more: Partial<Stripe.PaymentIntentCreateParams>) => stripe.paymentIntents.create({ amount: 500, currency: 'eur', capture_method: 'manual', ...more })
    const confirmed = async (more: Partial<Stripe.PaymentIntentCreateParams>, method: string) =>
      stripe.paymentIntents.confirm((await open(more)).id, { payment_method: method, off_session: method !== 'pm_card_visa' })
    const unsaved = String((await confirmed({ customer: customer.id }, 'pm_card_visa')).payment_method)
    const again = { statusCode: 400, param: 'payment_method' }
    expect(await thrown(confirmed({ customer: customer.id }, unsaved))).toMatchObject(again)
    const saved = String((await confirmed({ customer: customer.id, setup_future_usage: 'off_session' }, 'pm_card_visa')).payment_method)
    expect(await thrown(confirmed({}, saved))).toMatchObject(again)
    expect(await thrown(open({ customer: 'cus_nobody' }))).toMatchObject({ statusCode: 400, param: 'customer' })
    expect(await confirmed({ customer: customer.id }, saved)).toMatchObject({ status: 'requires_capture', payment_method: saved, customer: customer.id })
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ object: 'customer', metadata: { orderId: 'order-1' } })
  })

  it('refuses a further capture to come where the account may not, and more than is held', async () => {
    const intent = await held()
    expect(await thrown(stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1, final_capture: false }))).toMatchObject({
      statusCode: 400,
      param: 'final_capture',
    })
    expect(await thrown(stripe.paymentIntents.capture(intent.id, { amount_to_capture: 9391 }))).toMatchObject({
      statusCode: 400,
      param: 'amount_to_capture',
    })
    expect(await books()).toEqual([expect.objectContaining({ capturedMinor: 0, status: 'requires_capture' })])
  })

  it('lets a hold go, and refuses to capture or confirm it afterwards', async () => {
    const intent = await held()
    expect(await stripe.paymentIntents.cancel(intent.id)).toMatchObject({ status: 'canceled', amount_capturable: 0 })
    expect(await thrown(stripe.paymentIntents.capture(intent.id))).toMatchObject({ code: 'payment_intent_unexpected_state' })
    expect(await thrown(stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    })
    expect(await thrown(stripe.paymentIntents.cancel(intent.id))).toMatchObject({ code: 'payment_intent_unexpected_state' })
    expect(await books()).toEqual([expect.objectContaining({ authorizedMinor: 9390, capturedMinor: 0, status: 'canceled' })])
  })

  it('ends a hold whose time has run out, by itself and with a message', async () => {
    await simulator.close()
    simulator = await start({ authorizationDays: 0.3 / 86_400 })
    stripe = clientOf(simulator)
    const intent = await held()
    await eventually('the hold expires', () => eventTypes().includes('payment_intent.canceled'))
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'canceled', cancellation_reason: 'expired' })
    expect(await thrown(stripe.paymentIntents.capture(intent.id))).toMatchObject({ code: 'payment_intent_unexpected_state' })
  })

  it('gives back what was captured and never more', async () => {
    const intent = await held()
    expect(await thrown(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({ statusCode: 400 })
    await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 6000 })
    const given = await stripe.refunds.create({ payment_intent: intent.id, amount: 2000, metadata: { operationId: 'op-9' } })
    expect(await stripe.refunds.retrieve(given.id)).toMatchObject({
      object: 'refund',
      amount: 2000,
      status: 'succeeded',
      metadata: { operationId: 'op-9' },
    })
    expect(await thrown(stripe.refunds.create({ payment_intent: intent.id, amount: 4001 }))).toMatchObject({ statusCode: 400, param: 'amount' })
    await stripe.refunds.create({ payment_intent: intent.id })
    expect(await thrown(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({ code: 'charge_already_refunded' })
    expect(await books()).toEqual([expect.objectContaining({ capturedMinor: 6000, refundedMinor: 6000 })])
  })

  it('gives nothing back of what the cardholder’s bank takes, nor when it has kept it', async () => {
    const intent = await held()
    await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 6000 })
    const ask = (): Promise<unknown> => thrown(stripe.refunds.create({ payment_intent: intent.id, amount: 2000 }))
    const { id } = (await control<{ id: string }>(simulator.url, 'POST', '/disputes', { paymentIntent: intent.id })).json
    expect(await ask()).toMatchObject({ statusCode: 400, code: 'charge_disputed' })
    await control(simulator.url, 'POST', `/disputes/${id}`, { status: 'lost' })
    expect(await ask()).toMatchObject({ statusCode: 400, code: 'charge_disputed' })
    expect(await books()).toEqual([expect.objectContaining({ capturedMinor: 6000, refundedMinor: 0 })])
  })
})

describe('cards that are refused', () => {
  it.each([
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['pm_card_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
    ['pm_card_visa_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'incorrect_cvc'],
    ['pm_card_chargeDeclinedProcessingError', 'processing_error', 'processing_error'],
  ])('%s is a card error with its reason', async (paymentMethod, code, declineCode) => {
    const intent = await opened()
    const error = await thrown(stripe.paymentIntents.confirm(intent.id, { payment_method: paymentMethod }))
    expect(error).toBeInstanceOf(Stripe.errors.StripeCardError)
    expect(error).toMatchObject({
      statusCode: 402,
      code,
      decline_code: declineCode,
      payment_intent: { id: intent.id, status: 'requires_payment_method' },
    })
    const after = await stripe.paymentIntents.retrieve(intent.id)
    expect(after).toMatchObject({ status: 'requires_payment_method', payment_method: null, last_payment_error: { code, decline_code: declineCode } })
    await eventually('the shop is told', () => eventTypes().includes('payment_intent.payment_failed'))
    expect(await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_mastercard' })).toMatchObject({
      status: 'requires_capture',
      last_payment_error: null,
    })
  })

  it('asks for the cardholder, and goes on when she has answered', async () => {
    const intent = await stripe.paymentIntents.confirm((await opened()).id, { payment_method: 'pm_card_authenticationRequired' })
    expect(intent).toMatchObject({ status: 'requires_action', next_action: { type: 'use_stripe_sdk' } })
    expect((await control(simulator.url, 'POST', `/intents/${intent.id}`, { status: 'requires_capture' })).status).toBe(200)
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: 'requires_capture' })
    const absent = await thrown(
      stripe.paymentIntents.confirm((await opened()).id, { payment_method: 'pm_card_authenticationRequired', off_session: true }),
    )
    expect(absent).toMatchObject({ code: 'authentication_required', statusCode: 402 })
  })

  it('settles a slow payment method later, either way: it is taken, as it cannot be held, and a card of the same payment is held', async () => {
    const how = { payment_method_options: { card: { capture_method: 'manual' } } } as const
    await control(simulator.url, 'POST', '/pace', { settleMs: 50 })
    const refused = await thrown(stripe.paymentIntents.confirm((await opened('held')).id, { payment_method: 'pm_usBankAccount_success' }))
    expect(refused).toMatchObject({ statusCode: 400, param: 'payment_method' })
    const card = await stripe.paymentIntents.confirm((await opened('card', 100, how)).id, { payment_method: 'pm_card_visa' })
    const good = await stripe.paymentIntents.confirm((await opened('good', 9390, how)).id, { payment_method: 'pm_usBankAccount_success' })
    expect(await thrown(stripe.paymentIntents.cancel(good.id))).toMatchObject({ code: 'payment_intent_unexpected_state' })
    const bad = await stripe.paymentIntents.confirm((await opened('bad', 9390, how)).id, { payment_method: 'pm_usBankAccount_insufficientFunds' })
    expect([card.status, good.status, bad.status]).toEqual(['requires_capture', 'processing', 'processing'])
    await eventually('both are decided', async () => (await books()).every((entry) => entry.status !== 'processing'))
    expect(await books()).toEqual([
      expect.objectContaining({ orderRef: 'held', authorizedMinor: 0 }),
      expect.objectContaining({ orderRef: 'card', status: 'requires_capture', authorizedMinor: 100, capturedMinor: 0 }),
      expect.objectContaining({ orderRef: 'good', status: 'succeeded', authorizedMinor: 9390, capturedMinor: 9390 }),
      expect.objectContaining({ orderRef: 'bad', status: 'requires_payment_method', authorizedMinor: 0 }),
    ])
  })
})

describe('requests that are wrong', () => {
  it('are refused by name, as the provider does', async () => {
    expect(await thrown(clientOf(simulator, 'sk_test_other').paymentIntents.list())).toBeInstanceOf(Stripe.errors.StripeAuthenticationError)
    expect(await thrown(stripe.paymentIntents.retrieve('pi_unknown'))).toMatchObject({ statusCode: 404, code: 'resource_missing' })
    expect(await thrown(stripe.paymentIntents.confirm((await opened()).id, { payment_method: 'pm_unknown' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'payment_method',
    })
    expect(await thrown(stripe.paymentIntents.create({ amount: -1, currency: 'eur' }))).toMatchObject({ statusCode: 400, param: 'amount' })
    expect(await thrown(stripe.paymentIntents.create({ amount: 1, currency: 'zzz' }))).toMatchObject({ statusCode: 400, param: 'currency' })
    const odd = { amount: 1, currency: 'eur', colour: 'blue' }
    expect(await thrown(stripe.paymentIntents.create(odd))).toMatchObject({ code: 'parameter_unknown', param: 'colour' })
  })

  it('to the control calls say what is wrong', async () => {
    for (const [path, body, says] of [
      ['/faults', { kind: 'slow' }, 'next: missing'],
      ['/faults', { next: 1, kind: 'boom' }, 'kind: must be one of'],
      ['/faults', { next: 1, kind: 'decline', operation: 'refund' }, 'operation:'],
      ['/faults', { next: 1, kind: 'slow', wait: 5 }, 'wait: unknown field'],
      ['/webhooks', { shuffle: 'yes' }, 'shuffle: must be true or false'],
      ['/outage', {}, 'give either ms'],
      ['/intents/pi_x', { status: 'paid' }, 'status: must be one of'],
    ] as const) {
      const { status, json } = await control<{ error: { message: string } }>(simulator.url, 'POST', path, body)
      expect([status, json.error.message]).toEqual([400, expect.stringContaining(says)])
    }
  })
})

describe('idempotency keys', () => {
  const params = { amount: 500, currency: 'eur', capture_method: 'manual' } as const

  it('give the first answer again, marked as replayed', async () => {
    const first = await stripe.paymentIntents.create(params, { idempotencyKey: 'key-1' })
    const second = await stripe.paymentIntents.create(params, { idempotencyKey: 'key-1' })
    expect(second).toEqual(first)
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect(await books()).toHaveLength(1)
  })

  it('refuse other parameters and other endpoints', async () => {
    await stripe.paymentIntents.create(params, { idempotencyKey: 'key-1' })
    const other = await thrown(stripe.paymentIntents.create({ ...params, amount: 501 }, { idempotencyKey: 'key-1' }))
    expect(other).toBeInstanceOf(Stripe.errors.StripeIdempotencyError)
    expect(other.statusCode).toBe(400)
    expect(
      await thrown(stripe.paymentIntents.confirm((await opened()).id, { payment_method: 'pm_card_visa' }, { idempotencyKey: 'key-1' })),
    ).toBeInstanceOf(Stripe.errors.StripeIdempotencyError)
  })

  it('give a stored 500 again although nothing happened, and another key goes through', async () => {
    const intent = await opened()
    await fault({ next: 1, kind: 'error_500', operation: 'authorize' })
    const confirm = (idempotencyKey: string): Promise<Stripe.PaymentIntent> =>
      stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }, { idempotencyKey })
    expect(await thrown(confirm('key-1'))).toMatchObject({ statusCode: 500 })
    const replayed = await thrown(confirm('key-1'))
    expect(replayed.statusCode).toBe(500)
    expect(replayed.headers!['idempotent-replayed']).toBe('true')
    expect(await books()).toEqual([expect.objectContaining({ authorizedMinor: 0 })])
    expect(await confirm('key-2')).toMatchObject({ status: 'requires_capture' })
  })

  it('store a decline, and forget what was refused before it was executed', async () => {
    const intent = await opened()
    const confirm = (paymentMethod: string, idempotencyKey: string): Promise<Stripe.PaymentIntent> =>
      stripe.paymentIntents.confirm(intent.id, { payment_method: paymentMethod }, { idempotencyKey })
    expect(await thrown(confirm('pm_unknown', 'key-1'))).toMatchObject({ statusCode: 400 })
    expect(await thrown(confirm('pm_card_chargeDeclined', 'key-1'))).toMatchObject({ statusCode: 402 })
    const replayed = await thrown(confirm('pm_card_chargeDeclined', 'key-1'))
    expect([replayed.statusCode, replayed.headers!['idempotent-replayed']]).toEqual([402, 'true'])
  })

  it('are in use while the first request is still being worked on', async () => {
    const intent = await opened()
    await fault({ next: 1, kind: 'slow', delayMs: 600, operation: 'authorize' })
    const confirm = (): Promise<Stripe.Response<Stripe.PaymentIntent>> =>
      stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }, { idempotencyKey: 'key-1' })
    const first = confirm()
    await eventually('the provider has the request', async () => (await books())[0]!.status === 'requires_capture')
    expect(await thrown(confirm())).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' })
    expect(await first).toMatchObject({ status: 'requires_capture' })
    expect((await confirm()).lastResponse.headers['idempotent-replayed']).toBe('true')
  })
})

describe('trouble on demand', () => {
  it('does what was asked and never answers; the true answer waits under the key', async () => {
    const intent = await held()
    await fault({ next: 1, kind: 'timeout_after_effect', operation: 'capture', delayMs: 5_000 })
    const capture = (timeout: number): Promise<Stripe.Response<Stripe.PaymentIntent>> =>
      stripe.paymentIntents.capture(intent.id, {}, { idempotencyKey: 'capture-1', timeout })
    expect(await thrown(capture(150))).toBeInstanceOf(Stripe.errors.StripeConnectionError)
    expect(await books()).toEqual([expect.objectContaining({ capturedMinor: 9390 })])
    const replayed = await capture(5_000)
    expect(replayed).toMatchObject({ status: 'succeeded', amount_received: 9390 })
    expect(replayed.lastResponse.headers['idempotent-replayed']).toBe('true')
  })

  it('answers 500 after the effect when asked to', async () => {
    const intent = await held()
    await fault({ next: 1, kind: 'error_500', operation: 'capture', afterEffect: true })
    expect(await thrown(stripe.paymentIntents.capture(intent.id))).toMatchObject({ statusCode: 500 })
    expect(await books()).toEqual([expect.objectContaining({ capturedMinor: 9390 })])
  })

  it('declines the next good card, but not the opening of a payment', async () => {
    await fault({ next: 1, kind: 'decline' })
    const intent = await opened()
    expect(await thrown(stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }))).toMatchObject({
      statusCode: 402,
      decline_code: 'generic_decline',
    })
    expect(await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })).toMatchObject({ status: 'requires_capture' })
  })

  it('sends the message before its own slow answer', async () => {
    const intent = await opened()
    await fault({ next: 1, kind: 'slow', delayMs: 700, operation: 'authorize' })
    let answeredMs = 0
    const answer = stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }).then(() => (answeredMs = Date.now()))
    await eventually('the message arrives', () => eventTypes().includes('payment_intent.amount_capturable_updated'))
    await answer
    expect(receiver.attempts.at(-1)!.atMs).toBeLessThan(answeredMs)
  })

  it('resets every connection during an outage, and is back afterwards', async () => {
    await control(simulator.url, 'POST', '/outage', { until: 'cleared' })
    expect(await thrown(stripe.paymentIntents.list())).toBeInstanceOf(Stripe.errors.StripeConnectionError)
    await control(simulator.url, 'DELETE', '/outage')
    expect((await stripe.paymentIntents.list()).data).toEqual([])
  })
})

describe('messages', () => {
  it('carry a signature the provider’s own client accepts, and the whole payment', async () => {
    const intent = await held('order-7')
    const attempt = await eventually('a message', () => receiver.attempts[0])
    const event = stripe.webhooks.constructEvent(attempt.body, attempt.headers['stripe-signature']!, webhookSecret)
    expect(event).toMatchObject({
      object: 'event',
      type: 'payment_intent.amount_capturable_updated',
      data: {
        object: {
          id: intent.id,
          metadata: { orderId: 'order-7' },
          status: 'requires_capture',
          latest_charge: (intent.latest_charge as Stripe.Charge).id,
        },
      },
    })
    expect(() => stripe.webhooks.constructEvent(attempt.body, attempt.headers['stripe-signature']!, 'whsec_other')).toThrow(
      Stripe.errors.StripeSignatureVerificationError,
    )
  })

  it('are repeated until the receiver takes them, signed anew each time', async () => {
    receiver.failNext(3)
    await held()
    const attempts = await eventually('four attempts', () => receiver.attempts.length >= 4 && receiver.attempts)
    const ids = attempts.map((attempt) => stripe.webhooks.constructEvent(attempt.body, attempt.headers['stripe-signature']!, webhookSecret).id)
    expect(new Set(ids).size).toBe(1)
    const pauses = attempts.slice(1).map((attempt, i) => attempt.atMs - attempts[i]!.atMs)
    pauses.forEach((pauseMs, i) => expect(pauseMs).toBeGreaterThanOrEqual(200 * 2 ** i - 5))
  })

  it('come twice when asked to', async () => {
    await control(simulator.url, 'POST', '/webhooks', { duplicate: true })
    await held()
    await eventually('both copies', () => receiver.attempts.length === 2)
    const [first, second] = receiver.bodies<Stripe.Event>()
    expect(second).toEqual(first)
  })

  it('come in another order when asked to', async () => {
    await control(simulator.url, 'POST', '/webhooks', { shuffle: true })
    const intent = await held()
    await stripe.paymentIntents.capture(intent.id)
    await eventually('three messages', () => receiver.attempts.length === 3)
    const happened = (await stripe.events.list()).data
      .map((event) => event.id)
      .reverse()
      .slice(1)
    const arrived = receiver.bodies<Stripe.Event>().map((event) => event.id)
    expect([...arrived].sort()).toEqual([...happened].sort())
    expect(arrived).not.toEqual(happened)
  })

  it('tell of every step that moves money', async () => {
    const intent = await held()
    await stripe.paymentIntents.capture(intent.id)
    await stripe.refunds.create({ payment_intent: intent.id, amount: 90 })
    await stripe.paymentIntents.cancel((await held('order-2')).id)
    const expected = [
      'charge.captured',
      'charge.refunded',
      'payment_intent.amount_capturable_updated',
      'payment_intent.amount_capturable_updated',
      'payment_intent.canceled',
      'payment_intent.succeeded',
    ]
    await eventually('all messages', () => receiver.attempts.length === expected.length)
    expect(eventTypes().sort()).toEqual(expected)
  })
})

describe('looking things up', () => {
  it('finds payments by metadata, by page and by time', async () => {
    for (const orderId of ['a', 'b', 'c']) await held(orderId)
    expect(
      (await stripe.paymentIntents.search({ query: 'metadata["orderId"]:"b" AND status:"requires_capture"' })).data.map((i) => i.metadata.orderId),
    ).toEqual(['b'])
    expect(
      (await stripe.paymentIntents.search({ query: "metadata['orderId']:'a' OR metadata['orderId']:'c'" })).data.map((i) => i.metadata.orderId),
    ).toEqual(['c', 'a'])
    expect(await thrown(stripe.paymentIntents.search({ query: 'order=b' }))).toMatchObject({ statusCode: 400, param: 'query' })
    const paged: string[] = []
    for await (const intent of stripe.paymentIntents.list({ limit: 1 })) paged.push(intent.metadata.orderId!)
    expect(paged).toEqual(['c', 'b', 'a'])
    expect((await stripe.paymentIntents.list({ created: { gt: Math.floor(Date.now() / 1000) + 5 } })).data).toEqual([])
  })

  it('lists events, so that a lost message can be found', async () => {
    const intent = await held()
    const events = await stripe.events.list({ type: 'payment_intent.amount_capturable_updated' })
    expect(events.data.map((event) => (event.data.object as Stripe.PaymentIntent).id)).toEqual([intent.id])
    const chargeId = (intent.latest_charge as Stripe.Charge).id
    expect(await stripe.charges.retrieve(chargeId)).toMatchObject({ id: chargeId, payment_intent: intent.id })
  })
})

describe('a restart', () => {
  it('keeps the books, the keys and the messages nobody has taken yet', async () => {
    const intent = await held('order-1')
    await eventually('the first message', () => receiver.attempts.length === 1)
    receiver.failNext(1_000)
    await stripe.paymentIntents.capture(intent.id, {}, { idempotencyKey: 'capture-1' })
    await eventually('attempts that failed', () => receiver.attempts.length >= 3)
    const before = await books()
    await simulator.close()
    receiver.failNext(0)
    const seen = receiver.attempts.length
    simulator = await start({ statePath: join(folder, 'books.jsonl') })
    stripe = clientOf(simulator)
    expect(await books()).toEqual(before)
    expect((await stripe.paymentIntents.capture(intent.id, {}, { idempotencyKey: 'capture-1' })).lastResponse.headers['idempotent-replayed']).toBe(
      'true',
    )
    await eventually('both messages', () => receiver.attempts.length >= seen + 2)
    expect(eventTypes().slice(seen).sort()).toEqual(['charge.captured', 'payment_intent.succeeded'])
  })

  it('of a process killed while writing loses only the half line nobody was answered for', async () => {
    const statePath = join(folder, 'killed.jsonl')
    const child = spawn(process.execPath, [
      '--import',
      'tsx',
      mainFile,
      '--port',
      '0',
      '--api-key',
      apiKey,
      '--webhook-secret',
      webhookSecret,
      '--state',
      statePath,
    ])
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const url = await eventually('the address of the process', () => /http:\/\/\S+/.exec(said)?.[0], 20_000)
    const client = new Stripe(apiKey, { host: '127.0.0.1', port: new URL(url).port, protocol: 'http', telemetry: false })
    const intent = await client.paymentIntents.create({
      amount: 700,
      currency: 'eur',
      confirm: true,
      capture_method: 'manual',
      payment_method: 'pm_card_visa',
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    appendFileSync(statePath, '[["intent","pi_half",{"id":"pi_ha')
    await simulator.close()
    simulator = await start({ statePath })
    expect(await books()).toEqual([expect.objectContaining({ id: intent.id, authorizedMinor: 700, status: 'requires_capture' })])
  })
})
