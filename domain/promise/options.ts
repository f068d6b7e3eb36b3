/** What a customer can choose from: for every service a date that is kept and what it costs her; or the reason why there is none. */
import type { Position } from '../delivery/distance'
import type { PromisePolicy } from '../policy/kinds'
import type { Candidate, LineToSource, PlannedShipment, Shortage } from '../sourcing/decision'
import { source, type SourcingRules } from '../sourcing/source'
import type { Leg } from './arrival'
import type { NodeCalendar } from './calendar'
import type { CapacitySettings, Taken } from './capacity'
import type { CarrierDays } from './carrier-days'
import type { Correction } from './conformal'
import type { Distribution } from './histogram'
import { isObstacle, obstacle, type Obstacle } from './obstacle'
import { promiseDelivery, type DatePromise } from './promise'
import type { TransitModel } from './transit'

export interface PromiseNetwork {
  nodes: ReadonlyMap<string, PromiseNode>
  services: readonly PromiseService[]
  transit: TransitModel
  /** Learned from earlier promises. */
  correction: Correction
}
export interface PromiseNode {
  candidate: Omit<Candidate, 'available' | 'trust'>
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
  method: string
  destination: { country: string; postalCode: string; position?: Position }
  /** The only node it may come from: sold in that store. */
  nodeId?: string
  available: (nodeId: string) => Pick<Candidate, 'available' | 'trust'>
}
export interface Terms {
  sourcing: SourcingRules
  promise: PromisePolicy
}

export interface DeliveryOption {
  service: string
  carrier: string
  name: string
  shipments: readonly PlannedShipment[]
  priceMinor: number
  promise: DatePromise
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
  const { chosen, short } = planFor(ask, network, terms)
  if (!chosen) return { options: [], short, without: [] }
  const answers = network.services.map((service) => ({ service, answer: promiseWith(service, ask, network, chosen.shipments, terms, now) }))
  const options = answers.flatMap(({ service: { service, carrier, name }, answer }) =>
    isObstacle(answer) ? [] : [{ service, carrier, name, shipments: chosen.shipments, priceMinor: priceOf(service, terms.promise), promise: answer }],
  )
  return {
    options: options.sort((a, b) => a.promise.promisedBy - b.promise.promisedBy || a.priceMinor - b.priceMinor),
    short: [],
    without: answers.flatMap(({ service: { service }, answer }) => (isObstacle(answer) ? [{ service, why: answer }] : [])),
  }
}

function planFor(ask: OptionsAsk, network: PromiseNetwork, { sourcing }: Terms): ReturnType<typeof source> {
  const nodes = [...network.nodes.values()].filter((n) => ask.nodeId === undefined || n.candidate.nodeId === ask.nodeId)
  const candidates = nodes.map(({ candidate }): Candidate => ({ ...candidate, ...ask.available(candidate.nodeId) }))
  return source({ lines: ask.lines, method: ask.method, destination: ask.destination.position, country: ask.destination.country, excluded: [] }, candidates, sourcing)
}

/** The date of a plan by one service. */
export function promiseWith(
  service: PromiseService,
  { destination }: Pick<OptionsAsk, 'destination'>,
  network: PromiseNetwork,
  shipments: readonly PlannedShipment[],
  { promise: policy }: Pick<Terms, 'promise'>,
  now: number,
): DatePromise | Obstacle {
  if (!service.countries.includes(destination.country)) return obstacle('carrier.does_not_serve', `${service.carrier} to ${destination.country}`)
  if (isObstacle(service.days)) return service.days
  const legs: Leg[] = []
  for (const { nodeId, lines } of shipments) {
    const node = network.nodes.get(nodeId)
    if (!node) return obstacle('node.unknown', nodeId)
    const { calendar, zone, lead, capacity } = node
    if (isObstacle(calendar)) return calendar
    const transit = network.transit({ carrier: service.carrier, service: service.service, origin: zone, destination: zoneOf(destination) }, service.transitDays)
    if (isObstacle(transit)) return transit
    const units = lines.reduce((sum, l) => sum + l.quantity, 0)
    legs.push({ calendar, service: service.service, carrier: service.carrier, days: service.days, lead, transit, units, ...(capacity && { capacity: { ...capacity, lookAheadDays } }) })
  }
  const { promise, why } = promiseDelivery(legs, now, { confidence: policy.confidence, correction: network.correction })
  return promise ?? why
}

/** Where a carrier cuts its zones: the country, and the first two characters of the postal code. */
export const zoneOf = ({ country, postalCode }: { country: string; postalCode: string }): string => `${country}-${postalCode.replace(/\s/g, '').slice(0, 2)}`

/** What the customer pays for a service. */
const priceOf = (service: string, { prices }: PromisePolicy): number => prices[service] ?? prices.other ?? 0
