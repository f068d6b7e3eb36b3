/** Payment links on Stripe: a hosted Checkout Session per link, which one customer pays once. Its payment is opened as any other: a card is held, what a bank debits is taken. */
import Stripe from 'stripe'
import type { PaymentLinks } from '../../activities/ports'
import { LinkRefusal, type LinkView, type OpenLink } from '../../domain/draft/link'
import { stripeClient, type StripeOptions } from './client'
import { faultOf } from './faults'

export function stripeLinks(options: StripeOptions): PaymentLinks {
  const stripe = stripeClient(options)
  const lookUp = async (reference: string): Promise<LinkView> => viewOf(await asking('look-up of a link', () => stripe.checkout.sessions.retrieve(reference)))
  return {
    open: async (ask) => viewOf(await asking('open a link', () => stripe.checkout.sessions.create(paramsOf(ask), { idempotencyKey: ask.key }))),
    lookUp,
    async find({ linkId, openedFrom }) {
      const created = { gte: Math.floor(Date.parse(openedFrom) / 1000) - 60 }
      try {
        for await (const session of stripe.checkout.sessions.list({ created, limit: 100 })) if (session.client_reference_id === linkId) return viewOf(session)
        return undefined
      } catch (error) {
        throw faultOf('look for a link', error)
      }
    },
    async end({ reference, key }) {
      try {
        return viewOf(await stripe.checkout.sessions.expire(reference, {}, { idempotencyKey: key }))
      } catch (error) {
        // It says no to one that was paid or is over: which of them it is, it says when asked.
        if (error instanceof Stripe.errors.StripeInvalidRequestError) return lookUp(reference)
        throw faultOf('end a link', error)
      }
    },
  }
}

const paramsOf = (ask: OpenLink): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  line_items: [{ quantity: 1, price_data: { currency: ask.currency.toLowerCase(), unit_amount: ask.amountMinor, product_data: { name: ask.description } } }],
  client_reference_id: ask.linkId,
  expires_at: Math.floor(Date.parse(ask.expiresAt) / 1000),
  success_url: ask.returnTo,
  // The method may be charged again, for another part or because the hold runs out before the goods leave.
  customer_creation: 'always',
  payment_intent_data: { description: ask.description, metadata: { orderId: ask.orderId, paymentId: ask.paymentId, operationId: ask.operationId }, setup_future_usage: 'off_session' },
  payment_method_options: { card: { capture_method: 'manual', request_multicapture: 'if_available' } },
})

async function asking<Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError && error.statusCode === 400) throw new LinkRefusal(error.message)
    throw faultOf(what, error)
  }
}

const idOf = (reference: string | { id: string } | null): string | undefined => (typeof reference === 'string' ? reference : reference?.id)

function viewOf({ id, status, url, payment_intent, customer }: Stripe.Checkout.Session): LinkView {
  const payment = idOf(payment_intent)
  const payer = idOf(customer)
  if (status === 'complete') return { reference: id, status: 'complete', url: null, ...(payment !== undefined && { payment: { reference: payment, ...(payer !== undefined && { payer }) } }) }
  return { reference: id, status: status === 'open' ? 'open' : 'expired', url: url ?? null }
}
