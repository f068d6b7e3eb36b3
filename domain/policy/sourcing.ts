/** What a merchant decides about sourcing: who may ship, what is preferred or what it costs, and how far an order may be split. */
import type { Tariff } from '../sourcing/tariff'
import type { ForChannels } from './channel-facts'

export interface SourcingPolicy {
  /** `simple`: the first of `rules` by which two plans differ decides. `cost`: the plan that costs least. */
  mode: 'simple' | 'cost'
  rules: readonly SourcingRule[]
  /** Into how many shipments an order may be split. */
  maxShipments: number
  /** May units of one line come from different nodes? */
  splitLines: boolean
  /** No shipment of a split order is worth less than this, in minor units of its goods. */
  splitGuardMinor: number
  fences: SourcingFences
  /** Needed by mode `cost`. */
  costs?: SourcingCosts
  /** What would leave from several nodes is gathered at this one, which sends it as one. */
  consolidateAt?: string
  /** How often an order that no node can fill is tried again. */
  retryEvery: string
  /** How long it may wait for stock before it is cancelled. */
  autoCancelAfter: string
  /** What is otherwise for some channels (`channel-rules.ts`). */
  channelRules?: readonly SourcingChannelRule[]
  /** Of an order's own policy: the rules that made it what it is. */
  appliedRules?: readonly string[]
}

export const sourcingRules = ['fewest_shipments', 'nearest', 'stores_first', 'warehouses_first', 'most_stock', 'most_capacity'] as const
export type SourcingRule = (typeof sourcingRules)[number]

export const nodeTypes = ['warehouse', 'store', 'vendor', '3pl'] as const
export type NodeType = (typeof nodeTypes)[number]

/** Must hold, whatever is preferred. */
export interface SourcingFences {
  /** Nodes that take no orders by this policy. */
  excludeNodes: readonly string[]
  /** The same for all nodes of a type. */
  excludeTypes?: readonly NodeType[]
  maxDistanceKm?: number
  /** Goods do not cross a border. */
  sameCountry: boolean
  /** A node that is closed for longer than this takes no orders now; ISO 8601 duration. */
  openWithin?: string
  /** Shelves trusted less than this (0–1) count as empty. */
  leastTrust: number
}

/** Every amount in minor units of the money the merchant counts in; whole numbers. */
export interface SourcingCosts {
  /** What sending costs, by distance and weight; a node beyond the last zone does not ship there. */
  rateCard: readonly RateZone[]
  /** Work on a shipment, and on each unit of it, in a warehouse and anywhere else. */
  handlingMinor: number
  pickWarehouseMinor: number
  pickStoreMinor: number
  /** Each shipment after the first. */
  splitMinor: number
  /** A shipment from a node that is full; half as busy costs a quarter. */
  capacityMinor: number
  /** Taking the last unit of a shelf; one of n costs the n-th part. */
  stockOutMinor: number
  /** A unit taken from a shelf that has no more than `markdownAbove`, while others have too much and will have to sell it cheaper. */
  markdownMinor: number
  markdownAbove: number
  /** A shipment that is expected a day late. */
  latenessMinor: number
}

export interface RateZone {
  upToKm: number
  tiers: Tariff
}

/** What it names takes the place of what the policy says; its fences stand beside the policy's. */
export interface SourcingChannelRule extends ForChannels, Partial<Omit<SourcingPolicy, 'fences' | 'costs' | 'consolidateAt' | 'channelRules' | 'appliedRules'>> {
  name: string
  fences?: Partial<SourcingFences>
  /** What weighs more or less than the policy says; what sending costs is the same for all. */
  costs?: Partial<Omit<SourcingCosts, 'rateCard'>>
  /** Null: nothing is gathered. */
  consolidateAt?: string | null
}
