/** Reads Stripe's objects in our words: what is held, taken and given back, and until when. */
import type Stripe from 'stripe'
import type { PaymentAction, ProviderStatus, ProviderView } from '../../activities/ports'

/** The fields of an intent a view is made of; a message carries `latest_charge` as an id only. */
export type IntentFacts = Pick<Stripe.PaymentIntent, 'id' | 'status' | 'amount' | 'amount_capturable' | 'amount_received'> & {
  metadata?: Record<string, string>
  payment_method?: string | { id: string } | null
  last_payment_error?: { code?: string | null; decline_code?: string | null } | null
  latest_charge?: string | ChargeFacts | null
  client_secret?: string | null
  next_action?: { type: string; redirect_to_url?: { url?: string | null } | null } | null
}

export type ChargeFacts = Pick<Stripe.Charge, 'amount' | 'amount_captured' | 'amount_refunded' | 'status' | 'captured'> & {
  payment_method_details?: { card?: { capture_before?: number | null; multicapture?: { status: string } | null } | null } | null
}

export function viewOfIntent(intent: IntentFacts): ProviderView {
  const charge = typeof intent.latest_charge === 'object' && intent.latest_charge ? intent.latest_charge : undefined
  const status = statusOf(intent)
  return {
    reference: intent.id,
    status,
    authorizedMinor: wasAuthorized(intent, charge) ? intent.amount : 0,
    capturedMinor: intent.amount_received,
    refundedMinor: charge ? refundedMinor(charge, intent.amount_capturable) : 0,
    ...expiry(status, charge),
    ...(charge && mayBeCapturedAgain(charge) ? { multicapture: true } : {}),
    ...methodInUse(intent, status),
    ...capturesIn(intent.metadata),
    ...actionOf(intent),
    ...(status === 'declined' ? { declineCode: intent.last_payment_error?.decline_code || intent.last_payment_error?.code || 'card_declined' } : {}),
  }
}

/** A view from a charge alone, as `charge.…` messages carry it. */
export function viewOfCharge(reference: string, charge: ChargeFacts): ProviderView {
  const held = charge.status === 'succeeded'
  const letGo = charge.amount_captured === 0 && charge.amount_refunded > 0
  // Of a hold that is captured several times a charge does not say whether more is to come; the payment's own messages do.
  const taken = mayBeCapturedAgain(charge) ? charge.amount_captured === charge.amount : charge.amount_captured > 0
  const status = !held ? 'declined' : taken ? 'captured' : letGo ? 'voided' : 'authorized'
  return {
    reference,
    status,
    authorizedMinor: held ? charge.amount : 0,
    capturedMinor: charge.amount_captured,
    refundedMinor: refundedMinor(charge, 0),
    ...expiry(status, charge),
    ...(mayBeCapturedAgain(charge) ? { multicapture: true } : {}),
  }
}

function statusOf(intent: IntentFacts): ProviderStatus {
  switch (intent.status) {
    case 'requires_action':
      return 'action_required'
    case 'processing':
      return 'processing'
    case 'requires_capture':
      return 'authorized'
    case 'succeeded':
      return 'captured'
    case 'canceled':
      return intent.amount_received > 0 ? 'captured' : 'voided'
    case 'requires_payment_method':
      return intent.last_payment_error ? 'declined' : 'opened'
    default:
      return 'opened'
  }
}

/** Messages do not carry it: only who asked for the payment is told. */
function actionOf({ status, client_secret: clientSecret, next_action: next }: IntentFacts): { action?: PaymentAction } {
  return status === 'requires_action' && clientSecret && next ? { action: { type: next.type, clientSecret, url: next.redirect_to_url?.url ?? null } } : {}
}

/** An ended intent does not say by its status whether money was ever held; its charge does, or that its last try left a charge and no error. */
function wasAuthorized(intent: IntentFacts, charge: ChargeFacts | undefined): boolean {
  if (intent.status === 'requires_capture' || intent.status === 'succeeded') return true
  if (intent.status !== 'canceled') return false
  return charge ? charge.status === 'succeeded' : Boolean(intent.latest_charge) && !intent.last_payment_error
}

export const mayBeCapturedAgain = (charge: ChargeFacts): boolean => charge.payment_method_details?.card?.multicapture?.status === 'available'

/** An intent that was declined forgets its method; before the bank has answered, naming it would promise too much. */
function methodInUse({ payment_method: method }: IntentFacts, status: ProviderStatus): { methodInUse?: string } {
  if (!method || (status !== 'authorized' && status !== 'captured')) return {}
  return { methodInUse: typeof method === 'string' ? method : method.id }
}

/** Each capture writes itself into the payment's metadata under its operation's id. */
export const captureNote = ({ operationId, amountMinor }: { operationId: string; amountMinor: number }): Record<string, string> => ({
  captureOperationId: operationId,
  [operationId]: `captured ${amountMinor}`,
})

function capturesIn(metadata: Record<string, string> = {}): { captures?: Record<string, number> } {
  const noted = Object.entries(metadata).flatMap(([operationId, note]) => {
    const amount = /^captured (\d+)$/.exec(note)?.[1]
    return amount === undefined ? [] : [[operationId, Number(amount)] as const]
  })
  return noted.length ? { captures: Object.fromEntries(noted) } : {}
}

/** Stripe counts what was let go uncaptured as refunded; to us only what had been taken can be given back. */
function refundedMinor(charge: ChargeFacts, stillHeldMinor: number): number {
  if (charge.amount_captured === 0) return 0
  const releasedMinor = charge.amount - charge.amount_captured - stillHeldMinor
  return Math.max(0, charge.amount_refunded - releasedMinor)
}

function expiry(status: ProviderStatus, charge: ChargeFacts | undefined): { authorizationExpiresAt?: string } {
  const seconds = charge?.payment_method_details?.card?.capture_before
  return status === 'authorized' && typeof seconds === 'number' ? { authorizationExpiresAt: new Date(seconds * 1000).toISOString() } : {}
}
