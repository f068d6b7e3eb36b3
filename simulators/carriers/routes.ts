/** A carrier's HTTP API: prices, labels, manifests, tracking, claims. JSON with the carriers' own field names. */
import express, { type ErrorRequestHandler, type Response, type Router } from 'express'
import { setTimeout as pause } from 'node:timers/promises'
import { cards, type CarrierName } from './cards'
import { currency, labelOf, makeClaim, makeLabel, manifest, type CarrierDesk, type Parcel } from './parcels'
import { reckon, type Price } from './pricing'
import { CarrierError, parcelOf, readClaim, readLabel, readManifest, readPriceAsk, text } from './requests'

export const operations = ['label', 'manifest', 'void', 'claim'] as const
export type Operation = (typeof operations)[number]
export const faultKinds = ['slow', 'timeout_after_effect', 'error_500'] as const

const slowMs = 3_000
const lostAnswerMs = 30_000

export function apiRoutes(desk: CarrierDesk, carrier: CarrierName): Router {
  const routes = express.Router()
  routes.use(express.json({ limit: '1mb' }))
  routes.post('/rates', (request, response) => {
    const { parcel, from, to } = readPriceAsk(request.body)
    const prices = Object.keys(cards[carrier].cents).map((service) => ({ service, price: reckon(cards[carrier], service, parcel, from, to) }))
    response.json({
      rates: prices.flatMap(({ service, price }) => (typeof price === 'string' ? [] : [{ service, ...priceJson(price) }])),
      unavailable: prices.flatMap(({ service, price }) => (typeof price === 'string' ? [{ service, code: price }] : [])),
    })
  })
  routes.post('/labels', async (request, response) => {
    const ask = readLabel(request.body)
    const price = reckon(cards[carrier], ask.service, ask, ask.from, ask.to)
    if (typeof price === 'string') throw new CarrierError(422, price, `this parcel cannot be sent by ${carrier} ${ask.service}`, price === 'unknown_service' ? 'service' : undefined)
    if (ask.isReturn && !cards[carrier].returns.includes(ask.service)) throw new CarrierError(422, 'no_returns', `${carrier} ${ask.service} sells no labels for returns`, 'return')
    await answer(desk, carrier, 'label', response, () => {
      const known = labelOf(desk, carrier, ask.reference) !== undefined
      return { status: known ? 200 : 201, body: labelJson(makeLabel(desk, { ...ask, carrier, priceMinor: price.cents })) }
    })
  })
  routes.get('/labels', (request, response) => {
    const found = labelOf(desk, carrier, text(request.query.reference, 'reference'))
    response.json({ labels: found ? [labelJson(found)] : [] })
  })
  routes.delete('/labels/:trackingNumber', async (request, response) => {
    const parcel = parcelOf(desk, carrier, request.params.trackingNumber)
    if (parcel.manifestedMs !== undefined) throw new CarrierError(409, 'already_manifested', `parcel ${parcel.id} has been handed over`)
    if (parcel.isReturn && parcel.status !== 'label_created') throw new CarrierError(409, 'already_used', `parcel ${parcel.id} has been handed in`)
    await answer(desk, carrier, 'void', response, () => {
      const voided = { ...parcel, voided: true }
      desk.books.put('parcel', voided)
      return { status: 200, body: labelJson(voided) }
    })
  })
  routes.post('/manifests', async (request, response) => {
    const { reference, parcels } = readManifest(desk, carrier, request.body)
    await answer(desk, carrier, 'manifest', response, () => {
      const made = manifest(desk, carrier, reference, parcels)
      return { status: 200, body: { manifest_id: made.manifestId, reference, tracking_numbers: made.trackingNumbers, collected_on: parcelOf(desk, carrier, made.trackingNumbers[0]!).collectedOn } }
    })
  })
  routes.get('/tracking/:trackingNumber', (request, response) => void response.json(trackingJson(desk, parcelOf(desk, carrier, request.params.trackingNumber))))
  routes.post('/claims', async (request, response) => {
    const { reference, trackingNumber, ...ask } = readClaim(request.body)
    const parcel = parcelOf(desk, carrier, trackingNumber)
    await answer(desk, carrier, 'claim', response, () => {
      const claim = makeClaim(desk, reference, parcel, ask)
      return { status: 201, body: { claim_id: claim.claimId, reference, tracking_number: claim.trackingNumber, reason: claim.reason, amount_cents: claim.amountMinor, status: 'open' } }
    })
  })
  routes.use((request) => {
    throw new CarrierError(404, 'not_found', `no such resource: ${request.method} ${request.originalUrl}`)
  })
  routes.use(answerError)
  return routes
}

/** Runs one call that changes something, with the trouble ordered for it. Nothing is remembered for a 500: asked again, it is simply done. */
async function answer(desk: CarrierDesk, carrier: CarrierName, operation: Operation, response: Response, run: () => { status: number; body: object }): Promise<void> {
  const fault = desk.faults.take(operation, { carrier })
  const broken = fault?.kind === 'error_500'
  const outcome = broken && !fault.afterEffect ? undefined : run()
  desk.books.commit()
  const lost = fault?.kind === 'timeout_after_effect'
  const delayMs = fault?.delayMs ?? (lost ? lostAnswerMs : fault?.kind === 'slow' ? slowMs : 0)
  if (delayMs > 0) await pause(delayMs, undefined, { signal: desk.stop }).catch(() => undefined)
  if (lost || desk.stop.aborted) return void response.destroy()
  if (broken || !outcome) throw new CarrierError(500, 'internal_error', 'something went wrong on our side')
  response.status(outcome.status).json(outcome.body)
}

const labelJson = (parcel: Parcel): object => ({
  tracking_number: parcel.id,
  reference: parcel.reference,
  service: parcel.service,
  price: { amount_cents: parcel.priceMinor, currency },
  label: `${parcel.carrier.toUpperCase()}|${parcel.service.toUpperCase()}|${parcel.id}|${parcel.to.country}-${parcel.to.postcode ?? ''}|${parcel.weightGrams}g`,
  status: parcel.voided ? 'voided' : 'active',
})

const priceJson = ({ zone, chargedGrams, items, cents }: Price): object => ({
  zone,
  charged_weight_g: chargedGrams,
  price: { amount_cents: cents, currency },
  items: items.map((item) => ({ code: item.code, amount_cents: item.cents })),
})

const trackingJson = (desk: CarrierDesk, parcel: Parcel): object => ({
  tracking_number: parcel.id,
  reference: parcel.reference,
  status: parcel.status,
  manifested: parcel.manifestedMs !== undefined,
  events: desk.books
    .all('event')
    .filter((event) => event.trackingNumber === parcel.id)
    .map((event) => ({ event_id: event.id, status: event.status, at: new Date(event.atMs).toISOString() })),
})

const answerError: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  if (error instanceof CarrierError) {
    const { code, message, field } = error
    return void response.status(error.status).json({ error: { code, message, field } })
  }
  const status = error.status ?? 500
  if (status >= 500) process.stderr.write(`carrier simulator: ${error.stack}\n`)
  response.status(status).json({ error: { code: status >= 500 ? 'internal_error' : 'invalid_request', message: error.message } })
}
