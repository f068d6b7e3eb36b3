/** How long carriers really take, learned from the parcels they were given, and how far what was predicted turned out true: asked for often, worked out every ten minutes. */
import type { Db } from '../db/connection'
import { parcelsSeen, promisesJudged } from '../db/views/promise'
import { openCarrierDays, transitDays } from '../domain/promise/carrier-days'
import { learnCorrection, uncorrected, type Correction } from '../domain/promise/conformal'
import { dayMs } from '../domain/promise/days'
import { scoreOfPromise } from '../domain/promise/kept'
import { isObstacle } from '../domain/promise/obstacle'
import { zoneOf, type PromiseService } from '../domain/promise/options'
import { learnTransit, type HandedOver, type TransitModel } from '../domain/promise/transit'
import type { Carrier, CarrierService } from './ports'
import { remembered } from './remembered'

const learnEveryMs = 600_000
const mostParcels = 100_000

export interface TransitDesk {
  /** All that is sold, with the days on which it is delivered in a time zone. */
  servicesIn(timeZone: string): readonly PromiseService[]
  /** What is sold, without looking at days. */
  readonly services: readonly (CarrierService & { carrier: string })[]
  transit(): Promise<TransitModel>
  correction(): Promise<Correction>
}

/** @param onTrouble is told what could not be learned; then what carriers declare is believed. */
export function createTransitDesk({ db, carriers, onTrouble }: { db: Db; carriers: readonly Carrier[]; onTrouble: (error: unknown, what: string) => void }): TransitDesk {
  const services = carriers.flatMap((carrier) => carrier.services().map((s) => ({ ...s, carrier: carrier.carrier })))
  const known = new Map<string, readonly PromiseService[]>()
  const servicesIn = (timeZone: string): readonly PromiseService[] => {
    const found = known.get(timeZone) ?? services.map((s) => ({ ...s, days: openCarrierDays({ timeZone, deliversOn: s.deliversOn, hours: s.hours }) }))
    known.set(timeZone, found)
    return found
  }
  const otherwise =
    <Value>(what: string, value: Value) =>
    (error: unknown): Value => {
      onTrouble(error, what)
      return value
    }
  return {
    services,
    servicesIn,
    transit: remembered(() => learn(db, servicesIn).catch(otherwise('transit times could not be learned', learnTransit([], { asOf: 0 }))), learnEveryMs),
    correction: remembered(() => correct(db, servicesIn).catch(otherwise('what was promised could not be judged', uncorrected)), learnEveryMs),
  }
}

type ServicesIn = TransitDesk['servicesIn']

async function learn(db: Db, servicesIn: ServicesIn): Promise<TransitModel> {
  const parcels: HandedOver[] = []
  for (const seen of await parcelsSeen(db, mostParcels)) {
    const days = servicesIn(seen.timeZone).find((s) => s.carrier === seen.carrier && s.service === seen.service)?.days
    if (!days || isObstacle(days)) continue
    const day = days.zone.dayOf(Date.parse(seen.handedOverAt))
    const took = seen.deliveredAt === null ? undefined : transitDays(days, day, days.zone.dayOf(Date.parse(seen.deliveredAt)))
    const from = zoneOf({ country: seen.fromCountry, postalCode: seen.fromPostalCode })
    parcels.push({ carrier: seen.carrier, service: seen.service, origin: from, destination: zoneOf({ country: seen.toCountry, postalCode: seen.toPostalCode }), day, transitDays: took })
  }
  return learnTransit(parcels, { asOf: Math.floor(Date.now() / dayMs) })
}

/** What is stated is corrected by how earlier promises turned out, each judged by what was predicted for it. */
async function correct(db: Db, servicesIn: ServicesIn): Promise<Correction> {
  const scores = (await promisesJudged(db, mostParcels)).flatMap(({ predicted, timeZone, deliveredAt }) => {
    const days = servicesIn(timeZone).find((s) => s.carrier === predicted.carrier && s.service === predicted.service)?.days
    if (!days || isObstacle(days)) return []
    return [scoreOfPromise(predicted, deliveredAt === null ? undefined : days.zone.dayOf(Date.parse(deliveredAt)))]
  })
  return learnCorrection(scores)
}
