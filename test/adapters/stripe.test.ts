/** The payment provider port on Stripe's real client, against the simulator: answers are answers, faults say what may have happened. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'
import type { PaymentProvider, ProviderView } from '../../activities/ports'
import { ProviderFault } from '../../activities/ports'
import { stripeProvider } from '../../adapters/stripe/provider'
import { stripeWebhook } from '../../adapters/stripe/webhook'
import { Refusal } from '../../domain/refusals'
import { startPaymentSimulator, type PaymentSimulator } from '../../simulators/payments/server'
import { control, eventually, startReceiver, type Receiver } from '../simulators/receiver'

const apiKey = 'sk_test_adapter'
const webhookSecret = 'whsec_adapter'
const webhook = stripeWebhook({ secret: webhookSecret })

let simulator: PaymentSimulator
let receiver: Receiver
let payments: PaymentProvider

beforeEach(async () => {
  receiver = await startReceiver()
  simulator = await startPaymentSimulator({ port: 0, webhookUrl: receiver.url, webhookSecret, apiKey })
  payments = stripeProvider({ apiKey, baseUrl: simulator.url, timeoutMs: 400 })
})
afterEach(async () => {
  await simulator.close()
  await receiver.close()
})

const opening = {
  amountMinor: 9390,
  currency: 'EUR',
  orderId: 'order-1',
  paymentId: 'payment-1',
  operationId: 'operation-1',
  description: 'web 1042',
}
const open = async (): Promise<string> => (await payments.open({ key: 'open:1', ...opening })).reference
const authorized = async (): Promise<string> => {
  const reference = await open()
  await payments.authorize({ reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' })
  return reference
}
const fault = (body: object): Promise<unknown> => control(simulator.url, 'POST', '/faults', body)
const books = async (): Promise<object[]> => (await control<{ intents: object[] }>(simulator.url, 'GET', '/books')).json.intents
const thrown = async (call: Promise<unknown>): Promise<ProviderFault> => {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(ProviderFault)
  return error as ProviderFault
}

describe('a payment', () => {
  it('is opened without holding money, once per key', async () => {
    const reference = await open()
    expect(await open()).toBe(reference)
    expect(await payments.lookUp(reference)).toEqual({ reference, status: 'opened', authorizedMinor: 0, capturedMinor: 0, refundedMinor: 0 })
    expect(await books()).toEqual([expect.objectContaining({ orderRef: 'order-1', currency: 'eur' })])
  })

  it('is authorised with the day the hold ends, once whatever the number of calls', async () => {
    const reference = await open()
    const first = await payments.authorize({ reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' })
    expect(first).toMatchObject({ reference, status: 'authorized', authorizedMinor: 9390, capturedMinor: 0 })
    const days = (Date.parse(first.authorizationExpiresAt!) - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(6.9)
    expect(await payments.authorize({ reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' })).toEqual(first)
    expect(await payments.authorize({ reference, key: 'authorize:2', paymentMethod: 'pm_card_visa' })).toEqual(first)
  })

  it('is captured in part, and what is let go is not taken for a refund', async () => {
    const reference = await authorized()
    const taken = await payments.capture({ reference, key: 'capture:1', amountMinor: 6000, operationId: 'operation-2', final: true })
    expect(taken).toMatchObject({ reference, status: 'captured', authorizedMinor: 9390, capturedMinor: 6000, refundedMinor: 0, captures: { 'operation-2': 6000 } })
    await payments.refund({ reference, key: 'refund:1', amountMinor: 2500, operationId: 'operation-3' })
    expect(await payments.lookUp(reference)).toEqual({ ...taken, refundedMinor: 2500 })
  })

  it('names our operation on a refund, and gives one refund per key', async () => {
    const reference = await authorized()
    await payments.capture({ reference, key: 'capture:1', amountMinor: 9390, operationId: 'operation-2', final: true })
    const ask = { reference, key: 'refund:1', amountMinor: 90, operationId: 'operation-3' }
    const given = await payments.refund(ask)
    expect(await payments.refund(ask)).toEqual(given)
    const stripe = new Stripe(apiKey, { host: '127.0.0.1', port: simulator.port, protocol: 'http' })
    expect((await stripe.refunds.list({ payment_intent: reference })).data.map((r) => [r.id, r.metadata!.operationId])).toEqual([
      [given.refundReference, 'operation-3'],
    ])
  })

  it('is voided, and keeps what was once authorised', async () => {
    const reference = await authorized()
    const view: ProviderView = { reference, status: 'voided', authorizedMinor: 9390, capturedMinor: 0, refundedMinor: 0 }
    expect(await payments.void({ reference, key: 'void:1' })).toEqual(view)
    expect(await payments.void({ reference, key: 'void:2' })).toEqual(view)
  })
})

describe('an order that may leave in parts', () => {
  const restart = async (multicapture: boolean): Promise<void> => {
    await simulator.close()
    simulator = await startPaymentSimulator({ port: 0, webhookUrl: receiver.url, webhookSecret, apiKey, multicapture })
    payments = stripeProvider({ apiKey, baseUrl: simulator.url, timeoutMs: 400 })
  }
  const held = async (): Promise<{ reference: string; payer?: string; view: ProviderView }> => {
    const opened = await payments.open({ key: 'open:1', ...opening, inParts: true, keepsMethod: true })
    return { ...opened, view: await payments.authorize({ reference: opened.reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' }) }
  }

  it('is captured several times where the account may, each capture told by name', async () => {
    await restart(true)
    const { reference, view } = await held()
    expect(view).toMatchObject({ status: 'authorized', multicapture: true })
    const first = await payments.capture({ reference, key: 'capture:1', amountMinor: 4000, operationId: 'operation-2', final: false })
    expect(first).toMatchObject({ status: 'authorized', authorizedMinor: 9390, capturedMinor: 4000, refundedMinor: 0, captures: { 'operation-2': 4000 } })
    await fault({ next: 1, kind: 'timeout_after_effect', operation: 'capture', delayMs: 5_000 })
    const second = { reference, key: 'capture:2', amountMinor: 3000, operationId: 'operation-3', final: false }
    expect(await thrown(payments.capture(second))).toMatchObject({ effect: 'unknown' })
    expect(await payments.lookUp(reference)).toMatchObject({ capturedMinor: 7000, captures: { 'operation-2': 4000, 'operation-3': 3000 } })
    expect(await payments.capture(second)).toMatchObject({ capturedMinor: 7000 })
    const last = await payments.capture({ reference, key: 'capture:3', amountMinor: 2000, operationId: 'operation-4', final: true })
    expect(last).toMatchObject({ status: 'captured', capturedMinor: 9000, refundedMinor: 0, captures: { 'operation-2': 4000, 'operation-3': 3000, 'operation-4': 2000 } })
    expect(await books()).toEqual([expect.objectContaining({ capturedMinor: 9000, status: 'succeeded' })])
  })

  it('lets go of the rest of a hold that was captured in part, and gives back what was taken', async () => {
    await restart(true)
    const { reference } = await held()
    await payments.capture({ reference, key: 'capture:1', amountMinor: 4000, operationId: 'operation-2', final: false })
    await payments.refund({ reference, key: 'refund:1', amountMinor: 1000, operationId: 'operation-3' })
    expect(await payments.lookUp(reference)).toMatchObject({ status: 'authorized', capturedMinor: 4000, refundedMinor: 1000 })
    const ended = await payments.void({ reference, key: 'void:1', partlyCaptured: true })
    expect(ended).toMatchObject({ status: 'captured', authorizedMinor: 9390, capturedMinor: 4000, refundedMinor: 1000 })
    expect(await payments.void({ reference, key: 'void:2', partlyCaptured: true })).toEqual(ended)
  })

  it('says of every message what was captured by whom, and ends the hold with the last one only', async () => {
    await restart(true)
    const { reference } = await held()
    await payments.capture({ reference, key: 'capture:1', amountMinor: 4000, operationId: 'operation-2', final: false })
    await payments.capture({ reference, key: 'capture:2', amountMinor: 1000, operationId: 'operation-3', final: true })
    await eventually('five messages', () => receiver.attempts.length === 5)
    const read = receiver.attempts.map((a) => webhook.read(a.body, a.headers['stripe-signature'] as string))
    const views = read.flatMap((event) => (event ? [[event.type, event.operationId, event.view.status, event.view.captures]] : []))
    expect(views).toHaveLength(3)
    expect(views).toEqual(
      expect.arrayContaining([
        ['payment_intent.amount_capturable_updated', 'operation-1', 'authorized', undefined],
        ['payment_intent.amount_capturable_updated', 'operation-2', 'authorized', { 'operation-2': 4000 }],
        ['payment_intent.succeeded', 'operation-3', 'captured', { 'operation-2': 4000, 'operation-3': 1000 }],
      ]),
    )
  })

  it('is captured once where the account may not, and what is left is held again on the saved method while the customer is away', async () => {
    const { reference, payer, view } = await held()
    expect([view.multicapture, payer]).toEqual([undefined, expect.stringMatching(/^cus_/)])
    expect(await thrown(payments.capture({ reference, key: 'capture:1', amountMinor: 4000, operationId: 'operation-2', final: false }))).toMatchObject({ effect: 'stored' })
    await payments.capture({ reference, key: 'capture:1b', amountMinor: 4000, operationId: 'operation-2', final: true })
    const again = { ...opening, key: 'open:2', amountMinor: 5390, operationId: 'operation-3', inParts: true, keepsMethod: true, payer: payer! }
    const rest = await payments.open(again)
    expect(rest.payer).toBe(payer)
    const ask = { reference: rest.reference, key: 'authorize:2', paymentMethod: view.methodInUse!, offSession: true }
    expect(await payments.authorize(ask)).toMatchObject({ status: 'authorized', authorizedMinor: 5390, methodInUse: view.methodInUse })
  })

  it('is not held again on a method that was not saved: the answer is no', async () => {
    const reference = await authorized()
    const { methodInUse } = await payments.lookUp(reference)
    const second = await payments.open({ ...opening, key: 'open:2' })
    expect(await payments.authorize({ reference: second.reference, key: 'authorize:2', paymentMethod: methodInUse!, offSession: true })).toMatchObject({ status: 'declined' })
  })
})

describe('answers that are no', () => {
  it.each([
    ['pm_card_chargeDeclined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
    ['pm_card_nobody_knows', 'resource_missing'],
  ])('%s is declined as %s, not a fault', async (paymentMethod, declineCode) => {
    const reference = await open()
    const ask = { reference, key: 'authorize:1', paymentMethod }
    const answer = await payments.authorize(ask)
    expect(answer).toEqual({ reference, status: 'declined', authorizedMinor: 0, capturedMinor: 0, refundedMinor: 0, declineCode })
    expect(await payments.authorize(ask)).toEqual(answer)
  })

  it('waits for the cardholder or the bank, and says so', async () => {
    const reference = await open()
    expect(await payments.authorize({ reference, key: 'authorize:1', paymentMethod: 'pm_card_authenticationRequired' })).toMatchObject({
      status: 'action_required',
      authorizedMinor: 0,
    })
    const second = (await payments.open({ ...opening, key: 'open:2' })).reference
    expect(await payments.authorize({ reference: second, key: 'authorize:2', paymentMethod: 'pm_usBankAccount_success' })).toMatchObject({
      status: 'processing',
      authorizedMinor: 0,
    })
  })

  it('answers an authorisation of an ended payment with how it ended', async () => {
    const reference = await open()
    await payments.void({ reference, key: 'void:1' })
    expect(await payments.authorize({ reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' })).toMatchObject({
      status: 'voided',
      authorizedMinor: 0,
    })
  })
})

describe('calls whose effect had already happened', () => {
  it('capture again under another key answers what was captured', async () => {
    const reference = await authorized()
    const first = await payments.capture({ reference, key: 'capture:1', amountMinor: 6000, operationId: 'operation-2', final: true })
    expect(await payments.capture({ reference, key: 'capture:2', amountMinor: 6000, operationId: 'operation-2', final: true })).toEqual(first)
    expect(await thrown(payments.capture({ reference, key: 'capture:3', amountMinor: 500, operationId: 'operation-4', final: true }))).toMatchObject({
      effect: 'stored',
    })
    expect(await books()).toEqual([expect.objectContaining({ capturedMinor: 6000 })])
  })

  it('a capture or void that can never happen is a no, and stays one under its key', async () => {
    const reference = await authorized()
    await payments.void({ reference, key: 'void:1' })
    expect(await thrown(payments.capture({ reference, key: 'capture:1', amountMinor: 9390, operationId: 'operation-2', final: true }))).toMatchObject({
      effect: 'stored',
    })
    const second = (await payments.open({ ...opening, key: 'open:2' })).reference
    await payments.authorize({ reference: second, key: 'authorize:2', paymentMethod: 'pm_card_visa' })
    await payments.capture({ reference: second, key: 'capture:2', amountMinor: 9390, operationId: 'operation-3', final: true })
    expect(await thrown(payments.void({ reference: second, key: 'void:2' }))).toMatchObject({ effect: 'stored' })
  })
})

describe('faults', () => {
  it('an answer that does not come leaves the outcome unknown, and a look-up tells', async () => {
    const reference = await open()
    await fault({ next: 1, kind: 'timeout_after_effect', operation: 'authorize', delayMs: 5_000 })
    const ask = { reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' }
    expect(await thrown(payments.authorize(ask))).toMatchObject({ effect: 'unknown' })
    expect(await payments.lookUp(reference)).toMatchObject({ status: 'authorized', authorizedMinor: 9390 })
    expect(await payments.authorize(ask)).toMatchObject({ status: 'authorized' })
  })

  it('a 500 is stored under its key; the next key goes through', async () => {
    const reference = await open()
    await fault({ next: 1, kind: 'error_500', operation: 'authorize' })
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await thrown(payments.authorize({ reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' }))).toMatchObject({ effect: 'stored' })
    }
    expect(await payments.authorize({ reference, key: 'authorize:2', paymentMethod: 'pm_card_visa' })).toMatchObject({ status: 'authorized' })
  })

  it('a no is stored under its key as well; the next key goes through once the dispute is won', async () => {
    const reference = await authorized()
    await payments.capture({ reference, key: 'capture:1', amountMinor: 9390, operationId: 'operation-2', final: true })
    const { id } = (await control<{ id: string }>(simulator.url, 'POST', '/disputes', { paymentIntent: reference })).json
    const ask = { reference, key: 'refund:1', amountMinor: 1000, operationId: 'operation-3' }
    expect(await thrown(payments.refund(ask))).toMatchObject({ effect: 'stored', message: expect.stringContaining('charge_disputed') as string })
    await control(simulator.url, 'POST', `/disputes/${id}`, { status: 'won' })
    expect(await thrown(payments.refund(ask))).toMatchObject({ effect: 'stored' })
    await payments.refund({ ...ask, key: 'refund:2' })
    expect(await payments.lookUp(reference)).toMatchObject({ refundedMinor: 1000 })
  })

  it('a key still in use, or used for something else, leaves the outcome unknown', async () => {
    const reference = await open()
    await fault({ next: 1, kind: 'slow', operation: 'authorize', delayMs: 1_500 })
    const ask = { reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' }
    expect(await thrown(payments.authorize(ask))).toMatchObject({ effect: 'unknown' })
    const inUse = await thrown(payments.authorize(ask))
    expect([inUse.effect, inUse.message]).toEqual(['unknown', expect.stringContaining('idempotency_key_in_use')])
    expect(await thrown(payments.authorize({ ...ask, key: 'open:1' }))).toMatchObject({ effect: 'unknown' })
  })

  it('a reset connection is asked once only and leaves the outcome unknown; look-ups too', async () => {
    const reference = await open()
    let requests = 0
    const resetting: Server = createServer((request) => {
      requests += 1
      request.socket.resetAndDestroy()
    })
    await new Promise<void>((resolve) => resetting.listen(0, '127.0.0.1', resolve))
    const baseUrl = `http://127.0.0.1:${(resetting.address() as AddressInfo).port}`
    const cut = stripeProvider({ apiKey, baseUrl, timeoutMs: 2_000 })
    expect(await thrown(cut.authorize({ reference, key: 'authorize:1', paymentMethod: 'pm_card_visa' }))).toMatchObject({ effect: 'unknown' })
    expect(requests).toBe(1)
    expect(await thrown(cut.lookUp(reference))).toMatchObject({ effect: 'unknown' })
    await new Promise((resolve) => resetting.close(resolve))
    expect(await thrown(cut.open({ key: 'open:9', ...opening }))).toMatchObject({ effect: 'none' })
  })

  it('too many requests and a wrong API key had no effect; an answer that is not JSON tells nothing', async () => {
    const answers = [
      [429, { error: { type: 'invalid_request_error', code: 'rate_limit', message: 'slow down' } }],
      [401, { error: { type: 'invalid_request_error', message: 'wrong key' } }],
    ] as const
    let body = ''
    let status = 200
    const server = createServer((_request, response) => void response.writeHead(status).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const odd = stripeProvider({ apiKey, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, timeoutMs: 2_000 })
    for (const [code, error] of answers) {
      status = code
      body = JSON.stringify(error)
      expect(await thrown(odd.void({ reference: 'pi_1', key: 'void:1' }))).toMatchObject({ effect: 'none' })
    }
    status = 200
    body = '<html>'
    expect(await thrown(odd.void({ reference: 'pi_1', key: 'void:1' }))).toMatchObject({ effect: 'unknown' })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('messages of the provider', () => {
  const types = (): string[] => receiver.bodies<Stripe.Event>().map((event) => event.type)
  const readAll = (): ReturnType<typeof webhook.read>[] =>
    receiver.attempts.map((attempt) => webhook.read(attempt.body, attempt.headers['stripe-signature'] as string))

  it('are read in our words, with the order, payment and operation they belong to', async () => {
    const reference = await authorized()
    await payments.capture({ reference, key: 'capture:1', amountMinor: 6000, operationId: 'operation-2', final: true })
    await payments.refund({ reference, key: 'refund:1', amountMinor: 1000, operationId: 'operation-3' })
    await eventually('four messages', () => types().length === 4)
    const read = readAll()
    expect(read.every((event) => event?.orderId === 'order-1' && event.paymentId === 'payment-1' && event.view.reference === reference)).toBe(true)
    const of = (type: string) => read.find((event) => event?.type === type)!
    expect(of('payment_intent.amount_capturable_updated')).toMatchObject({
      operationId: 'operation-1',
      view: { status: 'authorized', authorizedMinor: 9390 },
    })
    expect(of('payment_intent.succeeded')).toMatchObject({
      operationId: 'operation-2',
      view: { status: 'captured', authorizedMinor: 9390, capturedMinor: 6000 },
    })
    expect(of('charge.refunded')).toMatchObject({ view: { status: 'captured', authorizedMinor: 9390, capturedMinor: 6000, refundedMinor: 1000 } })
    expect(new Set(read.map((event) => event!.eventId)).size).toBe(4)
  })

  it('tell a decline from a void', async () => {
    const declined = await open()
    await payments.authorize({ reference: declined, key: 'authorize:9', paymentMethod: 'pm_card_chargeDeclinedLostCard' })
    const second = (await payments.open({ ...opening, key: 'open:2' })).reference
    await payments.authorize({ reference: second, key: 'authorize:2', paymentMethod: 'pm_card_visa' })
    await payments.void({ reference: second, key: 'void:2' })
    await payments.void({ reference: declined, key: 'void:1' })
    await eventually('four messages', () => types().length === 4)
    const views = readAll().map((event) => [event!.type, event!.view.status, event!.view.authorizedMinor, event!.view.declineCode])
    expect(views).toEqual(
      expect.arrayContaining([
        ['payment_intent.payment_failed', 'declined', 0, 'lost_card'],
        ['payment_intent.amount_capturable_updated', 'authorized', 9390, undefined],
        ['payment_intent.canceled', 'voided', 9390, undefined],
        ['payment_intent.canceled', 'voided', 0, undefined],
      ]),
    )
  })

  it('are refused when the signature or the body is not right, and left out when they are none of ours', () => {
    const signed = (body: string, secret = webhookSecret): [Buffer, string] => [
      Buffer.from(body),
      Stripe.webhooks.generateTestHeaderString({ payload: body, secret }),
    ]
    const code = (read: () => unknown): string => {
      try {
        read()
        return 'accepted'
      } catch (error) {
        return error instanceof Refusal ? `${error.code} ${error.errors.map((detail) => detail.pointer).join()}`.trim() : String(error)
      }
    }
    const customer = JSON.stringify({ id: 'evt_1', type: 'customer.created', data: { object: { id: 'cus_1' } } })
    const broken = JSON.stringify({
      id: 'evt_1',
      type: 'payment_intent.succeeded',
      data: { object: { object: 'payment_intent', id: 'pi_1', status: 'succeeded', amount: '5', amount_capturable: 0, amount_received: 5 } },
    })
    expect(webhook.read(...signed(customer))).toBeUndefined()
    expect(code(() => webhook.read(...signed(customer, 'whsec_other')))).toBe('signature.invalid')
    expect(code(() => webhook.read(Buffer.from(customer), undefined))).toBe('signature.invalid')
    expect(code(() => webhook.read(Buffer.from(`${customer} `), signed(customer)[1]))).toBe('signature.invalid')
    expect(code(() => webhook.read(...signed('{oops')))).toBe('request.not_json')
    expect(code(() => webhook.read(...signed(broken)))).toBe('request.invalid /data/object/amount')
  })
})
