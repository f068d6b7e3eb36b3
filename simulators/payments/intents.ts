/** A payment intent at the provider, up to the moment its money is held or refused. Each step changes the books and announces it. */
import { ApiError, invalidRequest, unexpectedState } from './api-error'
import { keepMethod, methodFor, needCustomer } from './customers'
import { newId, nowSeconds, type Charge, type Intent, type IntentStatus, type PaymentFailure, type Provider } from './records'
import { creditCapture } from './balance'
import { authenticationRequired, genericDecline, testMethod } from './test-methods'
import { failureJson, intentJson } from './wire'

export interface ConfirmAsk {
  paymentMethod?: string
  offSession?: boolean
  setupFutureUsage?: string
  wantsMulticapture?: boolean
  /** The bank says no, whatever the card: the `decline` fault. */
  declined?: boolean
}

const confirmable: readonly IntentStatus[] = ['requires_payment_method', 'requires_confirmation', 'requires_action']

export type OpenAsk = Pick<
  Intent,
  | 'amountMinor'
  | 'currency'
  | 'captureMethod'
  | 'cardCaptureMethod'
  | 'automaticPaymentMethods'
  | 'paymentMethodTypes'
  | 'metadata'
  | 'description'
  | 'customer'
  | 'setupFutureUsage'
  | 'paymentMethod'
  | 'wantsMulticapture'
>

/** Opens an intent. No money moves. */
export function openIntent(provider: Provider, ask: OpenAsk): Intent {
  if (ask.customer !== undefined) needCustomer(provider, ask.customer)
  const id = newId('pi')
  const intent: Intent = {
    ...ask,
    metadata: mergeMetadata({}, ask.metadata),
    id,
    clientSecret: `${id}_${newId('secret', 25)}`,
    createdSeconds: nowSeconds(),
    capturableMinor: 0,
    receivedMinor: 0,
    status: ask.paymentMethod === undefined ? 'requires_payment_method' : 'requires_confirmation',
  }
  provider.books.put('intent', intent)
  provider.announce('payment_intent.created', intentJson(provider, intent))
  return intent
}

/** Asks the bank for the money. @throws ApiError 402 for a decline, which leaves its trace on the intent */
export function confirmIntent(provider: Provider, intent: Intent, ask: ConfirmAsk): Intent {
  if (!confirmable.includes(intent.status)) {
    const why = intent.status === 'succeeded' ? 'it has already succeeded after being previously confirmed' : `it has a status of ${intent.status}`
    throw unexpectedState(`You cannot confirm this PaymentIntent because ${why}.`, intentJson(provider, intent))
  }
  const named = ask.paymentMethod ?? intent.methodId ?? intent.paymentMethod
  if (named === undefined) {
    throw unexpectedState("You cannot confirm this PaymentIntent because it's missing a payment method.", intentJson(provider, intent))
  }
  const { id: methodId, behavesAs: paymentMethod } = methodFor(provider, named, intent)
  const method = testMethod(paymentMethod)!
  if (!intent.automaticPaymentMethods && !intent.paymentMethodTypes.includes(method.type)) {
    throw invalidRequest(`The PaymentMethod provided (${method.type}) is not allowed for this PaymentIntent.`, { param: 'payment_method' })
  }
  if (method.type !== 'card' && intent.captureMethod === 'manual') {
    throw invalidRequest(`The PaymentMethod provided (${method.type}) cannot be used with capture_method=manual.`, { param: 'payment_method' })
  }
  const { setupFutureUsage = intent.setupFutureUsage, wantsMulticapture = intent.wantsMulticapture } = ask
  const asked: Intent = { ...intent, paymentMethod, methodId, setupFutureUsage, wantsMulticapture }
  if (ask.declined) throw decline(provider, asked, genericDecline)
  if (method.outcome === 'approved') return approve(provider, asked)
  if (method.outcome === 'processing') return startProcessing(provider, asked, method.undecided ?? false)
  if (method.outcome === 'declined') throw decline(provider, asked, method.failure ?? genericDecline)
  if (ask.offSession) throw decline(provider, asked, authenticationRequired)
  return save(provider, { ...asked, status: 'requires_action', lastPaymentError: undefined }, 'payment_intent.requires_action')
}

/** The bank said yes: the money is held, or taken at once where capture is automatic. */
export function approve(provider: Provider, intent: Intent): Intent {
  const manual = isHeld(intent)
  keepMethod(provider, intent)
  const holdEndsMs = manual ? Date.now() + provider.authorizationMs : undefined
  const charge: Charge = {
    ...newCharge(provider, intent),
    status: 'succeeded',
    captured: !manual,
    capturedMinor: manual ? 0 : intent.amountMinor,
    multicapture: manual && provider.multicapture && intent.wantsMulticapture === true,
    captureBeforeSeconds: holdEndsMs === undefined ? undefined : Math.floor(holdEndsMs / 1000),
  }
  provider.books.put('charge', charge)
  if (!manual) creditCapture(provider, charge, intent.amountMinor)
  const approved: Intent = { ...intent, latestCharge: charge.id, lastPaymentError: undefined, settlesMs: undefined, holdEndsMs }
  if (manual)
    return save(
      provider,
      { ...approved, status: 'requires_capture', capturableMinor: intent.amountMinor },
      'payment_intent.amount_capturable_updated',
    )
  return save(provider, { ...approved, status: 'succeeded', receivedMinor: intent.amountMinor }, 'payment_intent.succeeded')
}

/** Cards may be held where other methods of the same payment are taken at once. */
const isHeld = ({ captureMethod, cardCaptureMethod, paymentMethod = '' }: Intent): boolean =>
  captureMethod === 'manual' || (cardCaptureMethod === 'manual' && testMethod(paymentMethod)?.type === 'card')

/** The bank said no, at once or after a while: the intent waits for another payment method. */
export function fail(provider: Provider, intent: Intent, failure: PaymentFailure): Intent {
  const charge: Charge = { ...newCharge(provider, intent), status: 'failed', failure }
  provider.books.put('charge', charge)
  return save(
    provider,
    {
      ...intent,
      status: 'requires_payment_method',
      paymentMethod: undefined,
      methodId: undefined,
      settlesMs: undefined,
      latestCharge: charge.id,
      lastPaymentError: { ...failure, paymentMethod: intent.paymentMethod },
    },
    'payment_intent.payment_failed',
  )
}

/** A slow payment method decides. */
export function settleIntent(provider: Provider, intent: Intent): Intent {
  const failure = intent.paymentMethod === undefined ? undefined : testMethod(intent.paymentMethod)?.failure
  return failure ? fail(provider, intent, failure) : approve(provider, intent)
}

/** @throws ApiError 400 for more than 50 keys in all */
export function mergeMetadata(old: Record<string, string>, more: Record<string, string> = {}): Record<string, string> {
  const entries = Object.entries({ ...old, ...more }).filter(([, value]) => value !== '')
  if (entries.length > 50) throw invalidRequest('Metadata can have at most 50 keys', { param: 'metadata' })
  return Object.fromEntries(entries)
}

/** Writes an intent, has the clock watch it, and announces what happened to it. */
export function save(provider: Provider, intent: Intent, event: string): Intent {
  provider.books.put('intent', intent)
  provider.watch(intent)
  provider.announce(event, intentJson(provider, intent))
  return intent
}

function startProcessing(provider: Provider, intent: Intent, undecided: boolean): Intent {
  const charge = newCharge(provider, intent)
  provider.books.put('charge', charge)
  const settlesMs = undecided || provider.settleMs === 0 ? undefined : Date.now() + provider.settleMs
  return save(
    provider,
    { ...intent, status: 'processing', latestCharge: charge.id, lastPaymentError: undefined, settlesMs },
    'payment_intent.processing',
  )
}

function decline(provider: Provider, asked: Intent, failure: PaymentFailure): ApiError {
  const failed = fail(provider, asked, failure)
  return new ApiError(402, { ...failureJson(failed.lastPaymentError!, failed.latestCharge), payment_intent: intentJson(provider, failed) })
}

/** The charge a slow method is still working on becomes the one it ends as; otherwise each try is a charge of its own. */
function newCharge(provider: Provider, intent: Intent): Charge {
  const open = intent.latestCharge === undefined ? undefined : provider.books.get('charge', intent.latestCharge)
  if (open?.status === 'pending') return open
  return {
    id: newId('ch'),
    intent: intent.id,
    createdSeconds: nowSeconds(),
    amountMinor: intent.amountMinor,
    capturedMinor: 0,
    releasedMinor: 0,
    refundedMinor: 0,
    currency: intent.currency,
    captured: false,
    status: 'pending',
    paymentMethod: intent.paymentMethod ?? '',
    metadata: intent.metadata,
    description: intent.description,
  }
}
