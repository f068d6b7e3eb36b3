/** Checkout sessions over HTTP: made, looked up and expired by the shop; paid by the customer at the address that she was given. */
import express, { type Request, type Router } from 'express'
import { ApiError, invalidRequest } from './api-error'
import type { Call } from './execute'
import { listPage, pageParams } from './lists'
import { choice, currency, ignored, readParams, required, text, textList, textMap, timeRange, wholeNumber, type Param } from './params'
import type { Get } from './reads'
import type { CheckoutSession, Provider } from './records'
import { expireSession, openSession, paySession, sessionJson, sessionOf, type SessionAsk } from './sessions'
import { testMethod } from './test-methods'

type Post = <Ask>(path: string, call: Call<Ask>) => void
type Options = Param<{ cardCaptureMethod?: 'manual'; wantsMulticapture?: boolean }>

export function sessionRoutes(post: Post, get: Get, provider: Provider, methodOptions: Options): void {
  post('/checkout/sessions', createCall(provider, methodOptions))
  post('/checkout/sessions/:id/expire', expireCall(provider))
  get('/checkout/sessions', (request) => {
    const given = readParams(request.query, { ...pageParams, created: timeRange, status: choice(['open', 'complete', 'expired']), payment_intent: text, expand: textList })
    const found = provider.books.all('session').map((s) => sessionOf(provider, s.id)).filter((s) => (given.created?.(s.createdSeconds) ?? true) && (given.status ?? s.status) === s.status && (given.payment_intent ?? s.intent) === s.intent)
    return listPage(found.reverse(), given, '/v1/checkout/sessions', (s) => sessionJson(provider, s))
  })
  get('/checkout/sessions/:id', (request) => {
    readParams(request.query, { expand: textList })
    return sessionJson(provider, sessionOf(provider, request.params.id as string))
  })
}

const createParams = (methodOptions: Options) => ({
  mode: required(choice(['payment'])),
  line_items: required(lineItems),
  success_url: required(text),
  cancel_url: text,
  client_reference_id: text,
  metadata: textMap,
  expires_at: required(wholeNumber(1, 99_999_999_999)),
  customer_creation: choice(['always', 'if_required']),
  payment_intent_data: intentData,
  payment_method_options: methodOptions,
  locale: ignored,
  expand: textList,
})

/** Sums what is asked for, which has to be in one currency. */
const lineItems: Param<{ amountMinor: number; currency: string } | undefined> = (value, name) => {
  const items = Array.isArray(value) ? (value as unknown[]) : []
  if (items.length === 0) throw invalidRequest('You must specify at least one line item.', { param: name })
  const read = items.map((item, i) => {
    const { price_data, quantity } = readParams(item, { price_data: required(priceData(`${name}[${i}][price_data]`)), quantity: required(wholeNumber(1)) })
    return { currency: price_data.currency, amountMinor: price_data.amountMinor * quantity }
  })
  if (new Set(read.map((r) => r.currency)).size > 1) throw invalidRequest('All line items must have the same currency.', { param: name })
  return { currency: read[0]!.currency, amountMinor: read.reduce((sum, r) => sum + r.amountMinor, 0) }
}

const priceData = (name: string): Param<{ amountMinor: number; currency: string } | undefined> => (value) => {
  const { unit_amount, currency: code, product_data } = readParams(value, { unit_amount: required(wholeNumber(1)), currency: required(currency), product_data: required(textMap) })
  if (!product_data?.name) throw invalidRequest('Missing required param: product_data[name].', { code: 'parameter_missing', param: `${name}[product_data][name]` })
  return { amountMinor: unit_amount, currency: code }
}

const intentData: Param<{ metadata: Record<string, string>; description?: string; captureMethod?: 'automatic' | 'automatic_async' | 'manual'; setupFutureUsage?: string }> = (value) => {
  const given = readParams(value, { metadata: textMap, description: text, capture_method: choice(['automatic', 'automatic_async', 'manual']), setup_future_usage: choice(['off_session', 'on_session']) })
  return { metadata: given.metadata ?? {}, description: given.description, captureMethod: given.capture_method, setupFutureUsage: given.setup_future_usage }
}

function createCall(provider: Provider, methodOptions: Options): Call<SessionAsk> {
  const params = createParams(methodOptions)
  return {
    read: (request) => {
      const given = readParams(request.body, params)
      const { metadata: intentMetadata, ...intent } = given.payment_intent_data
      return {
        ...given.line_items, ...intent, ...given.payment_method_options, intentMetadata,
        successUrl: given.success_url,
        clientReferenceId: given.client_reference_id,
        metadata: given.metadata ?? {},
        expiresSeconds: given.expires_at,
        createsCustomer: given.customer_creation === 'always',
        payAt: `${request.protocol}://${request.get('host')}/pay`,
      }
    },
    operation: () => 'open',
    run: (ask) => sessionJson(provider, openSession(provider, ask)),
  }
}

function expireCall(provider: Provider): Call<CheckoutSession> {
  return {
    read: (request) => {
      readParams(request.body, { expand: textList })
      return sessionOf(provider, request.params.id as string)
    },
    operation: () => 'void',
    // Looked at again: what is read before a key is looked up may be old.
    run: ({ id }) => sessionJson(provider, expireSession(provider, sessionOf(provider, id))),
  }
}

/** The page behind the address. `GET` shows what is to be paid, `POST` with a test name of a card (or none) pays it. */
export function payRoutes(provider: Provider): Router {
  const routes = express.Router()
  const shown = (request: Request, change?: (session: CheckoutSession) => CheckoutSession): { status: number; body: object } => {
    try {
      const session = sessionOf(provider, request.params.id as string)
      const { status, amountMinor, currency: code, successUrl } = change?.(session) ?? session
      return { status: 200, body: { status, amountMinor, currency: code, ...(status === 'complete' && { next: successUrl }) } }
    } catch (error) {
      if (error instanceof ApiError) return { status: error.status, body: error.body }
      throw error
    } finally {
      provider.books.commit()
    }
  }
  routes.get('/:id', (request, response) => {
    const { status, body } = shown(request)
    response.status(status).json(body)
  })
  routes.post('/:id', express.urlencoded({ extended: false }), (request, response) => {
    const { paymentMethod = 'pm_card_visa' } = (request.body ?? {}) as { paymentMethod?: string }
    const { status, body } = testMethod(paymentMethod) ? shown(request, (session) => paySession(provider, session, paymentMethod)) : { status: 400, body: { error: { message: `No such PaymentMethod: '${paymentMethod}'` } } }
    response.status(status).json(body)
  })
  return routes
}
