/** What sourcing is asked and what it answers: a plan, and of every node considered what it would have cost or the fence it failed. */
import type { Position } from '../delivery/distance'

export interface OpenLine {
  lineId: string
  sku: string
  quantity: number
}
export interface LineToSource extends OpenLine {
  /** Of one unit. */
  weightGrams: number
  valueMinor: number
}
export interface Candidate {
  nodeId: string
  type: string
  position: Position
  country: string
  active: boolean
  methods: readonly string[]
  /** Units available to this order per SKU. */
  available: Readonly<Record<string, number>>
  /** Orders it can work today, and those it has; absent where nobody has set a limit. */
  work?: { limit: number; taken: number }
  /** Of wanted SKUs that it may not send, why. */
  barred?: Readonly<Record<string, string>>
  /** For how long it is still closed, in milliseconds; absent: it is open, or nobody asks. */
  closedForMs?: number
  /** 0–1 per SKU, how far its count is believed; absent is 1. */
  trust?: Readonly<Record<string, number>>
  /** Own drivers start from here. */
  ownDrivers?: boolean
  /** By how many days a shipment is expected to miss what was promised; absent is none. */
  daysLate?: number
}
export interface SourcingAsk {
  lines: readonly LineToSource[]
  method: string
  /** Where the goods go; absent when the address has no position. */
  destination?: Position
  country?: string
  /** Only nodes from which own drivers start. */
  ownDrivers?: boolean
  /** The option that was chosen has its price and date from this node: until it says no, from nowhere else. */
  quotedFrom?: string
  /** Nodes that already said no to this order. */
  excluded: readonly string[]
  /** Shipments that are under way already, and count against the most there may be. */
  shipmentsBefore?: number
}

/** Named parts of a cost, or of a rank: minor units in cost mode, the rule's own measure in simple mode. */
export type Parts = Readonly<Record<string, number>>

export interface SourcingDecision {
  mode: 'simple' | 'cost'
  /** The rules of the policy that are for the order's channel, by name; absent: none. */
  channelRules?: readonly string[]
  chosen?: ChosenPlan
  candidates: readonly CandidateVerdict[]
  /** What is missing when no plan has it all: per SKU, the most that could be had. */
  short: readonly Shortage[]
}
export interface ChosenPlan {
  shipments: readonly PlannedShipment[]
  /** The node at which all of it is gathered, and from which it is sent as one. */
  gatheredAt?: string
  reason: string
  parts: Parts
  /** Cost mode: the sum of `parts`, and the least any plan could cost; they differ only where the search stopped early. */
  costMinor?: number
  atLeastMinor?: number
}
export interface PlannedShipment {
  nodeId: string
  lines: readonly OpenLine[]
}
export interface CandidateVerdict {
  nodeId: string
  distanceMeters?: number
  /** Why it lost, or `chosen`. */
  verdict: string
  /** Of the best plan that uses it. */
  parts?: Parts
  missing?: readonly Shortage[]
}
export interface Shortage {
  sku: string
  wanted: number
  available: number
  /** Why it does not count, where it is there. */
  why?: string
}

/** Several lines on one SKU are checked on their sum. */
export function wantedPerSku(lines: readonly OpenLine[]): Map<string, number> {
  const wanted = new Map<string, number>()
  for (const line of lines) wanted.set(line.sku, (wanted.get(line.sku) ?? 0) + line.quantity)
  return wanted
}
