/** What becomes of held money at the provider: taken once, let go, or let go because its time has run out. */
import { invalidRequest, unexpectedState, type ApiError } from './api-error'
import { mergeMetadata, save } from './intents'
import { creditCapture } from './balance'
import { nowSeconds, type Charge, type Intent, type IntentStatus, type Provider } from './records'
import { chargeJson, intentJson } from './wire'

export interface CaptureAsk {
  amountMinor?: number
  finalCapture?: boolean
  metadata?: Record<string, string>
}

/** What a bank is working on cannot be called back: it comes, or it does not. */
const cancellable: readonly IntentStatus[] = ['requires_payment_method', 'requires_capture', 'requires_confirmation', 'requires_action']

/**
 * Takes held money. A hold is captured once and the rest let go, unless it may be captured several times and the caller says there is more to come.
 * Such a hold is ended by a last capture, of nothing where only the rest is to be let go.
 */
export function captureIntent(provider: Provider, intent: Intent, ask: CaptureAsk): Intent {
  const charge = intent.latestCharge === undefined ? undefined : provider.books.get('charge', intent.latestCharge)
  if (intent.status !== 'requires_capture' || !charge) throw notCapturable(provider, intent)
  const amountMinor = ask.amountMinor ?? intent.capturableMinor
  if (amountMinor === 0 && !(charge.multicapture && charge.capturedMinor > 0 && ask.finalCapture)) throw nothingToCapture()
  if (amountMinor > intent.capturableMinor) {
    throw invalidRequest(`The amount to capture (${amountMinor}) is greater than the amount capturable (${intent.capturableMinor}).`, {
      code: 'amount_too_large',
      param: 'amount_to_capture',
    })
  }
  if (ask.finalCapture === false && !charge.multicapture) {
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
  const taken: Intent = { ...intent, receivedMinor: intent.receivedMinor + amountMinor, metadata: mergeMetadata(intent.metadata, ask.metadata) }
  provider.books.put('charge', captured)
  if (amountMinor > 0) creditCapture(provider, captured, amountMinor)
  provider.announce('charge.captured', chargeJson(provider, captured))
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
  if (intent.receivedMinor > 0) {
    const instead = 'To let go of the rest of a PaymentIntent that was captured in part, capture 0 with final_capture=true.'
    throw unexpectedState(`You cannot cancel this PaymentIntent because part of it has been captured. ${instead}`, intentJson(provider, intent))
  }
  return letGo(provider, intent, reason)
}

function letGo(provider: Provider, intent: Intent, reason?: string): Intent {
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
export const expireHold = (provider: Provider, intent: Intent): Intent => letGo(provider, intent, 'expired')

const nothingToCapture = (): ApiError =>
  invalidRequest('This value must be greater than or equal to 1.', { code: 'parameter_invalid_integer', param: 'amount_to_capture' })

function notCapturable(provider: Provider, intent: Intent): ApiError {
  const only = 'Only a PaymentIntent with one of the following statuses may be captured: requires_capture.'
  return unexpectedState(
    `This PaymentIntent could not be captured because it has a status of ${intent.status}. ${only}`,
    intentJson(provider, intent),
  )
}
