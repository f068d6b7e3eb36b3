/** Chargebacks: the cardholder's bank takes money back at once, with a fee; the provider tells, and tells again when it is decided. */
import type { Router } from 'express'
import { checkBody, ControlRefusal, oneOf, required, wholeNumber, words } from '../control-body'
import { invalidRequest } from './api-error'
import { credit } from './balance'
import { newId, nowSeconds, type Charge, type Dispute, type Provider } from './records'

const disputeFeeMinor = 2_000

export const isDisputed = (provider: Provider, charge: Charge): boolean => provider.books.all('dispute').some((d) => d.charge === charge.id)

/** What the cardholder’s bank has kept of it. @throws ApiError 400 while it is not decided, and when it has kept all: nothing can be refunded then */
export function takenByBank(provider: Provider, charge: Charge): number {
  const disputes = provider.books.all('dispute').filter((d) => d.charge === charge.id && d.status !== 'won')
  const takenMinor = disputes.reduce((sum, d) => sum + d.amountMinor, 0)
  if (disputes.some((d) => d.status === 'needs_response') || (takenMinor > 0 && takenMinor >= charge.capturedMinor))
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, { code: 'charge_disputed', charge: charge.id })
  return takenMinor
}

export function openDispute(provider: Provider, charge: Charge, amountMinor = charge.capturedMinor): Dispute {
  const dispute: Dispute = { id: newId('du'), charge: charge.id, intent: charge.intent, amountMinor, currency: charge.currency, createdSeconds: nowSeconds(), status: 'needs_response' }
  provider.books.put('dispute', dispute)
  credit(provider, charge, { category: 'dispute', source: dispute.id, grossMinor: -dispute.amountMinor, feeMinor: disputeFeeMinor })
  provider.announce('charge.dispute.created', disputeJson(dispute))
  return dispute
}

/** Won, the money comes back; the fee does not. */
function closeDispute(provider: Provider, dispute: Dispute, status: 'won' | 'lost'): Dispute {
  const closed = { ...dispute, status }
  provider.books.put('dispute', closed)
  const charge = provider.books.get('charge', dispute.charge)!
  if (status === 'won') credit(provider, charge, { category: 'dispute_reversal', source: dispute.id, grossMinor: dispute.amountMinor, feeMinor: 0 })
  provider.announce('charge.dispute.closed', disputeJson(closed))
  return closed
}

export function disputeControl(routes: Router, provider: Provider): void {
  routes.get('/disputes', (_request, response) => void response.json({ disputes: provider.books.all('dispute') }))
  routes.post('/disputes', (request, response) => {
    const { paymentIntent, amountMinor } = checkBody(request.body, { paymentIntent: required(words), amountMinor: wholeNumber(99_999_999) })
    const charge = provider.books.all('charge').find((c) => c.intent === paymentIntent && c.capturedMinor > 0)
    if (!charge) throw new ControlRefusal(409, `paymentIntent: nothing was captured of ${paymentIntent}`)
    if (isDisputed(provider, charge)) throw new ControlRefusal(409, `paymentIntent: ${paymentIntent} is disputed already`)
    if ((amountMinor ?? 0) > charge.capturedMinor) throw new ControlRefusal(409, `amountMinor: ${charge.capturedMinor} was captured`)
    const dispute = openDispute(provider, charge, amountMinor)
    provider.books.commit()
    response.json(dispute)
  })
  routes.post('/disputes/:id', (request, response) => {
    const { status } = checkBody(request.body, { status: required(oneOf(['won', 'lost'])) })
    const dispute = provider.books.get('dispute', request.params.id)
    if (!dispute) throw new ControlRefusal(404, `no such dispute: ${request.params.id}`)
    if (dispute.status !== 'needs_response') throw new ControlRefusal(409, `status: the dispute is ${dispute.status}`)
    const closed = closeDispute(provider, dispute, status)
    provider.books.commit()
    response.json(closed)
  })
}

/** As the provider writes it, as far as a shop reads it. */
const disputeJson = (d: Dispute): object => ({
  id: d.id,
  object: 'dispute',
  amount: d.amountMinor,
  charge: d.charge,
  created: d.createdSeconds,
  currency: d.currency,
  is_charge_refundable: false,
  livemode: false,
  metadata: {},
  payment_intent: d.intent,
  reason: 'fraudulent',
  status: d.status,
})
