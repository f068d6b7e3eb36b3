/** Facts from outside: signed messages of the payment provider and the carriers. Each is a row before the sender hears 200; what it means is worked out after. */
import { z } from 'zod'
import { lookAtLink } from '../../db/draft-links'
import { receiveFact } from '../../db/inbox'
import { refuse } from '../../domain/refusals'
import type { Carrier, FraudCheck, ProviderWebhook } from '../../activities/ports'
import { ok, route, type Route } from '../route'
import { text } from '../schemas/fields'

const received = z.object({ received: z.literal(true) })

export interface OutsideParties {
  webhook: ProviderWebhook
  carriers: readonly Carrier[]
  /** Absent: there is no fraud service. */
  fraud?: Pick<FraudCheck, 'readEvent'>
  /** Something is in the inbox. */
  wake: () => void
}

/** All kinds of messages of the payment provider come to one address. */
const paymentMessages = ({ webhook, wake }: Pick<OutsideParties, 'webhook' | 'wake'>): Route =>
  route({
    method: 'post',
    path: '/v1/payments/stripe/webhook',
    tag: 'Outside',
    summary: 'The payment provider reports (signature in Stripe-Signature)',
    roles: 'public',
    raw: true,
    answers: { 200: received },
    async run(ctx) {
      const dispute = webhook.readDispute(ctx.rawBody, ctx.header('stripe-signature'))
      if (dispute) {
        const { eventId, ...news } = dispute
        await receiveFact(ctx.db, { source: 'stripe', eventId, kind: 'dispute', subject: news.reference, payload: news })
        wake()
      }
      const failed = webhook.readFailedRefund(ctx.rawBody, ctx.header('stripe-signature'))
      if (failed) {
        const { eventId, ...news } = failed
        await receiveFact(ctx.db, { source: 'stripe', eventId, kind: 'refund_failed', subject: news.reference, payload: news })
        wake()
      }
      const link = webhook.readLink(ctx.rawBody, ctx.header('stripe-signature'))
      if (link) await lookAtLink(ctx.db, link.linkId)
      const event = webhook.read(ctx.rawBody, ctx.header('stripe-signature'))
      if (event) {
        const { eventId, type, paymentId, view } = event
        await receiveFact(ctx.db, { source: 'stripe', eventId, kind: 'payment', subject: view.reference, payload: { type, paymentId, view } })
        wake()
      }
      return ok({ received: true })
    },
  })

export function outsideRoutes({ webhook, carriers, fraud, wake }: OutsideParties): Route[] {
  const carrierEvents = route({
    method: 'post',
    path: '/v1/carriers/{carrier}/events',
    tag: 'Outside',
    summary: 'A carrier reports a parcel (signature in Carrier-Signature, or X-Hmac-Signature for EasyPost)',
    roles: 'public',
    raw: true,
    params: z.strictObject({ carrier: text(100) }),
    answers: { 200: received },
    async run(ctx) {
      const carrier = carriers.find((c) => c.carrier === ctx.params.carrier)
      if (!carrier) throw refuse('carrier.not_found')
      const event = carrier.readEvent(ctx.rawBody, (name) => ctx.header(name))
      if (event) {
        const { eventId, trackingNumber, status, at } = event
        await receiveFact(ctx.db, { source: `carrier:${carrier.carrier}`, eventId, kind: 'carrier', subject: trackingNumber, payload: { status, at } })
        wake()
      }
      return ok({ received: true })
    },
  })
  const fraudEvents = route({
    method: 'post',
    path: '/v1/fraud/events',
    tag: 'Outside',
    summary: 'The fraud service answers (signature in Fraud-Signature)',
    roles: 'public',
    raw: true,
    answers: { 200: received },
    async run(ctx) {
      if (!fraud) throw refuse('route.unknown')
      const { eventId, key, reference, verdict } = fraud.readEvent(ctx.rawBody, (name) => ctx.header(name))
      await receiveFact(ctx.db, { source: 'fraud', eventId, kind: 'fraud', subject: key, payload: { verdict, reference } })
      wake()
      return ok({ received: true })
    },
  })
  return [paymentMessages({ webhook, wake }), carrierEvents, fraudEvents]
}
