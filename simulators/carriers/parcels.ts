/** The parcel carrier's books: a label per reference, manifests, and what becomes of each parcel, on its own or by hand. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Books } from '../books'
import type { FaultQueue } from '../faults'

export const parcelStatuses = ['label_created', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'lost'] as const
export type ParcelStatus = (typeof parcelStatuses)[number]

export const serviceNames = ['standard', 'express'] as const
export type ServiceName = (typeof serviceNames)[number]

export interface PostalAddress {
  name?: string
  street?: string
  street2?: string
  city?: string
  postcode?: string
  country: string
}

export interface Parcel {
  /** The tracking number. */
  id: string
  reference: string
  service: ServiceName
  weightGrams: number
  from: PostalAddress
  to: PostalAddress
  priceMinor: number
  status: ParcelStatus
  createdMs: number
  voided: boolean
  manifestedMs?: number
  /** From when its journey is counted: the manifest, or its return to the road after an exception. */
  journeyFromMs?: number
  /** When it will be scanned by itself; absent when never, or when it already was. */
  inTransitAtMs?: number
  deliveredAtMs?: number
}

export interface Manifest {
  /** The shipper's reference. */
  id: string
  manifestId: string
  trackingNumbers: string[]
}

export interface TrackingEvent {
  id: string
  trackingNumber: string
  status: ParcelStatus
  atMs: number
  detail?: string
}

export interface CarrierRecords {
  parcel: Parcel
  /** Tracking number by the shipper's reference. */
  reference: { id: string; trackingNumber: string }
  manifest: Manifest
  event: TrackingEvent
  /** Events not yet taken by the receiver, and how they are to be sent. */
  pending: { id: string; dueMs?: number; duplicate?: boolean }
}

export interface CarrierDesk {
  books: Books<CarrierRecords>
  faults: FaultQueue
  /** Sends an event that is in the books. */
  deliver(event: TrackingEvent, plan: { duplicate?: boolean; delayMs?: number }): void
  /** Parcels that will be scanned by themselves. */
  moving: Set<string>
  /** How long after the manifest a parcel is scanned by itself; 0 = never. */
  pace: { inTransitMs: number; deliveredMs: number }
  /** Ends held-back answers when the simulator stops. */
  stop: AbortSignal
}

/** Price by weight step in euro cents; the last step also prices what is heavier. */
const rateCard = {
  standard: [
    { upToGrams: 1_000, priceMinor: 389 },
    { upToGrams: 5_000, priceMinor: 549 },
    { upToGrams: 10_000, priceMinor: 849 },
    { upToGrams: 31_500, priceMinor: 1_549 },
  ],
  express: [
    { upToGrams: 1_000, priceMinor: 790 },
    { upToGrams: 5_000, priceMinor: 990 },
    { upToGrams: 10_000, priceMinor: 1_390 },
    { upToGrams: 31_500, priceMinor: 2_290 },
  ],
} as const

export const currency = 'EUR'

const priceOf = (service: ServiceName, weightGrams: number): number =>
  (rateCard[service].find((step) => weightGrams <= step.upToGrams) ?? rateCard[service].at(-1)!).priceMinor

export type LabelAsk = Pick<Parcel, 'reference' | 'service' | 'weightGrams' | 'from' | 'to'>

/** Makes a label, or gives again the one made before under the same reference. */
export function makeLabel(desk: CarrierDesk, ask: LabelAsk): Parcel {
  const before = labelOf(desk, ask.reference)
  if (before) return before
  const parcel: Parcel = {
    ...ask,
    id: newTrackingNumber(desk),
    priceMinor: priceOf(ask.service, ask.weightGrams),
    status: 'label_created',
    createdMs: Date.now(),
    voided: false,
  }
  desk.books.put('parcel', parcel)
  desk.books.put('reference', { id: ask.reference, trackingNumber: parcel.id })
  return parcel
}

export function labelOf(desk: CarrierDesk, reference: string): Parcel | undefined {
  const known = desk.books.get('reference', reference)
  return known && desk.books.get('parcel', known.trackingNumber)
}

/** Takes over parcels. Those it already has stay as they are; the clock of the others starts now. */
export function manifest(desk: CarrierDesk, reference: string, parcels: readonly Parcel[]): Manifest {
  const before = desk.books.get('manifest', reference)
  const numbers = parcels.map((parcel) => parcel.id)
  const made: Manifest = {
    id: reference,
    manifestId: before?.manifestId ?? `MF${randomBytes(6).toString('hex').toUpperCase()}`,
    trackingNumbers: [...new Set([...(before?.trackingNumbers ?? []), ...numbers])],
  }
  desk.books.put('manifest', made)
  const nowMs = Date.now()
  for (const parcel of parcels) if (parcel.manifestedMs === undefined) keepParcel(desk, { ...parcel, manifestedMs: nowMs, journeyFromMs: nowMs })
  return made
}

const onTheRoad: readonly ParcelStatus[] = ['label_created', 'in_transit', 'out_for_delivery']

/** Writes a parcel with the times at which it will be scanned by itself. What has already happened to it is not scanned again. */
export function keepParcel(desk: CarrierDesk, parcel: Parcel): void {
  const { journeyFromMs, status } = parcel
  const after = (delayMs: number): number | undefined => (delayMs === 0 || journeyFromMs === undefined ? undefined : journeyFromMs + delayMs)
  const inTransitAtMs = status === 'label_created' ? after(desk.pace.inTransitMs) : undefined
  const deliveredAtMs = onTheRoad.includes(status) ? after(desk.pace.deliveredMs) : undefined
  desk.books.put('parcel', { ...parcel, inTransitAtMs, deliveredAtMs })
  if (inTransitAtMs === undefined && deliveredAtMs === undefined) desk.moving.delete(parcel.id)
  else desk.moving.add(parcel.id)
}

/** Scans every parcel whose time has come: first under way, then delivered. */
export function moveParcels(desk: CarrierDesk): void {
  const nowMs = Date.now()
  for (const id of desk.moving) {
    const parcel = desk.books.get('parcel', id)
    if (parcel?.inTransitAtMs !== undefined && parcel.inTransitAtMs <= nowMs) report(desk, parcel, 'in_transit')
    else if (parcel?.deliveredAtMs !== undefined && parcel.deliveredAtMs <= nowMs) report(desk, parcel, 'delivered')
  }
  desk.books.commit()
}

/** Writes a scan into the books and tells the shipper. */
export function report(
  desk: CarrierDesk,
  parcel: Parcel,
  status: ParcelStatus,
  plan: { duplicate?: boolean; delayMs?: number; detail?: string } = {},
): TrackingEvent {
  const nowMs = Date.now()
  const event: TrackingEvent = { id: `ev_${randomBytes(10).toString('hex')}`, trackingNumber: parcel.id, status, atMs: nowMs, detail: plan.detail }
  const backOnTheRoad = parcel.manifestedMs !== undefined && !onTheRoad.includes(parcel.status)
  keepParcel(desk, { ...parcel, status, journeyFromMs: backOnTheRoad ? nowMs : parcel.journeyFromMs })
  desk.books.put('event', event)
  desk.deliver(event, plan)
  return event
}

export const eventBody = (event: TrackingEvent): string =>
  JSON.stringify({
    eventId: event.id,
    trackingNumber: event.trackingNumber,
    status: event.status,
    at: new Date(event.atMs).toISOString(),
    ...(event.detail === undefined ? {} : { detail: event.detail }),
  })

/** `SP` and eleven digits, the last a check digit (Luhn), as carriers number their parcels. */
function newTrackingNumber(desk: CarrierDesk): string {
  const digits = String(randomInt(10_000_000_000)).padStart(10, '0')
  const number = `SP${digits}${luhnDigit(digits)}`
  return desk.books.get('parcel', number) ? newTrackingNumber(desk) : number
}

function luhnDigit(digits: string): number {
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const doubled = i % 2 === 0 ? Number(digit) * 2 : Number(digit)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return (10 - (sum % 10)) % 10
}
