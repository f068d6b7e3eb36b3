/** Gives back captured money, never more than was taken. */
import { ApiError, invalidRequest } from './api-error'
import { credit } from './balance'
import { takenByBank } from './disputes'
import { newId, nowSeconds, type Charge, type Intent, type Provider, type Refund } from './records'
import { chargeJson, refundJson } from './wire'

export interface RefundAsk {
  intent?: string
  charge?: string
  amountMinor?: number
  reason?: string
  metadata: Record<string, string>
}

/** @throws ApiError 400 when nothing was captured, the cardholder’s bank is taking it back or has, all is refunded, or more is asked than is left */
export function refund(provider: Provider, ask: RefundAsk): Refund {
  const charge = chargeToRefund(provider, ask)
  const leftMinor = charge.capturedMinor - charge.refundedMinor - takenByBank(provider, charge)
  if (leftMinor <= 0) throw invalidRequest(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded', charge: charge.id })
  const amountMinor = ask.amountMinor ?? leftMinor
  if (amountMinor > leftMinor) {
    throw invalidRequest(`Refund amount (${amountMinor}) is greater than unrefunded amount on charge (${leftMinor})`, {
      param: 'amount',
      charge: charge.id,
    })
  }
  const given: Refund = {
    id: newId('re'),
    intent: charge.intent,
    charge: charge.id,
    amountMinor,
    currency: charge.currency,
    createdSeconds: nowSeconds(),
    reason: ask.reason,
    metadata: ask.metadata,
  }
  const refunded: Charge = { ...charge, refundedMinor: charge.refundedMinor + amountMinor }
  provider.books.put('refund', given)
  provider.books.put('charge', refunded)
  credit(provider, charge, { category: 'refund', source: given.id, grossMinor: -amountMinor, feeMinor: 0 })
  provider.announce('charge.refunded', chargeJson(provider, refunded))
  return given
}

/** The customer's bank does not take it: the money is back on the shop's balance. */
export function failRefund(provider: Provider, given: Refund): Refund {
  const charge = provider.books.get('charge', given.charge)!
  const failed: Refund = { ...given, failed: true }
  provider.books.put('refund', failed)
  provider.books.put('charge', { ...charge, refundedMinor: charge.refundedMinor - given.amountMinor })
  credit(provider, charge, { category: 'refund_failure', source: given.id, grossMinor: given.amountMinor, feeMinor: 0 })
  provider.announce('refund.failed', refundJson(provider, failed))
  return failed
}

function chargeToRefund(provider: Provider, ask: RefundAsk): Charge {
  const intent: Intent | undefined = ask.intent === undefined ? undefined : provider.books.get('intent', ask.intent)
  if (ask.intent !== undefined && !intent) throw missing('payment_intent', ask.intent)
  const id = ask.charge ?? intent?.latestCharge
  const charge = id === undefined ? undefined : provider.books.get('charge', id)
  if (ask.charge !== undefined && !charge) throw missing('charge', ask.charge)
  if (!charge || charge.status !== 'succeeded' || charge.capturedMinor === 0) {
    throw invalidRequest(`This PaymentIntent (${ask.intent ?? charge?.intent}) does not have a successful charge to refund.`, {
      param: 'payment_intent',
    })
  }
  return charge
}

const missing = (param: string, id: string): ApiError =>
  new ApiError(404, { type: 'invalid_request_error', code: 'resource_missing', message: `No such ${param}: '${id}'`, param })
