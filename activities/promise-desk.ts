/**
 * Gives dates without asking the database each time: network, shelves and policies are at most a second old, what carriers taught us ten minutes.
 * Every api process has one; nothing it says is booked until it is held or ordered.
 */
import type { Carrier } from './ports'
import { remembered, rememberedEach } from './remembered'
import { createTransitDesk } from './transit-desk'
import type { Db } from '../db/connection'
import { activePolicies } from '../db/policies'
import { channelTerms, promiseNodes, shelvesOf, workSeen, type ChannelTerms, type Shelf } from '../db/views/promise'
import { ownFleet } from '../domain/delivery/own-fleet'
import { available, availableToSell } from '../domain/inventory/level'
import { policiesFor } from '../domain/policy/channel-rules'
import type { Policies } from '../domain/policy/kinds'
import type { NodeCalendar } from '../domain/promise/calendar'
import { fetchedPromise, keptPromise, type OrderPromise } from '../domain/promise/kept'
import { isObstacle } from '../domain/promise/obstacle'
import { expectedDaysLate } from '../domain/promise/arrival'
import { arrivalFrom, deliveryOptions, legsFrom, promiseFetched, promiseSent, zoneOf, type DeliveryOptions, type OptionsAsk, type PromiseNetwork, type Terms } from '../domain/promise/options'
import type { PlannedShipment } from '../domain/sourcing/decision'
import { createNodeReader } from './promise-nodes'

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
  /** Ready to say at once, inside a transaction, what date a plan can keep by a service (absent: the first that is kept), under the policies it is asked by. */
  forPlans(channelId: string): Promise<PlanPromise>
  /** For what is sourced after the sale; asked for before a transaction, used inside of it. */
  afterSale(channelId: string): Promise<AfterSale>
}
export interface AfterSale {
  promise: PlanPromise
  /** By how many days a shipment from a node is expected to miss what was promised; undefined where nothing can be said. */
  daysLate(ask: { nodeId: string; units: number; service?: string; promisedBy: string; destination: OptionsAsk['destination'] }, now: number): number | undefined
}
/** `nodeId`: where it is fetched; absent: it is sent to `destination`. */
export type PlanPromise = (ask: PlanAsk, now: number) => OrderPromise | undefined
export interface PlanAsk {
  method: string
  nodeId?: string
  service?: string
  destination?: OptionsAsk['destination']
  shipments: readonly PlannedShipment[]
  /** Those of the order. */
  policies: Pick<Policies, 'promise' | 'sourcing'>
}

export function createPromiseDesk({ db, carriers, log }: { db: Db; carriers: readonly Carrier[]; log: { warn(trouble: object, what: string): void } }): PromiseDesk {
  const { services, servicesIn, transit, correction } = createTransitDesk({ db, carriers, onTrouble: (error, what) => log.warn({ error }, what) })
  const readNodes = createNodeReader(services)
  const channels = remembered(() => channelTerms(db).then((found) => new Map(found.map((c) => [c.channelId, c]))), freshMs)
  const work = remembered(() => workSeen(db, mostParcels).catch((error: unknown) => (log.warn({ error }, 'lead times could not be learned'), [])), learnEveryMs)
  const nodes = remembered(async () => readNodes(await promiseNodes(db), await work(), Date.now()), freshMs)
  const policies = remembered(() => activePolicies(db), freshMs)
  const shelves = rememberedEach((skus) => shelvesOf(db, skus).then((found) => new Map(found.map((s) => [s.sku, s]))), freshMs, mostSkus)
  /** Kits as the components that are taken for them. */
  const unpacked = async (lines: DeskAsk['lines']): Promise<DeskAsk['lines']> => {
    const known = await shelves([...new Set(lines.map((l) => l.sku))])
    return lines.flatMap((line) => known.get(line.sku)?.kit?.map((part) => ({ sku: part.sku, quantity: part.quantity * line.quantity })) ?? [line])
  }
  const desk: PromiseDesk = {
    channel: async (channelId) => (await channels()).get(channelId),
    unknown: async (skus) => [...(await shelves(skus))].flatMap(([sku, found]) => (found ? [] : [sku])),
    async options({ channel, lines, ...ask }, now) {
      const goods = await unpacked(lines)
      const skus = [...new Set(goods.map((l) => l.sku))]
      const [found, network, { documents, versions }, stock, learned, corrected] = await Promise.all([channels(), nodes(), policies(), shelves(skus), transit(), correction()])
      const sells = found.get(channel)!
      const inZone = servicesIn(sells.timeZone)
      const byNode = sellable(stock, sells)
      const { sourcing, promise, last_mile } = policiesFor(documents, sells)
      const answer = deliveryOptions(
        { ...ask, lines: goods.map((l, i) => ({ ...l, lineId: String(i), weightGrams: stock.get(l.sku)!.weightGrams, valueMinor: 0 })), underRules: goods.flatMap(({ sku }) => [stock.get(sku)!].flatMap((g) => (g.hazardous || g.exportControlled ? [{ sku, hazardous: g.hazardous, exportControlled: g.exportControlled }] : []))), available: (nodeId) => byNode.get(nodeId) ?? { available: {} } },
        { nodes: network, services: inZone, transit: learned, correction: corrected },
        { sourcing, promise, last_mile },
        now,
      )
      const nextSupplyAt = new Map([...stock].flatMap(([sku, known]) => (known?.nextSupplyAt ? [[sku, known.nextSupplyAt] as const] : [])))
      return { ...answer, nextSupplyAt, terms: { sourcing, promise, last_mile }, versions: { sourcing: versions.sourcing, promise: versions.promise } }
    },
    async forPlans(channelId) {
      const [found, network, learned, corrected] = await Promise.all([channels(), nodes(), transit(), correction()])
      const inZone = servicesIn(found.get(channelId)?.timeZone ?? 'UTC')
      const known: PromiseNetwork = { nodes: network, services: inZone, transit: learned, correction: corrected }
      return ({ method, nodeId, service, destination, shipments, policies: own }, now) => {
        if (method !== 'delivery') {
          const fetched = promiseFetched({ nodeId: nodeId!, method, service }, known, shipments, own, now)
          return isObstacle(fetched) ? undefined : fetchedPromise(fetched, nodeId!)
        }
        if (!destination) return undefined
        const to = { country: destination.country, zone: zoneOf(destination) }
        for (const offered of inZone.filter((s) => (service === undefined ? s.carrier !== ownFleet : s.service === service))) {
          const promise = promiseSent(offered, to, known, shipments, own, now)
          if (!isObstacle(promise)) return keptPromise(promise, legsFrom(shipments, own.sourcing.consolidateAt).map((from) => ({ nodeId: from, calendar: network.get(from)!.calendar as NodeCalendar })), offered.service)
        }
        return undefined
      }
    },
    async afterSale(channelId) {
      const [promise, found, network, learned] = await Promise.all([desk.forPlans(channelId), channels(), nodes(), transit()])
      const inZone = servicesIn(found.get(channelId)?.timeZone ?? 'UTC')
      return {
        promise,
        daysLate({ nodeId, units, service, promisedBy, destination }, now) {
          const node = network.get(nodeId)
          const offered = inZone.filter((s) => (service === undefined ? s.carrier !== ownFleet : s.service === service))
          const arrivals = offered.flatMap((s) => [node && arrivalFrom(node, s, { country: destination.country, zone: zoneOf(destination) }, learned, units, now)].flatMap((a) => (a && !isObstacle(a) && !isObstacle(s.days) ? [expectedDaysLate(a, s.days.zone.dayOf(Date.parse(promisedBy)))] : [])))
          return arrivals.length ? Math.min(...arrivals) : undefined
        },
      }
    },
  }
  return desk
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
