/** The carriers' books: a label per reference, manifests, claims, and what becomes of each parcel, on its own or by hand. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Books } from '../books'
import type { FaultQueue } from '../faults'
import { cards, type CarrierName } from './cards'
import { collectedOn, type Measured } from './pricing'

export const parcelStatuses = ['label_created', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'address_unknown', 'damaged', 'returning', 'returned', 'lost'] as const
export type ParcelStatus = (typeof parcelStatuses)[number]

export interface PostalAddress {
  name?: string
  street?: string
  street2?: string
  city?: string
  postcode?: string
  country: string
}

export interface Parcel extends Measured {
  /** The tracking number. */
  id: string
  carrier: CarrierName
  reference: string
  service: string
  from: PostalAddress
  to: PostalAddress
  priceMinor: number
  status: ParcelStatus
  createdMs: number
  voided: boolean
  /** A customer sends it back: nobody tells the carrier beforehand, the first scan is when she hands it in. */
  isReturn?: boolean
  manifestedMs?: number
  /** Local date of the collection it went with. */
  collectedOn?: string
  /** From when its journey is counted: the manifest, or its return to the road after an exception. */
  journeyFromMs?: number
  /** When it will be scanned by itself; absent when never, or when it already was. */
  inTransitAtMs?: number
  deliveredAtMs?: number
}

export interface Manifest {
  /** Carrier and the shipper's reference. */
  id: string
  manifestId: string
  trackingNumbers: string[]
}

/** What the shipper asks for a parcel that was lost or damaged. */
export interface DamageClaim {
  /** Carrier and the shipper's reference. */
  id: string
  claimId: string
  trackingNumber: string
  reason: string
  amountMinor: number
}

export interface TrackingEvent {
  id: string
  carrier: CarrierName
  trackingNumber: string
  status: ParcelStatus
  atMs: number
  detail?: string
}

export interface CarrierRecords {
  parcel: Parcel
  /** Tracking number by carrier and the shipper's reference. */
  reference: { id: string; trackingNumber: string }
  manifest: Manifest
  claim: DamageClaim
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

export const currency = 'EUR'

export type LabelAsk = Omit<Parcel, 'id' | 'status' | 'createdMs' | 'voided' | 'manifestedMs' | 'collectedOn' | 'journeyFromMs' | 'inTransitAtMs' | 'deliveredAtMs'>

/** Makes a label, or gives again the one made before under the same reference. */
export function makeLabel(desk: CarrierDesk, ask: LabelAsk): Parcel {
  const before = labelOf(desk, ask.carrier, ask.reference)
  if (before) return before
  const parcel: Parcel = { ...ask, id: newTrackingNumber(desk, cards[ask.carrier].prefix), status: 'label_created', createdMs: Date.now(), voided: false }
  desk.books.put('parcel', parcel)
  desk.books.put('reference', { id: keyOf(ask.carrier, ask.reference), trackingNumber: parcel.id })
  return parcel
}

export function labelOf(desk: CarrierDesk, carrier: CarrierName, reference: string): Parcel | undefined {
  const known = desk.books.get('reference', keyOf(carrier, reference))
  return known && desk.books.get('parcel', known.trackingNumber)
}

/** Each carrier has references of its own. */
const keyOf = (carrier: CarrierName, reference: string): string => `${carrier} ${reference}`

/** Takes down a claim, or gives again the one made before under the same reference. */
export function makeClaim(desk: CarrierDesk, reference: string, { id, carrier }: Parcel, ask: Pick<DamageClaim, 'reason' | 'amountMinor'>): DamageClaim {
  const before = desk.books.get('claim', keyOf(carrier, reference))
  if (before) return before
  const claim: DamageClaim = { id: keyOf(carrier, reference), claimId: `CL${randomBytes(6).toString('hex').toUpperCase()}`, trackingNumber: id, ...ask }
  desk.books.put('claim', claim)
  return claim
}

/** Takes over parcels. Those it already has stay as they are; the clock of the others starts now. */
export function manifest(desk: CarrierDesk, carrier: CarrierName, reference: string, parcels: readonly Parcel[]): Manifest {
  const id = keyOf(carrier, reference)
  const before = desk.books.get('manifest', id)
  const numbers = parcels.map((parcel) => parcel.id)
  const made: Manifest = {
    id,
    manifestId: before?.manifestId ?? `MF${randomBytes(6).toString('hex').toUpperCase()}`,
    trackingNumbers: [...new Set([...(before?.trackingNumbers ?? []), ...numbers])],
  }
  desk.books.put('manifest', made)
  const nowMs = Date.now()
  const day = collectedOn(cards[carrier], nowMs)
  for (const parcel of parcels) if (parcel.manifestedMs === undefined) keepParcel(desk, { ...parcel, manifestedMs: nowMs, journeyFromMs: nowMs, collectedOn: day })
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
  const event: TrackingEvent = { id: `ev_${randomBytes(10).toString('hex')}`, carrier: parcel.carrier, trackingNumber: parcel.id, status, atMs: nowMs, detail: plan.detail }
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

/** Two letters and eleven digits, the last a check digit (Luhn), as carriers number their parcels. */
function newTrackingNumber(desk: CarrierDesk, prefix: string): string {
  const digits = String(randomInt(10_000_000_000)).padStart(10, '0')
  const number = `${prefix}${digits}${luhnDigit(digits)}`
  return desk.books.get('parcel', number) ? newTrackingNumber(desk, prefix) : number
}

function luhnDigit(digits: string): number {
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const doubled = i % 2 === 0 ? Number(digit) * 2 : Number(digit)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return (10 - (sum % 10)) % 10
}
