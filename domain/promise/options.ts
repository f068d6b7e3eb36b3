/** What a customer can choose from: sent by every service, fetched from stores near her, or carried out of the one she is in; each with a date that is kept and what it costs her, or the reason why there is none. */
import { distanceMeters, type Position } from '../delivery/distance'
import { durationMs } from '../policy/duration'
import { ownDriver, ownFleet } from '../delivery/own-fleet'
import { defaultPolicies, type LastMilePolicy, type PromisePolicy } from '../policy/kinds'
import type { Candidate, LineToSource, PlannedShipment, Shortage } from '../sourcing/decision'
import { whyBarred, type GoodsRules, type NodePermits } from '../sourcing/goods-under-rules'
import { source, type SourcingRules } from '../sourcing/source'
import { arrivalOf, type Arrival, type Leg } from './arrival'
import type { NodeCalendar } from './calendar'
import type { CapacitySettings, Taken } from './capacity'
import type { CarrierDays } from './carrier-days'
import { promiseReady, promiseUnpacked, type ReadyPromise } from './collection'
import type { Correction } from './conformal'
import { withHandling } from './handling'
import type { Distribution } from './histogram'
import { isObstacle, obstacle, type Obstacle } from './obstacle'
import { promiseDelivery, type DatePromise } from './promise'
import type { TransitModel } from './transit'
import { nextOpening } from './working-time'

export interface PromiseNetwork {
  nodes: ReadonlyMap<string, PromiseNode>
  services: readonly PromiseService[]
  transit: TransitModel
  /** Learned from earlier promises. */
  correction: Correction
}
export interface PromiseNode {
  candidate: Omit<Candidate, 'available' | 'trust' | 'barred' | 'closedForMs'>
  permits: NodePermits
  /** Zone of its parcels, as the carriers cut them. */
  zone: string
  calendar: NodeCalendar | Obstacle
  lead: Distribution
  capacity?: { settings: CapacitySettings; taken: Taken }
}
export interface PromiseService {
  carrier: string
  service: string
  name: string
  transitDays: number
  /** Countries it delivers to. */
  countries: readonly string[]
  days: CarrierDays | Obstacle
}

export interface OptionsAsk {
  lines: readonly LineToSource[]
  /** Of wanted SKUs that not every node may send. */
  underRules?: readonly (GoodsRules & { sku: string })[]
  destination: { country: string; postalCode: string; position?: Position }
  /** The store in which it is sold: what it has leaves from there, what it does not have from anywhere. */
  soldAt?: string
  available: (nodeId: string) => Pick<Candidate, 'available' | 'trust'>
}
export interface Terms {
  sourcing: SourcingRules
  promise: PromisePolicy
  last_mile: Pick<LastMilePolicy, 'radiusKm'>
}

export interface DeliveryOption {
  method: 'delivery' | 'pickup' | 'ship_to_store' | 'carry_out'
  /** Of what is fetched, where; of what is sent, where from if that is the store in which it is sold. */
  nodeId?: string
  service: string
  shipments: readonly PlannedShipment[]
  priceMinor: number
  promise: Pick<DatePromise, 'cutoffAt' | 'promisedFrom' | 'promisedBy' | 'confidence'>
}
export interface DeliveryOptions {
  options: readonly DeliveryOption[]
  short: readonly Shortage[]
  /** Services that cannot be promised, and why. */
  without: readonly { service: string; why: Obstacle }[]
}

/** How many days ahead a full node's work may move. */
const lookAheadDays = 14

/** Options by date, the earliest first. Deterministic; nothing is claimed. */
export function deliveryOptions(ask: OptionsAsk, network: PromiseNetwork, terms: Terms, now: number): DeliveryOptions {
  const sent = sentOptions(ask, network, terms, now)
  const options = [...sent.options, ...broughtBy(ask, network, terms, now), ...storesFor(ask, network, terms).flatMap((store) => fetchedFrom(store, ask, network, terms, now))]
  return { ...sent, short: options.length ? [] : sent.short, options: options.sort((a, b) => a.promise.promisedBy - b.promise.promisedBy || a.priceMinor - b.priceMinor) }
}

/** Sent to the customer: from the store in which it is sold if that has all of it, else from wherever it comes best. */
function sentOptions(ask: OptionsAsk, network: PromiseNetwork, terms: Terms, now: number): DeliveryOptions {
  const fromStore = ask.soldAt === undefined ? undefined : planFor(ask, network, terms, now, { method: 'delivery', only: ask.soldAt }).chosen
  const { chosen, short } = fromStore ? { chosen: fromStore, short: [] } : planFor(ask, network, terms, now, { method: 'delivery' })
  if (!chosen) return { options: [], short, without: [] }
  const to = { country: ask.destination.country, zone: zoneOf(ask.destination) }
  const answers = carriersOf(network).map((service) => ({ service, answer: promiseSent(service, to, network, chosen.shipments, terms, now) }))
  const options = answers.flatMap(({ service: { service }, answer }): DeliveryOption[] =>
    isObstacle(answer) ? [] : [{ method: 'delivery', service, shipments: chosen.shipments, priceMinor: priceOf(service, terms.promise), promise: answer, ...(fromStore && { nodeId: ask.soldAt }) }],
  )
  return {
    options: firstOfEach(options),
    short: [],
    without: answers.flatMap(({ service: { service }, answer }) => (isObstacle(answer) && !options.some((o) => o.service === service) ? [{ service, why: answer }] : [])),
  }
}

const carriersOf = ({ services }: PromiseNetwork): PromiseService[] => services.filter((s) => s.carrier !== ownFleet)

/** By an own driver, from one node that is near enough and has all of it. */
function broughtBy(ask: OptionsAsk, network: PromiseNetwork, terms: Terms, now: number): DeliveryOption[] {
  const service = network.services.find((s) => s.carrier === ownFleet)
  const { position } = ask.destination
  if (!service || !position) return []
  const near = [...network.nodes.values()].filter(({ candidate: c }) => c.ownDrivers && (ask.soldAt ?? c.nodeId) === c.nodeId && distanceMeters(position, c.position) <= (terms.last_mile.radiusKm ?? defaultPolicies.last_mile.radiusKm) * 1000)
  if (near.length === 0) return []
  const candidates = near.map((node) => candidateOf(node, ask, terms.sourcing, now))
  const { chosen } = source({ lines: ask.lines, method: 'delivery', destination: position, country: ask.destination.country, excluded: [], ownDrivers: true }, candidates, { ...terms.sourcing, maxShipments: 1 })
  const promise = chosen && withHandling(terms.promise, now, (then) => promiseWith(service, { country: ask.destination.country, zone: zoneOf(ask.destination) }, network, chosen.shipments, terms, then))
  return promise && !isObstacle(promise) ? [{ method: 'delivery', nodeId: chosen.shipments[0]!.nodeId, service: ownDriver, shipments: chosen.shipments, priceMinor: priceOf(ownDriver, terms.promise), promise }] : []
}

/** What several carriers sell is offered once, by the date of the first of them that has one; which of them carries it is chosen when it is packed. */
const firstOfEach = (options: readonly DeliveryOption[]): DeliveryOption[] => options.filter((o, i) => options.findIndex((other) => other.service === o.service) === i)

/** The stores where a customer may fetch it: the one she is in, or the nearest ones to her. */
function storesFor({ soldAt, destination }: OptionsAsk, { nodes }: PromiseNetwork, { promise }: Terms): PromiseNode[] {
  if (soldAt !== undefined) return [nodes.get(soldAt)].filter((n) => n !== undefined)
  const { withinKm, stores } = promise.collect ?? defaultPolicies.promise.collect
  const open = [...nodes.values()].filter(({ candidate: { active, methods, country } }) => active && country === destination.country && (methods.includes('pickup') || methods.includes('ship_to_store')))
  const { position } = destination
  // Without a position only the first digits of the postal code say what is near.
  if (!position) return open.filter((n) => n.zone === zoneOf(destination)).slice(0, stores)
  return open
    .map((node) => ({ node, meters: distanceMeters(position, node.candidate.position) }))
    .filter(({ meters }) => meters <= withinKm * 1000)
    .sort((a, b) => a.meters - b.meters)
    .slice(0, stores)
    .map(({ node }) => node)
}

/** What one store can give: at once to somebody who is there, put aside from its own shelf, or sent to it from others. */
function fetchedFrom(store: PromiseNode, ask: OptionsAsk, network: PromiseNetwork, terms: Terms, now: number): DeliveryOption[] {
  const { nodeId, methods, country } = store.candidate
  const offer = (method: DeliveryOption['method'], service: string, shipments: readonly PlannedShipment[], promise: ReadyPromise | Obstacle): DeliveryOption[] =>
    isObstacle(promise) ? [] : [{ method, nodeId, service, shipments, priceMinor: terms.promise.prices[method] ?? 0, promise }]
  const patienceMs = durationMs(terms.promise.quoteLifetime)
  const inHand = nodeId === ask.soldAt && methods.includes('carry_out') ? planFor(ask, network, terms, now, { method: 'carry_out', only: nodeId }).chosen : undefined
  const carried = inHand ? offer('carry_out', 'carry_out', inHand.shipments, { cutoffAt: now + patienceMs, promisedFrom: now, promisedBy: now + patienceMs, confidence: 1 }) : []
  const onShelf = methods.includes('pickup') ? planFor(ask, network, terms, now, { method: 'pickup', only: nodeId }).chosen : undefined
  if (onShelf) return [...carried, ...offer('pickup', 'pickup', onShelf.shipments, withHandling(terms.promise, now, (then) => promiseReady(store, unitsOf(onShelf.shipments), then, { confidence: terms.promise.confidence, patienceMs })))]
  if (!methods.includes('ship_to_store')) return carried
  const sentHere = planFor({ ...ask, destination: { ...ask.destination, country, position: store.candidate.position } }, network, terms, now, { method: 'delivery' }).chosen
  const best = sentHere && bestTo(store, network, sentHere.shipments, terms, now)
  return best ? [...carried, ...offer('ship_to_store', best.service, sentHere.shipments, promiseUnpacked(store, best.promise))] : carried
}

/** The service by which everything is at the store first; what the store has itself need not travel. */
function bestTo(store: PromiseNode, network: PromiseNetwork, shipments: readonly PlannedShipment[], terms: Pick<Terms, 'promise'>, now: number): { service: string; promise: DatePromise } | undefined {
  const travelling = shipments.filter((s) => s.nodeId !== store.candidate.nodeId)
  const to = { country: store.candidate.country, zone: store.zone }
  const answers = carriersOf(network).flatMap((service) => {
    const promise = withHandling(terms.promise, now, (then) => promiseWith(service, to, network, travelling, terms, then))
    return isObstacle(promise) ? [] : [{ service: service.service, promise }]
  })
  return answers.sort((a, b) => a.promise.promisedBy - b.promise.promisedBy)[0]
}

/** When a plan whose goods are fetched at `nodeId` has them at the counter there. @param service by which they travel, if they do; absent: the first to be there */
export function promiseFetched(
  { nodeId, method, service }: { nodeId: string; method: string; service?: string },
  network: PromiseNetwork,
  shipments: readonly PlannedShipment[],
  terms: Pick<Terms, 'promise'>,
  now: number,
): ReadyPromise | Obstacle {
  const store = network.nodes.get(nodeId)
  if (!store) return obstacle('node.unknown', nodeId)
  if (method === 'carry_out') return { cutoffAt: now, promisedFrom: now, promisedBy: now, confidence: 1 }
  if (shipments.every((s) => s.nodeId === nodeId)) return withHandling(terms.promise, now, (then) => promiseReady(store, unitsOf(shipments), then, { confidence: terms.promise.confidence, patienceMs: 0 }))
  const services = service === undefined ? network.services : network.services.filter((s) => s.service === service)
  const best = bestTo(store, { ...network, services }, shipments, terms, now)
  return best ? promiseUnpacked(store, best.promise) : obstacle('transit.unknown', nodeId)
}

const unitsOf = (shipments: readonly PlannedShipment[]): number => shipments.reduce((sum, s) => sum + s.lines.reduce((units, l) => units + l.quantity, 0), 0)

/** With what it has, what it may not send, and for how long it is still closed where the policy asks. */
function candidateOf({ candidate, permits, calendar }: PromiseNode, { available, underRules = [], destination }: OptionsAsk, { fences }: SourcingRules, now: number): Candidate {
  const barred = underRules.flatMap(({ sku, ...rules }) => [whyBarred(rules, permits, destination.country)].flatMap((why) => (why === undefined ? [] : [[sku, why] as const])))
  const closedForMs = fences.openWithin === undefined || isObstacle(calendar) ? undefined : Math.max(0, (nextOpening(calendar, now) ?? Number.MAX_SAFE_INTEGER) - now)
  return { ...candidate, ...available(candidate.nodeId), ...(barred.length > 0 && { barred: Object.fromEntries(barred) }), ...(closedForMs !== undefined && { closedForMs }) }
}

function planFor(ask: OptionsAsk, network: PromiseNetwork, { sourcing }: Terms, now: number, { method, only }: { method: string; only?: string }): ReturnType<typeof source> {
  const nodes = only === undefined ? [...network.nodes.values()] : [network.nodes.get(only)].filter((n) => n !== undefined)
  const candidates = nodes.map((node) => candidateOf(node, ask, sourcing, now))
  return source({ lines: ask.lines, method, destination: ask.destination.position, country: ask.destination.country, excluded: [] }, candidates, sourcing)
}

/** The date of a plan by one service. */
export function promiseWith(
  service: PromiseService,
  to: { country: string; zone: string },
  network: PromiseNetwork,
  shipments: readonly PlannedShipment[],
  { promise: policy }: Pick<Terms, 'promise'>,
  now: number,
): DatePromise | Obstacle {
  const legs: Leg[] = []
  for (const { nodeId, lines } of shipments) {
    const node = network.nodes.get(nodeId)
    if (!node) return obstacle('node.unknown', nodeId)
    const leg = legFrom(node, service, to, network.transit, lines.reduce((sum, l) => sum + l.quantity, 0))
    if (isObstacle(leg)) return leg
    legs.push(leg)
  }
  const { promise, why } = promiseDelivery(legs, now, { confidence: policy.confidence, correction: network.correction })
  return promise ?? why
}

/** The same where the policy has several shipments gathered at one node first: half of the doubt is allowed to each of the two ways. */
export function promiseSent(service: PromiseService, to: { country: string; zone: string }, network: PromiseNetwork, shipments: readonly PlannedShipment[], terms: Pick<Terms, 'promise' | 'sourcing'>, now: number): DatePromise | Obstacle {
  const hub = terms.sourcing.consolidateAt
  if (hub === undefined || shipments.length < 2) return withHandling(terms.promise, now, (then) => promiseWith(service, to, network, shipments, terms, then))
  const node = network.nodes.get(hub)
  if (!node) return obstacle('node.unknown', hub)
  const each = { ...terms, promise: { ...terms.promise, confidence: Math.sqrt(terms.promise.confidence) } }
  const gathered = bestTo(node, network, shipments, each, now)
  if (!gathered) return obstacle('transit.unknown', hub)
  const there = promiseUnpacked(node, gathered.promise)
  if (isObstacle(there)) return there
  const sent = promiseWith(service, to, network, [{ nodeId: hub, lines: shipments.flatMap((s) => s.lines) }], each, there.promisedBy)
  if (isObstacle(sent)) return sent
  const { cutoffAt, handOverBy } = gathered.promise
  return { ...sent, cutoffAt, handOverBy, confidence: sent.confidence * gathered.promise.confidence, legs: [...gathered.promise.legs, ...sent.legs] }
}

/** The nodes of a promise's legs, in their order. */
export const legsFrom = (shipments: readonly PlannedShipment[], hub: string | undefined): string[] =>
  hub === undefined || shipments.length < 2 ? shipments.map((s) => s.nodeId) : [...shipments.map((s) => s.nodeId).filter((n) => n !== hub), hub]

/** When a shipment from a node arrives by a service, with all its probabilities. */
export function arrivalFrom(node: PromiseNode, service: PromiseService, to: { country: string; zone: string }, model: TransitModel, units: number, now: number): Arrival | Obstacle {
  const leg = legFrom(node, service, to, model, units)
  return isObstacle(leg) ? leg : arrivalOf(leg, now, horizonDays)
}
const horizonDays = 45

function legFrom({ calendar, zone, lead, capacity }: PromiseNode, service: PromiseService, to: { country: string; zone: string }, model: TransitModel, units: number): Leg | Obstacle {
  if (!service.countries.includes(to.country)) return obstacle('carrier.does_not_serve', `${service.carrier} to ${to.country}`)
  if (isObstacle(service.days)) return service.days
  if (isObstacle(calendar)) return calendar
  const transit = model({ carrier: service.carrier, service: service.service, origin: zone, destination: to.zone }, service.transitDays)
  if (isObstacle(transit)) return transit
  return { calendar, service: service.service, carrier: service.carrier, days: service.days, lead, transit, units, ...(capacity && { capacity: { ...capacity, lookAheadDays } }) }
}

/** Where a carrier cuts its zones: the country, and the first two characters of the postal code. */
export const zoneOf = ({ country, postalCode }: { country: string; postalCode: string }): string => `${country}-${postalCode.replace(/\s/g, '').slice(0, 2)}`

/** What the customer pays for a service. */
const priceOf = (service: string, { prices }: PromisePolicy): number => prices[service] ?? prices.other ?? 0
