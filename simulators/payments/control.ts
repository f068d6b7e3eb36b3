/** What one can ask the simulated provider behind its API: its books, and to decide a payment that waits for a bank or a cardholder. */
import type { Router } from 'express'
import { closeControl } from '../control'
import { checkBody, ControlRefusal, oneOf, required, wholeNumber, words } from '../control-body'
import { cancelIntent, expireHold } from './holds'
import { approve, fail } from './intents'
import { failRefund } from './refunds'
import { settlementControl } from './settlement'
import { nowSeconds, type Intent, type Provider } from './records'
import { sessionOf } from './sessions'

export function paymentControl(routes: Router, provider: Provider): Router {
  routes.get('/books', (request, response) => {
    const { orderRef } = request.query
    const intents = provider.books.all('intent').map((intent) => entry(provider, intent))
    response.json({ intents: orderRef === undefined ? intents : intents.filter((intent) => intent.orderRef === orderRef) })
  })
  routes.post('/pace', (request, response) => {
    provider.settleMs = checkBody(request.body, { settleMs: required(wholeNumber(3_600_000)) }).settleMs
    response.json({ settleMs: provider.settleMs })
  })
  routes.post('/intents/:id', (request, response) => {
    const { status, declineCode } = checkBody(request.body, {
      status: required(oneOf(['requires_capture', 'canceled', 'requires_payment_method'])),
      declineCode: words,
    })
    const intent = provider.books.get('intent', request.params.id)
    if (!intent) throw new ControlRefusal(404, `no such intent: ${request.params.id}`)
    const decided = decide(provider, intent, status, declineCode)
    provider.books.commit()
    response.json(entry(provider, decided))
  })
  routes.get('/sessions', (request, response) => {
    const { clientReferenceId } = request.query
    response.json({ sessions: provider.books.all('session').filter((s) => clientReferenceId === undefined || s.clientReferenceId === clientReferenceId) })
  })
  routes.post('/sessions/:id/pass-time', (request, response) => {
    checkBody(request.body, {})
    const session = provider.books.get('session', request.params.id)
    if (!session) throw new ControlRefusal(404, `no such session: ${request.params.id}`)
    provider.books.put('session', { ...session, expiresSeconds: nowSeconds() })
    response.json(sessionOf(provider, session.id))
  })
  routes.post('/refunds/fail', (request, response) => {
    const { paymentIntent } = checkBody(request.body, { paymentIntent: required(words) })
    const given = provider.books.all('refund').find((r) => r.intent === paymentIntent && !r.failed)
    if (!given) throw new ControlRefusal(409, `paymentIntent: nothing was given back of ${paymentIntent}`)
    const failed = failRefund(provider, given)
    provider.books.commit()
    response.json(failed)
  })
  routes.post('/silences', (request, response) => {
    const { about, copies } = checkBody(request.body, { about: required(words), copies: required(wholeNumber(2)) })
    provider.copiesOf.set(about, copies)
    response.json({ about, copies })
  })
  routes.post('/forgotten-keys', (request, response) => {
    const { prefix } = checkBody(request.body, { prefix: required(words) })
    const keys = provider.books.all('key').filter((key) => key.id.startsWith(prefix))
    for (const { id } of keys) provider.books.drop('key', id)
    provider.books.commit()
    response.json({ forgotten: keys.length })
  })
  settlementControl(routes, provider)
  return closeControl(routes)
}

/** The bank or the cardholder decides now. A held payment can only be let go, as if its time had run out. */
function decide(
  provider: Provider,
  intent: Intent,
  status: 'requires_capture' | 'canceled' | 'requires_payment_method',
  declineCode = 'generic_decline',
): Intent {
  const undecided = intent.status === 'processing' || intent.status === 'requires_action'
  if (intent.status === 'requires_capture' && status === 'canceled') return expireHold(provider, intent)
  if (!undecided) throw new ControlRefusal(409, `status: the intent is ${intent.status}; only processing and requires_action can be decided`)
  if (status === 'requires_capture') return approve(provider, intent)
  if (status === 'canceled') return intent.status === 'processing' ? expireHold(provider, intent) : cancelIntent(provider, intent, 'automatic')
  const code = intent.status === 'requires_action' ? 'payment_intent_authentication_failure' : 'card_declined'
  return fail(provider, intent, { type: 'card_error', code, declineCode, message: 'Your card was declined.' })
}

/** One payment as the provider believes it to be. `authorizedMinor`: everything ever held or taken at once. */
function entry(provider: Provider, intent: Intent) {
  const charge = intent.latestCharge === undefined ? undefined : provider.books.get('charge', intent.latestCharge)
  const granted = charge?.status === 'succeeded' || (charge?.capturedMinor ?? 0) > 0
  return {
    id: intent.id,
    orderRef: intent.metadata.orderId ?? null,
    currency: intent.currency,
    authorizedMinor: granted ? intent.amountMinor : 0,
    capturedMinor: charge?.capturedMinor ?? 0,
    refundedMinor: charge?.refundedMinor ?? 0,
    status: intent.status,
  }
}
