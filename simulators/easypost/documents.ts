/** EasyPost's documents as it writes them. Weights are always written with a fraction, as its own servers do: the signature is over those bytes. */
import { trackerOf, type Claim, type EasyPostDesk, type Rate, type Shipment, type Tracker } from './shipments'

export function shipmentJson(desk: EasyPostDesk, shipment: Shipment): object {
  const bought = shipment.rates.find((r) => r.id === shipment.boughtRateId)
  const tracker = shipment.trackingCode === undefined ? undefined : trackerOf(desk, shipment.trackingCode)
  return {
    id: shipment.id,
    object: 'Shipment',
    mode: 'test',
    created_at: iso(shipment.createdMs),
    reference: shipment.reference,
    is_return: shipment.isReturn ?? false,
    status: bought ? 'pre_transit' : 'unknown',
    tracking_code: shipment.trackingCode ?? null,
    refund_status: shipment.refund ?? null,
    parcel: { object: 'Parcel', weight: shipment.weight },
    rates: shipment.rates.map((r) => rateJson(shipment, r)),
    selected_rate: bought ? rateJson(shipment, bought) : null,
    postage_label: bought ? { object: 'PostageLabel', label_url: `https://labels.invalid/${shipment.trackingCode}.png` } : null,
    scan_form: shipment.scanFormId === undefined ? null : { id: shipment.scanFormId, object: 'ScanForm' },
    tracker: tracker ? trackerJson(tracker) : null,
    messages: [],
  }
}

const rateJson = ({ id }: Shipment, rate: Rate): object => ({
  id: rate.id,
  object: 'Rate',
  carrier: rate.carrier,
  service: rate.service,
  rate: `${Math.floor(rate.cents / 100)}.${String(rate.cents % 100).padStart(2, '0')}`,
  currency: 'EUR',
  shipment_id: id,
})

export function trackerJson(tracker: Tracker): object {
  const latest = tracker.steps.at(-1)!
  return {
    id: tracker.id,
    object: 'Tracker',
    mode: 'test',
    tracking_code: tracker.trackingCode,
    status: latest.status,
    status_detail: latest.detail,
    weight: null,
    shipment_id: tracker.shipmentId,
    carrier: 'UPS',
    is_return: tracker.isReturn,
    created_at: iso(tracker.steps[0]!.atMs),
    updated_at: iso(latest.atMs),
    tracking_details: tracker.steps.map((s) => ({ object: 'TrackingDetail', status: s.status, status_detail: s.detail, message: s.detail.replaceAll('_', ' '), datetime: iso(s.atMs), source: 'UPS' })),
  }
}

export const eventJson = (id: string, tracker: Tracker): object => ({
  id,
  object: 'Event',
  mode: 'test',
  description: 'tracker.updated',
  created_at: iso(tracker.steps.at(-1)!.atMs),
  previous_attributes: { status: tracker.steps.at(-2)?.status ?? 'unknown' },
  result: trackerJson(tracker),
})

export const claimJson = (claim: Claim): object => ({ id: claim.id, object: 'Claim', status: 'submitted', tracking_code: claim.trackingCode, type: claim.type, requested_amount: claim.amount, reference: claim.reference })

const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
