/**
 * Gives dates without asking the database each time: network, shelves and policies are at most a second old, what carriers taught us ten minutes.
 * Every api process has one; nothing it says is booked until it is held or ordered.
 */
import type { Logger } from 'pino'
import type { Carrier } from '../activities/ports'
import type { Db } from '../db/connection'
import { activePolicies } from '../db/policies'
import { channelTerms, parcelsSeen, promiseNodes, promisesJudged, shelvesOf, workSeen, type ChannelTerms, type Shelf } from '../db/views/promise'
import { available, availableToSell } from '../domain/inventory/level'
import { openCarrierDays, transitDays } from '../domain/promise/carrier-days'
import { dayMs } from '../domain/promise/days'
import type { NodeCalendar } from '../domain/promise/calendar'
import { learnCorrection, uncorrected, type Correction } from '../domain/promise/conformal'
import { keptPromise, scoreOfPromise, type OrderPromise } from '../domain/promise/kept'
import { isObstacle } from '../domain/promise/obstacle'
import { deliveryOptions, promiseWith, zoneOf, type DeliveryOptions, type OptionsAsk, type PromiseService, type Terms } from '../domain/promise/options'
import type { PlannedShipment } from '../domain/sourcing/decision'
import { learnTransit, type HandedOver, type TransitModel } from '../domain/promise/transit'
import { createNodeReader } from './promise-nodes'
import { remembered, rememberedEach } from './remembered'

/** How old stock and network may be in an answer. */
const freshMs = 1_000
const learnEveryMs = 600_000
const mostParcels = 100_000
const mostSkus = 100_000

export interface DeskAsk extends Omit<OptionsAsk, 'available' | 'lines'> {
  channel: string
  lines: readonly { sku: string; quantity: number }[]
}
export interface DeskAnswer extends DeliveryOptions {
  /** By SKU, when more is announced. */
  nextSupplyAt: ReadonlyMap<string, string>
  terms: Terms
  versions: { sourcing: number; promise: number }
}
export interface PromiseDesk {
  channel(channelId: string): Promise<ChannelTerms | undefined>
  /** Of these, the SKUs nobody knows. */
  unknown(skus: readonly string[]): Promise<string[]>
  options(ask: DeskAsk, now: number): Promise<DeskAnswer>
  /** Ready to say at once, inside a transaction, what date a plan can keep by a service (absent: the first that is kept). */
  forPlans(channelId: string): Promise<PlanPromise>
}
export type PlanPromise = (ask: { service?: string; destination: OptionsAsk['destination']; shipments: readonly PlannedShipment[] }, now: number) => OrderPromise | undefined

export function createPromiseDesk({ db, carriers, log }: { db: Db; carriers: readonly Carrier[]; log: Logger }): PromiseDesk {
  const services = carriers.flatMap((carrier) => carrier.services().map((s) => ({ ...s, carrier: carrier.carrier })))
  const readNodes = createNodeReader(services)
  const channels = remembered(() => channelTerms(db).then((found) => new Map(found.map((c) => [c.channelId, c]))), freshMs)
  const work = remembered(() => workSeen(db, mostParcels).catch((error: unknown) => (log.warn({ error }, 'lead times could not be learned'), [])), learnEveryMs)
  const nodes = remembered(async () => readNodes(await promiseNodes(db), await work(), Date.now()), freshMs)
  const policies = remembered(() => activePolicies(db), freshMs)
  const shelves = rememberedEach((skus) => shelvesOf(db, skus).then((found) => new Map(found.map((s) => [s.sku, s]))), freshMs, mostSkus)
  const promised = (timeZone: string): PromiseService[] => services.map((s) => ({ ...s, days: openCarrierDays({ timeZone, deliversOn: s.deliversOn, hours: s.hours }) }))
  const transit = remembered(() => learn(db, promised).catch((error: unknown) => (log.warn({ error }, 'transit times could not be learned'), learnTransit([], { asOf: 0 }))), learnEveryMs)
  const correction = remembered(() => correct(db, promised).catch((error: unknown) => (log.warn({ error }, 'what was promised could not be judged'), uncorrected)), learnEveryMs)
  /** Kits as the components that are taken for them. */
  const unpacked = async (lines: DeskAsk['lines']): Promise<DeskAsk['lines']> => {
    const known = await shelves([...new Set(lines.map((l) => l.sku))])
    return lines.flatMap((line) => known.get(line.sku)?.kit?.map((part) => ({ sku: part.sku, quantity: part.quantity * line.quantity })) ?? [line])
  }
  const servicesIn = new Map<string, PromiseService[]>()
  const servicesFor = (timeZone: string): PromiseService[] => {
    const known = servicesIn.get(timeZone) ?? promised(timeZone)
    servicesIn.set(timeZone, known)
    return known
  }
  return {
    channel: async (channelId) => (await channels()).get(channelId),
    unknown: async (skus) => [...(await shelves(skus))].flatMap(([sku, found]) => (found ? [] : [sku])),
    async options({ channel, lines, ...ask }, now) {
      const goods = await unpacked(lines)
      const skus = [...new Set(goods.map((l) => l.sku))]
      const [found, network, { documents, versions }, stock, learned, corrected] = await Promise.all([channels(), nodes(), policies(), shelves(skus), transit(), correction()])
      const sells = found.get(channel)!
      const inZone = servicesFor(sells.timeZone)
      const byNode = sellable(stock, sells)
      const { sourcing, promise } = documents
      const answer = deliveryOptions(
        { ...ask, lines: goods.map((l, i) => ({ ...l, lineId: String(i), weightGrams: stock.get(l.sku)!.weightGrams, valueMinor: 0 })), available: (nodeId) => byNode.get(nodeId) ?? { available: {} } },
        { nodes: network, services: inZone, transit: learned, correction: corrected },
        { sourcing, promise },
        now,
      )
      const nextSupplyAt = new Map([...stock].flatMap(([sku, known]) => (known?.nextSupplyAt ? [[sku, known.nextSupplyAt] as const] : [])))
      return { ...answer, nextSupplyAt, terms: { sourcing, promise }, versions: { sourcing: versions.sourcing, promise: versions.promise } }
    },
    async forPlans(channelId) {
      const [found, network, { documents }, learned, corrected] = await Promise.all([channels(), nodes(), policies(), transit(), correction()])
      const inZone = servicesFor(found.get(channelId)?.timeZone ?? 'UTC')
      return ({ service, destination, shipments }, now) => {
        for (const offered of inZone.filter((s) => service === undefined || s.service === service)) {
          const promise = promiseWith(offered, { destination }, { nodes: network, services: inZone, transit: learned, correction: corrected }, shipments, documents, now)
          if (!isObstacle(promise)) return keptPromise(promise, shipments.map(({ nodeId }) => ({ nodeId, calendar: network.get(nodeId)!.calendar as NodeCalendar })), offered.service)
        }
        return undefined
      }
    },
  }
}

type Stock = Map<string, { shelves: readonly Omit<Shelf, 'sku'>[] } | undefined>

/** What a channel may sell, by node. */
function sellable(stock: Stock, channel: ChannelTerms): Map<string, { available: Record<string, number>; trust: Record<string, number> }> {
  const byNode = new Map<string, { available: Record<string, number>; trust: Record<string, number> }>()
  for (const [sku, found] of stock)
    for (const shelf of found?.shelves ?? []) {
      const node = byNode.get(shelf.nodeId) ?? { available: {}, trust: {} }
      byNode.set(shelf.nodeId, node)
      node.available[sku] = availableToSell(available(shelf), channel)
      node.trust[sku] = shelf.trust
    }
  return byNode
}

/** How long carriers take, from the parcels they were given. */
async function learn(db: Db, promised: (timeZone: string) => readonly PromiseService[]): Promise<TransitModel> {
  const parcels: HandedOver[] = []
  const known = new Map<string, readonly PromiseService[]>()
  for (const seen of await parcelsSeen(db, mostParcels)) {
    const services = known.get(seen.timeZone) ?? promised(seen.timeZone)
    known.set(seen.timeZone, services)
    const days = services.find((s) => s.carrier === seen.carrier && s.service === seen.service)?.days
    if (!days || isObstacle(days)) continue
    const day = days.zone.dayOf(Date.parse(seen.handedOverAt))
    const took = seen.deliveredAt === null ? undefined : transitDays(days, day, days.zone.dayOf(Date.parse(seen.deliveredAt)))
    const from = zoneOf({ country: seen.fromCountry, postalCode: seen.fromPostalCode })
    parcels.push({ carrier: seen.carrier, service: seen.service, origin: from, destination: zoneOf({ country: seen.toCountry, postalCode: seen.toPostalCode }), day, transitDays: took })
  }
  return learnTransit(parcels, { asOf: Math.floor(Date.now() / dayMs) })
}

/** What is stated is corrected by how earlier promises turned out, each judged by what was predicted for it. */
async function correct(db: Db, promised: (timeZone: string) => readonly PromiseService[]): Promise<Correction> {
  const known = new Map<string, readonly PromiseService[]>()
  const scores = (await promisesJudged(db, mostParcels)).flatMap(({ predicted, timeZone, deliveredAt }) => {
    const services = known.get(timeZone) ?? promised(timeZone)
    known.set(timeZone, services)
    const days = services.find((s) => s.carrier === predicted.carrier && s.service === predicted.service)?.days
    if (!days || isObstacle(days)) return []
    return [scoreOfPromise(predicted, deliveredAt === null ? undefined : days.zone.dayOf(Date.parse(deliveredAt)))]
  })
  return learnCorrection(scores)
}
