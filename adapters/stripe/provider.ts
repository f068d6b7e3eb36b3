/**
 * The payment provider port on Stripe, through its own client. A payment is opened first and confirmed second: an opened payment holds nothing,
 * so opening twice is harmless, and the reference is known before any money moves. A decline is an answer; what went wrong on the way is a fault.
 */
import Stripe from 'stripe'
import type { AuthorizeAnswer, OpenPayment, PaymentProvider, ProviderView } from '../../activities/ports'
import { ProviderFault } from '../../activities/ports'
import { captureHappened } from '../../domain/payment/captures'
import { stripeClient, type StripeOptions } from './client'
import { faultOf } from './faults'
import { captureNote, viewOfIntent } from './view'

const expand = ['latest_charge']

export function stripeProvider(options: StripeOptions): PaymentProvider {
  const stripe = stripeClient(options)
  const lookUp = (reference: string): Promise<ProviderView> => lookUpIntent(stripe, reference)
  return {
    open: (ask) => openIntent(stripe, ask),
    authorize: (ask) => authorize(stripe, ask),
    capture: ({ reference, key, amountMinor, operationId, final }) => {
      const params = { amount_to_capture: amountMinor, ...(final ? {} : { final_capture: false }), metadata: captureNote({ operationId, amountMinor }), expand }
      const happened = (view: ProviderView): boolean => captureHappened(view, { operationId, amountMinor })
      return unlessAlreadyDone(
        'capture',
        () => stripe.paymentIntents.capture(reference, params, { idempotencyKey: key }),
        () => lookUp(reference),
        happened,
      )
    },
    void: ({ reference, key, partlyCaptured = false }) => {
      // What a bank has under way cannot be called back: it has to be waited for.
      const happened = (view: ProviderView): boolean => view.status === 'processing' || view.status === (partlyCaptured ? 'captured' : 'voided')
      return unlessAlreadyDone('void', () => letGo(stripe, reference, key, partlyCaptured), () => lookUp(reference), happened)
    },
    refund: ({ reference, key, amountMinor, operationId }) => refund(stripe, { reference, key, amountMinor, operationId }),
    findRefund: (ask) => findRefund(stripe, ask),
    lookUp,
  }
}

async function openIntent(stripe: Stripe, ask: OpenPayment): Promise<{ reference: string; payer?: string }> {
  const { orderId, paymentId, operationId } = ask
  try {
    const payer = ask.payer ?? (ask.keepsMethod ? await keepPayer(stripe, ask) : undefined)
    const intent = await stripe.paymentIntents.create(
      {
        amount: ask.amountMinor,
        currency: ask.currency.toLowerCase(),
        ...(ask.heldOnly ? { payment_method_types: ['card'] } : { automatic_payment_methods: { enabled: true, allow_redirects: 'never' } }),
        description: ask.description,
        metadata: { orderId, paymentId, operationId },
        // A card is held; what a bank debits cannot be, and is taken when it comes.
        payment_method_options: { card: { capture_method: 'manual', ...(ask.inParts ? { request_multicapture: 'if_available' } : {}) } },
        ...(payer === undefined ? {} : { customer: payer }),
        // Saved by the payment that the customer herself confirms; a method that is charged again is saved already.
        ...(payer === undefined || ask.payer !== undefined ? {} : { setup_future_usage: 'off_session' }),
      },
      { idempotencyKey: ask.key },
    )
    return { reference: intent.id, ...(payer === undefined ? {} : { payer }) }
  } catch (error) {
    throw faultOf('open', error)
  }
}

/** Stripe charges a payment method again only for the customer that a payment saved it with. Opened twice, a customer is unused and harmless. */
async function keepPayer(stripe: Stripe, { key, orderId, paymentId, description }: OpenPayment): Promise<string> {
  const customer = await stripe.customers.create({ description, metadata: { orderId, paymentId } }, { idempotencyKey: `${key}:payer` })
  return customer.id
}

/** A hold that was captured in part is ended by a last capture of nothing; Stripe cancels only one that was never captured. */
const letGo = (stripe: Stripe, reference: string, key: string, partlyCaptured: boolean): Promise<Stripe.PaymentIntent> =>
  partlyCaptured
    ? stripe.paymentIntents.capture(reference, { amount_to_capture: 0, final_capture: true, expand }, { idempotencyKey: key })
    : stripe.paymentIntents.cancel(reference, { expand }, { idempotencyKey: key })

/** Whatever the provider says about an intent that cannot be confirmed any more is the answer: it was authorised before, or it ended. */
async function authorize(
  stripe: Stripe,
  { reference, key, paymentMethod, offSession }: { reference: string; key: string; paymentMethod: string; offSession?: boolean },
): Promise<AuthorizeAnswer> {
  const params = { payment_method: paymentMethod, ...(offSession ? { off_session: true } : {}), expand }
  try {
    return viewOfIntent(await stripe.paymentIntents.confirm(reference, params, { idempotencyKey: key }))
  } catch (error) {
    if (isUnexpectedState(error)) return lookUpIntent(stripe, reference)
    const declineCode = declineCodeOf(error)
    if (declineCode !== undefined) return { reference, status: 'declined', authorizedMinor: 0, capturedMinor: 0, refundedMinor: 0, declineCode }
    throw faultOf('authorize', error)
  }
}

async function refund(
  stripe: Stripe,
  ask: { reference: string; key: string; amountMinor: number; operationId: string },
): Promise<{ refundReference: string }> {
  const params = { payment_intent: ask.reference, amount: ask.amountMinor, metadata: { operationId: ask.operationId } }
  try {
    const given = await stripe.refunds.create(params, { idempotencyKey: ask.key })
    return { refundReference: given.id }
  } catch (error) {
    throw faultOf('refund', error)
  }
}

/** Every refund names our operation in its metadata. */
async function findRefund(stripe: Stripe, { reference, operationId }: { reference: string; operationId: string }): Promise<{ refundReference: string } | undefined> {
  try {
    for await (const given of stripe.refunds.list({ payment_intent: reference, limit: 100 })) if (given.metadata?.operationId === operationId) return { refundReference: given.id }
    return undefined
  } catch (error) {
    throw new ProviderFault(faultOf('look-up of a refund', error).message, 'unknown', { cause: error })
  }
}

async function lookUpIntent(stripe: Stripe, reference: string): Promise<ProviderView> {
  try {
    return viewOfIntent(await stripe.paymentIntents.retrieve(reference, { expand }))
  } catch (error) {
    // A look-up that failed has found out nothing: whatever made it necessary is as unknown as before.
    const { message } = faultOf('look-up', error)
    throw new ProviderFault(message, 'unknown', { cause: error })
  }
}

/** Runs a call; when the provider says the payment is past it, looks whether that is because this very effect already happened. */
async function unlessAlreadyDone(
  what: string,
  call: () => Promise<Stripe.PaymentIntent>,
  lookUp: () => Promise<ProviderView>,
  happened: (view: ProviderView) => boolean,
): Promise<ProviderView> {
  try {
    return viewOfIntent(await call())
  } catch (error) {
    if (!isUnexpectedState(error)) throw faultOf(what, error)
    const view = await lookUp()
    if (happened(view)) return view
    throw new ProviderFault(`${what}: the payment is ${view.status}, captured ${view.capturedMinor}`, 'stored', { cause: error })
  }
}

/** The bank's word for a decline; a payment method nobody knows is one too, since asking again cannot change it. */
function declineCodeOf(error: unknown): string | undefined {
  if (error instanceof Stripe.errors.StripeCardError) return error.decline_code || error.code || 'card_declined'
  if (error instanceof Stripe.errors.StripeInvalidRequestError && error.param === 'payment_method') return error.code ?? 'payment_method_not_accepted'
  return undefined
}

const isUnexpectedState = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'payment_intent_unexpected_state'
