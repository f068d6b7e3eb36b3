/** What one can ask the simulated carriers behind their API: their books, a scan of one parcel, the pace at which parcels move by themselves. */
import type { Router } from 'express'
import { closeControl, longestDelayMs } from '../control'
import { checkBody, ControlRefusal, oneOf, required, wholeNumber, words, yesOrNo } from '../control-body'
import { keepParcel, parcelStatuses, report, type CarrierDesk, type DamageClaim, type Parcel } from './parcels'

/** A week: a parcel may be made to travel as slowly as a real one. */
const slowestMs = 7 * 24 * 3_600_000

export function carrierControl(routes: Router, desk: CarrierDesk): Router {
  routes.get('/books', (_request, response) => void response.json({ parcels: desk.books.all('parcel').map(entry), claims: desk.books.all('claim').map(claimEntry) }))
  routes.get('/pace', (_request, response) => void response.json(desk.pace))
  routes.post('/pace', (request, response) => {
    const wanted = checkBody(request.body, { inTransitMs: wholeNumber(slowestMs), deliveredMs: wholeNumber(slowestMs) })
    desk.pace = { inTransitMs: wanted.inTransitMs ?? desk.pace.inTransitMs, deliveredMs: wanted.deliveredMs ?? desk.pace.deliveredMs }
    for (const parcel of desk.books.all('parcel')) if (parcel.manifestedMs !== undefined) keepParcel(desk, parcel)
    desk.books.commit()
    response.json(desk.pace)
  })
  routes.post('/parcels/:trackingNumber', (request, response) => {
    const fields = { status: required(oneOf(parcelStatuses)), duplicate: yesOrNo, delayMs: wholeNumber(longestDelayMs), detail: words }
    const { status, ...plan } = checkBody(request.body, fields)
    const parcel = desk.books.get('parcel', request.params.trackingNumber)
    if (!parcel) throw new ControlRefusal(404, `no such parcel: ${request.params.trackingNumber}`)
    const event = report(desk, parcel, status, plan)
    desk.books.commit()
    response.json({ eventId: event.id, trackingNumber: parcel.id, status, at: new Date(event.atMs).toISOString() })
  })
  return closeControl(routes)
}

const entry = (parcel: Parcel): object => ({
  carrier: parcel.carrier,
  trackingNumber: parcel.id,
  reference: parcel.reference,
  service: parcel.service,
  status: parcel.status,
  ...(parcel.isReturn && { isReturn: true }),
  manifested: parcel.manifestedMs !== undefined,
  ...(parcel.collectedOn === undefined ? {} : { collectedOn: parcel.collectedOn }),
  voided: parcel.voided,
  chargedMinor: parcel.voided ? 0 : parcel.priceMinor,
})

const claimEntry = ({ claimId, trackingNumber, reason, amountMinor }: DamageClaim): object => ({ claimId, trackingNumber, reason, amountMinor })
