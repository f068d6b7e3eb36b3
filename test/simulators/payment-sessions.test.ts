/** Checkout sessions of the payment simulator, driven by the real client: what may be asked, who may pay, and what it says afterwards. */
import Stripe from 'stripe'
import { startPaymentSimulator, type PaymentSimulator } from '../../simulators/payments/server'
import { control, eventually, startReceiver, type Receiver } from './receiver'

const apiKey = 'sk_test_sessions'
const webhookSecret = 'whsec_sessions'

let receiver: Receiver
let simulator: PaymentSimulator
let stripe: Stripe
beforeEach(async () => {
  receiver = await startReceiver()
  simulator = await startPaymentSimulator({ port: 0, webhookUrl: receiver.url, webhookSecret, apiKey, settleMs: 50 })
  stripe = new Stripe(apiKey, { host: '127.0.0.1', port: simulator.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false })
})
afterEach(async () => {
  await simulator.close()
  await receiver.close()
})

const inSeconds = (s: number): number => Math.floor(Date.now() / 1000) + s
const params = (more: Partial<Stripe.Checkout.SessionCreateParams> = {}): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  line_items: [{ quantity: 2, price_data: { currency: 'eur', unit_amount: 1_250, product_data: { name: 'D-1' } } }],
  success_url: 'https://shop.example/thanks',
  client_reference_id: 'link-1',
  expires_at: inSeconds(3_600),
  customer_creation: 'always',
  payment_intent_data: { metadata: { orderId: 'order-1' }, setup_future_usage: 'off_session' },
  payment_method_options: { card: { capture_method: 'manual' } },
  ...more,
})
const pay = async (url: string, paymentMethod: string): Promise<number> => (await fetch(url, { method: 'POST', body: new URLSearchParams({ paymentMethod }) })).status
const told = (type: string): Promise<object> => eventually(type, () => receiver.bodies<{ type: string; data: { object: object } }>().find((e) => e.type === type)?.data.object)
const wrong = (call: Promise<unknown>): Promise<{ statusCode?: number; param?: string; message: string }> => call.then(() => Promise.reject(new Error('it was taken')), (e: unknown) => e as { message: string })

it('is open until somebody has paid, once; a decline leaves it open, and a card is held under the shop’s own words', async () => {
  const session = await stripe.checkout.sessions.create(params(), { idempotencyKey: 'k' })
  expect(session).toMatchObject({ status: 'open', payment_status: 'unpaid', amount_total: 2_500, payment_intent: null, client_reference_id: 'link-1' })
  expect((await stripe.checkout.sessions.create(params({ expires_at: session.expires_at }), { idempotencyKey: 'k' })).id).toBe(session.id)
  expect(await pay(session.url!, 'pm_card_chargeDeclined')).toBe(402)
  expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'open', payment_intent: null })
  expect([await pay(session.url!, 'pm_card_visa'), await pay(session.url!, 'pm_card_visa')]).toEqual([200, 400])
  const complete = await stripe.checkout.sessions.retrieve(session.id)
  expect(complete).toMatchObject({ status: 'complete', payment_status: 'unpaid', url: null, customer: expect.stringMatching(/^cus_/) })
  expect(await stripe.paymentIntents.retrieve(complete.payment_intent as string)).toMatchObject({ status: 'requires_capture', amount_capturable: 2_500, metadata: { orderId: 'order-1' }, customer: complete.customer })
  expect(await told('checkout.session.completed')).toMatchObject({ id: session.id, client_reference_id: 'link-1' })
  expect(await wrong(stripe.checkout.sessions.expire(session.id))).toMatchObject({ statusCode: 400, message: expect.stringContaining('complete') })
  expect((await control<{ intents: object[] }>(simulator.url, 'GET', '/books?orderRef=order-1')).json.intents).toMatchObject([{ authorizedMinor: 2_500, capturedMinor: 0 }])
})

it('is expired by the shop or by its time, and is paid no more', async () => {
  const [ended, over] = [await stripe.checkout.sessions.create(params()), await stripe.checkout.sessions.create(params({ client_reference_id: 'link-2' }))]
  expect(await stripe.checkout.sessions.expire(ended.id)).toMatchObject({ status: 'expired', url: null })
  expect(await told('checkout.session.expired')).toMatchObject({ id: ended.id })
  await control(simulator.url, 'POST', `/sessions/${over.id}/pass-time`, {})
  expect(await pay(over.url!, 'pm_card_visa')).toBe(400)
  const listed = await stripe.checkout.sessions.list({ created: { gte: inSeconds(-60) } })
  expect(listed.data.map((s) => [s.id, s.status])).toEqual([[over.id, 'expired'], [ended.id, 'expired']])
})

it('is complete when a bank has begun, and paid when it has come', async () => {
  const session = await stripe.checkout.sessions.create(params())
  expect(await pay(session.url!, 'pm_usBankAccount_success')).toBe(200)
  expect(await told('checkout.session.completed')).toMatchObject({ payment_status: 'unpaid' })
  await eventually('the debit', async () => (await stripe.checkout.sessions.retrieve(session.id)).payment_status === 'paid')
})

it('is refused by name where the provider would refuse it', async () => {
  expect(await wrong(stripe.checkout.sessions.create(params({ expires_at: inSeconds(60) })))).toMatchObject({ statusCode: 400, param: 'expires_at' })
  expect(await wrong(stripe.checkout.sessions.create(params({ expires_at: inSeconds(90_000) })))).toMatchObject({ statusCode: 400, param: 'expires_at' })
  expect(await wrong(stripe.checkout.sessions.create(params({ line_items: [] })))).toMatchObject({ statusCode: 400, param: 'line_items' })
  expect(await wrong(stripe.checkout.sessions.create(params({ allow_promotion_codes: true })))).toMatchObject({ statusCode: 400, param: 'allow_promotion_codes' })
  expect(await wrong(stripe.checkout.sessions.retrieve('cs_test_nothing'))).toMatchObject({ statusCode: 404 })
})
