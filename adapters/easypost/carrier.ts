/** The carrier port on EasyPost, driven by its own client: a shipment per label under our reference, refunds, scan forms, trackers, and its signed webhooks. */
import { CarrierRefusal, ProviderFault, type BuyLabel, type Carrier, type CarrierEvent, type RateAsk, type ServiceRate } from '../../activities/ports'
import { refuse } from '../../domain/refusals'
import { call, easyPostClient, type EasyPost, type EasyPostAccess } from './calls'
import type { ResoldService } from './resold'
import { addressRequest, answerAs, claimShape, eventOf, eventShape, isRefunded, labelOf, minorOf, parcelRequest, shipmentShape, stepsOf, trackersShape, trackerShape, type Shipment, type Tracker } from './wire'

export interface EasyPostOptions extends EasyPostAccess {
  webhookSecret: string
  services: readonly ResoldService[]
  /** Who EasyPost writes to about claims. */
  contactEmail: string
}

export function easyPostCarrier(options: EasyPostOptions): Carrier {
  const client = easyPostClient(options)
  const shipmentOf = async (trackingNumber: string): Promise<Shipment> => {
    const tracker = await trackerOf(client, trackingNumber)
    if (!tracker?.shipment_id) throw new CarrierRefusal(`EasyPost knows no shipment ${trackingNumber}`)
    return retrieve(client, tracker.shipment_id)
  }
  return {
    carrier: 'easypost',
    services: () => options.services,
    rate: async (ask) => ratesOf(await Promise.all(ask.parcels.map((parcel) => create(client, { ...ask, ...parcel }))), options.services),
    buyLabel: (ask) => buyLabel(client, options.services, ask),
    findLabel: async (reference) => {
      const shipment = await find(client, reference)
      const sold = shipment?.selected_rate
      const service = options.services.find((s) => s.sold.carrier === sold?.carrier && s.sold.service === sold.service)
      return shipment && labelOf(shipment, reference, service?.service ?? '')
    },
    voidLabel: async (trackingNumber) => {
      const shipment = await shipmentOf(trackingNumber)
      if (isRefunded(shipment.refund_status)) return
      const refunded = answerAs(shipmentShape, await call('refund', () => client.Shipment.refund(shipment.id)))
      if (!isRefunded(refunded.refund_status)) throw new CarrierRefusal(`EasyPost refund of ${trackingNumber}: ${refunded.refund_status}`)
    },
    manifest: async ({ trackingNumbers }) => {
      const shipments = await Promise.all(trackingNumbers.map(shipmentOf))
      const open = shipments.filter((s) => !s.scan_form)
      if (open.length > 0) await call('scan form', () => client.ScanForm.create({ shipments: open.map(({ id }) => ({ id })) }))
    },
    track: async (trackingNumber) => {
      const tracker = await trackerOf(client, trackingNumber)
      return tracker ? stepsOf(tracker) : []
    },
    claim: async (ask) => {
      const request = { tracking_code: ask.trackingNumber, type: ask.reason === 'lost' ? 'loss' : 'damage', amount: decimal(ask.amountMinor), reference: ask.reference }
      const claim = answerAs(claimShape, await call('claim', () => client.Claim.create({ ...request, description: `The parcel is ${ask.reason}`, contact_email: options.contactEmail, payment_method: 'easypost_wallet' })))
      return { claimReference: claim.id }
    },
    readEvent: (rawBody, header) => readEvent(client, options.webhookSecret, rawBody, header('x-hmac-signature')),
  }
}

type Parcels = Omit<RateAsk, 'parcels'> & RateAsk['parcels'][number] & { reference?: string }

/** Of a return, EasyPost wants the addresses of the way out, and turns them round by itself (docs.easypost.com/docs/shipments/returns). */
const create = async (client: EasyPost, { from, to, reference, isReturn = false, ...parcel }: Parcels): Promise<Shipment> => {
  const [sender, receiver] = isReturn ? [to, from] : [from, to]
  const request = { from_address: addressRequest(sender), to_address: addressRequest(receiver), parcel: parcelRequest(parcel), ...(reference && { reference }), ...(isReturn && { is_return: true }) }
  return answerAs(shipmentShape, await call('create shipment', () => client.Shipment.create(request)))
}

const retrieve = async (client: EasyPost, id: string): Promise<Shipment> => answerAs(shipmentShape, await call('retrieve shipment', () => client.Shipment.retrieve(id)))

/** A reference may stand wherever an id may. */
async function find(client: EasyPost, reference: string): Promise<Shipment | undefined> {
  const found = await call('find shipment', () => client.Shipment.retrieve(reference), { missing: undefined })
  return found === undefined ? undefined : answerAs(shipmentShape, found)
}

async function trackerOf(client: EasyPost, trackingNumber: string): Promise<Tracker | undefined> {
  const { trackers } = answerAs(trackersShape, await call('find tracker', () => client.Tracker.all({ tracking_code: trackingNumber })))
  return trackers.find((t) => t.tracking_code === trackingNumber)
}

/** What a service takes for all parcels; one of them it does not take is enough to refuse. */
function ratesOf(shipments: readonly Shipment[], services: readonly ResoldService[]): ServiceRate[] {
  return services.map(({ service, sold }) => {
    const prices = shipments.map((s) => s.rates.find((r) => r.carrier === sold.carrier && r.service === sold.service))
    const minors = prices.map((price) => price && minorOf(price))
    if (minors.some((minor) => minor === undefined)) return { service, refused: { code: 'carrier.no_rate', says: `${sold.carrier} ${sold.service} has no price for it` } }
    return { service, currency: prices[0]!.currency, priceMinor: minors.reduce((sum: number, minor) => sum + minor!, 0) }
  })
}

/** EasyPost lets one reference name several shipments, and a shipment be bought once: so it is looked for before it is made, and bought only where it is not yet. */
async function buyLabel(client: EasyPost, services: readonly ResoldService[], ask: BuyLabel): ReturnType<Carrier['buyLabel']> {
  const { reference, service } = ask
  const sold = services.find((s) => s.service === service)?.sold
  const shipment = (await find(client, reference)) ?? (await create(client, ask))
  const standing = labelOf(shipment, reference, service)
  if (standing) return standing
  if (shipment.refund_status) throw new CarrierRefusal(`EasyPost: the label under ${reference} was given back; a new one needs a new reference`)
  const rate = shipment.rates.find((r) => r.carrier === sold?.carrier && r.service === sold.service)
  if (!rate) throw new CarrierRefusal(`EasyPost has no price of ${service} for it`)
  const bought = answerAs(shipmentShape, await call('buy', () => client.Shipment.buy(shipment.id, rate.id)))
  const label = labelOf(bought, reference, service)
  if (!label) throw new ProviderFault(`EasyPost sold no label under ${reference}`, 'unknown')
  return label
}

/** The signature is checked by EasyPost's client itself. It carries no time; a message sent again is known by its id. */
function readEvent(client: EasyPost, secret: string, rawBody: Buffer, signature: string | undefined): CarrierEvent | undefined {
  const event = eventShape.safeParse(validated(client, secret, rawBody, signature))
  if (!event.success) throw refuse('request.invalid', {}, 'The event is not one of EasyPost’s')
  if (!event.data.description.startsWith('tracker.')) return undefined
  const tracker = trackerShape.safeParse(event.data.result)
  if (tracker.success) return eventOf(event.data.id, tracker.data)
  const errors = tracker.error.issues.map((issue) => ({ pointer: ['/result', ...issue.path.map(String)].join('/'), message: issue.message }))
  throw refuse('request.invalid', {}, undefined, errors)
}

function validated(client: EasyPost, secret: string, rawBody: Buffer, signature: string | undefined): unknown {
  try {
    return client.Utils.validateWebhook(rawBody, { 'X-Hmac-Signature': signature }, secret)
  } catch (cause) {
    throw refuse('signature.invalid', {}, (cause as Error).message)
  }
}

const decimal = (minor: number): string => `${Math.trunc(minor / 100)}.${String(minor % 100).padStart(2, '0')}`
