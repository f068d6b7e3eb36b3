/** The port for payment links on Stripe's real client: a link is one however often it is asked for, and ending it says what has become of it. */
import { ProviderFault, type PaymentLinks } from '../../activities/ports'
import { stripeLinks } from '../../adapters/stripe/links'
import { stripeWebhook } from '../../adapters/stripe/webhook'
import { LinkRefusal, type OpenLink } from '../../domain/draft/link'
import { startPaymentSimulator, type PaymentSimulator } from '../../simulators/payments/server'
import { control, eventually, startReceiver, type Receiver } from '../simulators/receiver'

const apiKey = 'sk_test_links'
const webhookSecret = 'whsec_links'

let receiver: Receiver
let simulator: PaymentSimulator
let links: PaymentLinks
beforeEach(async () => {
  receiver = await startReceiver()
  simulator = await startPaymentSimulator({ port: 0, webhookUrl: receiver.url, webhookSecret, apiKey })
  links = stripeLinks({ apiKey, baseUrl: simulator.url, timeoutMs: 400 })
})
afterEach(async () => {
  await simulator.close()
  await receiver.close()
})

const openedFrom = new Date().toISOString()
const asked: OpenLink = {
  key: 'link-1:1', linkId: 'link-1', amountMinor: 2_490, currency: 'EUR', orderId: 'order-1', paymentId: 'payment-1', operationId: 'operation-1', description: 'D-1',
  expiresAt: new Date(Date.now() + 3_600_000).toISOString(), returnTo: 'https://shop.example/thanks',
}
const fault = (kind: string, operation: string): Promise<unknown> => control(simulator.url, 'POST', '/faults', { next: 1, kind, operation })
const failed = (call: Promise<unknown>): Promise<unknown> => call.then(() => Promise.reject(new Error('it was done')), (cause: unknown) => cause)

it('opens one link per key, which is found by our own name for it when the answer was lost', async () => {
  await fault('timeout_after_effect', 'open')
  expect(await failed(links.open(asked))).toMatchObject({ name: ProviderFault.name, effect: 'unknown' })
  const found = await links.find({ linkId: 'link-1', openedFrom })
  expect(found).toMatchObject({ status: 'open', url: expect.stringContaining('/pay/cs_') })
  expect(await links.open(asked)).toEqual(found)
  expect(await links.find({ linkId: 'link-2', openedFrom })).toBeUndefined()
})

it('tells a stored failure from a no', async () => {
  await fault('error_500', 'open')
  expect(await failed(links.open(asked))).toMatchObject({ effect: 'stored' })
  expect(await failed(links.open({ ...asked, key: 'link-1:2', expiresAt: new Date(Date.now() + 60_000).toISOString() }))).toBeInstanceOf(LinkRefusal)
})

it('says of a paid link which payment is behind it, and of one that is to be ended whether it was paid before', async () => {
  const [paid, ended] = [await links.open(asked), await links.open({ ...asked, linkId: 'link-2', key: 'link-2:1' })]
  await fetch(paid.url!, { method: 'POST' })
  const complete = { reference: paid.reference, status: 'complete', url: null, payment: { reference: expect.stringMatching(/^pi_/), payer: expect.stringMatching(/^cus_/) } }
  expect(await links.lookUp(paid.reference)).toEqual(complete)
  expect(await links.end({ reference: paid.reference, key: 'link-1:end:1' })).toEqual(complete)
  expect(await links.end({ reference: ended.reference, key: 'link-2:end:1' })).toMatchObject({ status: 'expired', url: null })
})

it('reads from a signed message which link it is about, and nothing from one about anything else', async () => {
  const webhook = stripeWebhook({ secret: webhookSecret })
  const { url } = await links.open(asked)
  await fetch(url!, { method: 'POST' })
  const message = await eventually('the message', () => receiver.attempts.find((a) => a.body.includes('checkout.session.completed')))
  expect(webhook.readLink(message.body, String(message.headers['stripe-signature']))).toMatchObject({ linkId: 'link-1', eventId: expect.stringMatching(/^evt_/) })
  expect(webhook.read(message.body, String(message.headers['stripe-signature']))).toBeUndefined()
  const other = await eventually('the hold', () => receiver.attempts.find((a) => a.body.includes('payment_intent.amount_capturable_updated')))
  expect(webhook.readLink(other.body, String(other.headers['stripe-signature']))).toBeUndefined()
  expect(() => webhook.readLink(message.body, 'forged')).toThrow()
})
