/** The carrier's HTTP API: labels, manifests, tracking. JSON with the carrier's own field names. */
import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express'
import { setTimeout as pause } from 'node:timers/promises'
import { currency, labelOf, makeLabel, manifest, serviceNames, type CarrierDesk, type LabelAsk, type Parcel, type PostalAddress } from './parcels'

export const operations = ['label', 'manifest', 'void'] as const
export type Operation = (typeof operations)[number]
export const faultKinds = ['slow', 'timeout_after_effect', 'error_500'] as const

const slowMs = 3_000
const lostAnswerMs = 30_000

/** `{error: {code, message, field?}}` */
class CarrierError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
  ) {
    super(message)
  }
}

export function apiRoutes(desk: CarrierDesk): Router {
  const routes = express.Router()
  routes.use(express.json({ limit: '1mb' }))
  routes.post('/labels', async (request, response) => {
    const ask = readLabel(request.body)
    await answer(desk, 'label', response, () => {
      const known = labelOf(desk, ask.reference) !== undefined
      return { status: known ? 200 : 201, body: labelJson(makeLabel(desk, ask)) }
    })
  })
  routes.get('/labels', (request, response) => {
    const found = labelOf(desk, text(request.query.reference, 'reference'))
    response.json({ labels: found ? [labelJson(found)] : [] })
  })
  routes.delete('/labels/:trackingNumber', async (request, response) => {
    const parcel = parcelOf(desk, request)
    if (parcel.manifestedMs !== undefined) throw new CarrierError(409, 'already_manifested', `parcel ${parcel.id} has been handed over`)
    await answer(desk, 'void', response, () => {
      const voided = { ...parcel, voided: true }
      desk.books.put('parcel', voided)
      return { status: 200, body: labelJson(voided) }
    })
  })
  routes.post('/manifests', async (request, response) => {
    const { reference, parcels } = readManifest(desk, request.body)
    await answer(desk, 'manifest', response, () => {
      const made = manifest(desk, reference, parcels)
      return { status: 200, body: { manifest_id: made.manifestId, reference: made.id, tracking_numbers: made.trackingNumbers } }
    })
  })
  routes.get('/tracking/:trackingNumber', (request, response) => void response.json(trackingJson(desk, parcelOf(desk, request))))
  routes.use((request) => {
    throw new CarrierError(404, 'not_found', `no such resource: ${request.method} ${request.originalUrl}`)
  })
  routes.use(answerError)
  return routes
}

/** Runs one call that changes something, with the trouble ordered for it. Nothing is remembered for a 500: asked again, it is simply done. */
async function answer(desk: CarrierDesk, operation: Operation, response: Response, run: () => { status: number; body: object }): Promise<void> {
  const fault = desk.faults.take(operation)
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
  label: `SWIFTPARCEL|${parcel.service.toUpperCase()}|${parcel.id}|${parcel.to.country}-${parcel.to.postcode ?? ''}|${parcel.weightGrams}g`,
  status: parcel.voided ? 'voided' : 'active',
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

function readLabel(body: unknown): LabelAsk {
  const given = object(body, 'the body')
  const parcel = object(given.parcel, 'parcel')
  const service = serviceNames.find((name) => name === given.service)
  if (!service) throw invalid('service', `must be one of ${serviceNames.join(', ')}`)
  const weightGrams = parcel.weight_g
  if (!Number.isInteger(weightGrams) || (weightGrams as number) < 1) throw invalid('parcel.weight_g', 'must be a whole number of at least 1')
  for (const side of ['length_mm', 'width_mm', 'height_mm']) {
    const size = parcel[side]
    if (size !== undefined && (!Number.isInteger(size) || (size as number) < 1))
      throw invalid(`parcel.${side}`, 'must be a whole number of at least 1')
  }
  return {
    reference: text(given.reference, 'reference'),
    service,
    weightGrams: weightGrams as number,
    from: address(given.from, 'from'),
    to: address(given.to, 'to'),
  }
}

function readManifest(desk: CarrierDesk, body: unknown): { reference: string; parcels: Parcel[] } {
  const given = object(body, 'the body')
  const numbers: unknown = given.tracking_numbers
  if (!Array.isArray(numbers) || numbers.length === 0) throw invalid('tracking_numbers', 'must be a list of at least one tracking number')
  const parcels = numbers.map((number, i) => {
    const parcel = desk.books.get('parcel', text(number, `tracking_numbers[${i}]`))
    if (!parcel) throw invalid(`tracking_numbers[${i}]`, `unknown: ${String(number)}`)
    if (parcel.voided) throw new CarrierError(409, 'label_voided', `the label of ${parcel.id} was voided`, `tracking_numbers[${i}]`)
    return parcel
  })
  return { reference: text(given.reference, 'reference'), parcels }
}

function address(value: unknown, field: string): PostalAddress {
  const given = object(value, field)
  if (typeof given.country !== 'string' || !/^[A-Z]{2}$/.test(given.country)) throw invalid(`${field}.country`, 'must be two capital letters')
  const part = (name: string): string | undefined => (given[name] === undefined ? undefined : text(given[name], `${field}.${name}`))
  return {
    name: part('name'),
    street: part('street'),
    street2: part('street2'),
    city: part('city'),
    postcode: part('postcode'),
    country: given.country,
  }
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid(field, 'must be an object')
}

function text(value: unknown, field: string): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= 200) return value
  throw invalid(field, 'must be a text of 1 to 200 characters')
}

const invalid = (field: string, why: string): CarrierError => new CarrierError(400, 'invalid_request', `${field}: ${why}`, field)

function parcelOf(desk: CarrierDesk, request: Request): Parcel {
  const number = String(request.params.trackingNumber)
  const parcel = desk.books.get('parcel', number)
  if (!parcel) throw new CarrierError(404, 'unknown_parcel', `no such parcel: ${number}`)
  return parcel
}

const answerError: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  if (error instanceof CarrierError) {
    const { code, message, field } = error
    return void response.status(error.status).json({ error: { code, message, field } })
  }
  const status = error.status ?? 500
  if (status >= 500) process.stderr.write(`carrier simulator: ${error.stack}\n`)
  response.status(status).json({ error: { code: status >= 500 ? 'internal_error' : 'invalid_request', message: error.message } })
}
