/** What becomes of held money at the provider: taken once, let go, or let go because its time has run out. */
import { invalidRequest, unexpectedState, type ApiError } from './api-error'
import { mergeMetadata, save } from './intents'
import { nowSeconds, type Charge, type Intent, type IntentStatus, type Provider } from './records'
import { chargeJson, intentJson } from './wire'

export interface CaptureAsk {
  amountMinor?: number
  finalCapture?: boolean
  metadata?: Record<string, string>
}

const cancellable: readonly IntentStatus[] = ['requires_payment_method', 'requires_capture', 'requires_confirmation', 'requires_action', 'processing']

/** Takes held money. A hold is captured once and the rest let go, unless multicapture is on and the caller says there is more to come. */
export function captureIntent(provider: Provider, intent: Intent, ask: CaptureAsk): Intent {
  const charge = intent.latestCharge === undefined ? undefined : provider.books.get('charge', intent.latestCharge)
  if (intent.status !== 'requires_capture' || !charge) throw notCapturable(provider, intent)
  const amountMinor = ask.amountMinor ?? intent.capturableMinor
  if (amountMinor > intent.capturableMinor) {
    throw invalidRequest(`The amount to capture (${amountMinor}) is greater than the amount capturable (${intent.capturableMinor}).`, {
      code: 'amount_too_large',
      param: 'amount_to_capture',
    })
  }
  if (ask.finalCapture === false && !provider.multicapture) {
    throw invalidRequest('This PaymentIntent cannot be captured more than once: multicapture is not available for it.', { param: 'final_capture' })
  }
  const heldMinor = intent.capturableMinor - amountMinor
  const final = ask.finalCapture !== false || heldMinor === 0
  const captured: Charge = {
    ...charge,
    capturedMinor: charge.capturedMinor + amountMinor,
    releasedMinor: final ? heldMinor : 0,
    captured: final,
  }
  provider.books.put('charge', captured)
  provider.announce('charge.captured', chargeJson(provider, captured))
  const taken: Intent = { ...intent, receivedMinor: intent.receivedMinor + amountMinor, metadata: mergeMetadata(intent.metadata, ask.metadata) }
  return final
    ? save(provider, { ...taken, status: 'succeeded', capturableMinor: 0, holdEndsMs: undefined }, 'payment_intent.succeeded')
    : save(provider, { ...taken, capturableMinor: heldMinor }, 'payment_intent.amount_capturable_updated')
}

/** Lets go what is held, or ends an intent that never held anything. */
export function cancelIntent(provider: Provider, intent: Intent, reason?: string): Intent {
  if (!cancellable.includes(intent.status)) {
    const only = `Only a PaymentIntent with one of the following statuses may be canceled: ${cancellable.join(', ')}.`
    throw unexpectedState(`You cannot cancel this PaymentIntent because it has a status of ${intent.status}. ${only}`, intentJson(provider, intent))
  }
  const charge = intent.latestCharge === undefined ? undefined : provider.books.get('charge', intent.latestCharge)
  if (charge?.status === 'succeeded')
    provider.books.put('charge', { ...charge, releasedMinor: intent.capturableMinor, captured: charge.capturedMinor > 0 })
  const undecided = charge?.status === 'pending'
  if (undecided) provider.books.put('charge', { ...charge, status: 'failed' })
  const ended: Intent = {
    ...intent,
    latestCharge: undecided ? undefined : intent.latestCharge,
    capturableMinor: 0,
    holdEndsMs: undefined,
    settlesMs: undefined,
  }
  // What was already captured of a multicapture hold stays taken: letting go of the rest completes the payment.
  if (intent.receivedMinor > 0) return save(provider, { ...ended, status: 'succeeded' }, 'payment_intent.succeeded')
  return save(provider, { ...ended, status: 'canceled', cancelledSeconds: nowSeconds(), cancellationReason: reason }, 'payment_intent.canceled')
}

/** The hold has run out: nothing can be captured any more. */
export const expireHold = (provider: Provider, intent: Intent): Intent => cancelIntent(provider, intent, 'expired')

function notCapturable(provider: Provider, intent: Intent): ApiError {
  const only = 'Only a PaymentIntent with one of the following statuses may be captured: requires_capture.'
  return unexpectedState(
    `This PaymentIntent could not be captured because it has a status of ${intent.status}. ${only}`,
    intentJson(provider, intent),
  )
}
