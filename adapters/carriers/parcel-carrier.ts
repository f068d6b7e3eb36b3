/** The carrier port on Swiftparcel's own JSON API: labels by reference, hand-over by manifest, scans as signed messages. */
import { z } from 'zod'
import type { Address, BuyLabel, Carrier, CarrierService, Label } from '../../activities/ports'
import { ProviderFault } from '../../activities/ports'
import { readTrackingEvent } from './tracking-event'

export interface ParcelCarrierOptions {
  baseUrl: string
  webhookSecret: string
  /** How long one call may take. */
  timeoutMs: number
}

export function parcelCarrier(options: ParcelCarrierOptions): Carrier {
  const call = caller(options)
  return {
    carrier: 'swiftparcel',
    services: () => services,
    buyLabel: async (ask) => {
      const label = answerAs(labelShape, await call('POST', '/v1/labels', labelRequest(ask)))
      if (label.status === 'voided')
        throw new ProviderFault(`buy label: the label under ${ask.reference} was voided; a new one needs a new reference`, 'none')
      return labelOf(label)
    },
    findLabel: async (reference) => {
      const { labels } = answerAs(labelsShape, await call('GET', `/v1/labels?reference=${encodeURIComponent(reference)}`))
      const active = labels.find((label) => label.status === 'active')
      return active && labelOf(active)
    },
    voidLabel: async (trackingNumber) => void (await call('DELETE', `/v1/labels/${encodeURIComponent(trackingNumber)}`)),
    manifest: async ({ reference, trackingNumbers }) => void (await call('POST', '/v1/manifests', { reference, tracking_numbers: trackingNumbers })),
    readEvent: (rawBody, signature) => readTrackingEvent(rawBody, signature, options.webhookSecret),
  }
}

/** Where and when it delivers, by the contract. */
const doors = {
  countries: ['DE', 'AT', 'BE', 'CZ', 'DK', 'FR', 'LU', 'NL', 'PL'],
  deliversOn: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'],
  hours: { opens: '08:00', closes: '20:00' },
} as const

/** The contract's rate card, net of tax. */
const services: readonly CarrierService[] = [
  {
    service: 'standard',
    name: 'Swiftparcel Standard',
    rates: [
      { upToGrams: 1_000, priceMinor: 389 },
      { upToGrams: 5_000, priceMinor: 549 },
      { upToGrams: 10_000, priceMinor: 849 },
      { upToGrams: 31_500, priceMinor: 1_549 },
    ],
    currency: 'EUR',
    transitDays: 2,
    ...doors,
  },
  {
    service: 'express',
    name: 'Swiftparcel Express',
    rates: [
      { upToGrams: 1_000, priceMinor: 790 },
      { upToGrams: 5_000, priceMinor: 990 },
      { upToGrams: 10_000, priceMinor: 1_390 },
      { upToGrams: 31_500, priceMinor: 2_290 },
    ],
    currency: 'EUR',
    transitDays: 1,
    ...doors,
  },
]

const labelShape = z.object({
  tracking_number: z.string().min(1),
  reference: z.string(),
  service: z.string(),
  price: z.object({ amount_cents: z.number().int().nonnegative(), currency: z.string() }),
  label: z.string(),
  status: z.enum(['active', 'voided']),
})

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
  parcel: { weight_g: ask.weightGrams, length_mm: ask.lengthMm, width_mm: ask.widthMm, height_mm: ask.heightMm },
  from: addressRequest(ask.from),
  to: addressRequest(ask.to),
})

const addressRequest = ({ name, line1, line2, city, postalCode, country }: Address): object => ({
  ...Object.fromEntries(Object.entries({ name, street: line1, street2: line2, city, postcode: postalCode }).filter(([, part]) => part)),
  country,
})

type Call = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<unknown>

/** One request with a deadline. What fails is a fault that says whether it may have happened all the same. */
const caller =
  ({ baseUrl, timeoutMs }: ParcelCarrierOptions): Call =>
  async (method, path, body) => {
    const what = `${method} ${path.split('?')[0]}`
    const answer = await request(what, `${baseUrl.replace(/\/$/, '')}${path}`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    })
    if (answer.status < 300) return answer.json
    // The carrier stores nothing under a key: after an error of its own, asking again or looking up is safe, but only that tells.
    throw new ProviderFault(`${what}: ${answer.status} ${reasonOf(answer.json)}`, answer.status >= 500 ? 'unknown' : 'none')
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
