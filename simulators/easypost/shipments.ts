/** EasyPost's books: shipments with their rates, what was bought and given back, scan forms, trackers and the events about them. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Books } from '../books'
import type { FaultQueue } from '../faults'

export interface Rate {
  id: string
  carrier: string
  service: string
  cents: number
}
export interface Shipment {
  id: string
  reference: string | null
  createdMs: number
  /** Ounces; a hundredth of one is the least. */
  weight: number
  to: { country: string; zip?: string }
  /** Addresses as of the way out; the label is for the way back. */
  isReturn?: boolean
  rates: Rate[]
  boughtRateId?: string
  trackingCode?: string
  refund?: 'submitted'
  scanFormId?: string
}
export interface TrackingStep {
  status: string
  detail: string
  atMs: number
}
export interface Tracker {
  id: string
  trackingCode: string
  shipmentId: string
  isReturn: boolean
  steps: TrackingStep[]
}
export interface Claim {
  id: string
  trackingCode: string
  type: string
  amount: string
  reference: string | null
}
export interface EasyPostRecords {
  shipment: Shipment
  tracker: Tracker
  claim: Claim
  /** Its newest shipment, by reference. */
  reference: { id: string; shipmentId: string }
  /** Tracker by tracking code. */
  code: { id: string; trackerId: string }
  event: { id: string; body: string; createdMs: number }
}
export interface EasyPostDesk {
  books: Books<EasyPostRecords>
  faults: FaultQueue
  deliver(event: { id: string; body: string; createdMs: number }, plan: { duplicate?: boolean; delayMs?: number }): void
  stop: AbortSignal
}

export const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('hex')}`

export type ShipmentAsk = Pick<Shipment, 'reference' | 'weight' | 'to' | 'isReturn'>

/** Made anew however often it is asked: a reference is a note and no key. */
export function makeShipment(desk: EasyPostDesk, ask: ShipmentAsk): Shipment {
  const shipment: Shipment = { ...ask, id: newId('shp'), createdMs: Date.now(), rates: ratesFor(ask) }
  desk.books.put('shipment', shipment)
  if (ask.reference !== null) desk.books.put('reference', { id: ask.reference, shipmentId: shipment.id })
  return shipment
}

/** By its id, or by the reference of the newest one. */
export const findShipment = (desk: EasyPostDesk, idOrReference: string): Shipment | undefined =>
  desk.books.get('shipment', idOrReference) ?? desk.books.get('shipment', desk.books.get('reference', idOrReference)?.shipmentId ?? '')

/** A price by the ounce that grows with the distance, roughly; 50 kg is the most. */
function ratesFor({ weight, to }: ShipmentAsk): Rate[] {
  if (weight > 1_763.6) return []
  const abroad = to.country === 'DE' ? 0 : 600
  const rate = (service: string, base: number, perOunce: number): Rate => ({ id: newId('rate'), carrier: 'UPS', service, cents: base + abroad + Math.ceil(weight * perOunce) })
  return [rate('UPSStandard', 320, 2), rate('UPSSaver', 640, 4)]
}

export function buy(desk: EasyPostDesk, shipment: Shipment, rate: Rate): Shipment {
  const trackingCode = `1Z${randomBytes(4).toString('hex').toUpperCase()}${String(randomInt(100_000_000)).padStart(8, '0')}`
  const bought = { ...shipment, boughtRateId: rate.id, trackingCode }
  desk.books.put('shipment', bought)
  const tracker: Tracker = { id: newId('trk'), trackingCode, shipmentId: shipment.id, isReturn: shipment.isReturn ?? false, steps: [{ status: 'pre_transit', detail: 'label_created', atMs: Date.now() }] }
  desk.books.put('tracker', tracker)
  desk.books.put('code', { id: trackingCode, trackerId: tracker.id })
  return bought
}

export const trackerOf = (desk: EasyPostDesk, trackingCode: string): Tracker | undefined => desk.books.get('tracker', desk.books.get('code', trackingCode)?.trackerId ?? '')
