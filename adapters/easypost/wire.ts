/** EasyPost's documents as far as we read them, and ours in its shape: inches and ounces, decimal money, its own words for what became of a parcel. */
import { z } from 'zod'
import { ProviderFault, type Address, type CarrierEvent, type Label } from '../../activities/ports'
import type { Parcel } from '../../domain/delivery/rate-card'
import type { ParcelStatus } from '../../domain/delivery/tracking'
import { isCurrency, parseMinor } from '../../domain/money'

const rate = z.object({ id: z.string(), carrier: z.string(), service: z.string(), rate: z.string(), currency: z.string() })
export const shipmentShape = z.object({
  id: z.string().min(1),
  reference: z.string().nullish(),
  rates: z.array(rate),
  selected_rate: rate.nullish(),
  tracking_code: z.string().nullish(),
  refund_status: z.string().nullish(),
  scan_form: z.object({ id: z.string() }).nullish(),
})
export type Shipment = z.infer<typeof shipmentShape>

const trackingDetail = z.object({ status: z.string(), status_detail: z.string().nullish(), datetime: z.iso.datetime({ offset: true }), message: z.string().nullish() })
export const trackerShape = z.object({
  id: z.string().min(1),
  tracking_code: z.string().min(1).max(100),
  status: z.string(),
  status_detail: z.string().nullish(),
  shipment_id: z.string().nullish(),
  is_return: z.boolean().nullish(),
  updated_at: z.iso.datetime({ offset: true }),
  tracking_details: z.array(trackingDetail),
})
export type Tracker = z.infer<typeof trackerShape>
export const trackersShape = z.object({ trackers: z.array(trackerShape) })
export const claimShape = z.object({ id: z.string().min(1) })
export const eventShape = z.object({ id: z.string().min(1).max(200), description: z.string(), result: z.unknown() })

/** An answer in another shape than documented does not say whether it happened. */
export function answerAs<T>(shape: z.ZodType<T>, answer: unknown): T {
  const read = shape.safeParse(answer)
  if (read.success) return read.data
  throw new ProviderFault(`EasyPost answered in another shape: ${z.prettifyError(read.error)}`, 'unknown')
}

export const addressRequest = ({ name, line1, line2, city, postalCode, country }: Address): object => ({ name, street1: line1, street2: line2, city, zip: postalCode, country })

/** Rounded up to a tenth, so that nothing is declared smaller or lighter than it is. */
export const parcelRequest = ({ weightGrams, lengthMm, widthMm, heightMm }: Parcel): object => ({
  weight: tenths(weightGrams / gramsPerOunce),
  ...(lengthMm !== undefined && widthMm !== undefined && heightMm !== undefined && { length: inches(lengthMm), width: inches(widthMm), height: inches(heightMm) }),
})
const gramsPerOunce = 28.349523125
const tenths = (amount: number): number => Math.ceil(amount * 10 - 1e-9) / 10
const inches = (mm: number): number => tenths(mm / 25.4)

/** @returns undefined for a price that is no amount of a currency we know. */
export const minorOf = ({ rate: price, currency }: z.infer<typeof rate>): number | undefined => (isCurrency(currency) ? parseMinor(price, currency) : undefined)

/** The label of a shipment that was bought and not given back. */
export function labelOf(shipment: Shipment, reference: string, service: string): Label | undefined {
  const { selected_rate: bought, tracking_code: trackingNumber, refund_status: refund } = shipment
  if (!bought || !trackingNumber || isRefunded(refund)) return undefined
  const priceMinor = minorOf(bought)
  if (priceMinor === undefined) throw new ProviderFault(`EasyPost sold a label for ${bought.rate} ${bought.currency}`, 'unknown')
  return { trackingNumber, reference, service, priceMinor, currency: bought.currency, labelText: `${bought.carrier} ${bought.service} ${trackingNumber}` }
}

export const isRefunded = (refund: string | null | undefined): boolean => refund === 'submitted' || refund === 'refunded'

/** What a tracker says now. Of an unknown status nothing is known but that it is news. */
export function eventOf(eventId: string, tracker: Tracker): CarrierEvent | undefined {
  const latest = tracker.tracking_details.at(-1)
  const status = statusOf(tracker.status, tracker.status_detail, tracker.is_return ?? false)
  return status && { eventId, trackingNumber: tracker.tracking_code, status, at: new Date(latest?.datetime ?? tracker.updated_at).toISOString(), ...(latest?.message && { detail: latest.message }), ...(tracker.is_return && { isReturn: true }) }
}

/** Every step of its way, numbered, since steps have no ids of their own. */
export const stepsOf = (tracker: Tracker): CarrierEvent[] =>
  tracker.tracking_details.flatMap((step, i) => {
    const status = statusOf(step.status, step.status_detail, tracker.is_return ?? false)
    return status ? [{ eventId: `${tracker.id}:${i}`, trackingNumber: tracker.tracking_code, status, at: new Date(step.datetime).toISOString(), ...(tracker.is_return && { isReturn: true }) }] : []
  })

function statusOf(status: string, detail: string | null | undefined, isReturn: boolean): ParcelStatus | undefined {
  if (detail === 'lost' || detail === 'damaged') return detail
  if (detail === 'address_correction') return 'address_unknown'
  if (isReturn && status === 'pre_transit') return 'label_created'
  if (isReturn && status === 'delivered') return 'returned'
  if (isReturn) return 'returning'
  return statuses[status]
}

const statuses: Readonly<Record<string, ParcelStatus>> = {
  pre_transit: 'label_created',
  in_transit: 'in_transit',
  out_for_delivery: 'out_for_delivery',
  available_for_pickup: 'out_for_delivery',
  delivered: 'delivered',
  return_to_sender: 'returning',
  failure: 'exception',
  error: 'exception',
}
