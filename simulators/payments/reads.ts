/** The reading half of the provider's HTTP API: payments, charges, refunds, and the events a lost webhook can be found among. */
import type { Request } from 'express'
import { resourceMissing } from './api-error'
import { expireHold } from './holds'
import { listPage, pageParams, readQuery, searchPage } from './lists'
import { flag, ignored, readParams, required, text, textList, timeRange, wholeNumber } from './params'
import type { Intent, Provider } from './records'
import { customerJson } from './customers'
import { chargeJson, intentJson, readExpand, refundJson } from './wire'

export type Get = (path: string, answer: (request: Request) => object) => void

export function readRoutes(get: Get, provider: Provider): void {
  intentReads(get, provider)
  refundReads(get, provider)
  eventReads(get, provider)
  get('/customers/:id', (request) => {
    const customer = provider.books.get('customer', idOf(request))
    if (!customer) throw resourceMissing('customer', idOf(request), 'id')
    return customerJson(customer)
  })
  get('/charges/:id', (request) => {
    const charge = provider.books.get('charge', idOf(request))
    if (!charge) throw resourceMissing('charge', idOf(request), 'id')
    return chargeJson(provider, charge, readExpand(readParams(request.query, byId).expand))
  })
}

/** The intent as it stands now: a hold that has run out is let go before anybody is told of it. */
export function intentOf(provider: Provider, request: Request): Intent {
  const intent = provider.books.get('intent', idOf(request))
  if (!intent) throw resourceMissing('payment_intent', idOf(request))
  if (intent.holdEndsMs === undefined || intent.holdEndsMs > Date.now()) return intent
  const expired = expireHold(provider, intent)
  provider.books.commit()
  return expired
}

const byId = { expand: textList }

function intentReads(get: Get, provider: Provider): void {
  const newestFirst = (): Intent[] => provider.books.all('intent').reverse()
  get('/payment_intents', (request) => {
    const given = readParams(request.query, { ...pageParams, created: timeRange, customer: text, expand: textList })
    const expand = readExpand(given.expand, 'data.')
    const found = newestFirst().filter((i) => (given.created?.(i.createdSeconds) ?? true) && (given.customer ?? i.customer) === i.customer)
    return listPage(found, given, '/v1/payment_intents', (intent) => intentJson(provider, intent, expand))
  })
  get('/payment_intents/search', (request) => {
    const given = readParams(request.query, { query: required(text), limit: wholeNumber(1, 100), page: text, expand: textList })
    const expand = readExpand(given.expand, 'data.')
    const found = newestFirst().filter(readQuery(given.query))
    return searchPage(found, given.limit ?? 10, given.page, '/v1/payment_intents/search', (intent) => intentJson(provider, intent, expand))
  })
  get('/payment_intents/:id', (request) => {
    const given = readParams(request.query, { expand: textList, client_secret: ignored })
    return intentJson(provider, intentOf(provider, request), readExpand(given.expand))
  })
}

function refundReads(get: Get, provider: Provider): void {
  get('/refunds', (request) => {
    const given = readParams(request.query, { ...pageParams, payment_intent: text, charge: text, created: timeRange })
    const found = provider.books
      .all('refund')
      .filter((r) => (given.payment_intent ?? r.intent) === r.intent && (given.charge ?? r.charge) === r.charge)
    const inRange = found.filter((r) => given.created?.(r.createdSeconds) ?? true)
    return listPage(inRange.reverse(), given, '/v1/refunds', (r) => refundJson(provider, r))
  })
  get('/refunds/:id', (request) => {
    const found = provider.books.get('refund', idOf(request))
    if (!found) throw resourceMissing('refund', idOf(request), 'id')
    return refundJson(provider, found, readExpand(readParams(request.query, byId).expand))
  })
}

function eventReads(get: Get, provider: Provider): void {
  get('/events', (request) => {
    const given = readParams(request.query, { ...pageParams, type: text, types: textList, created: timeRange, delivery_success: flag })
    const types = given.types ?? (given.type === undefined ? undefined : [given.type])
    const waits = (id: string): boolean => provider.books.get('pending', id) !== undefined
    const ofType = provider.books.all('event').filter((e) => types?.includes(e.type) ?? true)
    const found = ofType.filter(
      (e) => (given.created?.(Math.floor(e.createdMs / 1000)) ?? true) && (given.delivery_success ?? !waits(e.id)) === !waits(e.id),
    )
    return listPage(found.reverse(), given, '/v1/events', (e) => JSON.parse(e.body) as object)
  })
  get('/events/:id', (request) => {
    const event = provider.books.get('event', idOf(request))
    if (!event) throw resourceMissing('event', idOf(request), 'id')
    return JSON.parse(event.body) as object
  })
}

const idOf = (request: Request): string => String(request.params.id)
