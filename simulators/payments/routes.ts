/** The provider's HTTP API, as far as a shop with manual capture uses it. */
import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express'
import { ApiError, internalError, invalidRequest } from './api-error'
import { execute, type Call } from './execute'
import { createCustomer, customerJson } from './customers'
import { keyRing } from './idempotency'
import { cancelIntent, captureIntent } from './holds'
import { confirmIntent, openIntent, type ConfirmAsk } from './intents'
import { choice, currency, flag, ignored, readParams, required, text, textList, textMap, wholeNumber, type Param } from './params'
import { intentOf, readRoutes, type Get } from './reads'
import { newId, type Intent, type Provider } from './records'
import { refund } from './refunds'
import { sessionRoutes } from './session-routes'
import { testMethod } from './test-methods'
import { intentJson, readExpand, refundJson } from './wire'

export function apiRoutes(provider: Provider, apiKey: string): Router {
  const routes = express.Router()
  const keys = keyRing(provider)
  const post = <Ask>(path: string, call: Call<Ask>): void =>
    void routes.post(path, (request, response) => execute(provider, keys, call, request, response))

  routes.use((request, _response, next) => next(request.get('authorization') === `Bearer ${apiKey}` ? undefined : wrongKey(request)))
  post('/payment_intents', createCall(provider))
  post('/payment_intents/:id/confirm', confirmCall(provider))
  post('/payment_intents/:id/capture', captureCall(provider))
  post('/payment_intents/:id/cancel', cancelCall(provider))
  post('/refunds', refundCall(provider))
  post('/customers', customerCall(provider))
  const get: Get = (path, answer) => void routes.get(path, (request, response) => respond(response, 200, answer(request)))
  sessionRoutes(post, get, provider, methodOptions)
  readRoutes(get, provider)
  routes.use((request) => {
    throw new ApiError(404, { type: 'invalid_request_error', message: `Unrecognized request URL (${request.method}: ${request.originalUrl}).` })
  })
  routes.use(answerError)
  return routes
}

/** A test name, or the shape of an id of a method that was used before. */
const paymentMethod: Param<string | undefined> = (value, name) => {
  const id = text(value, name)
  if (id === undefined || testMethod(id) || /^pm_[0-9A-Za-z]{24}$/.test(id)) return id
  throw invalidRequest(`No such PaymentMethod: '${id}'`, { code: 'resource_missing', param: name })
}

/** `payment_method_options[card]`: whether a card is held, and whether that hold may be captured several times. */
const methodOptions: Param<{ cardCaptureMethod?: 'manual'; wantsMulticapture?: boolean }> = (value, name) => {
  const card = typeof value === 'object' && value !== null && 'card' in value ? value.card : undefined
  const asked = (typeof card === 'object' && card !== null ? card : {}) as Record<string, unknown>
  const cardCaptureMethod = choice(['manual'])(asked.capture_method, `${name}[card][capture_method]`)
  const multicapture = choice(['if_available', 'never'])(asked.request_multicapture, `${name}[card][request_multicapture]`)
  return { ...(cardCaptureMethod && { cardCaptureMethod }), ...(multicapture && { wantsMulticapture: multicapture === 'if_available' }) }
}

const confirmParams = {
  payment_method: paymentMethod,
  off_session: flag,
  return_url: text,
  error_on_requires_action: ignored,
  mandate_data: ignored,
  payment_method_options: methodOptions,
  receipt_email: ignored,
  setup_future_usage: choice(['off_session', 'on_session']),
  shipping: ignored,
  use_stripe_sdk: ignored,
  expand: textList,
}

const createParams = {
  ...confirmParams,
  amount: required(wholeNumber(1)),
  currency: required(currency),
  confirm: flag,
  capture_method: choice(['automatic', 'automatic_async', 'manual']),
  automatic_payment_methods: textMap,
  payment_method_types: textList,
  metadata: textMap,
  description: text,
  customer: text,
  confirmation_method: ignored,
  statement_descriptor: ignored,
  statement_descriptor_suffix: ignored,
}

function createCall(provider: Provider): Call<ReturnType<typeof readCreate>> {
  return {
    read: (request) => readCreate(request.body),
    operation: (ask) => (ask.confirm ? 'authorize' : 'open'),
    run: (ask, how) => {
      const opened = openIntent(provider, ask.open)
      return intentJson(provider, ask.confirm ? confirmIntent(provider, opened, { offSession: ask.offSession, ...how }) : opened, ask.expand)
    },
  }
}

function readCreate(body: unknown) {
  const given = readParams(body, createParams)
  const automatic = given.automatic_payment_methods
  const open = {
    amountMinor: given.amount,
    currency: given.currency,
    captureMethod: given.capture_method ?? 'automatic',
    automaticPaymentMethods: automatic?.enabled === 'true' ? { allowRedirects: automatic.allow_redirects ?? 'always' } : undefined,
    paymentMethodTypes: given.payment_method_types ?? ['card'],
    metadata: given.metadata ?? {},
    description: given.description,
    customer: given.customer,
    setupFutureUsage: given.setup_future_usage,
    paymentMethod: given.payment_method,
    ...given.payment_method_options,
  } as const
  if (!given.confirm && given.off_session !== undefined)
    throw invalidRequest('off_session can only be used when confirm is true.', { param: 'off_session' })
  return { open, confirm: given.confirm ?? false, offSession: given.off_session, expand: readExpand(given.expand) }
}

function confirmCall(provider: Provider): Call<ConfirmAsk & { intent: Intent; expand: ReadonlySet<string> }> {
  return {
    read: (request) => {
      const given = readParams(request.body, confirmParams)
      const intent = intentOf(provider, request)
      const ask = { paymentMethod: given.payment_method, offSession: given.off_session, setupFutureUsage: given.setup_future_usage }
      return { intent, ...ask, wantsMulticapture: given.payment_method_options.wantsMulticapture, expand: readExpand(given.expand) }
    },
    operation: () => 'authorize',
    run: ({ intent, expand, ...ask }, how) => intentJson(provider, confirmIntent(provider, intent, { ...ask, ...how }), expand),
  }
}

function captureCall(provider: Provider): Call<{ intent: Intent; amountMinor?: number; finalCapture?: boolean; expand: ReadonlySet<string> }> {
  const params = { amount_to_capture: wholeNumber(0), final_capture: flag, metadata: textMap, statement_descriptor_suffix: ignored, expand: textList }
  return {
    read: (request) => {
      const given = readParams(request.body, params)
      const ask = { amountMinor: given.amount_to_capture, finalCapture: given.final_capture, metadata: given.metadata }
      return { intent: intentOf(provider, request), ...ask, expand: readExpand(given.expand) }
    },
    operation: () => 'capture',
    run: ({ intent, expand, ...ask }) => intentJson(provider, captureIntent(provider, intent, ask), expand),
  }
}

function cancelCall(provider: Provider): Call<{ intent: Intent; reason?: string; expand: ReadonlySet<string> }> {
  const params = { cancellation_reason: choice(['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned']), expand: textList }
  return {
    read: (request) => {
      const given = readParams(request.body, params)
      return { intent: intentOf(provider, request), reason: given.cancellation_reason, expand: readExpand(given.expand) }
    },
    operation: () => 'void',
    run: ({ intent, reason, expand }) => intentJson(provider, cancelIntent(provider, intent, reason), expand),
  }
}

function refundCall(provider: Provider): Call<Parameters<typeof refund>[1] & { expand: ReadonlySet<string> }> {
  const reason = choice(['duplicate', 'fraudulent', 'requested_by_customer'])
  const params = { payment_intent: text, charge: text, amount: wholeNumber(1), reason, metadata: textMap, expand: textList }
  return {
    read: (request) => {
      const given = readParams(request.body, params)
      if (given.payment_intent === undefined && given.charge === undefined)
        throw invalidRequest('One of the following params should be provided for this request: payment_intent or charge.')
      const ask = {
        intent: given.payment_intent,
        charge: given.charge,
        amountMinor: given.amount,
        reason: given.reason,
        metadata: given.metadata ?? {},
      }
      return { ...ask, expand: readExpand(given.expand) }
    },
    operation: () => 'refund',
    run: (ask) => refundJson(provider, refund(provider, ask), ask.expand),
  }
}

function customerCall(provider: Provider): Call<Parameters<typeof createCustomer>[1]> {
  const params = { description: text, metadata: textMap, email: ignored, name: ignored, expand: textList }
  return {
    read: (request) => {
      const given = readParams(request.body, params)
      return { description: given.description, metadata: given.metadata ?? {} }
    },
    operation: () => undefined,
    run: (ask) => customerJson(createCustomer(provider, ask)),
  }
}

function wrongKey(request: Request): ApiError {
  const given = (request.get('authorization') ?? '').replace(/^Bearer\s*/, '')
  const message = given === '' ? 'You did not provide an API key.' : `Invalid API Key provided: ${given.slice(0, 7)}****${given.slice(-4)}`
  return new ApiError(401, { type: 'invalid_request_error', message })
}

const respond = (response: Response, status: number, body: object): void =>
  void response
    .status(status)
    .set({ 'Content-Type': 'application/json', 'Request-Id': newId('req', 14) })
    .send(JSON.stringify(body))

const answerError: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  if (error instanceof ApiError) return respond(response, error.status, error.body)
  process.stderr.write(`payment simulator: ${error instanceof Error ? error.stack : String(error)}\n`)
  respond(response, 500, internalError().body)
}
