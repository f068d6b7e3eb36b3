/** Stripe's signed messages: the signature is checked by its own client, the body read once, and what does not concern a payment is left out. */
import Stripe from 'stripe'
import { z } from 'zod'
import type { DisputeEvent, FailedRefundEvent, ProviderEvent, ProviderWebhook } from '../../activities/ports'
import { refuse } from '../../domain/refusals'
import { mayBeCapturedAgain, viewOfCharge, viewOfIntent } from './view'

export function stripeWebhook({ secret }: { apiKey?: string; secret: string }): ProviderWebhook {
  return {
    read: (rawBody, signature) => {
      const event = parse(eventShape, construct(rawBody, signature, secret))
      if (intentEvents.includes(event.type)) return fromIntent(event, parse(intentShape, event))
      if (chargeEvents.includes(event.type)) return fromCharge(event, parse(chargeShape, event))
      return undefined
    },
    readDispute: (rawBody, signature) => {
      const event = parse(eventShape, construct(rawBody, signature, secret))
      return disputeEvents.includes(event.type) ? fromDispute(event, parse(disputeShape, event)) : undefined
    },
    readFailedRefund: (rawBody, signature) => {
      const event = parse(eventShape, construct(rawBody, signature, secret))
      return refundEvents.includes(event.type) ? fromRefund(event, parse(refundShape, event)) : undefined
    },
    readLink: (rawBody, signature) => {
      const event = parse(eventShape, construct(rawBody, signature, secret))
      const { client_reference_id: linkId } = event.type.startsWith('checkout.session.') ? parse(sessionShape, event).data.object : {}
      return linkId ? { eventId: event.id, linkId } : undefined
    },
  }
}

/** Messages about what happened to a payment. Opening one moves nothing, so `payment_intent.created` is none of them. */
const intentEvents: readonly string[] = [
  'payment_intent.amount_capturable_updated',
  'payment_intent.canceled',
  'payment_intent.payment_failed',
  'payment_intent.processing',
  'payment_intent.requires_action',
  'payment_intent.succeeded',
]
const chargeEvents: readonly string[] = ['charge.captured', 'charge.refunded']

const disputeEvents: readonly string[] = ['charge.dispute.created', 'charge.dispute.closed']

/** The older kind of message says the same; a refund that has not failed says nothing new, its charge does. */
const refundEvents: readonly string[] = ['refund.failed', 'refund.updated', 'charge.refund.updated']

const amount = z.number().int().nonnegative()
const metadata = z.record(z.string(), z.string()).default({})

const eventShape = z.object({ id: z.string().min(1), type: z.string().min(1), data: z.object({ object: z.looseObject({}) }) })

const intentShape = z.object({
  data: z.object({
    object: z.object({
      object: z.literal('payment_intent'),
      id: z.string().min(1),
      status: z.enum([
        'requires_payment_method',
        'requires_confirmation',
        'requires_action',
        'processing',
        'requires_capture',
        'succeeded',
        'canceled',
      ]),
      amount,
      amount_capturable: amount,
      amount_received: amount,
      metadata,
      last_payment_error: z.object({ code: z.string().nullish(), decline_code: z.string().nullish() }).nullish(),
      latest_charge: z.string().nullish(),
      payment_method: z.string().nullish(),
    }),
  }),
})

const chargeShape = z.object({
  data: z.object({
    object: z.object({
      object: z.literal('charge'),
      amount,
      amount_captured: amount,
      amount_refunded: amount,
      captured: z.boolean(),
      status: z.enum(['succeeded', 'pending', 'failed']),
      payment_intent: z.string().nullish(),
      payment_method_details: z.object({ card: z.object({ capture_before: z.number().int().nullish(), multicapture: z.object({ status: z.string() }).nullish() }).nullish() }).nullish(),
      metadata,
    }),
  }),
})

const refundShape = z.object({
  data: z.object({
    object: z.object({
      object: z.literal('refund'),
      id: z.string().min(1),
      amount,
      currency: z.string().regex(/^[a-z]{3}$/),
      payment_intent: z.string().nullish(),
      status: z.string().nullish(),
      failure_reason: z.string().max(100).nullish(),
      metadata: z.record(z.string(), z.string()).nullish(),
    }),
  }),
})

const sessionShape = z.object({ data: z.object({ object: z.object({ object: z.literal('checkout.session'), client_reference_id: z.string().max(200).nullish() }) }) })

const disputeShape = z.object({
  data: z.object({
    object: z.object({
      object: z.literal('dispute'),
      id: z.string().min(1),
      amount,
      currency: z.string().regex(/^[a-z]{3}$/),
      payment_intent: z.string().nullish(),
      reason: z.string().max(100).default('general'),
      status: z.string(),
    }),
  }),
})

function construct(rawBody: Buffer, signature: string | undefined, secret: string): unknown {
  try {
    return Stripe.webhooks.constructEvent(rawBody, signature ?? '', secret)
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) throw refuse('signature.invalid', {}, error.message.split('\n')[0])
    throw refuse('request.not_json')
  }
}

function parse<T>(shape: z.ZodType<T>, body: unknown): T {
  const read = shape.safeParse(body)
  if (read.success) return read.data
  const errors = read.error.issues.map((issue) => ({ pointer: `/${issue.path.join('/')}`, message: issue.message }))
  throw refuse('request.invalid', {}, `The message of the payment provider is wrong at ${errors[0]!.pointer}`, errors)
}

function fromIntent(event: z.infer<typeof eventShape>, { data }: z.infer<typeof intentShape>): ProviderEvent {
  const { orderId, paymentId, operationId, captureOperationId } = data.object.metadata
  const captured = data.object.amount_received > 0
  const operation = captured ? captureOperationId : operationId
  return { eventId: event.id, type: event.type, orderId, paymentId, operationId: operation, view: viewOfIntent(data.object) }
}

/** An inquiry (`warning_…`) takes no money; one that was prevented or closed without loss has given it back. */
function fromDispute(event: z.infer<typeof eventShape>, { data }: z.infer<typeof disputeShape>): DisputeEvent | undefined {
  const { id, amount: amountMinor, currency, payment_intent: reference, reason, status: said } = data.object
  if (!reference || said.startsWith('warning_')) return undefined
  const status = event.type === 'charge.dispute.created' ? 'open' : said === 'lost' ? 'lost' : 'won'
  return { eventId: event.id, disputeId: id, reference, amountMinor, currency: currency.toUpperCase(), reason, status }
}

function fromRefund(event: z.infer<typeof eventShape>, { data }: z.infer<typeof refundShape>): FailedRefundEvent | undefined {
  const { id, amount: amountMinor, currency, payment_intent: reference, status, failure_reason: reason, metadata: noted } = data.object
  if (!reference || status !== 'failed') return undefined
  return { eventId: event.id, refundReference: id, reference, amountMinor, currency: currency.toUpperCase(), reason: reason ?? 'unknown', ...(noted?.operationId && { operationId: noted.operationId }) }
}

/** A charge carries the metadata its payment was opened with, so it names the payment but not the operation that changed it. */
function fromCharge(event: z.infer<typeof eventShape>, { data }: z.infer<typeof chargeShape>): ProviderEvent | undefined {
  const charge = data.object
  if (!charge.payment_intent) return undefined
  // Of a hold that is captured several times the payment's own message says the same, and which capture it was.
  if (event.type === 'charge.captured' && mayBeCapturedAgain(charge)) return undefined
  const { orderId, paymentId } = charge.metadata
  return { eventId: event.id, type: event.type, orderId, paymentId, view: viewOfCharge(charge.payment_intent, charge) }
}
