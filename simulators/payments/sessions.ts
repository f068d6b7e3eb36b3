/** Checkout sessions: an address at which a customer pays once. It is open until she has, until it is expired by the shop, or until its time is over. */
import { ApiError, invalidRequest, resourceMissing } from './api-error'
import { createCustomer } from './customers'
import { confirmIntent, openIntent } from './intents'
import { newId, nowSeconds, type CheckoutSession, type Intent, type Provider } from './records'

export type SessionAsk = Omit<CheckoutSession, 'id' | 'createdSeconds' | 'status' | 'intent' | 'customer'>

const shortestSeconds = 30 * 60
const longestSeconds = 24 * 3_600

/** @throws ApiError 400 for a life the provider does not give */
export function openSession(provider: Provider, ask: SessionAsk): CheckoutSession {
  const lives = ask.expiresSeconds - nowSeconds()
  // A few seconds are on their way.
  if (lives < shortestSeconds - 10) throw invalidRequest('The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.', { param: 'expires_at' })
  if (lives > longestSeconds) throw invalidRequest('The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.', { param: 'expires_at' })
  const session: CheckoutSession = { ...ask, id: newId('cs_test', 58), createdSeconds: nowSeconds(), status: 'open' }
  provider.books.put('session', session)
  return session
}

/** As it stands now: one whose time is over is expired before anybody is told of it. @throws ApiError 404 */
export function sessionOf(provider: Provider, id: string): CheckoutSession {
  const session = provider.books.get('session', id)
  if (!session) throw resourceMissing('checkout.session', id, 'session')
  if (session.status !== 'open' || session.expiresSeconds > nowSeconds()) return session
  const expired = end(provider, session)
  provider.books.commit()
  return expired
}

/** The shop wants it no more. @throws ApiError 400 once it is paid or over */
export function expireSession(provider: Provider, session: CheckoutSession): CheckoutSession {
  if (session.status === 'open') return end(provider, session)
  throw invalidRequest(`Only Checkout Sessions with a status in ["open"] can be expired. This Session has a status of ${session.status}.`)
}

function end(provider: Provider, session: CheckoutSession): CheckoutSession {
  const expired: CheckoutSession = { ...session, status: 'expired' }
  provider.books.put('session', expired)
  provider.announce('checkout.session.expired', sessionJson(provider, expired))
  return expired
}

/**
 * The customer pays with a method: at once, or by a bank that takes its time; either way the session is complete. A decline leaves it open.
 * @throws ApiError 402 for a decline, 400 once it is not open any more
 */
export function paySession(provider: Provider, session: CheckoutSession, paymentMethod: string): CheckoutSession {
  if (session.status !== 'open') throw invalidRequest(`This Checkout Session is ${session.status} and cannot be paid.`)
  const customer = session.customer ?? (session.createsCustomer ? createCustomer(provider, { metadata: {} }).id : undefined)
  const tried = session.intent === undefined ? openIntent(provider, intentAsk(session, customer)) : provider.books.get('intent', session.intent)!
  const begun: CheckoutSession = { ...session, customer, intent: tried.id }
  provider.books.put('session', begun)
  const { status } = confirmIntent(provider, tried, { paymentMethod })
  if (status === 'requires_action') throw new ApiError(402, { type: 'card_error', code: 'authentication_required', message: 'The bank wants to ask the cardholder first.' })
  const complete: CheckoutSession = { ...begun, status: 'complete' }
  provider.books.put('session', complete)
  provider.announce('checkout.session.completed', sessionJson(provider, complete))
  return complete
}

const intentAsk = ({ amountMinor, currency, intentMetadata, description, captureMethod, cardCaptureMethod, wantsMulticapture, setupFutureUsage }: CheckoutSession, customer: string | undefined): Parameters<typeof openIntent>[1] => ({
  amountMinor, currency, description, cardCaptureMethod, wantsMulticapture, setupFutureUsage, customer,
  captureMethod: captureMethod ?? 'automatic',
  automaticPaymentMethods: { allowRedirects: 'always' },
  paymentMethodTypes: ['card', 'us_bank_account'],
  metadata: intentMetadata,
})

export function sessionJson(provider: Provider, session: CheckoutSession): object {
  const intent: Intent | undefined = session.intent === undefined ? undefined : provider.books.get('intent', session.intent)
  return {
    ...emptySession,
    id: session.id,
    amount_subtotal: session.amountMinor,
    amount_total: session.amountMinor,
    client_reference_id: session.clientReferenceId ?? null,
    created: session.createdSeconds,
    currency: session.currency,
    customer: session.customer ?? null,
    customer_creation: session.createsCustomer ? 'always' : 'if_required',
    expires_at: session.expiresSeconds,
    metadata: session.metadata,
    // The real one says it once the session is complete.
    payment_intent: session.status === 'complete' ? (session.intent ?? null) : null,
    // Money that is only held, or still on its way, is not paid.
    payment_status: intent?.status === 'succeeded' ? 'paid' : 'unpaid',
    status: session.status,
    success_url: session.successUrl,
    url: session.status === 'open' ? `${session.payAt}/${session.id}` : null,
  }
}

const emptySession = {
  object: 'checkout.session',
  after_expiration: null,
  allow_promotion_codes: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  cancel_url: null,
  consent: null,
  consent_collection: null,
  custom_fields: [],
  customer_details: null,
  customer_email: null,
  invoice: null,
  livemode: false,
  locale: null,
  mode: 'payment',
  payment_link: null,
  payment_method_collection: 'if_required',
  payment_method_options: {},
  payment_method_types: ['card', 'us_bank_account'],
  recovered_from: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_options: [],
  submit_type: null,
  subscription: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted',
}
