/** Reads what carriers are asked, field by field; what is wrong is answered by a code and the field's name. */
import type { CarrierName } from './cards'
import type { CarrierDesk, LabelAsk, Parcel, PostalAddress } from './parcels'
import type { Measured } from './pricing'

/** `{error: {code, message, field?}}` */
export class CarrierError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
  ) {
    super(message)
  }
}

export function readLabel(body: unknown): Omit<LabelAsk, 'carrier' | 'priceMinor'> {
  const given = object(body, 'the body')
  return { reference: text(given.reference, 'reference'), service: text(given.service, 'service'), ...measured(given.parcel), from: address(given.from, 'from'), to: address(given.to, 'to'), ...(given.return === true && { isReturn: true }) }
}

export function readPriceAsk(body: unknown): { parcel: Measured; from: PostalAddress; to: PostalAddress } {
  const given = object(body, 'the body')
  return { parcel: measured(given.parcel), from: address(given.from, 'from'), to: address(given.to, 'to') }
}

function measured(value: unknown): Measured {
  const parcel = object(value, 'parcel')
  const weightGrams = parcel.weight_g
  if (!Number.isInteger(weightGrams) || (weightGrams as number) < 1) throw invalid('parcel.weight_g', 'must be a whole number of at least 1')
  for (const side of ['length_mm', 'width_mm', 'height_mm']) {
    const size = parcel[side]
    if (size !== undefined && (!Number.isInteger(size) || (size as number) < 1))
      throw invalid(`parcel.${side}`, 'must be a whole number of at least 1')
  }
  return { weightGrams: weightGrams as number, lengthMm: parcel.length_mm as number | undefined, widthMm: parcel.width_mm as number | undefined, heightMm: parcel.height_mm as number | undefined }
}

export function readManifest(desk: CarrierDesk, carrier: CarrierName, body: unknown): { reference: string; parcels: Parcel[] } {
  const given = object(body, 'the body')
  const numbers: unknown = given.tracking_numbers
  if (!Array.isArray(numbers) || numbers.length === 0) throw invalid('tracking_numbers', 'must be a list of at least one tracking number')
  const parcels = numbers.map((number, i) => {
    const parcel = desk.books.get('parcel', text(number, `tracking_numbers[${i}]`))
    if (parcel?.carrier !== carrier) throw invalid(`tracking_numbers[${i}]`, `unknown: ${String(number)}`)
    if (parcel.voided) throw new CarrierError(409, 'label_voided', `the label of ${parcel.id} was voided`, `tracking_numbers[${i}]`)
    return parcel
  })
  return { reference: text(given.reference, 'reference'), parcels }
}

export function readClaim(body: unknown): { reference: string; trackingNumber: string; reason: string; amountMinor: number } {
  const given = object(body, 'the body')
  const reason = text(given.reason, 'reason')
  if (!['lost', 'damaged'].includes(reason)) throw invalid('reason', 'must be lost or damaged')
  const amountMinor = given.amount_cents
  if (!Number.isInteger(amountMinor) || (amountMinor as number) < 0) throw invalid('amount_cents', 'must be a whole number of at least 0')
  return { reference: text(given.reference, 'reference'), trackingNumber: text(given.tracking_number, 'tracking_number'), reason, amountMinor: amountMinor as number }
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

export function text(value: unknown, field: string): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= 200) return value
  throw invalid(field, 'must be a text of 1 to 200 characters')
}

const invalid = (field: string, why: string): CarrierError => new CarrierError(400, 'invalid_request', `${field}: ${why}`, field)

export function parcelOf(desk: CarrierDesk, carrier: CarrierName, trackingNumber: string): Parcel {
  const parcel = desk.books.get('parcel', trackingNumber)
  if (parcel?.carrier !== carrier) throw new CarrierError(404, 'unknown_parcel', `no such parcel: ${trackingNumber}`)
  return parcel
}
