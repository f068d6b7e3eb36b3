/** The carrier port on the parcel carriers' own JSON API, the same for each under a path of its own: labels by reference, hand-over by manifest, scans as signed messages. */
import { z } from 'zod'
import type { Address, BuyLabel, Carrier, ClaimAsk, Label, RateAsk, ServiceRate } from '../../activities/ports'
import { CarrierRefusal, ProviderFault } from '../../activities/ports'
import { priceParcel, type Parcel, type ParcelPrice } from '../../domain/delivery/rate-card'
import { parcelStatuses } from '../../domain/delivery/tracking'
import { isObstacle } from '../../domain/promise/obstacle'
import type { Contract } from './contracts'
import { readTrackingEvent } from './tracking-event'

export interface ParcelCarrierOptions {
  contract: Contract
  /** Where the carriers answer, each under its name. */
  baseUrl: string
  webhookSecret: string
  /** How long one call may take. */
  timeoutMs: number
}

export function parcelCarrier(options: ParcelCarrierOptions): Carrier {
  const call = caller(options)
  return {
    carrier: options.contract.carrier,
    services: () => options.contract.services,
    rate: async (ask) => options.contract.services.map((service) => rateByCard(service, ask)),
    buyLabel: async (ask) => {
      const label = answerAs(labelShape, await call('POST', '/v1/labels', labelRequest(ask)))
      if (label.status === 'voided')
        throw new CarrierRefusal(`buy label: the label under ${ask.reference} was voided; a new one needs a new reference`)
      return labelOf(label)
    },
    findLabel: async (reference) => {
      const { labels } = answerAs(labelsShape, await call('GET', `/v1/labels?reference=${encodeURIComponent(reference)}`))
      const active = labels.find((label) => label.status === 'active')
      return active && labelOf(active)
    },
    voidLabel: async (trackingNumber) => void (await call('DELETE', `/v1/labels/${encodeURIComponent(trackingNumber)}`)),
    manifest: async ({ reference, trackingNumbers }) => void (await call('POST', '/v1/manifests', { reference, tracking_numbers: trackingNumbers })),
    track: async (trackingNumber) => {
      const { events } = answerAs(trackingShape, await call('GET', `/v1/tracking/${encodeURIComponent(trackingNumber)}`))
      return events.map(({ event_id, status, at }) => ({ eventId: event_id, trackingNumber, status, at }))
    },
    claim: async (ask) => ({ claimReference: answerAs(claimShape, await call('POST', '/v1/claims', claimRequest(ask))).claim_id }),
    readEvent: (rawBody, header) => readTrackingEvent(rawBody, header('carrier-signature'), options.webhookSecret),
  }
}

/** What all parcels together cost by the contract's price list: no call is needed, so a carrier that is out can still be compared. */
function rateByCard({ service, card }: Contract['services'][number], { from, to, parcels }: RateAsk): ServiceRate {
  const prices = parcels.map((parcel) => priceParcel(card, parcel, { from, to }))
  const refused = prices.find(isObstacle)
  if (refused) return { service, refused: { code: refused.obstacle, says: refused.says } }
  return { service, currency: card.currency, priceMinor: prices.reduce((sum, price) => sum + (price as ParcelPrice).priceMinor, 0) }
}

const labelShape = z.object({
  tracking_number: z.string().min(1),
  reference: z.string(),
  service: z.string(),
  price: z.object({ amount_cents: z.number().int().nonnegative(), currency: z.string() }),
  label: z.string(),
  status: z.enum(['active', 'voided']),
})

const trackingShape = z.object({ events: z.array(z.object({ event_id: z.string().min(1), status: z.enum(parcelStatuses), at: z.iso.datetime() })) })

const claimShape = z.object({ claim_id: z.string().min(1) })

const labelsShape = z.object({ labels: z.array(labelShape) })

/** An answer in another shape than agreed does not say whether it happened. */
function answerAs<T>(shape: z.ZodType<T>, answer: unknown): T {
  const read = shape.safeParse(answer)
  if (read.success) return read.data
  throw new ProviderFault(`the carrier answered in another shape: ${z.prettifyError(read.error)}`, 'unknown')
}

const labelOf = (label: z.infer<typeof labelShape>): Label => ({
  trackingNumber: label.tracking_number,
  reference: label.reference,
  service: label.service,
  priceMinor: label.price.amount_cents,
  currency: label.price.currency,
  labelText: label.label,
})

const labelRequest = (ask: BuyLabel): object => ({
  reference: ask.reference,
  service: ask.service,
  parcel: parcelRequest(ask),
  from: addressRequest(ask.from),
  to: addressRequest(ask.to),
  ...(ask.isReturn === true && { return: true }),
})

const parcelRequest = (parcel: Parcel): object => ({ weight_g: parcel.weightGrams, length_mm: parcel.lengthMm, width_mm: parcel.widthMm, height_mm: parcel.heightMm })

const claimRequest = ({ reference, trackingNumber, reason, amountMinor }: ClaimAsk): object => ({ reference, tracking_number: trackingNumber, reason, amount_cents: amountMinor })

const addressRequest = ({ name, line1, line2, city, postalCode, country }: Address): object => ({
  ...Object.fromEntries(Object.entries({ name, street: line1, street2: line2, city, postcode: postalCode }).filter(([, part]) => part)),
  country,
})

type Call = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<unknown>

/** One request with a deadline. What fails is a fault that says whether it may have happened all the same. */
const caller =
  ({ contract, baseUrl, timeoutMs }: ParcelCarrierOptions): Call =>
  async (method, path, body) => {
    const what = `${method} ${path.split('?')[0]}`
    const answer = await request(what, `${baseUrl.replace(/\/$/, '')}/${contract.carrier}${path}`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    })
    if (answer.status < 300) return answer.json
    const said = `${what}: ${answer.status} ${reasonOf(answer.json)}`
    // The carrier stores nothing under a key: after an error of its own, asking again or looking up is safe, but only that tells.
    if (answer.status >= 500) throw new ProviderFault(said, 'unknown')
    if (answer.status === 429) throw new ProviderFault(said, 'none')
    throw new CarrierRefusal(said)
  }

async function request(what: string, url: string, init: RequestInit): Promise<{ status: number; json: unknown }> {
  try {
    const response = await fetch(url, init)
    const text = await response.text()
    return { status: response.status, json: text === '' ? {} : JSON.parse(text) }
  } catch (cause) {
    const code = networkCode(cause)
    throw new ProviderFault(`${what}: ${code}`, nothingSent.includes(code) ? 'none' : 'unknown', { cause })
  }
}

/** Errors of the network in which not one byte of the request has left this machine. */
const nothingSent: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']

/** `fetch failed` hides the error of the network in its cause. */
function networkCode(error: unknown): string {
  const { code, name } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  return typeof code === 'string' ? code : name
}

function reasonOf(body: unknown): string {
  const read = z.object({ error: z.object({ code: z.string(), message: z.string() }) }).safeParse(body)
  return read.success ? `${read.data.error.code}: ${read.data.error.message}` : 'without a reason'
}
