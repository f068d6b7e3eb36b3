/** Gathers what every connected carrier offers for the parcels of a fulfillment, and lets domain/delivery/choice.ts choose. */
import { admissions } from '../db/carrier-health'
import type { Db } from '../db/connection'
import type { PackageToLabel, PurchaseJob } from '../db/label-purchase'
import { ownDriver, ownFleet } from '../domain/delivery/own-fleet'
import { outlook, type Outlook } from '../domain/delivery/bid'
import { chooseService, type Bid, type Choice, type NoBid } from '../domain/delivery/choice'
import type { Admission } from '../domain/delivery/breaker'
import type { Parcel } from '../domain/delivery/rate-card'
import { openCalendar } from '../domain/promise/calendar'
import { calendarSettings } from '../domain/promise/node-calendar'
import { isObstacle, type Obstacle } from '../domain/promise/obstacle'
import { zoneOf } from '../domain/promise/options'
import { ProviderFault, type Address, type Carrier, type ServiceRate } from './ports'
import type { TransitDesk } from './transit-desk'

export interface ChoiceDesk {
  db: Db
  carriers: readonly Carrier[]
  desk: TransitDesk
}
/** What is known of a service before it is compared. */
interface Offer {
  carrier: string
  service: string
  rate: ServiceRate | NoBid['why']
}

/** @param without carriers and services that are not to be asked, with why: they have just failed or refused. */
export async function choose({ db, carriers, desk }: ChoiceDesk, job: PurchaseJob, without: readonly NoBid[] = []): Promise<Choice> {
  const now = Date.now()
  const admitted = await admissions(db, now)
  // Own drivers bring what was ordered from them, and nothing else.
  const asked = carriers.filter((carrier) => (carrier.carrier === ownFleet) === (job.wanted === ownDriver))
  const offers = (await Promise.all(asked.map((carrier) => offersOf(carrier, job)))).flat()
  const [transit, correction] = await Promise.all([desk.transit(), desk.correction()])
  const calendar = openCalendar(calendarSettings(job.node, desk.services))
  const refused = [...without, ...job.refused.map(({ says, ...service }) => ({ ...service, why: { code: 'refused', says } }))]
  const outlookOf = (offer: Offer): Outlook | Obstacle | undefined => {
    const service = desk.servicesIn(job.timeZone).find((s) => s.carrier === offer.carrier && s.service === offer.service)
    if (isObstacle(calendar) || !service || isObstacle(service.days)) return undefined
    const learned = transit({ ...offer, origin: zoneOf(job.node), destination: zoneOf(destinationOf(job)) }, service.transitDays)
    if (isObstacle(learned)) return learned
    const { confidence } = job.policy.promise
    const promisedBy = job.promise ? Date.parse(job.promise.promisedBy) : undefined
    return outlook({ carrier: offer.carrier, calendar, days: service.days, transit: learned, correction, now, promisedBy, confidence })
  }
  const judged = offers.map((offer) => judge(offer, job, refused, outlookOf(offer)))
  return chooseService(...fenced(judged, admitted), {
    ...(job.wanted && { wanted: job.wanted }),
    confidence: job.policy.promise.confidence,
    paysForSpeed: job.policy.promise.whenLate.handOver === 'faster_carrier',
    ...(job.promise?.predicted && { promisedOn: job.promise.predicted.service }),
  })
}

/** A carrier that cannot be asked for its prices bids for nothing; the others go on. */
async function offersOf(carrier: Carrier, job: PurchaseJob): Promise<Offer[]> {
  try {
    const rates = await carrier.rate({ from: senderOf(job), to: receiverOf(job), parcels: job.packages.map(parcelOf) })
    return rates.map((rate) => ({ carrier: carrier.carrier, service: rate.service, rate }))
  } catch (cause) {
    if (!(cause instanceof ProviderFault)) throw cause
    return carrier.services().map(({ service }) => ({ carrier: carrier.carrier, service, rate: { code: 'unreachable', says: cause.message } }))
  }
}

function judge({ carrier, service, rate }: Offer, job: PurchaseJob, refused: readonly NoBid[], seen: Outlook | Obstacle | undefined): Bid | NoBid {
  const no = (why: NoBid['why']): NoBid => ({ carrier, service, why })
  const said = refused.find((r) => r.carrier === carrier && r.service === service)
  if (said) return said
  if ('code' in rate) return no(rate)
  if (rate.refused) return no(rate.refused)
  if (rate.currency !== job.currency) return no({ code: 'other_currency', says: `It is paid in ${rate.currency}, the order in ${job.currency}` })
  if (seen && isObstacle(seen)) return no({ code: seen.obstacle, says: seen.says })
  return { carrier, service, priceMinor: rate.priceMinor, currency: rate.currency, ...(seen?.kept !== undefined && { kept: seen.kept }), ...(seen?.withinDays !== undefined && { withinDays: seen.withinDays }) }
}

/** The fence only moves work to others: where nobody else can have it, the carrier is tried as ever. */
function fenced(judged: readonly (Bid | NoBid)[], admitted: ReadonlyMap<string, Admission>): [Bid[], NoBid[]] {
  const bids = judged.filter((b): b is Bid => !('why' in b))
  const noBids = judged.filter((b): b is NoBid => 'why' in b)
  const isFenced = (b: Bid): boolean => admitted.get(b.carrier) === 'fenced'
  if (bids.every(isFenced)) return [bids, noBids]
  const why = { code: 'fenced', says: 'The carrier fails and is left alone for a while' }
  return [bids.filter((b) => !isFenced(b)), [...noBids, ...bids.filter(isFenced).map(({ carrier, service }) => ({ carrier, service, why }))]]
}

export const senderOf = ({ node }: PurchaseJob): Address => ({ ...node.address, name: node.name, country: node.country })
export const receiverOf = ({ node, shipTo }: PurchaseJob): Address => ({ country: node.country, ...shipTo })

const destinationOf = (job: PurchaseJob): { country: string; postalCode: string } => {
  const { country, postalCode = '' } = receiverOf(job)
  return { country, postalCode }
}

export const parcelOf = ({ weightGrams, lengthMm, widthMm, heightMm }: PackageToLabel): Parcel => ({
  weightGrams,
  ...(lengthMm !== null && { lengthMm }),
  ...(widthMm !== null && { widthMm }),
  ...(heightMm !== null && { heightMm }),
})

