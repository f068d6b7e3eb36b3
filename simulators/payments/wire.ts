/** The provider's objects as they go over the wire: its field names, every field its client expects, references expanded when asked. */
import { invalidRequest } from './api-error'
import type { Charge, Intent, PaymentFailure, Provider, Refund } from './records'
import { testMethod } from './test-methods'

/** Which references the caller wants as whole objects, e.g. `latest_charge`. */
export type Expand = ReadonlySet<string>
export const nothingExpanded: Expand = new Set()

const expandable = [
  'latest_charge',
  'payment_intent',
  'charge',
  'payment_intent.latest_charge',
  'charge.payment_intent',
  'latest_charge.payment_intent',
]

/** @param under `data.` in lists @throws ApiError 400 for what cannot be expanded */
export function readExpand(names: readonly string[] | undefined, under = ''): Expand {
  const paths = (names ?? []).map((name) => {
    const path = name.startsWith(under) ? name.slice(under.length) : ''
    if (!expandable.includes(path))
      throw invalidRequest(`This property cannot be expanded (${name}).`, { code: 'property_cannot_be_expanded', param: 'expand' })
    return path
  })
  return new Set(paths)
}

const inside = (expand: Expand, name: string): Expand =>
  new Set([...expand].filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1)))

const wants = (expand: Expand, name: string): boolean => [...expand].some((path) => path === name || path.startsWith(`${name}.`))

export function intentJson(provider: Provider, intent: Intent, expand: Expand = nothingExpanded): object {
  const charge = intent.latestCharge === undefined ? undefined : provider.books.get('charge', intent.latestCharge)
  return {
    ...emptyIntent,
    id: intent.id,
    amount: intent.amountMinor,
    amount_capturable: intent.capturableMinor,
    amount_received: intent.receivedMinor,
    automatic_payment_methods: intent.automaticPaymentMethods
      ? { enabled: true, allow_redirects: intent.automaticPaymentMethods.allowRedirects }
      : null,
    canceled_at: intent.cancelledSeconds ?? null,
    cancellation_reason: intent.cancellationReason ?? null,
    capture_method: intent.captureMethod,
    client_secret: intent.clientSecret,
    created: intent.createdSeconds,
    currency: intent.currency,
    customer: intent.customer ?? null,
    description: intent.description ?? null,
    last_payment_error: intent.lastPaymentError ? failureJson(intent.lastPaymentError, intent.latestCharge) : null,
    latest_charge:
      charge && wants(expand, 'latest_charge') ? chargeJson(provider, charge, inside(expand, 'latest_charge')) : (intent.latestCharge ?? null),
    metadata: intent.metadata,
    next_action: intent.status === 'requires_action' ? nextAction(intent) : null,
    payment_method: intent.methodId ?? intent.paymentMethod ?? null,
    payment_method_types: intent.paymentMethodTypes,
    setup_future_usage: intent.setupFutureUsage ?? null,
    status: intent.status,
  }
}

export function chargeJson(provider: Provider, charge: Charge, expand: Expand = nothingExpanded): object {
  const intent = provider.books.get('intent', charge.intent)
  return {
    ...emptyCharge,
    id: charge.id,
    amount: charge.amountMinor,
    amount_captured: charge.capturedMinor,
    amount_refunded: charge.refundedMinor + charge.releasedMinor,
    captured: charge.captured,
    created: charge.createdSeconds,
    currency: charge.currency,
    description: charge.description ?? null,
    failure_code: charge.failure?.code ?? null,
    failure_message: charge.failure?.message ?? null,
    metadata: charge.metadata,
    outcome: outcomeJson(charge),
    paid: charge.status === 'succeeded',
    payment_intent: intent && wants(expand, 'payment_intent') ? intentJson(provider, intent, inside(expand, 'payment_intent')) : charge.intent,
    customer: intent?.customer ?? null,
    payment_method: intent?.methodId ?? charge.paymentMethod,
    payment_method_details: methodDetails(charge),
    refunded: charge.refundedMinor + charge.releasedMinor === charge.amountMinor,
    status: charge.status,
  }
}

export function refundJson(provider: Provider, refund: Refund, expand: Expand = nothingExpanded): object {
  const charge = provider.books.get('charge', refund.charge)
  const intent = provider.books.get('intent', refund.intent)
  return {
    id: refund.id,
    object: 'refund',
    amount: refund.amountMinor,
    balance_transaction: null,
    charge: charge && wants(expand, 'charge') ? chargeJson(provider, charge, inside(expand, 'charge')) : refund.charge,
    created: refund.createdSeconds,
    currency: refund.currency,
    destination_details: { card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' }, type: 'card' },
    metadata: refund.metadata,
    payment_intent: intent && wants(expand, 'payment_intent') ? intentJson(provider, intent, inside(expand, 'payment_intent')) : refund.intent,
    reason: refund.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: refund.failed ? 'failed' : 'succeeded',
    ...(refund.failed ? { failure_reason: 'expired_or_canceled_card' } : {}),
    transfer_reversal: null,
  }
}

/** A failure as it stands in `last_payment_error` and in the error of a 402. */
export const failureJson = (
  failure: PaymentFailure,
  charge?: string,
): { type: PaymentFailure['type']; message: string } & Record<string, unknown> => ({
  type: failure.type,
  code: failure.code,
  message: failure.message,
  ...(failure.declineCode ? { decline_code: failure.declineCode } : {}),
  ...(charge ? { charge } : {}),
  ...(failure.paymentMethod ? { payment_method: methodJson(failure.paymentMethod) } : {}),
})

export function methodJson(name: string): object {
  const method = testMethod(name)
  return { id: name, object: 'payment_method', type: method?.type ?? 'card', livemode: false, metadata: {}, customer: null, ...methodFields(name) }
}

const methodFields = (name: string, more: object = {}): object => {
  const method = testMethod(name)
  const type = method?.type ?? 'card'
  return {
    [type]: {
      ...(method?.brand ? { brand: method.brand, exp_month: 12, exp_year: 2034, funding: 'credit' } : {}),
      last4: method?.last4 ?? '0000',
      ...more,
    },
  }
}

const methodDetails = (charge: Charge): object => ({
  type: testMethod(charge.paymentMethod)?.type ?? 'card',
  ...methodFields(charge.paymentMethod, charge.captureBeforeSeconds === undefined ? {} : holdDetails(charge)),
})

const holdDetails = ({ captureBeforeSeconds, multicapture }: Charge): object => ({
  capture_before: captureBeforeSeconds,
  multicapture: { status: multicapture ? 'available' : 'unavailable' },
})

const outcomeJson = (charge: Charge): object =>
  charge.status === 'failed'
    ? {
        network_status: 'declined_by_network',
        reason: charge.failure?.declineCode ?? charge.failure?.code ?? null,
        risk_level: 'normal',
        type: 'issuer_declined',
      }
    : { network_status: 'approved_by_network', reason: null, risk_level: 'normal', type: 'authorized' }

const nextAction = (intent: Intent): object => ({
  type: 'use_stripe_sdk',
  use_stripe_sdk: { type: 'three_d_secure_redirect', source: `src_${intent.id.slice(3)}` },
})

const emptyIntent = {
  object: 'payment_intent',
  amount_details: { tip: {} },
  application: null,
  application_fee_amount: null,
  confirmation_method: 'automatic',
  livemode: false,
  on_behalf_of: null,
  payment_method_options: {},
  processing: null,
  receipt_email: null,
  review: null,
  shipping: null,
  source: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  transfer_data: null,
  transfer_group: null,
}

const emptyCharge = {
  object: 'charge',
  application: null,
  application_fee: null,
  application_fee_amount: null,
  balance_transaction: null,
  billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
  calculated_statement_descriptor: 'SIMULATOR',
  customer: null,
  disputed: false,
  failure_balance_transaction: null,
  fraud_details: {},
  livemode: false,
  on_behalf_of: null,
  receipt_email: null,
  receipt_number: null,
  receipt_url: null,
  review: null,
  shipping: null,
  source: null,
  source_transfer: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  transfer_data: null,
  transfer_group: null,
}
