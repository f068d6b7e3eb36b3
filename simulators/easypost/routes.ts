/** EasyPost's HTTP API, as far as labels, refunds, scan forms, trackers and claims go. */
import express, { type Request, type Response, type Router } from 'express'
import { setTimeout as pause } from 'node:timers/promises'
import { claimJson, shipmentJson, trackerJson } from './documents'
import { buy, findShipment, makeShipment, newId, trackerOf, type EasyPostDesk, type Shipment } from './shipments'

export const operations = ['create', 'buy', 'refund', 'scan_form', 'claim'] as const
export type Operation = (typeof operations)[number]
export const faultKinds = ['slow', 'timeout_after_effect', 'error_500'] as const

const slowMs = 3_000
const lostAnswerMs = 30_000

/** `{error: {code, message, errors}}` */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export function apiRoutes(desk: EasyPostDesk, apiKey: string): Router {
  const routes = express.Router()
  routes.use((request, _response, next) => {
    const given = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString()
    if (given !== `${apiKey}:`) throw new ApiError(401, 'APIKEY.INACTIVE', 'This api key is no longer active.')
    next()
  })
  routes.use(express.json())
  shipmentRoutes(routes, desk)
  routes.post('/scan_forms', (request, response) => {
    const shipments = list(object(request.body).scan_form ?? request.body).map((s) => shipmentOf(desk, String(object(s).id)))
    const again = shipments.find((s) => s.scanFormId !== undefined)
    if (again) throw new ApiError(422, 'SCAN_FORM.SHIPMENT_MANIFESTED', `${again.id} is on a scan form already`)
    return answer(desk, 'scan_form', response, () => {
      const id = newId('sf')
      for (const shipment of shipments) desk.books.put('shipment', { ...shipment, scanFormId: id })
      return { id, object: 'ScanForm', status: 'created', tracking_codes: shipments.map((s) => s.trackingCode) }
    })
  })
  routes.get('/trackers', (request, response) => {
    const found = trackerOf(desk, String(request.query.tracking_code))
    response.json({ trackers: found ? [trackerJson(found)] : [], has_more: false })
  })
  routes.post('/claims', (request, response) => {
    const { tracking_code: code, type, amount, reference } = object(request.body)
    if (!trackerOf(desk, String(code))) throw new ApiError(404, 'NOT_FOUND', 'The requested resource could not be found.')
    return answer(desk, 'claim', response, () => {
      const known = typeof reference === 'string' ? desk.books.all('claim').find((c) => c.reference === reference) : undefined
      const claim = known ?? { id: newId('clm'), trackingCode: String(code), type: String(type), amount: String(amount), reference: typeof reference === 'string' ? reference : null }
      desk.books.put('claim', claim)
      return claimJson(claim)
    })
  })
  routes.use(() => {
    throw new ApiError(404, 'NOT_FOUND', 'The requested resource could not be found.')
  })
  return routes
}

function shipmentRoutes(routes: Router, desk: EasyPostDesk): void {
  routes.post('/shipments', (request, response) => {
    const { reference, parcel, to_address: to, is_return: isReturn } = object(object(request.body).shipment)
    const { weight } = object(parcel)
    if (typeof weight !== 'number' || weight <= 0) throw new ApiError(422, 'PARCEL.WEIGHT.INVALID', 'weight: must be a number above 0')
    const { country, zip } = object(to)
    if (typeof country !== 'string') throw new ApiError(422, 'ADDRESS.COUNTRY.INVALID', 'country: must be two letters')
    const ask = { reference: typeof reference === 'string' ? reference : null, weight, to: { country, ...(typeof zip === 'string' ? { zip } : {}) }, ...(isReturn === true && { isReturn }) }
    return answer(desk, 'create', response, () => shipmentJson(desk, makeShipment(desk, ask)))
  })
  routes.get('/shipments/:id', (request, response) => void response.json(shipmentJson(desk, shipmentIn(desk, request))))
  routes.post('/shipments/:id/buy', (request, response) => {
    const shipment = shipmentIn(desk, request)
    if (shipment.boughtRateId !== undefined) throw new ApiError(422, 'SHIPMENT.POSTAGE.EXISTS', 'Postage already exists for this shipment')
    const rate = shipment.rates.find((r) => r.id === object(object(request.body).rate).id)
    if (!rate) throw new ApiError(422, 'SHIPMENT.RATE.NOT_FOUND', 'The rate is not one of this shipment')
    return answer(desk, 'buy', response, () => shipmentJson(desk, buy(desk, shipment, rate)))
  })
  routes.post('/shipments/:id/refund', (request, response) => {
    const shipment = shipmentIn(desk, request)
    if (shipment.boughtRateId === undefined) throw new ApiError(422, 'SHIPMENT.REFUND.UNAVAILABLE', 'There is no postage to refund')
    if (shipment.scanFormId !== undefined) throw new ApiError(422, 'SHIPMENT.REFUND.UNAVAILABLE', 'The shipment is on a scan form')
    return answer(desk, 'refund', response, () => {
      const refunded: Shipment = { ...shipment, refund: 'submitted' }
      desk.books.put('shipment', refunded)
      return shipmentJson(desk, refunded)
    })
  })
}

/** Runs one call that changes something, with the trouble ordered for it. */
async function answer(desk: EasyPostDesk, operation: Operation, response: Response, run: () => object): Promise<void> {
  const fault = desk.faults.take(operation)
  const isBroken = fault?.kind === 'error_500'
  const outcome = isBroken && !fault.afterEffect ? undefined : run()
  desk.books.commit()
  const isLost = fault?.kind === 'timeout_after_effect'
  const delayMs = fault?.delayMs ?? (isLost ? lostAnswerMs : fault?.kind === 'slow' ? slowMs : 0)
  if (delayMs > 0) await pause(delayMs, undefined, { signal: desk.stop }).catch(() => undefined)
  if (isLost || desk.stop.aborted) return void response.destroy()
  if (isBroken || !outcome) throw new ApiError(500, 'INTERNAL_SERVER_ERROR', "We're sorry, something went wrong.")
  response.status(operation === 'create' ? 201 : 200).json(outcome)
}

function shipmentOf(desk: EasyPostDesk, idOrReference: string): Shipment {
  const found = findShipment(desk, idOrReference)
  if (!found) throw new ApiError(404, 'NOT_FOUND', 'The requested resource could not be found.')
  return found
}
const shipmentIn = (desk: EasyPostDesk, request: Request): Shipment => shipmentOf(desk, String(request.params.id))

const object = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {})
const list = (form: unknown): unknown[] => {
  const { shipments } = object(form)
  return Array.isArray(shipments) ? shipments : []
}
